"""e^{ωH} P in the plane, by quadrature: the probabilities of a histogram's cells, and the mean entropy."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.errors import InvalidInput
from infojax.generation.mixtures.gaussian_mixture import Mixture
from infojax.generation.mixtures.noised_mixture import log_density
from infojax.training import Learner, entropy


class ExactTilt(NamedTuple):
    """What samplers of e^{ωH} P are held against.

    Attributes:
        probabilities: (across, up) of the cells.
        edges: (across + 1,) and (up + 1,), of the cells.
        entropy: E H under e^{ωH} P, in nats.
        normaliser: E e^{ωH} under P.
    """

    probabilities: Float[np.ndarray, "across up"]
    edges: tuple[Float[np.ndarray, " a"], Float[np.ndarray, " u"]]
    entropy: float
    normaliser: float


def exact_tilt(
    mixture: Mixture, learner: Learner, strength: float, *, cells: int = 24, refine: int = 12, label: int | None = None
) -> ExactTilt:
    """By the midpoint rule, over all of the mixture within five standard deviations of its components.

    Args:
        mixture: in two dimensions.
        strength: ω.
        cells: of the histogram, along each side.
        refine: points of the quadrature in a cell, along each side.
        label: of the class; None for all.

    Raises:
        InvalidInput: a mixture that is not in the plane, or cells too wide for the quadrature: P does not sum to one.
    """
    if mixture.means.shape[1] != 2:
        raise InvalidInput(f"exact_tilt: the mixture is in {mixture.means.shape[1]} dimensions; it must be in two")
    reach = 5 * jnp.sqrt(mixture.variances.max(1))[:, None]
    low, high = np.asarray((mixture.means - reach).min(0)), np.asarray((mixture.means + reach).max(0))
    edges = tuple(np.linspace(low[i], high[i], cells + 1) for i in range(2))
    middles = [low[i] + (high[i] - low[i]) * (np.arange(cells * refine) + 0.5) / (cells * refine) for i in range(2)]
    x = jnp.asarray(np.stack(np.meshgrid(*middles, indexing="ij"), -1).reshape(-1, 2), mixture.means.dtype)
    log_p, uncertain = _evaluated(mixture, learner, x, mixture.classes if label is None else label)
    area = np.prod((high - low) / (cells * refine))
    p, uncertain = area * np.exp(np.asarray(log_p, np.float64)), np.asarray(uncertain, np.float64)
    if abs(p.sum() - 1) > 1e-3:
        raise InvalidInput(f"exact_tilt: the density sums to {p.sum():.4f}; give more cells, or a larger refine")
    weight = p * np.exp(strength * uncertain)
    in_cells = weight.reshape(cells, refine, cells, refine).sum((1, 3))
    return ExactTilt(
        in_cells / weight.sum(), edges, float(weight @ uncertain / weight.sum()), float(weight.sum() / p.sum())
    )


@jax.jit
def _evaluated(
    mixture: Mixture, learner: Learner, x: Float[Array, "q 2"], label: Array | int
) -> tuple[Float[Array, " q"], Float[Array, " q"]]:
    label = jnp.full(4096, label, jnp.int32)

    def block(x: Array) -> tuple[Array, Array]:
        return log_density(mixture, x, label), entropy(learner, x)

    padded = jnp.concatenate([x, jnp.zeros((-len(x) % 4096, 2), x.dtype)]).reshape(-1, 4096, 2)
    log_p, uncertain = jax.lax.map(block, padded)
    return log_p.reshape(-1)[: len(x)], uncertain.reshape(-1)[: len(x)]
