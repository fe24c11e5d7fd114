"""The loop in the case with exact laws: a ridge regression, and Gaussian examples tilted exactly along its direction.

    x ~ N(0, I_d), label 1 where w_*·x > 0;  guided: density ∝ N(x; 0, I) e^{ωU(t)}, t = w·x/‖w‖, w the current learner,

with U the entropy of a learner with log odds t, or the logarithm of its variance, log 4σ(t)σ(−t). Only t is tilted, so
one number is drawn by inversion and the rest is as it was. To a learner this is a soft selection that keeps t with
probability ∝ e^{ωU(t)}; with the variance it is the rule `infojax.scaling.soft`, whose error `practice_law` knows.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Float, Int, PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.generation.practice.candidates import Generate
from infojax.generation.sampling.drawn import Cost, Samples
from infojax.models import Network
from infojax.training import Learner, TrainingSet

Utility = Literal["entropy", "variance"]

# Beyond, the normal density is below 1e-15; a guidance that would matter there is stronger than any that is of use.
REACH, NODES = 8.0, 8001


def _unit_slope(w: Float[Array, " d"], x: Float[Array, "b d"]) -> Float[Array, "b 1"]:
    return (x @ w / jnp.linalg.norm(w))[:, None]


LINEAR = Network(lambda key, shape: jax.random.normal(key, shape), _unit_slope)


@dataclass(frozen=True)
class RidgeFit:
    """argmin 1/n Σ (w·x − y)²/2 + λ‖w‖²/2 with y = ±1, solved at each evaluation; log odds are w·x/‖w‖.

    Nothing improves from one evaluation to the next unless examples were added, so that with a patience of 1 there is
    an addition at every other evaluation at least.

    Attributes:
        ridge: λ > 0.
        evaluations: of a run.
    """

    ridge: float
    evaluations: int

    def __post_init__(self) -> None:
        if not (0 < self.ridge < np.inf) or self.evaluations < 1:
            raise InvalidInput(f"{self}: give a positive ridge and at least one evaluation.")

    @property
    def stable(self) -> int:
        return self.evaluations

    @property
    def gradients(self) -> int:
        return 0

    def begin(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, " d"]:
        return LINEAR.init(key, shape)

    def advance(
        self, state: Float[Array, " d"], data: TrainingSet, key: PRNGKeyArray
    ) -> tuple[Float[Array, " d"], Float[Array, ""]]:
        return _fit(data, self.ridge)

    def learner(self, state: Float[Array, " d"]) -> Learner:
        return Learner(LINEAR, state)


@jax.jit
def _fit(data: TrainingSet, ridge: Array | float) -> tuple[Float[Array, " d"], Float[Array, ""]]:
    there = (jnp.arange(len(data.x)) < data.filled).astype(data.x.dtype)
    x, y = data.x * there[:, None], (2 * data.y - 1).astype(data.x.dtype)
    n = data.filled.astype(x.dtype)
    gram = x.T @ x / n + ridge * jnp.eye(x.shape[1], dtype=x.dtype)
    w = cho_solve(cho_factor(gram), x.T @ y / n)
    return w, jnp.sum(there * (x @ w - y) ** 2) / (2 * n)


def tilted_gaussians(truth: Float[np.ndarray, " d"], strength: float, utility: Utility = "entropy") -> Generate:
    """Examples of w_* = `truth`, drawn exactly from the tilted density where there is a learner, made by `RidgeFit`.

    Args:
        strength: ω, any finite number; 0 is no guidance.
        utility: U, "entropy" or "variance".

    Raises `InvalidInput` on a strength that is not finite.
    """
    if not np.isfinite(strength):
        raise InvalidInput(f"tilted_gaussians: strength={strength} must be finite; 0 is no guidance.")
    return partial(_tilted, np.asarray(truth, np.float32), float(strength), utility)


def log_tilt(t: Float[np.ndarray, " n"], utility: Utility) -> Float[np.ndarray, " n"]:
    """U of the margin t."""
    log_p, log_q = -np.logaddexp(0, -t), -np.logaddexp(0, t)
    if utility == "variance":
        return np.log(4) + log_p + log_q
    return -(np.exp(log_p) * log_p + np.exp(log_q) * log_q)


def _tilted(
    truth: Float[np.ndarray, " d"],
    strength: float,
    utility: Utility,
    key: PRNGKeyArray,
    labels: Int[np.ndarray, " n"],
    learner: Learner | None,
) -> Samples:
    for_x, for_margin = jax.random.split(key)
    x = np.asarray(jax.random.normal(for_x, (len(labels), len(truth))))
    if learner is not None:
        along = np.asarray(learner.params) / np.linalg.norm(learner.params)
        nodes = np.linspace(-REACH, REACH, NODES)
        log_density = -(nodes**2) / 2 + strength * log_tilt(nodes, utility)
        cumulative = np.cumsum(np.exp(log_density - log_density.max()))
        uniform = np.asarray(jax.random.uniform(for_margin, (len(labels),)))
        wanted = np.interp(uniform, cumulative / cumulative[-1], nodes)
        x = x + np.outer(wanted - x @ along, along).astype(np.float32)
    # the density is even: an example of the other class is one of this class with its sign turned
    sign = np.where((x @ truth > 0) == (labels == 1), 1, -1)
    return Samples(jnp.asarray(sign[:, None] * x, jnp.float32), Cost())
