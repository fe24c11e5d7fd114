"""The options --steps, --learning-rate, --time and --converged, which several commands take."""

from infojax.errors import InvalidInput
from infojax.linearized import Converged, GradientFlow


def not_descent(
    steps: int | None, learning_rate: float | None, time: float | None, converged: bool
) -> Converged | GradientFlow | None:
    """The training that the options name, or None for gradient descent; InvalidInput where they exclude each other."""
    if (steps is not None or learning_rate is not None) + (time is not None) + converged > 1:
        raise InvalidInput(
            "--steps and --learning-rate (gradient descent), --time (gradient flow) and --converged (t = ∞) "
            "exclude each other; give one of the three"
        )
    if converged:
        return Converged()
    if time is not None:
        return GradientFlow(time)
    return None
