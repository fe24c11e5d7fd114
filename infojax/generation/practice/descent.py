"""Training by minibatches from whatever is there: AdamW, a rate that warms up, is stable, and decays at the end.

    rate(i) = peak · min(1, i/warm) · (1 before the cool-down, then half a cosine down to 0)

(Deliberate Practice, arXiv 2502.15588: 10 % linear warm-up, constant, cosine over the last 20 %.)
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.generation._learner import Learner, log_probabilities
from infojax.generation.practice.buffer import Buffer
from infojax.models import Network, Params


class DescentState(NamedTuple):
    """Parameters, their running mean, the optimiser's state, and the number of steps taken."""

    params: Params
    mean: Params
    optimiser: Any
    step: Int[Array, ""]


@dataclass(frozen=True)
class Descent:
    """Minibatches drawn uniformly from the examples that are there; cross-entropy; AdamW.

    Attributes:
        network: with an output for each class, or one for two classes.
        iterations: of the whole run, a multiple of `every`, however many examples are added in it.
        every: τ, iterations from one evaluation to the next; they run in one program.
        batch: examples in a minibatch, drawn with replacement.
        learning_rate: at its peak.
        weight_decay: of AdamW.
        label_smoothing: what part of a label is spread over all classes, in [0, 1).
        average: weight of the newest parameters in the running mean that is evaluated (0.001 in the paper; larger in
            the first steps, so that the start is forgotten); None evaluates the parameters themselves.
        warm_up, cool_down: parts of the run in which the rate grows from 0 and falls to 0.

    Raises:
        InvalidInput: numbers out of range; at least one evaluation must come before the cool-down.
    """

    network: Network
    iterations: int
    every: int
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    label_smoothing: float = 0.0
    average: float | None = None
    warm_up: float = 0.1
    cool_down: float = 0.2

    def __post_init__(self) -> None:
        allowed = {
            "iterations": (self.iterations >= 1, "at least 1"),
            "every": (self.every >= 1 and self.iterations % self.every == 0, "at least 1, and a divisor of iterations"),
            "batch": (self.batch >= 1, "at least 1"),
            "learning_rate": (0 < self.learning_rate < float("inf"), "positive and finite"),
            "weight_decay": (0 <= self.weight_decay < float("inf"), "finite and not negative"),
            "label_smoothing": (0 <= self.label_smoothing < 1, "in [0, 1)"),
            "average": (self.average is None or 0 < self.average <= 1, "in (0, 1], or None"),
            "warm_up": (0 <= self.warm_up <= 1, "in [0, 1]"),
            "cool_down": (0 <= self.cool_down < 1 - self.warm_up, "not negative, and below 1 - warm_up"),
        }
        for name, (fits, what) in allowed.items():
            if not fits:
                raise InvalidInput(f"Descent: {name}={getattr(self, name)} is not allowed; give a value {what}.")
        if self.stable < 1:
            raise InvalidInput(
                f"Descent: no evaluation comes before the cool-down with iterations={self.iterations}, "
                f"every={self.every}, cool_down={self.cool_down}. Evaluate more often, or train for longer."
            )

    @property
    def evaluations(self) -> int:
        return self.iterations // self.every

    @property
    def stable(self) -> int:
        return int((self.iterations - self._cooling) // self.every)

    @property
    def gradients(self) -> int:
        return self.every * self.batch

    @property
    def _cooling(self) -> int:
        return round(self.cool_down * self.iterations)

    def about(self) -> Any:
        return {name: value for name, value in vars(self).items() if name != "network"}

    def optimiser(self) -> Any:
        import optax

        warm, cooling, peak = round(self.warm_up * self.iterations), self._cooling, self.learning_rate
        parts = [optax.linear_schedule(0.0, peak, max(warm, 1)), optax.constant_schedule(peak)]
        parts.append(optax.cosine_decay_schedule(peak, max(cooling, 1)))
        rate = optax.join_schedules(parts, [warm, self.iterations - cooling])
        return optax.adamw(rate, weight_decay=self.weight_decay)

    def begin(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> DescentState:
        params = self.network.init(key, shape)
        return DescentState(params, params, self.optimiser().init(params), jnp.zeros((), jnp.int32))

    def advance(self, state: DescentState, data: Buffer, key: PRNGKeyArray) -> tuple[DescentState, Float[Array, ""]]:
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):  # which optax needs
            return _advance(self, state, data, key)

    def learner(self, state: DescentState) -> Learner:
        return Learner(self.network, state.params if self.average is None else state.mean)


@partial(jax.jit, static_argnames="descent")
def _advance(
    descent: Descent, state: DescentState, data: Buffer, key: PRNGKeyArray
) -> tuple[DescentState, Float[Array, ""]]:
    import optax

    optimiser = descent.optimiser()

    def loss(params: Params, x: Array, y: Array) -> Float[Array, ""]:
        log_p = log_probabilities(Learner(descent.network, params), x)
        right = jnp.take_along_axis(log_p, y[:, None], axis=1)[:, 0]
        s = descent.label_smoothing
        return -jnp.mean((1 - s) * right + s * log_p.mean(axis=1))

    def step(state: DescentState, key: PRNGKeyArray) -> tuple[DescentState, Float[Array, ""]]:
        rows = jax.random.randint(key, (descent.batch,), 0, data.filled)
        value, slope = jax.value_and_grad(loss)(state.params, data.x[rows], data.y[rows])
        updates, inner = optimiser.update(slope, state.optimiser, state.params)
        params: Params = optax.apply_updates(state.params, updates)  # pyright: ignore[reportAssignmentType]
        mean = state.mean
        if descent.average is not None:
            newest = jnp.maximum(descent.average, 1 / (state.step + 1.0))
            mean = jax.tree.map(lambda m, p: m + newest * (p - m), mean, params)
        return DescentState(params, mean, inner, state.step + 1), value

    state, values = jax.lax.scan(step, state, jax.random.split(key, descent.every))
    return state, values.mean()
