"""Spectra that a kernel might have had, had it been rounded otherwise: for scores without a formula for their errors.

Θ + D^½ E D^½, with D the diagonal of Θ and E symmetric, of independent entries of the size of the kernel's rounding.
What scores change by from one to the other is what rounding makes of them, whatever the formula.
"""

from collections.abc import Callable, Iterator

import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Float

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.linearized._filters import training_filter
from infojax.linearized._spectrum import Spectrum
from infojax.linearized._training import Training, as_float64

DRAWS = 2
# Rounding that is amplified to less than this of the scores is not looked for.
HARMLESS = 1e-3


def amplification(theta: Spectrum, training: Training) -> float:
    """The largest eigenvalue of Θ + λ times the largest value of the filter of a training for a sum (`as_sum`)."""
    values = np.asarray(theta.values, np.float64)
    # Rows that are rounded equally lose nothing, however long their zeros are trained.
    values = values[values > 0] if theta.zeros.identical else np.where(values == 0, theta.zeros.hidden, values)
    if not len(values):
        return 0.0
    with float64():
        run = as_float64(training)
        filtered = training_filter(run, jnp.asarray(values))
        return float((values[-1] + run.decay) * filtered.max())


def lost_in_zeros(theta: Spectrum, training: Training) -> float:
    """The relative error of scores, squares as they are, that float64 itself makes in the directions that are zero.

    Residuals and kernels have no part there in truth, and 2⁻⁵² of the largest in float64; the filter at zero, 1/λ or
    the time, multiplies that. At t = ∞ without decay it is 0, and nothing is lost.
    """
    values = np.asarray(theta.values, np.float64)
    if values[0] > 0:
        return 0.0
    with float64():
        run = as_float64(training)
        lost = 2.0**-52 * float((values[-1] + run.decay) * training_filter(run, jnp.zeros(())))
    return lost * (2 + lost)


def spectra(theta: Spectrum) -> Iterator[Spectrum]:
    """A few of them; the last, where rounding may hide eigenvalues, with those as large as it may hide."""
    values, u = (np.asarray(part, np.float64) for part in theta)
    rng = np.random.default_rng(0)
    root = np.sqrt(np.maximum(np.sum(u**2 * values[None], axis=1), 0.0))
    for _ in range(DRAWS):
        noise = rng.normal(size=u.shape) * root[:, None] * root[None]
        noise = theta.rounding * (noise + noise.T) / np.sqrt(2)
        # In the eigenbasis, where what is known of zeros is easily said.
        noise = u.T @ noise @ u
        if theta.zeros.identical:
            noise[values == 0] = 0.0
            noise[:, values == 0] = 0.0
        found, turned = scipy.linalg.eigh(np.diag(values) + noise)
        zero = found < max(1e-12, theta.rounding) * found[-1]
        # The largest stays what it is: gradient descent may be stable for no larger one.
        yield Spectrum(np.where(zero, 0.0, found) * (values[-1] / found[-1]), u @ turned, theta.rounding)
    if theta.zeros.hidden > 0:
        yield Spectrum(np.where(values == 0, theta.zeros.hidden, values), u, theta.rounding)


def errors(theta: Spectrum, score: Callable[[Spectrum], Float[np.ndarray, "*any"]]) -> Float[np.ndarray, "*any"]:
    """By how much a score changes with the rounding of the kernel: root of the mean square, plus what may be hidden."""
    there = score(theta)
    squares, hidden = np.zeros(np.shape(there)), np.zeros(np.shape(there))
    for number, other in enumerate(spectra(theta)):
        try:
            change = np.abs(score(other) - there)
        except InvalidInput:  # another rounding, and there is no score: no digit of it is right
            change = np.full(np.shape(there), np.inf)
        if number < DRAWS:
            squares += change**2 / DRAWS
        else:
            hidden = change
    return np.sqrt(squares) + hidden


def rounded(kernel: Float[np.ndarray, "m n"], rounding: float, rng: np.random.Generator) -> Float[np.ndarray, "m n"]:
    """A kernel, rounded otherwise; symmetric where it was."""
    noise = rng.normal(size=kernel.shape)
    if kernel.shape[0] == kernel.shape[1] and (kernel == kernel.T).all():
        noise = (noise + noise.T) / np.sqrt(2)
    return kernel * (1 + rounding * noise)
