"""Learning rates, and the optimizers of optax as values: equal ones share a compiled program."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Int

from infojax.errors import InvalidInput
from infojax.models import Params

if TYPE_CHECKING:
    import optax


@dataclass(frozen=True)
class Rate:
    """A schedule of optax: up in a straight line, constant, and down along half a cosine.

        rate(i) = peak · min(1, i / warm_up)                                before step falls_from
        rate(i) = peak · ½ (1 + cos(π min(1, (i − falls_from) / falls_over)))    afterwards

    Attributes:
        peak: positive and finite.
        warm_up: steps until the peak.
        falls_from: the step from which the rate falls; None for never.
        falls_over: steps until it is 0.

    >>> rate = Rate(0.5, warm_up=2, falls_from=10, falls_over=4)
    >>> [round(float(rate(step)), 6) for step in (0, 1, 9, 12, 20)]
    [0.0, 0.25, 0.5, 0.25, 0.0]
    """

    peak: float
    warm_up: int = 0
    falls_from: int | None = None
    falls_over: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.peak < float("inf"):
            raise InvalidInput(f"Rate: learning_rate={self.peak}; give a positive, finite number.")
        if self.warm_up < 0 or (self.falls_from is not None and self.falls_from < self.warm_up) or self.falls_over < 1:
            raise InvalidInput(f"{self}: give 0 ≤ warm_up ≤ falls_from, and falls_over ≥ 1.")

    def __call__(self, step: ArrayLike) -> ArrayLike:
        # optax takes half of a second to import, which whoever trains nothing need not wait for.
        import optax

        parts, starts = [optax.constant_schedule(self.peak)], []
        if self.warm_up:
            parts.insert(0, optax.linear_schedule(0.0, self.peak, self.warm_up))
            starts.append(self.warm_up)
        if self.falls_from is not None:
            parts.append(optax.cosine_decay_schedule(self.peak, self.falls_over))
            starts.append(self.falls_from)
        return optax.join_schedules(parts, starts)(step)


def trapezoid(peak: float, steps: int, *, warm_up: float = 0.1, cool_down: float = 0.2) -> Rate:
    """A rate that grows in the first part of the steps, is constant, and falls in the last part.

    Args:
        warm_up, cool_down: these parts, in [0, 1].

    Raises `InvalidInput` where they are more than the whole.

    >>> trapezoid(1e-3, 100)
    Rate(peak=0.001, warm_up=10, falls_from=80, falls_over=20)
    """
    if not (0 <= warm_up <= 1 and 0 <= cool_down < 1 - warm_up):
        raise InvalidInput(
            f"trapezoid: warm_up={warm_up}, cool_down={cool_down}; give parts of the run, cool_down below 1 - warm_up."
        )
    falling = round(cool_down * steps)
    return Rate(peak, round(warm_up * steps), steps - falling, max(falling, 1))


Optimizer: TypeAlias = "Callable[[optax.Schedule], optax.GradientTransformation]"
"""From a learning rate, an optimizer; hashable: `optax.sgd`, or a frozen dataclass that is called, as `AdamW` here."""


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    Attributes:
        weight_decay: finite and not negative; 0 for Adam itself.
        b2: how long the mean square of the gradient remembers.
        clip: largest norm of the gradient, beyond which it is shortened; None for any.
    """

    weight_decay: float = 0.0
    b2: float = 0.999
    clip: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.weight_decay < float("inf"):
            raise InvalidInput(f"AdamW: weight_decay={self.weight_decay}; give a finite number, not negative.")

    def __call__(self, rate: "optax.Schedule") -> "optax.GradientTransformation":
        import optax

        adam = optax.adamw(rate, b2=self.b2, weight_decay=self.weight_decay)
        return adam if self.clip is None else optax.chain(optax.clip_by_global_norm(self.clip), adam)


@dataclass(frozen=True)
class DecayToStart:
    """Gradient descent, w ← w − rate · (g + decay · (w − w₀)), pulled back to the parameters w₀ that it began with."""

    decay: float = 0.0

    def __call__(self, rate: "optax.Schedule") -> "optax.GradientTransformation":
        import optax

        def init(params: Params) -> tuple[Params, Int[Array, ""]]:
            return params, jnp.zeros((), jnp.int32)

        def update(slope: Params, state: tuple[Params, Array], params: Params) -> tuple[Params, tuple[Params, Array]]:
            start, step = state

            def moved(g: Array, w: Array, w0: Array) -> Array:
                return -jnp.asarray(rate(step), w.dtype) * (g + jnp.asarray(self.decay, w.dtype) * (w - w0))

            return jax.tree.map(moved, slope, params, start), (start, step + 1)

        return optax.GradientTransformation(init, update)  # pyright: ignore[reportArgumentType]
