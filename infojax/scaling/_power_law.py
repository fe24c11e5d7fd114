"""Power laws of learning curves, error(n) = floor + scale · n^(−exponent), with confidence intervals.

Fitted to logarithms: Σ_j w_j² (log error_j − log(floor + scale · n_j^(−exponent)))² is least, where w_j is
error_j/stderr_j, the inverse standard error of log error_j. Without a floor that is weighted regression on log n.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import ArrayLike, Float, Num

from infojax.arrays import real_array, require_moderate
from infojax.errors import InvalidInput

_TINY = 1e-24  # the least relative variance, for repeats that are all alike


class Interval(NamedTuple):
    """An estimate with the ends of its confidence interval; numbers or arrays."""

    estimate: float | Float[np.ndarray, "*shape"]
    low: float | Float[np.ndarray, "*shape"]
    high: float | Float[np.ndarray, "*shape"]


class PowerLaw(NamedTuple):
    """error(n) = floor + scale · n^(−exponent).

    Attributes:
        exponent, scale, floor: estimates with confidence intervals.
        misfit: root of the squared deviations in standard errors per degree of freedom: near 1 where the errors lie
            on a power law and are independent, well above it where they bend. Without a degree of freedom it
            says nothing.
        samples: (draws, 3), exponent, scale and floor of each resampled curve. With the same seed and number of
            repeats two curves are resampled alike, so differences of samples are paired.
        level: of the intervals.
        repeats: that were resampled; 0 where standard errors were given.
    """

    exponent: Interval
    scale: Interval
    floor: Interval
    misfit: float
    samples: Float[np.ndarray, "draws 3"]
    level: float
    repeats: int

    def at(self, sizes: Num[ArrayLike, "..."]) -> Interval:
        """The fitted error at sizes, inside or outside of those fitted, with its interval."""
        n = np.asarray(sizes, np.float64)
        exponent, scale, floor = self.samples.T.reshape(3, -1, *[1] * n.ndim)
        centre = self.floor.estimate + self.scale.estimate * n**-self.exponent.estimate
        return interval(centre, floor + scale * n**-exponent, self.level, self.repeats)


def fit_power_law(
    sizes: Num[ArrayLike, " sizes"] | Sequence[int | float],
    errors: Num[ArrayLike, "..."] | Sequence[int | float],
    *,
    stderr: Num[ArrayLike, " sizes"] | Sequence[int | float] | None = None,
    floor: float | None = 0.0,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> PowerLaw:
    """Fit error(n) = floor + scale · n^(−exponent) and bootstrap it.

    Args:
        sizes: n, at least 3 different ones, 4 with a free floor.
        errors: (repeats, sizes), a curve in each row, which may have errors in common at all its sizes; or their means
            (sizes,), with `stderr`.
        stderr: (sizes,), independent standard errors of the means. With repeats they are not needed.
        floor: fixed, or None to fit it, ≥ 0.
        draws: resampled curves: repeats drawn with replacement or, from standard errors, log-normal deviates.
        level: confidence of the intervals. They are quantiles of the draws, with repeats at levels widened as Student's
            t and √(r/(r − 1)) ask for at r repeats (the "expanded percentile interval": Hesterberg, The American
            Statistician 2015). Fewer than 8 repeats do not make a trustworthy interval, fewer than 4 are refused.
        seed: of the draws.

    Raises:
        InvalidInput: too few sizes or repeats; errors that are not positive and finite, or not above a fixed floor.

    >>> law = fit_power_law([10, 100, 1000], [0.2, 0.02, 0.002], stderr=[0.02, 0.002, 0.0002])
    >>> round(law.exponent.estimate, 6), round(law.scale.estimate, 6)
    (1.0, 2.0)
    """
    n, y = real_array("sizes", sizes), real_array("errors", errors)
    stderr = None if stderr is None else real_array("stderr", stderr)
    _check(n, y, stderr, floor, draws, level)
    if seed < 0:
        raise InvalidInput(f"seed={seed}; it must not be negative")
    rng = np.random.default_rng(seed)
    if y.ndim == 2:
        repeats = len(y)
        mean, width = y.mean(0), y.std(0, ddof=1) / np.sqrt(repeats)
        # Few repeats know their scatter badly, and a size that seems to have none must not outweigh all others: half
        # of each relative variance is the average over sizes.
        relative = (width / mean) ** 2
        width = mean * np.sqrt((relative + max(relative.mean(), _TINY)) / 2)
        resampled = y[rng.integers(repeats, size=(draws, repeats))].mean(1)
    else:
        repeats, mean, width = 0, y, np.asarray(stderr)
        resampled = mean * np.exp(rng.standard_normal((draws, len(n))) * width / mean)
    # A resampled mean at the floor, zero mistakes say, has no logarithm: it counts as a thousandth of what is above it.
    resampled = np.maximum(resampled, (floor or 0) + 1e-3 * (mean - (floor or 0)))
    weights = mean / width
    fit = partial(_fit, np.log(n), weights, floor)
    best = fit(mean)
    samples = np.stack([fit(curve) for curve in resampled])
    deviation = weights * np.log((best[2] + best[1] * n ** -best[0]) / mean)
    freedom = len(n) - (3 if floor is None else 2)
    exponent, scale, least = (interval(best[i], samples[:, i], level, repeats) for i in range(3))
    misfit = float(np.sqrt(deviation @ deviation / max(freedom, 1)))
    return PowerLaw(exponent, scale, least, misfit, samples, level, repeats)


def interval(
    estimate: float | Float[np.ndarray, "*shape"],
    samples: Float[np.ndarray, "draws *shape"],
    level: float,
    repeats: int,
) -> Interval:
    """Quantiles of samples as a confidence interval, expanded for few repeats; see `fit_power_law`."""
    from scipy.stats import norm, t

    tail = (1 - level) / 2
    if repeats:
        tail = float(norm.cdf(np.sqrt(repeats / (repeats - 1)) * t.ppf(tail, repeats - 1)))
    low, high = np.quantile(samples, [tail, 1 - tail], axis=0)
    return Interval(*(float(value) if np.ndim(value) == 0 else value for value in (estimate, low, high)))


def _fit(x: np.ndarray, weights: np.ndarray, floor: float | None, errors: np.ndarray) -> np.ndarray:
    """(exponent, scale, floor) of one curve, x = log n."""
    line = _line(x, np.log(errors - (floor or 0)), weights * (1 - (floor or 0) / errors))
    if floor is not None:
        return np.array([-line[1], np.exp(line[0]), floor])
    # At floor 0 the sum of squares falls with the floor, or the floor stays there.
    z = np.log(errors)
    law = line[0] + line[1] * x
    if (weights**2 * (z - law)) @ np.exp(-law) <= 0:
        return np.array([-line[1], np.exp(line[0]), 0.0])
    return _bent(x, z, weights, line)


def _line(x: np.ndarray, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Intercept and slope of linear regression, Σ weights² (z − a − b x)² least."""
    share = weights**2 / (weights @ weights)
    x0, z0 = share @ x, share @ z
    slope = (share * (x - x0)) @ z / (share @ (x - x0) ** 2)
    return np.array([z0 - slope * x0, slope])


