"""What is asked of parameters, examples and networks before a kernel is computed."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import PyTree

from infojax.arrays import array_of_reals, check_float32, traced
from infojax.errors import InvalidInput, PrecisionWarning
from infojax.kernels._contract import contract
from infojax.kernels.layers.program import is_floating
from infojax.models import try_out


def check_options(budget: int, tile: int | None, implementation: str, dtype: DTypeLike | None) -> None:
    if implementation not in ("layers", "jacobian"):
        raise InvalidInput(f'implementation must be "layers" or "jacobian", not {implementation!r}')
    if budget < 1 or (tile is not None and tile < 1):
        raise InvalidInput(f"budget (bytes) and tile (examples) must be at least 1, not {budget} and {tile}")
    if dtype is not None and not jnp.issubdtype(dtype, jnp.floating):
        raise InvalidInput(f"dtype must be a floating-point type, not {np.dtype(dtype)}")


def warn_of_narrow(params: PyTree, stacklevel: int = 3) -> None:
    """Says it when parameters of 16 bits leave the kernel two or three digits. Give it from a public function."""
    narrow = {leaf.dtype for leaf in jax.tree.leaves(params) if is_floating(leaf) and leaf.dtype.itemsize < 4}
    if narrow:
        dtype = max(narrow, key=lambda dtype: float(jnp.finfo(dtype).eps))
        digits = -np.log10(float(jnp.finfo(dtype).eps))
        warnings.warn(
            f"The parameters are {dtype}, so that the kernel has about {digits:.1f} digits. Give parameters of 32 "
            "bits, jax.tree.map(lambda w: w.astype(jnp.float32), params), or, to empirical_ntk, dtype=numpy.float32.",
            PrecisionWarning,
            stacklevel=stacklevel,
        )


def read_examples(name: str, x: Any, dtype: DTypeLike) -> Any:
    """The examples, in the dtype to compute in if they are floating-point, on the host unless traced."""
    if isinstance(x, Mapping):
        raise InvalidInput(
            f"{name} is a {type(x).__name__} of {sorted(map(str, x))}; give one array: join its entries along the last "
            "axis, and let the network take them apart"
        )
    x = x if isinstance(x, jax.Array) else array_of_reals(name, x)
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        raise InvalidInput(
            f"{name} is of dtype {x.dtype}, and needs real numbers; give its real part, or real and imaginary part as "
            "columns of their own."
        )
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
    if not traced(x) and jnp.issubdtype(x.dtype, jnp.integer) and np.dtype(dtype).itemsize <= 4:
        _warn_of_large_integers(name, np.asarray(x))
    return x if traced(x) else np.asarray(jnp.asarray(x))


def _warn_of_large_integers(name: str, x: np.ndarray) -> None:
    """Integers stay what they are, as they may be indices; a network that computes with them rounds them."""
    if x.dtype.itemsize > 2 and (x.astype(np.float32) != x.astype(np.float64)).any():
        warnings.warn(
            f"{name} has integers up to {x.max()} and down to {x.min()}; float32 rounds those beyond {2**24}, so the "
            "kernel does not tell some examples apart unless they are used as indices. Subtract the least of each "
            f"column, {name} - {name}.min(0).",
            PrecisionWarning,
            stacklevel=4,
        )


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


def check_finite(kernel: Any) -> None:
    """Raises `InvalidInput` for a kernel in memory with entries that are NaN or infinite."""
    if not isinstance(kernel, np.ndarray | jax.Array):
        return
    # Two numbers instead of an array of truth values: kernels take gigabytes. Both are NaN where an entry is.
    with np.errstate(invalid="ignore"):
        if np.isfinite([float(kernel.min()), float(kernel.max())]).all():
            return
    raise InvalidInput(
        f"the kernel has {int((~np.isfinite(np.asarray(kernel))).sum())} NaN or infinite entries: outputs or gradients "
        f"of the network are beyond {kernel.dtype}, or have no derivative there. Scale inputs and weights, to about 1, "
        "or give dtype=numpy.float64"
    )


def check_fit(apply: Callable[..., Any], params: PyTree, x1: Any, x2: Any) -> int:
    """The number k of outputs of the network, when it can be linearized at `params`."""
    if x2 is not None and x1.shape[1:] != x2.shape[1:]:
        raise InvalidInput(f"examples of x1 have shape {x1.shape[1:]}, those of x2 {x2.shape[1:]}; they must agree")
    return try_out(apply, params, x1)
