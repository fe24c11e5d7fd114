"""What is asked of a network when it is first used: weights, outputs (b, k), rows that know nothing of each other."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from infojax.arrays import float64, traced
from infojax.errors import InfojaxError, InvalidInput
from infojax.models.checks.outputs import reason
from infojax.models.checks.parameters import check_apply, check_parameters, is_floating
from infojax.models.checks.rows import check_rows


def check_network(apply: Any, params: PyTree, x: Any) -> int:
    """The number k of outputs of a network that can be linearized at `params`: once for each network and shape, it is
    tried out on four of the examples.

    Args:
        apply: `apply(params, x)`.
        params: its parameters.
        x: examples (n, ...), or what has their shape and dtype (then nothing is tried out).

    Raises:
        InvalidInput: parameters that are no weights; a network that fails, or whose outputs are not (b, k); rows of the
            outputs that depend on other rows, on their place in the batch, or on chance.
    """
    check_apply(apply)
    check_parameters(apply, params)
    return try_out(apply, params, x)


def try_out(apply: Callable[..., Any], params: PyTree, x: Any) -> int:
    """`check_network` for parameters that were checked."""
    k = count_outputs(apply, params, x)
    if isinstance(x, jax.ShapeDtypeStruct) or traced(params, x):
        return k
    leaves, structure = jax.tree.flatten(params)
    form = tuple((np.shape(leaf), str(getattr(leaf, "dtype", type(leaf).__name__))) for leaf in leaves)
    tried = _tried(apply, structure, form, (x.shape[1:], str(x.dtype)))
    if not tried:
        with float64() if x.dtype == np.float64 else contextlib.nullcontext():
            check_rows(apply, params, x)
        tried.append(True)
    return k


@functools.lru_cache(maxsize=128)
def _tried(apply: Callable[..., Any], *form: Any) -> list[bool]:
    """Empty until this network was tried out at parameters and examples of this form."""
    return []


def count_outputs(apply: Callable[..., Any], params: PyTree, x: Any) -> int:
    """The number k of outputs for examples of the shape of those in `x`. Raises `InvalidInput` as `check_network`."""
    two = jax.ShapeDtypeStruct((2, *x.shape[1:]), x.dtype)
    try:
        out = jax.eval_shape(jax.jit(apply), params, two)
    except InfojaxError:
        raise
    except Exception as error:
        raise InvalidInput(f"the network does not take examples of shape {x.shape[1:]}: {reason(error)}") from error
    shape = getattr(out, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != 2 or shape[1] == 0 or not is_floating(out):
        given = type(out).__name__ if shape is None else f"{out.dtype}{list(shape)}"
        raise InvalidInput(
            f"the network must give floating-point outputs (b, k) for b examples; for 2 it gave {given}{_remedy(out)}."
        )
    return shape[1]


def _remedy(out: Any) -> str:
    shape = getattr(out, "shape", None)
    if shape is None:
        return ": let it return the one array that is asked about, lambda params, x: apply(params, x)[0], say"
    if not is_floating(out):
        return ": take outputs that have a gradient, logits in place of classes, real parts of complex numbers"
    if len(shape) > 0 and shape[0] == 2 and 0 not in shape:
        return "; ij.models.from_function(apply) makes them (b, k)"
    return ": the first axis of its outputs must be the batch"
