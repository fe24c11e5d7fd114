"""Numbers as arguments: refused where they are none, and where squares of them leave the floating range."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from infojax.arrays._plain import plain_array, require_real
from infojax.arrays._precision import traced
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
    """As float64. Raises as `array_of_reals`."""
    return array_of_reals(name, values).astype(np.float64)


def array_of_reals(name: str, values: Any) -> np.ndarray:
    """In its own dtype, but that of long doubles, which JAX has not, becomes float64.

    Raises:
        InvalidInput: text, dates, complex numbers, records; and what `plain_array` refuses, masked values among it.
    """
    refuse_tracers(name, values)
    array = plain_array(name, values)
    if array.size:
        require_real(name, array)
    with np.errstate(over="ignore"):  # infinite then, which is refused where it matters
        return array.astype(np.float64) if array.dtype == np.longdouble else array


def whole_number(name: str, value: Any) -> int:
    """An integer, of NumPy or JAX too, or a float that is one. Raises `InvalidInput` for anything else.

    >>> whole_number("n", 20.0)
    20
    """
    if not is_number(value) or not float(value).is_integer():
        raise InvalidInput(f"{name} is {' '.join(repr(value).split()):.60}; it must be a whole number.")
    return int(value)


def seed_of(what: str, seed: Any) -> int:
    """A whole number from 0, of NumPy or JAX too. Raises `InvalidInput` for anything else."""
    number = whole_number(f"{what}: seed", seed)
    if number < 0:
        raise InvalidInput(f"{what}: seed {number} is negative; give 0 or more.")
    return number


def is_number(value: Any) -> bool:
    """Whether it is one integer or float, of Python, NumPy or JAX, and no truth value."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if np.ndim(value) or not isinstance(dtype, np.dtype) or np.ma.is_masked(value):
        return False
    # Floats of 16 bits that NumPy has not are of another kind to it.
    return dtype.kind in "iuf" or bool(jnp.issubdtype(dtype, np.floating))


def require_matrix(name: str, shape: tuple[int, ...], needs: str) -> None:
    """Raises `InvalidInput` for the shape of a kernel that is no matrix, with how to make one of it."""
    if len(shape) == 4:
        raise InvalidInput(
            f"{name} has shape {shape}; it must be {needs}. Where it is (n, m, k, k), as neural_tangents gives it with "
            f"trace_axes=(), give kernel.transpose(0, 2, 1, 3).reshape(n * k, m * k)."
        )
    if len(shape) != 2:
        raise InvalidInput(f"{name} has shape {shape}; it must be {needs}.")


def _is_number(value: Any) -> bool:
    """Truth values too, which stand for 0 and 1; no tracers, which cannot be compared."""
    return isinstance(value, bool | np.bool_) or (not traced(value) and is_number(value))
