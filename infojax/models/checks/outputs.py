"""What a module or function made of other hands is asked for: one array of numbers, whose first axis is the batch."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped

from infojax.errors import InfojaxError, InvalidInput

T = TypeVar("T")

# What flax raises, by its name (flax is not imported for this), and what to do.
_REMEDIES = {
    "InvalidRngError": "switch dropout and noise off: deterministic=True, train=False, or module.eval()",
    "TraceContextError": (
        "it changes a state at each call (random numbers, running averages): give "
        "ij.models.from_nnx(lambda rngs: module), which takes it in evaluation mode and keeps its states fixed"
    ),
    "ModifyScopeVariableError": (
        "it changes its states at each call: give ij.models.from_linen(module, variables, train=False), or whatever "
        "argument of the module switches it to evaluation"
    ),
    "ScopeParamNotFoundError": "linen's apply takes {'params': weights}; a network of ij.models.from_linen the weights",
}


def reason(error: Exception) -> str:
    """What went wrong inside of a network, in a line, and what to do about it where that is known."""
    kind = "" if isinstance(error, TypeError | ValueError) else f"{type(error).__name__}: "
    text = str(error).strip().split("\n")[0]
    remedy = _REMEDIES.get(type(error).__name__)
    return kind + text + (f". Remedy: {remedy}." if remedy else "")


def calling(name: str, x: Any, call: Callable[[Any], T]) -> T:
    """`call(x)`, whose errors become `InvalidInput` with the name of the module and what to do."""
    try:
        return call(x)
    except InfojaxError:
        raise
    except Exception as error:
        raise InvalidInput(
            f"{name} does not take {x.dtype} examples of shape {x.shape[1:]}: {reason(error)}"
        ) from error


def for_floats_or_tokens(attempt: Callable[[Any], T], dtype: Any) -> T:
    """`attempt(dtype)`, or that of integers, which modules of tokens take alone; the first error when both fail."""
    try:
        return attempt(dtype)
    except InvalidInput as refused:
        try:
            return attempt(jnp.dtype("int32"))
        except InvalidInput:
            raise refused from refused.__cause__


def as_vectors(name: str, x: Shaped[Array | np.ndarray, "b ..."], call: Callable[[Any], Any]) -> Shaped[Array, "b k"]:
    """`call(x)` as (b, k). Raises `InvalidInput`, with the name of the module, if it fails or makes anything else.

    Args:
        name: of the module or function.
        x: a batch of examples.
        call: the module or function; its outputs are flattened, and one number for each example becomes (b, 1).
    """
    y = calling(name, x, call)
    if not isinstance(y, jax.Array | np.ndarray):
        parts = ", ".join(
            f"{jax.tree_util.keystr(path)} {jnp.shape(leaf) if hasattr(leaf, 'shape') else type(leaf).__name__}"
            for path, leaf in jax.tree_util.tree_leaves_with_path(y)
        )
        raise InvalidInput(
            f"{name} made a {type(y).__name__} ({parts}) where one array of outputs is taken: let it return the "
            "outputs alone, from __call__ or by a module around it."
        )
    if jnp.shape(y)[:1] != x.shape[:1]:
        raise InvalidInput(
            f"{name} made outputs of shape {jnp.shape(y)} from a batch of {x.shape[0]} "
            "examples; the first axis of the outputs must be the batch."
        )
    if not jnp.issubdtype(y.dtype, jnp.floating):
        raise InvalidInput(
            f"{name} made outputs of dtype {y.dtype}, which have no gradient: let it return logits, or real numbers."
        )
    return jnp.asarray(y).reshape(x.shape[0], -1)
