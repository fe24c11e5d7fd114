"""How a linearised network is trained, and for how long.

The loss is squared, the decay draws the weights towards their initialisation:

    convention "sum":   Σ_i ½‖f_w(x_i) − y_i‖² + ½ decay ‖w − w₀‖²
    convention "mean":  (1/n) Σ_i ½‖f_w(x_i) − y_i‖² + ½ decay ‖w − w₀‖²

Networks are trained on means, the mathematics is written in sums. Leaving examples out of a sum changes neither
the step nor the decay; leaving them out of a mean changes both.
"""

import copy
from dataclasses import dataclass, fields
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
    """Full-batch gradient descent from the initialisation.

    Attributes:
        steps: T, a whole number of updates.
        learning_rate: η, the size of each; of the mean loss in convention "mean", of the sum in "sum".
        decay: λ ≥ 0, of the weights towards the initialisation; of the same loss.
        convention: whether the loss is a "mean" or a "sum" over the training examples.

    Raises:
        InvalidInput: numbers that are not positive and finite, broken steps, a negative decay, another convention.

    >>> GradientDescent(2000, 1e-3, decay=0.1)
    GradientDescent(steps=2000, learning_rate=0.001, decay=0.1, convention='mean')
    """

    steps: Scalar
    learning_rate: Scalar
    decay: Scalar = 0.0
    convention: Convention | str = "mean"

    def __post_init__(self) -> None:
        check_training(self)


@dataclass(frozen=True)
class GradientFlow:
    """Gradient flow dw/dt = −learning_rate ∇loss for a `time`, from the initialisation; see `GradientDescent`."""

    time: Scalar
    learning_rate: Scalar = 1.0
    decay: Scalar = 0.0
    convention: Convention | str = "mean"

    def __post_init__(self) -> None:
        check_training(self)


@dataclass(frozen=True)
class Converged:
    """Training to convergence (t = ∞); with decay 0, to the interpolating solution nearest the initialisation."""

    decay: Scalar = 0.0
    convention: Convention | str = "mean"

    def __post_init__(self) -> None:
        check_training(self)


Training: TypeAlias = GradientDescent | GradientFlow | Converged

_REMEDIES = {
    "GradientDescent.steps": "take at least one step",
    "GradientDescent.learning_rate": "give a positive step size",
    "GradientFlow.time": "give a positive time, or Converged() for t = ∞",
    "GradientFlow.learning_rate": "give a positive rate",
}
LARGEST_DECAY = 1e15


def _register(kind: type) -> None:
    """As a pytree of its numbers, with the convention in its structure. JAX rebuilds pytrees with objects, None and
    cotangents for leaves, which no check may see."""
    names = [field.name for field in fields(kind) if field.name != "convention"]

    def rebuilt(convention: Convention, leaves: Any) -> Any:
        made = object.__new__(kind)
        for name, leaf in zip((*names, "convention"), (*leaves, convention), strict=True):
            object.__setattr__(made, name, leaf)
        return made

    def with_keys(training: Any) -> Any:
        return [(jax.tree_util.GetAttrKey(name), getattr(training, name)) for name in names], training.convention

    def flat(training: Any) -> Any:
        return [getattr(training, name) for name in names], training.convention

    jax.tree_util.register_pytree_with_keys(kind, with_keys, rebuilt, flat)


for _kind in (GradientDescent, GradientFlow, Converged):
    _register(_kind)


def check_training(training: object) -> None:
    """Raises `InvalidInput` for what is no training, for numbers that are not positive and finite (decay may be 0),
    broken steps, and a convention that is none.

    Tracers pass. Numbers are of Python, NumPy or JAX; of an array all must be right.
    """
    if not isinstance(training, GradientDescent | GradientFlow | Converged):
        called = f"the class {training.__name__}" if isinstance(training, type) else f"{training!r:.100}"
        raise InvalidInput(
            f"training is {called}; give ij.Converged(), ij.GradientFlow(time, learning_rate) or "
            "ij.GradientDescent(steps, learning_rate)."
        )
    if training.convention not in ("mean", "sum"):
        raise InvalidInput(
            f'convention is {training.convention!r:.100}; it must be "mean" or "sum" (is the loss a mean or a sum?).'
        )
    for field in fields(training):
        value, name = getattr(training, field.name), f"{type(training).__name__}.{field.name}"
        if field.name != "convention" and not traced(value):
            _check_number(name, value)


def as_sum(training: Training, examples: Scalar) -> Training:
    """The same training on `examples` examples, written for a sum over them.

    A mean over n examples with rate η and decay λ' is a sum with rate η/n and decay nλ'. Raises as `check_training`,
    and for arrays of times or decays.

    >>> as_sum(GradientDescent(10, 0.5, decay=0.1), 5)
    GradientDescent(steps=10, learning_rate=0.1, decay=0.5, convention='sum')
    """
    check_training(training)
    for field in fields(training):
        if np.ndim(getattr(training, field.name)):
            raise InvalidInput(
                f"{type(training).__name__}.{field.name} has shape {np.shape(getattr(training, field.name))}; give one "
                "number, and call once for each."
            )
    rate, decay = _weak(getattr(training, "learning_rate", None)), _weak(training.decay)
    if training.convention == "sum":
        return with_rates(training, rate, decay)
    return with_rates(training, None if rate is None else rate / examples, decay * examples)


def with_rates(training: Training, learning_rate: Scalar | None, decay: Scalar) -> Training:
    """The same training in convention "sum", with a learning rate (None: it has none) and a decay of any size."""
    made = copy.copy(training)  # unchecked, as a sum over many examples may have a decay that no user would give
    for name, value in (("learning_rate", learning_rate), ("decay", decay), ("convention", "sum")):
        if value is not None:
            object.__setattr__(made, name, value)
    return made


def as_float64(training: Training) -> Training:
    """With its numbers as float64 arrays of JAX, as compiled programs take them; where float64 is switched on."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), training)


def _check_number(name: str, value: Any) -> None:
    numbers = _numbers(value)
    if name.endswith(".decay"):
        if numbers is None or not ((numbers >= 0) & (numbers <= LARGEST_DECAY)).all():
            raise InvalidInput(
                f"{name} is {value!s:.100}; it must be finite and not negative, a number from 0 to {LARGEST_DECAY:g}."
            )
        return
    if numbers is None or not ((numbers > 0) & (numbers < np.inf)).all():
        raise InvalidInput(f"{name} is {value!s:.100}; it must be positive and finite: {_REMEDIES[name]}.")
    if name.endswith(".steps") and (numbers != np.floor(numbers)).any():
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
    known = isinstance(value, jax.Array | np.ndarray | np.number) and not traced(value) and value.ndim == 0
    return value.item() if known else value
