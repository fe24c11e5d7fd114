"""flax.nnx modules as networks."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped

from infojax.errors import InvalidInput
from infojax.models.network import Network, Params

Shape = tuple[int, ...]


def from_nnx(make_module: Callable[[Any], Any]) -> Network:
    """A network from any flax.nnx module, in evaluation mode.

    Every `nnx.Param` is a parameter; parameters are a nested dictionary of arrays under the module's
    attribute names. Everything else that the module holds (BatchNorm's running statistics, say) is no
    parameter: it is taken once, from the module that `make_module` makes now, so it should not depend on the
    random numbers. Dropout is off. Outputs of any rank are flattened to (b, k). Layers of `dtype=None`,
    flax's default, compute in the precision of parameters and inputs, float64 included.

    Args:
        make_module: `make_module(rngs)` with `rngs` an `nnx.Rngs` → module, called with a batch (b, *shape).

    Raises:
        InvalidInput: from `init` and `apply`, when the module does not take inputs of the shape given, does
            not keep the batch axis, or when parameters are not those of the module.

    >>> from flax import nnx
    >>> network = from_nnx(lambda rngs: nnx.Linear(3, 2, rngs=rngs))
    >>> params = network.init(jax.random.key(0), (3,))
    >>> jax.tree.map(jnp.shape, params)
    {'bias': (2,), 'kernel': (3, 2)}
    >>> network.apply(params, jnp.ones((5, 3))).shape
    (5, 2)
    """
    from flax import nnx

    def split(key: Any) -> tuple[Any, Params, Any]:
        module = make_module(nnx.Rngs(key))
        module.eval()
        graph, params, fixed = nnx.split(module, nnx.Param, ...)
        return graph, nnx.to_pure_dict(params), nnx.to_pure_dict(fixed)

    graph, template, fixed = split(jax.random.key(0))
    needed = _shapes(template)

    def init(key: Any, shape: Shape) -> Params:
        _, params, _ = split(key)
        jax.eval_shape(apply, params, jax.ShapeDtypeStruct((1, *shape), _precision(params)))
        return params

    def apply(params: Params, x: Shaped[Array | np.ndarray, "b ..."]) -> Shaped[Array, "b k"]:
        given = _shapes(params)
        if given != needed:
            differing = sorted(given.items() ^ needed.items())
            raise InvalidInput(
                f"The parameters given do not fit this network with examples of shape {x.shape[1:]}; given "
                f"or needed, but not both: {', '.join(f'{name} {shape}' for name, shape in differing)}. Make "
                f"them with network.init(key, {x.shape[1:]}), or give examples of the shape they are for."
            )
        module = nnx.merge(graph, params, _cast(fixed, _precision(params)))
        try:
            y = module(x)
        except (TypeError, ValueError) as error:
            raise InvalidInput(
                f"{type(module).__name__} does not take {x.dtype} examples of shape {x.shape[1:]}: {error}"
            ) from error
        if jnp.shape(y)[:1] != x.shape[:1]:
            raise InvalidInput(
                f"{type(module).__name__} made outputs of shape {jnp.shape(y)} from a batch of {x.shape[0]} "
                "examples; the first axis of the outputs must be the batch."
            )
        return y.reshape(x.shape[0], -1)

    return Network(init, apply)


def sized(make_module: Callable[[Any, Shape], Any]) -> Network:
    """`from_nnx` for modules with layers as large as an example: `make_module(rngs, shape)`."""

    @functools.cache
    def at(shape: Shape) -> Network:
        return from_nnx(lambda rngs: make_module(rngs, shape))

    return Network(
        init=lambda key, shape: at(tuple(shape)).init(key, tuple(shape)),
        apply=lambda params, x: at(x.shape[1:]).apply(params, x),
    )


def _shapes(params: Params) -> dict[str, Shape]:
    return {jax.tree_util.keystr(path): jnp.shape(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(params)}


def _precision(params: Params) -> Any:
    return next((leaf.dtype for leaf in jax.tree.leaves(params)), jnp.dtype("float32"))


def _cast(fixed: Any, dtype: Any) -> Any:
    def cast(leaf: Any) -> Any:
        return leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(cast, fixed)
