"""The training filter as a Chebyshev series, for kernels that one can multiply with but not factor.

On [0, S], which holds all eigenvalues s of the kernel, φ(s + λ) = Σ_j c_j T_j(2s/S − 1). Since |T_j| ≤ 1 there, what
is cut off is at most the sum of the |c_j| that are dropped. For gradient flow c_j falls like e^{−j²/(τS)}, so that a
degree of some √(τS ln(1/ε)) gives an error ε; gradient descent of T steps is a polynomial of degree T − 1, which its
series of that length is exactly, and which can be cut off as early as that of the flow.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infojax.arrays import float64
from infojax.errors import OverBudget
from infojax.linearized._filters import training_filter
from infojax.linearized._training import GradientDescent, GradientFlow, as_float64

MOST = 2**21
# Of a sum of Chebyshev polynomials, relative to its largest value.
ROUNDING = 1e-15


class Series(NamedTuple):
    """Σ_j coefficients_j T_j(2s/S − 1), and how far from the filter its first terms are.

    Attributes:
        coefficients: c_j (K,).
        tails: (K,) Σ_{i>j} |c_i|: no smaller than the error, anywhere on [0, S], of the terms up to j.
    """

    coefficients: Float[np.ndarray, " K"]
    tails: Float[np.ndarray, " K"]


def chebyshev_series(training: GradientDescent | GradientFlow, largest: float) -> Series:
    """All terms of s ↦ φ(s + λ) on [0, largest] that are more than rounding; NumPy float64.

    Args:
        training: written for a sum over the examples (`as_sum`).
        largest: S, no smaller than the largest eigenvalue of the kernel.

    Raises:
        OverBudget: training so long that the series has millions of terms.

    >>> from infojax import GradientDescent
    >>> chebyshev_series(GradientDescent(2, 1.0, convention="sum"), 1.0).coefficients.round(6)[:2]
    array([ 1.5, -0.5])
    """
    exact = int(training.steps) if isinstance(training, GradientDescent) else None
    points = 32
    while True:
        points = points if exact is None else min(points, exact)
        c, values = _coefficients(training, largest, points)
        present = np.flatnonzero(np.abs(c) > 1e-15 * np.sqrt(np.mean(values**2)))
        # What there is beyond these points shows in the upper half of them: nothing, once that is rounding.
        if points == exact or present[-1] < points // 2:
            c = c[: present[-1] + 1]
            tails = np.append(np.cumsum(np.abs(c[:0:-1]))[::-1], 0.0)
            return Series(c, tails + ROUNDING * np.abs(values).max())
        points *= 2
        if points > MOST:
            raise OverBudget(
                f"{training} on eigenvalues up to {largest:.4g} needs a polynomial of more than {MOST // 2:,} terms. "
                "Train for less time, or take Converged() with decay > 0 for what long training tends to."
            )


def terms_needed(series: Series, error: float) -> int:
    """The last j that is needed for an error of at most `error`, or of the least that rounding allows."""
    enough = np.flatnonzero(series.tails <= error)
    return int(enough[0]) if len(enough) else len(series.coefficients) - 1


def _coefficients(training, largest: float, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients, and the values that they interpolate."""
    angles = np.pi * (np.arange(points) + 0.5) / points
    with float64():
        run = as_float64(training)
        # S cos²(θ/2) has all its digits near 0, where the filter varies fastest.
        values = np.asarray(training_filter(run, jnp.asarray(largest * np.cos(angles / 2) ** 2)))
    # The discrete cosine transform of the values, as the Fourier transform of their even extension.
    spectrum = np.fft.rfft(np.concatenate([values, values[::-1]]))[:points]
    c = (spectrum * np.exp(-0.5j * np.pi * np.arange(points) / points)).real / points
    c[0] /= 2
    return c, values
