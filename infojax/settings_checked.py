"""Numbers as arguments: refused where they are none, and where squares of them leave the floating range."""

from typing import Any

import numpy as np

from infojax.errors import InvalidInput

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


def real_array(name: str, values: Any) -> np.ndarray:
    """As float64; `InvalidInput` for text, objects, complex numbers, and lists of several lengths."""
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "buif" and array.size:
        raise InvalidInput(f"{name} is of dtype {array.dtype}; give real numbers, an array or a list of one shape.")
    return array.astype(np.float64)


def _is_number(value: Any) -> bool:
    return np.ndim(value) == 0 and isinstance(value, int | float | np.number | np.ndarray | np.generic)
