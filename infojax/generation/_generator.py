"""A diffusion model: what it takes to draw examples of a class, whoever computes its score."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from infojax.errors import InvalidInput
from infojax.generation.sampling.schedule import Schedule

Labels = Int[Array, " b"]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["params"],
    meta_fields=["predict", "shape", "classes", "schedule"],
)
@dataclass(frozen=True)
class Generator:
    """Noised examples x_t = √ξ_t x₀ + √(1 − ξ_t) ε, and a prediction of their noise.

    A pytree: programs that take one as an argument are compiled once, whatever its parameters.

    Attributes:
        predict: `predict(params, x, t, label)` with x (b, *shape), t () in [0, 1] and label (b,) → E[ε | x_t, label],
            (b, *shape), each row from its own row alone; −√(1 − ξ_t) times the score ∇ log p_t(x | label).
        params: what `predict` takes first: parameters, a mixture, data, or ().
        shape: of one example.
        classes: how many there are, k. Labels are 0 to k − 1; the label k stands for an example of any class.
        schedule: of the noise.
    """

    predict: Callable[[Any, Array, Array, Array], Array]
    params: PyTree
    shape: tuple[int, ...]
    classes: int
    schedule: Schedule

    def noise(self, x: Float[Array, "b ..."], t: Float[Array, ""], label: Labels) -> Float[Array, "b ..."]:
        """E[ε | x_t, label], (b, *shape)."""
        return self.predict(self.params, x, t, label)

    def denoised(self, x: Float[Array, "b ..."], t: Float[Array, ""], noise: Float[Array, "b ..."]) -> Array:
        """x̂₀ = (x_t − √(1 − ξ_t) ε)/√ξ_t, the example that this noise was added to; (b, *shape)."""
        signal, rest = self.schedule.signal(t), self.schedule.noise(t)
        return (x - jnp.sqrt(rest).astype(x.dtype) * noise) / jnp.sqrt(signal).astype(x.dtype)


def from_score(
    score: Callable[[Array, Array, Array], Array], *, shape: tuple[int, ...], classes: int, schedule: Schedule
) -> Generator:
    """A generator from any function `score(x, t, label)` = ∇ log p_t(x | label), with arguments as for `Generator`.

    The function is traced by JAX; what it closes over is compiled in. Give a `Generator` with `params` where that is
    large, or changes.

    Raises:
        InvalidInput: no class, or an empty shape.
    """
    if classes < 1 or not shape or min(shape) < 1:
        raise InvalidInput(f"from_score: classes={classes}, shape={shape}; give at least one class and one number each")

    def predict(_: Any, x: Array, t: Array, label: Array) -> Array:
        return -jnp.sqrt(schedule.noise(t)).astype(x.dtype) * score(x, t, label)

    return Generator(predict, (), tuple(shape), classes, schedule)
