"""How a network is trained: for how long, at which rate, on how many examples at a time, by which loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.models import Network, Params
from infojax.training._losses import Loss, cross_entropy
from infojax.training._optimizers import AdamW, Optimizer, Rate
from infojax.training._training_set import TrainingSet

if TYPE_CHECKING:
    import optax

ADAM = AdamW()

Average: TypeAlias = Callable[[Array, Array, Int[Array, ""]], Array]
"""(mean so far, newest parameters, steps before) → mean; for each array of the parameters."""


@dataclass(frozen=True)
class RunningMean:
    """m ← m + a (w − m), with a = max(newest, 1/(steps so far)): at first the plain mean, which forgets the start.

    Raises `InvalidInput` for `newest` outside of (0, 1].
    """

    newest: float

    def __post_init__(self) -> None:
        if not 0 < self.newest <= 1:
            raise InvalidInput(f"RunningMean: the average gives the newest parameters {self.newest}; give (0, 1].")

    def __call__(self, mean: Array, params: Array, step: Int[Array, ""]) -> Array:
        return mean + jnp.maximum(self.newest, 1 / (step + 1.0)) * (params - mean)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; with equal recipes and the same network programs are compiled once.

    Attributes:
        steps: of the optimizer, in the whole of the training.
        rate: the learning rate: a number, or one that changes.
        batch: examples in a minibatch, drawn uniformly with replacement; None for all examples at each step.
        loss: of each example.
        optimizer: of optax, made from the rate.
        average: of the parameters of all steps, which is then the learner; None for those of the last step.

    Raises:
        InvalidInput: numbers below 1, and a rate that is not positive and finite.

    >>> from infojax.training import trapezoid
    >>> Recipe(steps=100, rate=trapezoid(1e-3, 100), batch=64, optimizer=AdamW(weight_decay=1e-2)).batch
    64
    """

    steps: int
    rate: float | Rate
    batch: int | None = None
    loss: Loss = cross_entropy
    optimizer: Optimizer = ADAM
    average: Average | None = None

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InvalidInput(f"Recipe: steps={self.steps}; take at least one step.")
        if self.batch is not None and self.batch < 1:
            raise InvalidInput(f"Recipe: batch={self.batch}; give at least 1, or None for all examples.")
        if not isinstance(self.rate, Rate):
            Rate(self.rate)  # is it one?

    def transformation(self) -> "optax.GradientTransformation":
        """The optimizer at this rate."""
        return self.optimizer(self.rate if isinstance(self.rate, Rate) else Rate(self.rate))


@dataclass(frozen=True)
class ExampleLoss:
    """The mean of a network's losses in a minibatch; Σ_j c_j ℓ_j, or an unbiased estimate, where examples have weights.

    Attributes:
        network: whose parameters are trained.
        loss, batch: as in `Recipe`.
    """

    network: Network
    loss: Loss
    batch: int | None

    def __call__(self, params: Params, data: TrainingSet, key: PRNGKeyArray) -> Float[Array, ""]:
        x, y, weights = data.x, data.y, data.weights
        if self.batch is not None:
            rows = jax.random.randint(key, (self.batch,), 0, data.filled)
            x, y = x[rows], y[rows]
            weights = None if weights is None else weights[rows] * (data.filled / self.batch).astype(weights.dtype)
        losses = self.loss(self.network.apply(params, x), y)
        return jnp.mean(losses) if weights is None else jnp.vdot(weights, losses)
