"""Whether a tree of parameters holds weights, and nothing that would be taken for one or passed over in silence."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from infojax.arrays import traced
from infojax.errors import InvalidInput

_REMEDIES = {
    "flax.linen": "give ij.models.from_linen(module)",
    "flax.nnx": "give ij.models.from_nnx(lambda rngs: module)",
    "equinox": (
        "split it with params, static = equinox.partition(model, equinox.is_inexact_array), and give "
        "ij.models.from_function(lambda params, x: equinox.combine(params, static)(x), per_example=True)"
    ),
    "torch": "write it as a function of JAX arrays",
}

# What linen's own layers keep beside weights.
_COLLECTIONS = frozenset({"batch_stats", "cache", "intermediates", "perturbations", "spectral_stats"})
# Of these, the ones that nobody calls weights by.
_STATISTICS = frozenset({"batch_stats", "spectral_stats"})


def is_floating(array: Any) -> bool:
    return hasattr(array, "dtype") and jnp.issubdtype(array.dtype, jnp.floating)


def widest_dtype(params: PyTree) -> Any:
    """The widest floating-point dtype among the parameters; float32 if there is none."""
    found = [leaf.dtype for leaf in jax.tree.leaves(params) if is_floating(leaf)]
    return max(found, key=lambda dtype: dtype.itemsize, default=jnp.dtype("float32"))


def in_precision_of(params: PyTree, fixed: Any) -> Any:
    """What a module holds beside its weights, in their precision, so that float64 stays so. Statistics in float32 are
    not narrowed to weights of 16 bits.
    """
    dtype = widest_dtype(params)
    if dtype.itemsize < 4:
        return fixed
    return jax.tree.map(lambda leaf: leaf.astype(dtype) if is_floating(leaf) else leaf, fixed)


def module_library(value: Any) -> str | None:
    """The library whose module `value` is: "flax.nnx", "flax.linen", "equinox" or "torch"; None for anything else."""
    for base in type(value).__mro__:
        for library in _REMEDIES:
            if base.__module__.startswith(library) and base.__name__ == "Module":
                return library
    return None


def check_apply(apply: Any) -> None:
    """Raises `InvalidInput` unless `apply` is a function that JAX can compile, and no module that holds its weights."""
    library = module_library(apply)
    if library is not None:
        raise InvalidInput(
            f"network is a {library} module, {type(apply).__name__}, that is no function of its weights: "
            f"{_REMEDIES[library]}."
        )
    if not callable(apply):
        raise InvalidInput(f"network must be a Network or a function apply(params, x), not {type(apply).__name__}")
    try:
        hash(apply)
    except TypeError as error:
        raise InvalidInput(
            f"network is a {type(apply).__name__} that cannot be hashed, as JAX needs it to compile; give a function, "
            "lambda params, x: network(params, x)."
        ) from error


def check_parameters(apply: Callable[..., Any], params: PyTree) -> None:
    """Raises `InvalidInput` for parameters that are no arrays, not real, not finite, or partly no weights."""
    for path, variable in jax.tree_util.tree_leaves_with_path(params, is_leaf=_is_variable):
        if _is_variable(variable) and not _is_weight(variable) and any(map(is_floating, jax.tree.leaves(variable))):
            raise InvalidInput(
                f"params has {type(variable).__name__} at {_name(path)}, which is no weight: its kernel would count it "
                "as one. Give ij.models.from_nnx(lambda rngs: module), which keeps such states fixed, or split with "
                "nnx.split(module, nnx.Param, ...) and differentiate the first state alone."
            )
    _refuse_other_collections(apply, params)
    _refuse_statistics(params)
    leaves = jax.tree_util.tree_leaves_with_path(params)
    for path, leaf in leaves:
        _check_leaf(_name(path), leaf)
    floating = [(path, leaf) for path, leaf in leaves if is_floating(leaf)]
    if not floating:
        raise InvalidInput(
            "params has no floating-point arrays, so there is nothing to differentiate for; weights that are integers "
            "need jnp.asarray(w, float), and network.init(key, shape) makes those of a Network."
        )
    for path, leaf in floating:
        if not traced(leaf) and not np.isfinite(np.asarray(leaf)).all():
            raise InvalidInput(f"params has NaN or infinite values at {_name(path)}: did training diverge?")


def _check_leaf(name: str, leaf: Any) -> None:
    if isinstance(leaf, np.ma.MaskedArray):
        raise InvalidInput(
            f"params has a masked array at {name}, which JAX does not take: give leaf.filled(value), or leaf.data if "
            "nothing is masked."
        )
    if isinstance(leaf, float | complex) and not isinstance(leaf, np.generic):
        raise InvalidInput(
            f"params has the Python number {leaf} at {name}; give arrays, jax.tree.map(jnp.asarray, params), or leave "
            "out what is no weight."
        )
    dtype = getattr(leaf, "dtype", None)
    if dtype is None and not isinstance(leaf, int):
        library = module_library(leaf)
        remedy = f"; {_REMEDIES[library]}" if library else ": close over what is no array, or leave it out"
        raise InvalidInput(f"params has a {type(leaf).__name__} at {name}; it must hold arrays alone{remedy}.")
    if dtype is not None and jnp.issubdtype(dtype, jnp.complexfloating):
        raise InvalidInput(
            f"params has complex weights, {dtype} at {name}: a tangent kernel is of real ones. Keep real and imaginary "
            "part as two arrays, and join them inside of the network."
        )
    if isinstance(dtype, np.dtype) and (dtype.kind in "OUSMm" or (dtype.kind == "f" and dtype.itemsize > 8)):
        raise InvalidInput(f"params has an array of dtype {dtype} at {name}; give real numbers of at most 64 bits.")


def _refuse_other_collections(apply: Callable[..., Any], params: PyTree) -> None:
    """Linen's variables are {"params": weights, "batch_stats": …}: all but the first are no weights."""
    if not isinstance(params, Mapping):
        return
    if "params" not in params:
        for name in sorted(_STATISTICS & {name for name in params if isinstance(name, str)}):
            if len(params) > 1 and any(map(is_floating, jax.tree.leaves(params[name]))):
                raise InvalidInput(
                    f"params has {name!r}, flax.linen's name for running statistics, beside {_others(params, name)}: "
                    "these are no weights, but their kernel would count them as such. Give the weights alone, and "
                    "let the network keep the rest, as ij.models.from_linen(module, variables) does."
                )
        return
    linen = module_library(getattr(apply, "__self__", None)) == "flax.linen"
    for name, collection in params.items():
        known = linen or name in _COLLECTIONS or isinstance(collection, Mapping)
        if name != "params" and known and any(map(is_floating, jax.tree.leaves(collection))):
            raise InvalidInput(
                f"params has the collection {name!r} beside 'params', as flax.linen's variables do: it is no weight, "
                "but its kernel would count it as one. Give ij.models.from_linen(module, variables), which keeps it, "
                "and variables['params']."
            )


