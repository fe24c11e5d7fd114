"""flax.nnx modules as networks."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped

from infojax.arrays import is_number, whole_number
from infojax.errors import InfojaxError, InvalidInput
from infojax.models._network import Network, Params
from infojax.models.checks.outputs import as_vectors, for_floats_or_tokens
from infojax.models.checks.parameters import in_precision_of, module_library, widest_dtype

Shape = tuple[int, ...]


def from_nnx(make_module: Any) -> Network:
    """A network from any flax.nnx module, in evaluation mode.

    Every `nnx.Param` is a parameter; parameters are a nested dictionary of arrays under the module's
    attribute names. Everything else that the module holds (BatchNorm's running statistics, say) is no
    parameter: it is taken once, from the module that `make_module` makes now, so it should not depend on the
    random numbers. Dropout is off. Modules of tokens take integers. Outputs of any rank are flattened to
    (b, k). Layers of `dtype=None`, flax's default, compute in the precision of parameters and inputs, float64
    included.

    Args:
        make_module: `make_module(rngs)` with `rngs` an `nnx.Rngs` → module, called with a batch (b, *shape).

    Raises:
        InvalidInput: a module in place of its maker, or one of another library; from `init` and `apply`, when the
            module does not take inputs of the shape given, makes more than one array, does not keep the batch
            axis, or when parameters are not those of the module.

    >>> from flax import nnx
    >>> network = from_nnx(lambda rngs: nnx.Linear(3, 2, rngs=rngs))
    >>> params = network.init(jax.random.key(0), (3,))
    >>> jax.tree.map(jnp.shape, params)
    {'bias': (2,), 'kernel': (3, 2)}
    >>> network.apply(params, jnp.ones((5, 3))).shape
    (5, 2)
    """
    from flax import nnx

    library = module_library(make_module)
    if library == "flax.nnx":
        raise InvalidInput(
            f"from_nnx takes a function that makes the module, not the {type(make_module).__name__} itself: give "
            "from_nnx(lambda rngs: nnx.Linear(3, 2, rngs=rngs)), so that init can draw new weights; or, for a trained "
            "module, from_nnx(lambda rngs: module), and nnx.to_pure_dict(nnx.state(module, nnx.Param)) as parameters."
        )
    _require_nnx(library, make_module)
    if not callable(make_module):
        raise InvalidInput(f"from_nnx takes a function make_module(rngs) → module, not {make_module!r}.")

    def split(key: Any) -> tuple[Any, Params, Any, str]:
        try:
            module = make_module(nnx.Rngs(key))
        except InfojaxError:
            raise
        except Exception as error:
            raise InvalidInput(
                f"from_nnx: make_module(rngs) failed with {type(error).__name__}: {error}. Give a function of rngs "
                "alone, lambda rngs: nnx.Linear(3, 2, rngs=rngs)."
            ) from error
        if not isinstance(module, nnx.Module):
            _require_nnx(module_library(module), module)
            raise InvalidInput(f"from_nnx: make_module(rngs) gave {module!r}; it must give an nnx.Module.")
        module.eval()
        graph, params, fixed = nnx.split(module, nnx.Param, ...)
        return graph, nnx.to_pure_dict(params), nnx.to_pure_dict(fixed), type(module).__name__

    graph, template, fixed, name = split(jax.random.key(0))
    needed = _shapes(template)

    def init(key: Any, shape: Shape) -> Params:
        _, params, *_ = split(key)
        for_floats_or_tokens(
            lambda dtype: jax.eval_shape(apply, params, jax.ShapeDtypeStruct((1, *shape), dtype)), widest_dtype(params)
        )
        return params

    def apply(params: Params, x: Shaped[Array | np.ndarray, "b ..."]) -> Shaped[Array, "b k"]:
        given = _shapes(params)
        if given != needed:
            differing = sorted(given.items() ^ needed.items())
            raise InvalidInput(
                f"The parameters given do not fit this network with examples of shape {x.shape[1:]}; given "
                f"or needed, but not both: {', '.join(f'{leaf} {shape}' for leaf, shape in differing)}. Make "
                f"them with network.init(key, {x.shape[1:]}), or give examples of the shape they are for."
            )
        module = nnx.merge(graph, params, in_precision_of(params, fixed))
        return as_vectors(name, x, module)

    apply.__name__ = name
    return Network(init, apply)


def _as_shape(shape: Any) -> Shape:
    """Of one example; one number stands for that of a vector."""
    if isinstance(shape, tuple | list):
        return tuple(shape)
    if is_number(shape):
        return (whole_number("shape", shape),)
    raise InvalidInput(f"shape is {shape!r:.100}; give that of one example, without the batch axis: x.shape[1:].")


def sized(make_module: Callable[[Any, Shape], Any]) -> Network:
    """`from_nnx` for modules with layers as large as an example: `make_module(rngs, shape)`."""

    @functools.cache
    def at(shape: Shape) -> Network:
        return from_nnx(lambda rngs: make_module(rngs, shape))

    return Network(
        init=lambda key, shape: at(_as_shape(shape)).init(key, _as_shape(shape)),
        apply=lambda params, x: at(x.shape[1:]).apply(params, x),
    )


def _shapes(params: Params) -> dict[str, Shape]:
    return {jax.tree_util.keystr(path): jnp.shape(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(params)}


def _require_nnx(library: str | None, given: Any) -> None:
    if library == "flax.linen":
        raise InvalidInput(
            f"from_nnx takes modules of flax.nnx; {type(given).__name__} is one of flax.linen: give "
            "ij.models.from_linen(module)."
        )
    if library not in (None, "flax.nnx"):
        raise InvalidInput(f"from_nnx takes modules of flax.nnx; {type(given).__name__} is one of {library}.")