def _bent(x: np.ndarray, z: np.ndarray, weights: np.ndarray, line: np.ndarray) -> np.ndarray:
    """With a floor inside: least squares in exponent, the logarithm of the power at mean x, and that of the floor.

    Started from the best of some floors below the least error, each with the line through what stands above it.
    """
    from scipy.optimize import leastsq

    middle = x.mean()

    def residual(p: np.ndarray) -> np.ndarray:
        return weights * (np.logaddexp(p[2], p[1] - p[0] * (x - middle)) - z)

    def jacobian(p: np.ndarray) -> np.ndarray:
        power = p[1] - p[0] * (x - middle)
        share = 1 / (1 + np.exp(np.clip(p[2] - power, -500, 500)))  # of the power in the error
        return weights * np.stack([-share * (x - middle), share, 1 - share])

    starts = []
    for part in (0.01, 0.2, 0.5, 0.8, 0.95):
        floor = part * np.exp(z.min())
        above = np.log(np.exp(z) - floor)
        a, b = _line(x, above, weights * np.exp(above - z))
        starts.append(np.array([-b, a + b * middle, np.log(floor)]))
    start = min(starts, key=lambda p: float(residual(p) @ residual(p)))
    p = leastsq(residual, start, Dfun=jacobian, col_deriv=True, full_output=True)[0]
    return np.array([p[0], np.exp(min(p[1] + p[0] * middle, 700)), np.exp(p[2])])


def _check(n: np.ndarray, y: np.ndarray, stderr, floor: float | None, draws: int, level: float) -> None:
    least = 4 if floor is None else 3
    if n.ndim != 1 or y.ndim not in (1, 2) or y.shape[-1] != len(n):
        raise InvalidInput(f"sizes {n.shape} and errors {y.shape} must be (sizes,) and (sizes,) or (repeats, sizes)")
    if not ((n > 0) & np.isfinite(n)).all() or len(np.unique(n)) < max(least, len(n)):
        raise InvalidInput(
            f"sizes is {n.tolist()}; they must be positive and different, at least {least} "
            f"{'with' if floor is None else 'without'} a free floor"
        )
    if floor is not None and not 0 <= floor < np.inf:
        raise InvalidInput(f"floor={floor}; it must be ≥ 0, or None to be fitted")
    if not (np.isfinite(y) & (y >= 0)).all():
        raise InvalidInput(f"errors has {y[~(np.isfinite(y) & (y >= 0))][0]}; errors must be finite and not negative")
    require_moderate("errors", y)
    mean = y.mean(0) if y.ndim == 2 else y
    if (mean <= (floor or 0)).any():
        raise InvalidInput(
            f"errors at size {n[mean <= (floor or 0)][0]:g} are not above the floor, {floor or 0:g}; leave that size "
            "out, lower the floor, or test on more examples"
        )
    if y.ndim == 2 and (len(y) < 4 or stderr is not None):
        raise InvalidInput(f"errors has {len(y)} repeats; a bootstrap needs at least 4, and then no stderr")
    if y.ndim == 1:
        given = np.asarray(np.nan if stderr is None else stderr)
        if given.shape != n.shape or not ((given > 0) & np.isfinite(given)).all():
            raise InvalidInput("errors (sizes,) need stderr (sizes,), positive; or give errors as (repeats, sizes)")
        if not ((given > 1e-75 * y) & (given < 100 * y)).all():
            raise InvalidInput("stderr is over 100 times an error, or vanishes beside it; no curve can be fitted there")
    if not 100 <= draws <= 100_000 or not 0 < level < 1:
        raise InvalidInput(f"draws={draws}, level={level}; 100 to 100,000 draws, and a level between 0 and 1")
