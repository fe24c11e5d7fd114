"""Training by minibatches from whatever is there, from one evaluation to the next."""

from dataclasses import dataclass

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.models import Network
from infojax.training import (
    ExampleLoss,
    Learner,
    Rate,
    Recipe,
    TrainingSet,
    TrainingState,
    advance,
    begin,
    trained_parameters,
)


@dataclass(frozen=True)
class Descent:
    """Minibatches drawn uniformly from the examples that are there.

    The paper (arXiv 2502.15588) trains by AdamW, at a rate that is a `trapezoid` of 10 % warm-up and 20 % cool-down,
    and evaluates the `RunningMean(0.001)`.

    Attributes:
        network: with an output for each class, or one for two classes.
        recipe: of the whole run, however many examples are added in it; with minibatches.
        every: τ, steps from one evaluation to the next; they run in one program. A divisor of the recipe's steps.

    Raises:
        InvalidInput: numbers out of range; at least one evaluation must come before the cool-down.
    """

    network: Network
    recipe: Recipe
    every: int

    def __post_init__(self) -> None:
        steps = self.recipe.steps
        if self.every < 1 or steps % self.every:
            raise InvalidInput(f"Descent: every={self.every} is not allowed; give a divisor of steps={steps}.")
        if self.recipe.batch is None:
            raise InvalidInput("Descent: the recipe has no minibatches, and examples are added on the way; give batch.")
        if self.stable < 1:
            raise InvalidInput(
                f"Descent: no evaluation comes before the cool-down with steps={steps}, every={self.every}, "
                f"{self.recipe.rate}. Evaluate more often, or train for longer."
            )

    @property
    def evaluations(self) -> int:
        return self.recipe.steps // self.every

    @property
    def stable(self) -> int:
        rate, steps = self.recipe.rate, self.recipe.steps
        falls = rate.falls_from if isinstance(rate, Rate) else None
        return min(steps if falls is None else falls, steps) // self.every

    @property
    def gradients(self) -> int:
        return self.every * (self.recipe.batch or 0)

    def begin(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> TrainingState:
        return begin(self.recipe, self.network.init(key, shape))

    def advance(
        self, state: TrainingState, data: TrainingSet, key: PRNGKeyArray
    ) -> tuple[TrainingState, Float[Array, ""]]:
        objective = ExampleLoss(self.network, self.recipe.loss, self.recipe.batch)
        state, losses = advance(self.recipe, objective, state, data, jax.random.split(key, self.every))
        return state, losses.mean()

    def learner(self, state: TrainingState) -> Learner:
        return Learner(self.network, trained_parameters(self.recipe, state))