def _others(params: Mapping[Any, Any], name: str) -> str:
    return ", ".join(repr(other) for other in params if other != name)[:100]


def _refuse_statistics(params: PyTree) -> None:
    """Normalization keeps a running mean and var of the shape of its scale or bias: beside them, as flax.nnx has it, or
    at the same place in another branch of the tree, as flax.linen has it. A mean or var without these may be a weight.
    """
    shapes: dict[tuple[Any, ...], dict[Any, tuple[int, ...]]] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        if path and is_floating(leaf):
            *above, name = (getattr(key, "key", getattr(key, "name", getattr(key, "idx", key))) for key in path)
            shapes.setdefault(tuple(above), {})[name] = np.shape(leaf)
    learned = {
        (len(place), place[1:], shape)
        for place, held in shapes.items()
        if "mean" not in held and "var" not in held
        for name, shape in held.items()
        if name in ("scale", "bias") and len(place) > 1
    }
    for place, held in shapes.items():
        shape = held.get("mean")
        if shape is None or held.get("var") != shape:
            continue
        beside = shape in (held.get("scale"), held.get("bias"))
        if beside or (set(held) == {"mean", "var"} and (len(place), place[1:], shape) in learned):
            raise InvalidInput(
                f"params has a mean and a var at {'/'.join(map(str, place)) or 'its top'} as normalization keeps them "
                "beside a scale and a bias: they are no weights, but their kernel would count them as such. Give the "
                "weights alone, as nnx.split(module, nnx.Param, ...) parts them, and let the network keep the rest, as "
                "ij.models.from_nnx and from_linen do; where they are weights, rename them."
            )


def _is_variable(node: Any) -> bool:
    return any(base.__module__ == "flax.nnx.variablelib" and base.__name__ == "Variable" for base in type(node).__mro__)


def _is_weight(variable: Any) -> bool:
    return any(base.__name__ == "Param" for base in type(variable).__mro__)


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path) or "its only leaf"
