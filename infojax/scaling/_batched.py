"""A law at one point, applied to arrays of points: arguments broadcast, in float64 where they are concrete."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from infojax.arrays import in_float64, traced
from infojax.errors import InvalidInput

Fields = TypeVar("Fields")


def batched(
    law: Callable[..., Fields],
    *arguments: Any,
    shared: Any = (),
    static: tuple[Any, ...] = (),
    lost: bool = False,
    block: int = 1 << 30,
) -> Fields:
    """`law(*arguments, *shared, *static)` of scalar arguments, at every point of the arguments broadcast together.

    Arguments are pytrees of numbers or arrays; shared arrays are the same for every point. Each field of the result
    has the broadcast shape, then the shape that it has at one point. One program is compiled for each law, structure
    of arguments and static tuple, so `law` must be a function that lives as long as its module.

    Points are computed `block` at a time. Where an argument is NaN, as what could not be refused under a transformation
    is, all fields are.

    Raises `InvalidInput` where shapes do not broadcast together, and where a field would be NaN, unless the caller says
    that what is `lost` is its own to refuse.
    """
    found = _in_float64(arguments, shared, law, static, block)
    if not (lost or traced(found)):
        _refuse_lost(found, arguments)
    return found


def _refuse_lost(found: Any, arguments: Any) -> None:
    shape = np.broadcast_shapes(*(np.shape(leaf) for leaf in jax.tree.leaves(arguments)))
    gone = np.zeros(shape, bool)
    for field in jax.tree.leaves(found):
        gone |= np.isnan(field).any(axis=tuple(range(len(shape), np.ndim(field))))
    if not gone.any():
        return
    listed = ", ".join(
        f"{leaf_name(path[1:])}={np.broadcast_to(leaf, shape)[gone].flat[0]:g}"
        for path, leaf in jax.tree_util.tree_leaves_with_path(arguments)
    )
    raise InvalidInput(f"float64 does not hold this law at {listed}: give less extreme numbers")


def leaf_name(path: tuple[Any, ...]) -> str:
    """What a number of a problem is called, given the path to it."""
    return jax.tree_util.keystr(path).removeprefix(".selection").lstrip(".")


@in_float64
def _in_float64(arguments: Any, shared: Any, law: Callable[..., Any], static: tuple[Any, ...], block: int) -> Any:
    dtype = jnp.result_type(float)
    leaves, structure = jax.tree.flatten(arguments)
    shapes = [np.shape(leaf) for leaf in leaves]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        different = sorted(set(shapes), key=len)
        raise InvalidInput(f"shapes that do not broadcast together: {str(different)[1:-1]}") from None
    return _everywhere([jnp.asarray(leaf, dtype) for leaf in leaves], shared, law, structure, static, block)


@partial(jax.jit, static_argnums=(2, 3, 4, 5))
def _everywhere(
    leaves: list[jax.Array], shared: Any, law: Callable[..., Any], structure: Any, static: tuple[Any, ...], block: int
) -> Any:
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in leaves))
    flat = [jnp.broadcast_to(leaf, shape).ravel() for leaf in leaves]

    def at(*scalars: jax.Array) -> Any:
        found = law(*jax.tree.unflatten(structure, scalars), *shared, *static)
        refused = jnp.any(jnp.stack([jnp.isnan(leaf).any() for leaf in (*scalars, *jax.tree.leaves(shared))]))
        return jax.tree.map(lambda field: withheld(refused, field), found)

    if flat[0].size <= block:
        values = jax.vmap(at)(*flat)
    else:
        values = jax.lax.map(lambda scalars: at(*scalars), flat, batch_size=block)
    return jax.tree.map(lambda field: field.reshape((*shape, *field.shape[1:])), values)


def withheld(refused: Any, field: Any) -> Any:
    """The field, NaN where it is refused, and so are its slopes: a slope of 0 would say that a descent has arrived."""
    return field * jnp.where(refused, jnp.nan, 1.0).astype(field.dtype)
