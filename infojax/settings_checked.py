"""Numbers as arguments: refused where they are none, and where squares of them leave the floating range."""

from typing import Any

import numpy as np

from infojax.errors import InvalidInput
from infojax.precision import traced

SMALLEST, LARGEST = 1e-15, 1e15
"""Networks compute in float32, where squares of anything beyond would overflow or vanish."""


def require_positive(name: str, value: Any, what: str = "it must be positive and finite") -> None:
    """Raises `InvalidInput` unless `value` is a number from 1e-15 to 1e15."""
    if not _is_number(value) or not SMALLEST <= value <= LARGEST:
        raise InvalidInput(f"{name} is {value}; {what}, a number from {SMALLEST:g} to {LARGEST:g}.")


def require_not_negative(name: str, value: Any) -> None:
    """Raises `InvalidInput` unless `value` is a number from 0 to 1e15."""
    if not _is_number(value) or not 0 <= value <= LARGEST:
        raise InvalidInput(f"{name} is {value}; it must be finite and not negative, a number from 0 to {LARGEST:g}.")


def require_moderate(name: str, array: np.ndarray) -> None:
    """Raises `InvalidInput` for entries that are NaN, infinite, or beyond 1e75, whose fourth powers are."""
    # Two numbers instead of an array of truth values: kernels take gigabytes.
    lowest, highest = float(array.min(initial=0)), float(array.max(initial=0))
    if not np.isfinite([lowest, highest]).all():
        raise InvalidInput(f"{name} has {np.sum(~np.isfinite(array))} NaN or infinite entries; check the data.")
    if max(-lowest, highest) > 1e75:
        raise InvalidInput(f"{name} has entries of {max(-lowest, highest):.3g}; scale it so that none is over 1e75.")


def refuse_tracers(name: str, *values: Any) -> None:
    """Raises `InvalidInput` inside `jax.jit`, `jax.vmap` or `jax.grad`."""
    if traced(values):
        raise InvalidInput(
            f"{name} is traced by jax.jit, vmap or grad, and this function factors matrices on the host, which cannot "
            "be traced: call it outside of the transformation, with arrays."
        )


def real_array(name: str, values: Any) -> np.ndarray:
    """As float64; `InvalidInput` for text, objects, complex numbers, and lists of several lengths."""
    return array_of_reals(name, values).astype(np.float64)


def array_of_reals(name: str, values: Any) -> np.ndarray:
    """In its own dtype; `InvalidInput` as `real_array`."""
    refuse_tracers(name, values)
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.array(None)
    # bfloat16 and the like are registered with NumPy (2), under the letter of structures.
    if array.dtype.kind not in "buif" and array.dtype.isbuiltin != 2 and array.size:
        raise InvalidInput(f"{name} is of dtype {array.dtype}; give real numbers, an array or a list of one shape.")
    return array


def _is_number(value: Any) -> bool:
    return np.ndim(value) == 0 and isinstance(value, int | float | np.number | np.ndarray | np.generic)
