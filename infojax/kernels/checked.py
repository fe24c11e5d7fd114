"""What is asked of parameters, examples and networks before a kernel is computed."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from infojax.errors import InvalidInput
from infojax.float32_digits import check_float32
from infojax.kernels.contract import contract
from infojax.kernels.program import is_floating
from infojax.precision import traced
from infojax.settings_checked import array_of_reals


def check_options(apply: Any, params: Any, budget: int, tile: int | None, implementation: str, dtype: Any) -> None:
    if not callable(apply):
        raise InvalidInput(f"network must be a Network or a function apply(params, x), not {type(apply).__name__}")
    if implementation not in ("layers", "jacobian"):
        raise InvalidInput(f'implementation must be "layers" or "jacobian", not {implementation!r}')
    if budget < 1 or (tile is not None and tile < 1):
        raise InvalidInput(f"budget (bytes) and tile (examples) must be at least 1, not {budget} and {tile}")
    if dtype is not None and not jnp.issubdtype(dtype, jnp.floating):
        raise InvalidInput(f"dtype must be a floating-point type, not {np.dtype(dtype)}")
    floating = [leaf for leaf in jax.tree.leaves(params) if is_floating(leaf)]
    if not floating:
        raise InvalidInput("params has no floating-point arrays, so there is nothing to differentiate for")
    if not all(traced(leaf) or bool(np.isfinite(np.asarray(leaf)).all()) for leaf in floating):
        raise InvalidInput("params has NaN or infinite values: did training diverge?")


def read_examples(name: str, x: Any, dtype: Any) -> Any:
    """The examples, in the dtype to compute in if they are floating-point, on the host unless traced."""
    x = x if isinstance(x, jax.Array) else array_of_reals(name, x)
    if x.ndim == 0 or 0 in x.shape:
        raise InvalidInput(f"{name} must have at least one example along its first axis, its shape is {x.shape}")
    if is_floating(x):
        given = x
        with np.errstate(over="ignore"):  # refused below
            x = x.astype(dtype)
        if not traced(x) and not np.isfinite(np.asarray(x)).all():
            raise InvalidInput(
                f"{name} has NaN or infinite values, or some that {np.dtype(dtype)} cannot hold: leave those examples "
                "out, or mend them"
            )
        if not traced(x) and dtype == np.float32:
            check_float32(np.asarray(given), np.asarray(x), name, stacklevel=3)
    elif isinstance(x, np.ndarray) and x.dtype.kind in "iu" and x.dtype.itemsize > 4:
        kept = x.astype(jnp.asarray(x[:1]).dtype)
        if not (kept == x).all():
            raise InvalidInput(
                f"{name} has integers up to {x.max()} and down to {x.min()}, which {kept.dtype} cannot hold; subtract "
                "the least of them, or give floating-point numbers"
            )
    return x if traced(x) else np.asarray(jnp.asarray(x))


def check_magnitude(of_block: Callable[..., Any], x1: np.ndarray, x2: np.ndarray | None) -> None:
    """Raises `InvalidInput` where the kernel of the largest examples is beyond the floating range. It is made of these
    alone, and only where squares of what they hold come near."""
    if not is_floating(x1):
        return
    end = float(np.sqrt(jnp.finfo(x1.dtype).max)) * 1e-9
    pair = [x1, x1 if x2 is None else x2]
    peaks = [np.abs(x).reshape(len(x), -1).max(1) for x in pair]
    largest = max(float(peak.max()) for peak in peaks)
    if largest < end:
        return
    left, right = (of_block(jnp.asarray(x[[peak.argmax()]])) for x, peak in zip(pair, peaks, strict=True))
    if not np.isfinite(np.asarray(contract(left, right))).all():
        raise InvalidInput(
            f"examples hold values of {largest:.3g}, and the kernel, which grows as their square, is beyond "
            f"{x1.dtype}: scale the inputs, to about 1"
        )


def count_outputs(apply: Callable[..., Any], params: Any, x1: Any, x2: Any) -> int:
    """The number k of outputs of the network."""
    if x2 is not None and x1.shape[1:] != x2.shape[1:]:
        raise InvalidInput(f"examples of x1 have shape {x1.shape[1:]}, those of x2 {x2.shape[1:]}; they must agree")
    two = jax.ShapeDtypeStruct((2, *x1.shape[1:]), x1.dtype)
    try:
        out = jax.eval_shape(jax.jit(apply), params, two)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the network does not take examples of shape {x1.shape[1:]}: {error}") from error
    shape = getattr(out, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != 2 or shape[1] == 0 or not is_floating(out):
        given = type(out).__name__ if shape is None else f"{out.dtype}{list(shape)}"
        raise InvalidInput(f"the network must give floating-point outputs (b, k) for b examples; for 2 it gave {given}")
    return shape[1]
