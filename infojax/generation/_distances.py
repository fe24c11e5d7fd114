"""How far samples are from what they should be: total variation, maximum mean discrepancy; diversity; mean entropy."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.arrays import LARGEST, array_of_reals, require_positive
from infojax.errors import InvalidInput
from infojax.generation.mixtures.exact_tilt import ExactTilt
from infojax.training import Learner, entropy


class Estimate(NamedTuple):
    """A number and its standard error."""

    value: float
    stderr: float


def mean_entropy(learner: Learner, x: Float[Array | np.ndarray, "n ..."]) -> Estimate:
    """Of the learner's prediction over n ≥ 2 independent examples, in nats. `InvalidInput` for fewer, or NaN."""
    x = _finite("mean_entropy", x)
    if len(x) < 2:
        raise InvalidInput(f"mean_entropy of {len(x)} example(s): an error needs at least two")
    uncertain = np.asarray(_entropies(learner, x))
    return Estimate(float(uncertain.mean()), float(uncertain.std(ddof=1) / np.sqrt(len(uncertain))))


@jax.jit
def _entropies(learner: Learner, x: Float[Array, "n ..."]) -> Float[Array, " n"]:
    return jax.lax.map(lambda x: entropy(learner, x[None])[0], x, batch_size=1024)


def total_variation(x: Float[Array | np.ndarray, "n 2"], tilt: ExactTilt) -> float:
    """½ Σ |share of the samples in a cell − its probability|, and half the share outside of all cells."""
    x = array_of_reals("total_variation: x", x)
    counts = np.histogram2d(x[:, 0], x[:, 1], bins=tilt.edges)[0]
    outside = 1 - counts.sum() / len(x)
    return float((np.abs(counts / len(x) - tilt.probabilities).sum() + outside) / 2)


def total_variation_floor(tilt: ExactTilt, n: int) -> Estimate:
    """What n perfect samples have on average, exactly, and how much that of one sample of n deviates.

    De Moivre: E|X − np| = 2 m (1 − p) P(X = m) for X ~ Bin(n, p), with m = ⌊np⌋ + 1. The deviation takes cells as
    independent, a little too much, as their counts have a fixed sum.
    """
    from scipy.stats import binom

    p = tilt.probabilities.reshape(-1)
    m = np.floor(n * p) + 1
    deviation = 2 * m * (1 - p) * binom.pmf(m, n, p) / n
    variance = p * (1 - p) / n - deviation**2
    return Estimate(float(deviation.sum() / 2), float(np.sqrt(np.maximum(variance, 0).sum()) / 2))


def squared_mmd(
    x: Float[Array | np.ndarray, "n ..."], y: Float[Array | np.ndarray, "m ..."], bandwidth: float, *, tile: int = 512
) -> Estimate:
    """Unbiased MMD² (Gretton et al. 2012, eq. 3), kernel exp(−‖x − y‖²/2 bandwidth²), and its jackknife error.

    Zero on average for samples of one distribution, so it may be negative. The jackknife deletes one example at a
    time; for a U-statistic it errs upwards, most where the distributions are equal. O((n + m)²) time, O(tile · (n + m))
    memory.

    Raises `InvalidInput` on fewer than three examples in either, two shapes, NaN, or a bandwidth that is not positive.
    """
    n, m = len(x), len(y)
    require_positive("squared_mmd: bandwidth", bandwidth, _BANDWIDTH)
    if min(n, m) < 3 or np.shape(x)[1:] != np.shape(y)[1:] or tile < 1:
        raise InvalidInput(
            f"squared_mmd of {np.shape(x)} and {np.shape(y)}, tile={tile}: give at least three examples of each, of "
            "one shape, and a tile of one row or more"
        )
    x, y = (_finite("squared_mmd", each).reshape(len(each), -1) for each in (x, y))
    within_x, within_y, across_x, across_y = (
        np.asarray(_kernel_sums(a, b, float(bandwidth), tile=tile), np.float64)
        for a, b in ((x, x), (y, y), (x, y), (y, x))
    )
    within_x, within_y = within_x - 1, within_y - 1  # not with itself
    sums = within_x.sum(), within_y.sum(), across_x.sum()
    value = sums[0] / (n * (n - 1)) + sums[1] / (m * (m - 1)) - 2 * sums[2] / (n * m)
    without_x = (sums[0] - 2 * within_x) / ((n - 1) * (n - 2)) - 2 * (sums[2] - across_x) / ((n - 1) * m)
    without_y = (sums[1] - 2 * within_y) / ((m - 1) * (m - 2)) - 2 * (sums[2] - across_y) / (n * (m - 1))
    variance = (n - 1) * without_x.var() + (m - 1) * without_y.var()
    return Estimate(float(value), float(np.sqrt(variance)))


def diversity(x: Float[Array | np.ndarray, "n ..."], bandwidth: float, *, tile: int = 512) -> float:
    """The Vendi score of order 2: 1/mean of k(x, x')² over all pairs, k Gaussian; from 1, all equal, to n, all apart.

    An effective number of different examples, n²/‖K‖² (Friedman and Dieng 2023; Pasarkar and Dieng 2024 for orders
    other than one). Of order 2, as it needs no eigenvalues; compare only samples of equal n, as it grows with n.

    Raises `InvalidInput` on no examples, NaN, or a bandwidth that is not positive.
    """
    require_positive("diversity: bandwidth", bandwidth, _BANDWIDTH)
    if len(x) == 0 or tile < 1:
        raise InvalidInput(f"diversity of {len(x)} examples, tile={tile}: give one or more of each")
    x = _finite("diversity", x).reshape(len(x), -1)
    return float(
        len(x) ** 2 / np.asarray(_kernel_sums(x, x, float(bandwidth) / np.sqrt(2), tile=tile), np.float64).sum()
    )


_BANDWIDTH = "it must be positive; the median distance is a common choice"


def _finite(name: str, x: Float[Array | np.ndarray, "n ..."]) -> Float[Array, "n ..."]:
    """In the working precision, where squares of values must be finite too."""
    if not float(np.abs(np.asarray(x)).max(initial=0.0)) <= LARGEST:
        raise InvalidInput(f"{name}: examples hold NaN, or values beyond ±{LARGEST:g}; check what made them")
    return jnp.asarray(x, float)


def _kernel_sums(
    x: Float[Array, "n d"], y: Float[Array, "m d"], bandwidth: float, tile: int
) -> Float[np.ndarray, " n"]:
    """Σ_j k(x_i, y_j), to be summed on in float64."""
    return np.asarray(_sums(x, y, float(bandwidth), tile=tile), np.float64)


@partial(jax.jit, static_argnames="tile")
def _sums(x: Float[Array, "n d"], y: Float[Array, "m d"], bandwidth: Array | float, *, tile: int) -> Float[Array, " n"]:
    middle = y.mean(0)  # squares are multiplied out about it, where they are small
    x, y = x - middle[None], y - middle[None]
    squares = jnp.sum(y**2, 1)

    def row(one: Array) -> Array:
        distance = jnp.sum(one**2) + squares - 2 * jnp.matmul(y, one, precision="highest")
        return jnp.sum(jnp.exp(-jnp.maximum(distance, 0.0) / (2 * bandwidth**2)))

    return jax.lax.map(row, x, batch_size=tile)
