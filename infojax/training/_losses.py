"""What a network's outputs cost for each example, and how far they are from a mistake."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Shaped

from infojax.errors import InvalidInput

Loss: TypeAlias = Callable[[Float[Array, "b k"], Shaped[Array, "b ..."]], Float[Array, " b"]]
"""(outputs, targets) → a number for each example; hashable, such as a plain function or a frozen dataclass."""


def log_softmax(outputs: Float[Array, "b k"]) -> Float[Array, "b c"]:
    """Log probabilities of c = k classes, or of two where the one output is the log odds of class 1."""
    if outputs.shape[1] == 1:
        return jax.nn.log_sigmoid(jnp.concatenate([-outputs, outputs], axis=1))
    return jax.nn.log_softmax(outputs, axis=1)


@dataclass(frozen=True)
class CrossEntropy:
    """−(1 − s) log p_y − s/c Σ log p for class y of c: the cross-entropy of a label of which part s is spread evenly.

    Attributes:
        smoothing: s in [0, 1).

    >>> CrossEntropy()(jnp.zeros((2, 4)), jnp.array([0, 3])) / jnp.log(4)
    Array([1., 1.], dtype=float32)
    """

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing < 1:
            raise InvalidInput(f"CrossEntropy: label smoothing={self.smoothing}; give a value in [0, 1).")

    def __call__(self, outputs: Float[Array, "b k"], y: Int[Array, " b"]) -> Float[Array, " b"]:
        log_p = log_softmax(outputs)
        right = jnp.take_along_axis(log_p, y[:, None], axis=1)[:, 0]
        return -((1 - self.smoothing) * right + self.smoothing * log_p.mean(axis=1))


cross_entropy = CrossEntropy()


def squares(outputs: Float[Array, "b k"], y: Float[Array, "b k"]) -> Float[Array, " b"]:
    """½ ‖f(x) − y‖².

    >>> squares(jnp.ones((1, 2)), jnp.zeros((1, 2)))
    Array([1.], dtype=float32)
    """
    return jnp.sum((outputs - y) ** 2, axis=1) / 2


def margins(outputs: Float[Array, "b k"], y: Int[Array, " b"]) -> Float[Array, " b"]:
    """log p_y − max over other classes of log p: positive where the prediction is right.

    >>> margins(jnp.array([[1.0, 3.0, 0.0], [2.0, 1.5, 0.0]]), jnp.array([1, 1]))
    Array([ 2. , -0.5], dtype=float32)
    """
    log_p = log_softmax(outputs)
    own = jnp.arange(log_p.shape[1])[None] == y[:, None]
    return jnp.max(log_p, axis=1, where=own, initial=-jnp.inf) - jnp.max(log_p, axis=1, where=~own, initial=-jnp.inf)
