"""The anisotropic law and its simulation where variances fall as a power of the direction's number."""

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.scaling._repeats import Simulated, at_points
from infojax.scaling.registry.problems import PowerSpectrumProblem
from infojax.scaling.ridge.anisotropic_law import anisotropic_law, power_spectrum
from infojax.scaling.ridge.ridge_law import RidgeLaw
from infojax.scaling.ridge.simulate_anisotropic import simulate_anisotropic


def power_spectrum_law(problem: PowerSpectrumProblem) -> RidgeLaw:
    """`anisotropic_law` for a power spectrum, one call for each exponent and pruner.

    >>> from infojax.scaling import PowerSpectrumProblem, RidgeProblem, keep_hard, ridge_law
    >>> numbers = {"pruner": 0.7, "ratio": 0.35, "ridge": 0.01}
    >>> law = power_spectrum_law(PowerSpectrumProblem(keep_hard(0.3), **numbers, exponent=0.0))
    >>> bool(np.isclose(law.error, ridge_law(RidgeProblem(keep_hard(0.3), **numbers)).error))
    True
    """
    exponents, pruners = np.broadcast_arrays(np.atleast_1d(problem.exponent), np.atleast_1d(problem.pruner))
    if exponents.size == 1:
        return _law(problem, exponents.flat[0], pruners.flat[0])
    pairs = zip(exponents.ravel().tolist(), pruners.ravel().tolist(), strict=True)
    laws = [_law(problem, *pair) for pair in pairs]
    return RidgeLaw(*(np.stack(field).reshape(exponents.shape) for field in zip(*laws, strict=True)))


def _law(problem: PowerSpectrumProblem, exponent: float, pruner: float) -> RidgeLaw:
    samples = problem.dimension / np.asarray(problem.ratio)
    spectrum, truth, pruning = directions(problem.dimension, exponent, pruner)
    return anisotropic_law(
        problem.selection, spectrum=spectrum, truth=truth, pruner=pruning, samples=samples,
        ridge=problem.ridge, noise=problem.noise, flips=problem.flips,
        label_aware=problem.label_aware, labels=problem.labels,
    )  # fmt: skip


def simulate_power_spectrum(
    problem: PowerSpectrumProblem, *, dimension: int, repeats: int, key: PRNGKeyArray
) -> Simulated[RidgeLaw]:
    """What `power_spectrum_law` predicts, measured, in float64. The dimension must be the problem's.

    Raises `InvalidInput` on another dimension.
    """
    if dimension != problem.dimension:
        raise InvalidInput(f"dimension={dimension}: the law is that of dimension={problem.dimension}; give that")

    def simulate(point: PowerSpectrumProblem, key: PRNGKeyArray) -> Simulated[RidgeLaw]:
        spectrum, truth, pruning = directions(dimension, float(point.exponent), float(point.pruner))
        return simulate_anisotropic(
            point.selection, spectrum=spectrum, truth=truth, pruner=pruning,
            samples=round(dimension / float(point.ratio)), ridge=float(point.ridge),
            noise=float(point.noise), flips=float(point.flips),
            label_aware=point.label_aware, labels=point.labels, repeats=repeats, key=key,
        )  # fmt: skip

    return at_points(simulate, problem, key)


def directions(
    dimension: int, exponent: float, cosine: float
) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
    """The spectrum, a truth with equal parts in all directions, and a pruner whose margins correlate with it by the
    cosine: what it adds has alternating signs, so that it is spread over the spectrum as the truth is."""
    if dimension < 2:
        raise InvalidInput(f"dimension={dimension}: truth and pruner need at least 2 dimensions, better 200")
    spectrum, truth = power_spectrum(dimension, exponent), np.ones(dimension)
    other = (-1.0) ** np.arange(dimension)
    other -= spectrum @ other / spectrum.sum() * truth  # without covariance with the truth
    other *= np.sqrt(spectrum.sum() / (spectrum @ other**2))
    return spectrum, truth, cosine * truth + np.sqrt(1 - cosine**2) * other
