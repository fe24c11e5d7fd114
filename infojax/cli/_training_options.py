"""The options of `infojax score` and `infojax plan` that say how a network is trained."""

from dataclasses import dataclass

from infojax.arrays import require_not_negative
from infojax.errors import InvalidInput
from infojax.linearized import Convention, Converged, GradientDescent, GradientFlow, Training

STEPS = 2000


@dataclass(frozen=True)
class TrainingOptions:
    """--steps and --learning-rate, or --time, or --converged; --decay and --convention. None where not given.

    Raises:
        InvalidInput: options that exclude each other, a negative decay.
    """

    steps: int | None
    learning_rate: float | None
    time: float | None
    converged: bool
    decay: float
    convention: Convention

    def __post_init__(self) -> None:
        if (self.steps is not None or self.learning_rate is not None) + (self.time is not None) + self.converged > 1:
            raise InvalidInput(
                "--steps and --learning-rate (gradient descent), --time (gradient flow) and --converged (t = ∞) "
                "exclude each other; give one of the three"
            )
        require_not_negative("--decay", self.decay)

    def training(self, learning_rate: float) -> Training:
        """Descent has this learning rate where the options give none, and 2000 steps where they give none."""
        if self.converged:
            return Converged(self.decay, self.convention)
        if self.time is not None:
            return GradientFlow(self.time, decay=self.decay, convention=self.convention)
        rate = learning_rate if self.learning_rate is None else self.learning_rate
        return GradientDescent(STEPS if self.steps is None else self.steps, rate, self.decay, self.convention)
