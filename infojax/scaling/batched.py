"""A law at one point, applied to arrays of points: arguments broadcast, in float64 where they are concrete."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from infojax.errors import InvalidInput
from infojax.precision import in_float64

Fields = TypeVar("Fields")


def batched(law: Callable[..., Fields], *arguments: Any, shared: Any = (), static: tuple[Any, ...] = ()) -> Fields:
    """`law(*arguments, *shared, *static)` of scalar arguments, at every point of the arguments broadcast together.

    Arguments are pytrees of numbers or arrays; shared arrays are the same for every point. Each field of the result
    has the broadcast shape, then the shape that it has at one point. One program is compiled for each law, structure
    of arguments and static tuple, so `law` must be a function that lives as long as its module.

    Raises `InvalidInput` where shapes do not broadcast together.
    """
    return _in_float64(arguments, shared, law, static)


@in_float64
def _in_float64(arguments: Any, shared: Any, law: Callable[..., Any], static: tuple[Any, ...]) -> Any:
    dtype = jnp.result_type(float)
    leaves, structure = jax.tree.flatten(arguments)
    shapes = [np.shape(leaf) for leaf in leaves]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        different = sorted(set(shapes), key=len)
        raise InvalidInput(f"shapes that do not broadcast together: {str(different)[1:-1]}") from None
    return _everywhere([jnp.asarray(leaf, dtype) for leaf in leaves], shared, law, structure, static)


@partial(jax.jit, static_argnums=(2, 3, 4))
def _everywhere(
    leaves: list[jax.Array], shared: Any, law: Callable[..., Any], structure: Any, static: tuple[Any, ...]
) -> Any:
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in leaves))
    flat = [jnp.broadcast_to(leaf, shape).ravel() for leaf in leaves]

    def at(*scalars: jax.Array) -> Any:
        return law(*jax.tree.unflatten(structure, scalars), *shared, *static)

    values = jax.vmap(at)(*flat)
    return jax.tree.map(lambda field: field.reshape((*shape, *field.shape[1:])), values)
