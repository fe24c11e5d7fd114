"""The eigendecomposition of a training kernel: computed once, used for every time, decay and example.

Θ = U S Uᵀ,  Θ (N, N) the neural tangent kernel of the training set.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, ArrayLike, Float, Num

from infojax.arrays import array_of_reals, float64, refuse_tracers, require_matrix
from infojax.errors import InvalidInput
from infojax.files import require_room_to_factor
from infojax.linearized.digits.hidden_zeros import Zeros, look_at_zeros


class _Factors(NamedTuple):
    values: Float[Array | np.ndarray, " N"]
    vectors: Float[Array | np.ndarray, "N N"]


class Spectrum(_Factors):
    """Θ = U S Uᵀ: a pair, and beside it how far the kernel can be trusted.

    Attributes:
        values: S (N,), ascending, with the numerically zero ones exactly zero.
        vectors: U (N, N), eigenvectors in columns; on an accelerator they stay there.
        rounding: an entry of Θ is off by about this times √(Θ_ii Θ_jj).
        zeros: what is known of the eigenvalues that are zero in S.
    """

    rounding: float = 2.0**-52
    zeros: Zeros = Zeros()

    def __new__(cls, values: Any, vectors: Any, rounding: float = 2.0**-52, zeros: Zeros | None = None) -> "Spectrum":
        made = super().__new__(cls, values, vectors)
        made.rounding, made.zeros = rounding, zeros or Zeros()
        return made


def spectrum(kernel: Num[ArrayLike, "..."], *, rtol: float | None = None) -> Spectrum:
    """Eigendecomposition of a kernel, in float64.

    Eigenvalues below `rtol` times the largest are set to exactly zero. Then a singular kernel (duplicated
    examples, fewer parameters than outputs) has the solution of the pseudo-inverse at every training time; left
    as they are, their rounding errors would grow with time.

    Args:
        kernel: (N, N), symmetric and positive semi-definite up to the rounding of its dtype.
        rtol: by default the rounding of the kernel's own dtype: 1e-12 for float64, 1e-7 for float32. Whoever gives it
            says that eigenvalues below are zero; otherwise they count as unknown, if rounding could hide them.

    Raises:
        InvalidInput: the kernel is not square, finite, symmetric or positive semi-definite, or is traced.
        OverBudget: there is not enough free memory.

    >>> spectrum(np.diag([2.0, 1.0])).values
    array([1., 2.])
    """
    refuse_tracers("The training kernel", kernel)
    require_room_to_factor(rows_of(kernel), device=jax.local_devices()[0])
    rounding, given = rounding_of(kernel), rtol
    rtol = max(1e-12, rounding) if rtol is None else rtol
    values, vectors = _on_host(kernel) if jax.default_backend() == "cpu" else on_device(kernel)
    tolerance = 10 * max(rounding, 1e-14) * np.sqrt(len(values)) * abs(values[-1])
    if values[0] < -tolerance:
        raise InvalidInput(
            f"The training kernel is not positive semi-definite: its smallest eigenvalue is {values[0]:.6g}, its "
            f"largest {values[-1]:.6g}. Compute it in higher precision (float64), or add {-values[0]:.3g} to its "
            "diagonal if the error is that of an approximation."
        )
    zero = values < rtol * values[-1]
    zeros = look_at_zeros(values, vectors, zero, rounding) if given is None and zero.any() else Zeros()
    return Spectrum(np.where(zero, 0.0, values), vectors, rounding, zeros)


def spectrum_of(kernel: Num[ArrayLike, "..."] | Spectrum) -> Spectrum:
    """The spectrum of a kernel; a spectrum as it is. InvalidInput as of `spectrum`."""
    refuse_tracers("The training kernel", kernel)
    return kernel if isinstance(kernel, Spectrum) else spectrum(kernel)


def rows_of(kernel: Num[ArrayLike, "..."] | Spectrum) -> int:
    """N of a kernel (N, N) or of its spectrum; InvalidInput of a kernel that is not square."""
    refuse_tracers("The training kernel", kernel)
    shape = (*np.shape(kernel.values),) * 2 if isinstance(kernel, Spectrum) else np.shape(kernel)
    _check_square(shape)
    return shape[0]


def symmetric(kernel: Num[ArrayLike, "..."]) -> Float[np.ndarray, "N N"]:
    """A copy in float64, in Fortran's order, of a kernel that is square, finite and symmetric up to the rounding of its
    dtype; InvalidInput of any other."""
    given = array_of_reals("The training kernel", kernel)
    _check_square(given.shape)
    # One copy that both checks and the factorisation use: at N = 20 000 every copy is 3 GiB.
    square = np.array(given, np.float64, order="F")
    largest = np.abs(square).max(initial=0.0)
    _check_entries(largest, _asymmetry(square) if np.isfinite(largest) else 0.0, rounding_of(kernel))
    return square


def on_device(kernel: Num[ArrayLike, "..."]) -> tuple[Float[np.ndarray, " N"], Float[Array, "N N"]]:
    """Eigenvalues and eigenvectors from JAX's own routine, with the checks of `symmetric`; a kernel that lies on the
    device does not leave it, and eigenvectors are left there: moving them takes longer than finding them.
    """
    given = kernel if isinstance(kernel, jax.Array) else array_of_reals("The training kernel", kernel)
    _check_square(given.shape)
    with float64():
        square = jnp.asarray(given).astype(jnp.float64)
        largest, asymmetry = jax.jit(_largest_entries)(square)
        _check_entries(float(largest), float(asymmetry), rounding_of(kernel))
        values, vectors = jnp.linalg.eigh(square, symmetrize_input=False)
        return np.asarray(values), vectors


# Fourth powers of larger ones are beyond float64.
_LARGEST = 1e75
# Products of smaller ones underflow in float32: 2⁻¹²⁶ is its smallest number with all digits, and 2²³ its digits.
_SMALLEST = 2.0**-103


def _check_square(shape: tuple[int, ...]) -> None:
    require_matrix("The training kernel", shape, "square, (N, N)")
    if shape[0] != shape[1] or shape[0] == 0:
        raise InvalidInput(f"The training kernel has shape {shape}; it must be square, (N, N).")


def _check_entries(largest: float, asymmetry: float, rounding: float) -> None:
    if not np.isfinite(largest):
        raise InvalidInput(
            "The training kernel has NaN or infinite entries; check inputs and parameters, and scale inputs down where "
            "they are large: a kernel grows as their square."
        )
    if rounding > 1e-12 and 0 < largest < _SMALLEST:
        raise InvalidInput(
            f"The training kernel has entries of {largest:.3g} at most, where float32 has no digits left; scale inputs "
            "up, or give parameters in float64."
        )
    if largest > _LARGEST:
        raise InvalidInput(f"The training kernel has entries of {largest:.3g}; scale inputs so that none is over 1e75.")
    if asymmetry > 100 * max(rounding, 1e-12) * largest:
        raise InvalidInput(
            f"The training kernel is not symmetric: |Θ − Θᵀ| reaches {asymmetry:.3g} where |Θ| reaches {largest:.3g}. "
            "Symmetrise it, (Θ + Θᵀ)/2, if that is rounding; otherwise its rows and columns are not the same examples."
        )


def rounding_of(kernel: Num[ArrayLike, "..."]) -> float:
    """By how much entries are off, relative: the rounding of their dtype, or of float32 where they came from there."""
    kernel = kernel if isinstance(kernel, jax.Array) else np.asarray(kernel)
    if not np.issubdtype(kernel.dtype, np.floating):
        return 2.0**-52
    if kernel.dtype == np.float64 and kernel.ndim and kernel.shape[0] and _was_float32(kernel):
        return 2.0**-23
    return float(jnp.finfo(kernel.dtype).eps)


def _was_float32(kernel: jax.Array | np.ndarray) -> bool:
    """Whether entries, of a few rows, are all numbers of float32 that use most of its digits."""
    some = np.asarray(kernel[:: -(-kernel.shape[0] // 16)])
    with np.errstate(over="ignore", under="ignore"):
        short = some.astype(np.float32)
    digits = short[short != 0].view(np.uint32) & 0xFF
    return len(digits) > 0 and bool((short == some).all()) and bool(np.mean(digits != 0) > 0.5)


def _on_host(kernel: Num[ArrayLike, "..."]) -> tuple[np.ndarray, np.ndarray]:
    # The same LAPACK routine as JAX's, in place: half the time, two kernels less of memory.
    return scipy.linalg.eigh(symmetric(kernel), overwrite_a=True, check_finite=False, driver="evd")


def _largest_entries(square: Float[Array, "N N"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    return jnp.abs(square).max(initial=0.0), jnp.abs(square - square.T).max(initial=0.0)


def _asymmetry(square: np.ndarray, rows: int = 512) -> float:
    blocks = (slice(i, i + rows) for i in range(0, len(square), rows))
    return max((float(np.abs(square[b] - square[:, b].T).max()) for b in blocks), default=0.0)
