"""How a linearised network is trained, and for how long.

The loss is squared, the decay draws the weights towards their initialisation:

    convention "sum":   Σ_i ½‖f_w(x_i) − y_i‖² + ½ decay ‖w − w₀‖²
    convention "mean":  (1/n) Σ_i ½‖f_w(x_i) − y_i‖² + ½ decay ‖w − w₀‖²

Networks are trained on means, the mathematics is written in sums. Leaving examples out of a sum changes neither
the step nor the decay; leaving them out of a mean changes both.
"""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import jax
import numpy as np
from jaxtyping import Array, Num

from infojax.errors import InvalidInput
from infojax.precision import traced

Convention: TypeAlias = Literal["mean", "sum"]
Scalar: TypeAlias = int | float | Num[Array | np.ndarray, "..."]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class GradientDescent:
    """Full-batch gradient descent, `steps` updates of size `learning_rate`, from the initialisation."""

    steps: Scalar
    learning_rate: Scalar

    def __post_init__(self) -> None:
        _require_positive("GradientDescent.steps", self.steps, "take at least one step")
        _require_positive("GradientDescent.learning_rate", self.learning_rate, "give a positive step size")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class GradientFlow:
    """Gradient flow dw/dt = −learning_rate ∇loss for a `time`, from the initialisation."""

    time: Scalar
    learning_rate: Scalar = 1.0

    def __post_init__(self) -> None:
        _require_positive("GradientFlow.time", self.time, "give a positive time, or Converged() for t = ∞")
        _require_positive("GradientFlow.learning_rate", self.learning_rate, "give a positive rate")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Converged:
    """Training to convergence (t = ∞); with decay 0, to the interpolating solution nearest the initialisation."""


Training: TypeAlias = GradientDescent | GradientFlow | Converged


def as_sum(
    training: Training, decay: Scalar, convention: Convention | str, examples: Scalar
) -> tuple[Training, Scalar]:
    """The same training on `examples` examples, written for a sum over them: (training, λ).

    A mean over n examples with rate η and decay λ' is a sum with rate η/n and decay nλ'.

    >>> as_sum(GradientDescent(10, 0.5), 0.1, "mean", 5)
    (GradientDescent(steps=10, learning_rate=0.1), 0.5)
    """
    if convention == "sum":
        return training, decay
    if not isinstance(training, Converged):
        training = replace(training, learning_rate=training.learning_rate / examples)
    return training, decay * examples


def _require_positive(name: str, value: Scalar, remedy: str) -> None:
    # JAX rebuilds pytrees with tracers, objects and None for leaves: only numbers are checked.
    if isinstance(value, int | float) and not traced(value) and not 0 < value < float("inf"):
        raise InvalidInput(f"{name} is {value}; it must be positive and finite: {remedy}.")
