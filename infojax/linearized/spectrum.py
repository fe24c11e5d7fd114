"""The eigendecomposition of a training kernel: computed once, used for every time, decay and example.

Θ = U S Uᵀ,  Θ (N, N) the neural tangent kernel of the training set.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, ArrayLike, Float, Num

from infojax.errors import InvalidInput
from infojax.precision import float64


class Spectrum(NamedTuple):
    """Θ = U S Uᵀ.

    Attributes:
        values: S (N,), ascending, with the numerically zero ones exactly zero.
        vectors: U (N, N), eigenvectors in columns.
    """

    values: Float[Array | np.ndarray, " N"]
    vectors: Float[Array | np.ndarray, "N N"]


def spectrum(kernel: Num[ArrayLike, "..."], *, rtol: float | None = None) -> Spectrum:
    """Eigendecomposition of a kernel, in float64.

    Eigenvalues below `rtol` times the largest are set to exactly zero. Then a singular kernel (duplicated
    examples, fewer parameters than outputs) has the solution of the pseudo-inverse at every training time; left
    as they are, their rounding errors would grow with time.

    Args:
        kernel: (N, N), symmetric and positive semi-definite up to the rounding of its dtype.
        rtol: by default the rounding of the kernel's own dtype: 1e-12 for float64, 1e-7 for float32.

    Raises:
        InvalidInput: the kernel is not square, finite, symmetric or positive semi-definite.

    >>> spectrum(np.diag([2.0, 1.0])).values
    array([1., 2.])
    """
    rounding = _rounding(kernel)
    rtol = max(1e-12, rounding) if rtol is None else rtol
    square = symmetric(kernel)
    values, vectors = _eigh(square)
    tolerance = 10 * max(rounding, 1e-14) * np.sqrt(len(values)) * abs(values[-1])
    if values[0] < -tolerance:
        raise InvalidInput(
            f"The training kernel is not positive semi-definite: its smallest eigenvalue is {values[0]:.6g}, its "
            f"largest {values[-1]:.6g}. Compute it in higher precision (float64), or add {-values[0]:.3g} to its "
            "diagonal if the error is that of an approximation."
        )
    return Spectrum(np.where(values < rtol * values[-1], 0.0, values), vectors)


def symmetric(kernel: Num[ArrayLike, "..."]) -> Float[np.ndarray, "N N"]:
    """A copy in float64, in Fortran's order, of a kernel that is square, finite and symmetric up to the rounding of its
    dtype; InvalidInput of any other."""
    given = np.asarray(kernel)
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise InvalidInput(f"The training kernel has shape {given.shape}; it must be square, (N, N).")
    # One copy that both checks and the factorisation use: at N = 20 000 every copy is 3 GiB.
    square = np.array(given, np.float64, order="F")
    largest = np.abs(square).max(initial=0.0)
    if not np.isfinite(largest):
        raise InvalidInput("The training kernel has NaN or infinite entries; check inputs and parameters.")
    asymmetry = _asymmetry(square)
    if asymmetry > 100 * max(_rounding(kernel), 1e-12) * largest:
        raise InvalidInput(
            f"The training kernel is not symmetric: |Θ − Θᵀ| reaches {asymmetry:.3g} where |Θ| reaches {largest:.3g}. "
            "Symmetrise it, (Θ + Θᵀ)/2, if that is rounding; otherwise its rows and columns are not the same examples."
        )
    return square


def _rounding(kernel: Num[ArrayLike, "..."]) -> float:
    dtype = np.asarray(kernel).dtype
    return float(np.finfo(dtype).eps) if np.issubdtype(dtype, np.floating) else 2.3e-16


def _eigh(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if jax.default_backend() == "cpu":
        # The same LAPACK routine as JAX's, in place: half the time, two kernels less of memory.
        return scipy.linalg.eigh(square, overwrite_a=True, check_finite=False, driver="evd")
    with float64():
        values, vectors = jnp.linalg.eigh(square)
        return np.asarray(values), np.asarray(vectors)


def _asymmetry(square: np.ndarray, rows: int = 512) -> float:
    blocks = (slice(i, i + rows) for i in range(0, len(square), rows))
    return max((float(np.abs(square[b] - square[:, b].T).max()) for b in blocks), default=0.0)
