"""How a linearised network is trained, and for how long.

The loss is squared, the decay draws the weights towards their initialisation:

    convention "sum":   Σ_i ½‖f_w(x_i) − y_i‖² + ½ decay ‖w − w₀‖²
    convention "mean":  (1/n) Σ_i ½‖f_w(x_i) − y_i‖² + ½ decay ‖w − w₀‖²

Networks are trained on means, the mathematics is written in sums. Leaving examples out of a sum changes neither
the step nor the decay; leaving them out of a mean changes both.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Num

from infojax.arrays import traced
from infojax.errors import InvalidInput

Convention: TypeAlias = Literal["mean", "sum"]
Scalar: TypeAlias = int | float | np.number | Num[Array | np.ndarray, "..."]


@dataclass(frozen=True)
class GradientDescent:
    """Full-batch gradient descent, `steps` updates of size `learning_rate`, from the initialisation."""

    steps: Scalar
    learning_rate: Scalar

    def __post_init__(self) -> None:
        check_training(self)


@dataclass(frozen=True)
class GradientFlow:
    """Gradient flow dw/dt = −learning_rate ∇loss for a `time`, from the initialisation."""

    time: Scalar
    learning_rate: Scalar = 1.0

    def __post_init__(self) -> None:
        check_training(self)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Converged:
    """Training to convergence (t = ∞); with decay 0, to the interpolating solution nearest the initialisation."""


Training: TypeAlias = GradientDescent | GradientFlow | Converged

_REMEDIES = {
    "GradientDescent.steps": "take at least one step",
    "GradientDescent.learning_rate": "give a positive step size",
    "GradientFlow.time": "give a positive time, or Converged() for t = ∞",
    "GradientFlow.learning_rate": "give a positive rate",
}


def _register(kind: type, *names: str) -> None:
    """As a pytree. JAX rebuilds pytrees with objects, None and cotangents for leaves, which no check may see."""

    def rebuilt(_: None, leaves: Any) -> Any:
        made = object.__new__(kind)
        for name, leaf in zip(names, leaves, strict=True):
            object.__setattr__(made, name, leaf)
        return made

    def with_keys(training: Any) -> Any:
        return [(jax.tree_util.GetAttrKey(name), getattr(training, name)) for name in names], None

    def flat(training: Any) -> Any:
        return [getattr(training, name) for name in names], None

    jax.tree_util.register_pytree_with_keys(kind, with_keys, rebuilt, flat)


_register(GradientDescent, "steps", "learning_rate")
_register(GradientFlow, "time", "learning_rate")


def check_training(training: Any) -> None:
    """Raises `InvalidInput` for what is no training, and for numbers that are not positive and finite, or broken steps.

    Tracers pass. Numbers are of Python, NumPy or JAX; of an array all must be right.
    """
    if not isinstance(training, GradientDescent | GradientFlow | Converged):
        called = f"the class {training.__name__}" if isinstance(training, type) else f"{training!r:.100}"
        raise InvalidInput(
            f"training is {called}; give ij.Converged(), ij.GradientFlow(time, learning_rate) or "
            "ij.GradientDescent(steps, learning_rate)."
        )
    for field in fields(training):
        value, name = getattr(training, field.name), f"{type(training).__name__}.{field.name}"
        if not traced(value):
            _require_positive(name, value, whole=field.name == "steps")


def as_sum(
    training: Training, decay: Scalar, convention: Convention | str, examples: Scalar
) -> tuple[Training, Scalar]:
    """The same training on `examples` examples, written for a sum over them: (training, λ).

    A mean over n examples with rate η and decay λ' is a sum with rate η/n and decay nλ'. Raises as `check_training`.

    >>> as_sum(GradientDescent(10, 0.5), 0.1, "mean", 5)
    (GradientDescent(steps=10, learning_rate=0.1), 0.5)
    """
    check_training(training)
    if convention == "sum":
        return training, _weak(decay)
    if not isinstance(training, Converged):
        training = replace(training, learning_rate=_weak(training.learning_rate) / examples)
    return training, _weak(decay) * examples


def _require_positive(name: str, value: Any, *, whole: bool) -> None:
    numbers = _numbers(value)
    if numbers is None or not ((numbers > 0) & (numbers < np.inf)).all():
        raise InvalidInput(f"{name} is {value!s:.100}; it must be positive and finite: {_REMEDIES[name]}.")
    if whole and (numbers != np.floor(numbers)).any():
        raise InvalidInput(f"{name} is {value!s:.100}; it must be a whole number of steps.")


def _numbers(value: Any) -> np.ndarray | None:
    """As an array of floats; None for what are no numbers, and for masked ones."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Integers of Python may be beyond the floats.
        return np.array(value if isinstance(value, float) or value.bit_length() < 1024 else np.inf, np.float64)
    if not isinstance(value, np.generic | np.ndarray | jax.Array) or np.ma.is_masked(value):
        return None
    real = jnp.issubdtype(value.dtype, np.integer) or jnp.issubdtype(value.dtype, np.floating)
    return np.asarray(value).astype(np.float64) if real else None


def _weak(value: Any) -> Any:
    # A product of a float32 number is rounded to it, where the arithmetic to come has float64.
    known = isinstance(value, jax.Array) and not traced(value) and value.ndim == 0
    return value.item() if known else value
