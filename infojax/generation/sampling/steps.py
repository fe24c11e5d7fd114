"""From noise to a little less noise: one step of DDIM, of the ancestral sampler, and along the probability-flow ODE.

A sampler is a `jax.tree_util.Partial` of `step(predict, x, now, then, draw)` → x at the level `then`, with its cost.
`predict(x, level)` → (x, noise, cost) is the guided prediction, which may move x first; `draw()` is fresh N(0, 1).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Float

from infojax.errors import InvalidInput
from infojax.generation.sampling.drawn import Cost
from infojax.generation.sampling.schedule import Schedule


class Level(NamedTuple):
    """A time t, with ξ_t and 1 − ξ_t; all of one shape."""

    t: Float[Array, "..."]
    signal: Float[Array, "..."]
    noise: Float[Array, "..."]


Predict = Callable[[Array, Level], tuple[Array, Array, Cost]]
Draw = Callable[[], Array]


def levels(schedule: Schedule, steps: int) -> Level:
    """`steps` times from 1 to 0, evenly, and then no noise at all; each (steps + 1,)."""
    t = jnp.linspace(1.0, 0.0, steps)
    ends = jnp.array([0.0]), jnp.array([1.0]), jnp.array([0.0])
    inner = t, schedule.signal(t), schedule.noise(t)
    return Level(*(jnp.concatenate(pair) for pair in zip(inner, ends, strict=True)))


def ddim(eta: float = 1.0) -> Partial:
    """DDIM (Song et al. 2021): η = 0 is deterministic, η = 1 has the variance of the reverse step given x₀.

    Raises `InvalidInput` unless 0 ≤ η ≤ 1.
    """
    if not (np.isfinite(eta) and 0 <= eta <= 1):
        raise InvalidInput(f"ddim(eta={eta}): give a number from 0, deterministic, to 1; for more noise, ancestral()")
    return Partial(_ddim, float(eta))


def ancestral() -> Partial:
    """The sampler of Ho et al. (2020) with the larger of their variances, β = 1 − ξ_t/ξ_t'.

    It is the right one where x₀ ~ N(0, I), as that of `ddim(1.0)` is where x₀ is one point; with few steps it adds
    too much noise.
    """
    return Partial(_ancestral)


def probability_flow() -> Partial:
    """Heun's second-order method on the ODE that has the diffusion's densities; two evaluations a step.

    In the angle φ with x = cos φ x₀ + sin φ ε the equation is dx/dφ = v(x), v = E[cos φ ε − sin φ x₀ | x]: bounded
    from noise to data, zero for x₀ ~ N(0, I), and a rotation for one point.
    """
    return Partial(_probability_flow)


def between(
    x: Float[Array, "b ..."], noise: Float[Array, "b ..."], now: Level, then: Level, variance: Array | float
) -> Float[Array, "b ..."]:
    """√ξ_t' x̂₀ + √(1 − ξ_t' − variance) ε: where a step goes before its own noise is added."""
    clean = (x - jnp.sqrt(now.noise) * noise) / jnp.sqrt(now.signal)
    return jnp.sqrt(then.signal) * clean + jnp.sqrt(jnp.maximum(then.noise - variance, 0.0)) * noise


def variance_given_x0(now: Level, then: Level) -> Float[Array, ""]:
    """β̃ = (1 − ξ_t')/(1 − ξ_t) β, the variance of x_t' given x_t and x₀."""
    return then.noise / now.noise * _beta(now, then)


def _beta(now: Level, then: Level) -> Float[Array, ""]:
    # 1 − ξ_t/ξ_t' without the cancellation near t = 0
    return (now.noise - then.noise) / then.signal


def _ddim(
    eta: Array | float, predict: Predict, x: Float[Array, "b ..."], now: Level, then: Level, draw: Draw
) -> tuple[Float[Array, "b ..."], Cost]:
    x, noise, cost = predict(x, now)
    variance = eta**2 * variance_given_x0(now, then)
    return between(x, noise, now, then, variance) + jnp.sqrt(variance) * draw(), cost


def _ancestral(
    predict: Predict, x: Float[Array, "b ..."], now: Level, then: Level, draw: Draw
) -> tuple[Float[Array, "b ..."], Cost]:
    x, noise, cost = predict(x, now)
    mean = between(x, noise, now, then, variance_given_x0(now, then))
    # the last step, to no noise, adds none
    return mean + jnp.where(then.noise > 0, jnp.sqrt(_beta(now, then)), 0.0) * draw(), cost


def _probability_flow(
    predict: Predict, x: Float[Array, "b ..."], now: Level, then: Level, draw: Draw
) -> tuple[Float[Array, "b ..."], Cost]:
    def velocity(x: Array, noise: Array, level: Level) -> Array:
        # cos φ ε − sin φ x̂₀ with x̂₀ put in
        return (noise - jnp.sqrt(level.noise) * x) / jnp.sqrt(level.signal)

    turn = _angle(then) - _angle(now)
    x, noise, first = predict(x, now)
    start = velocity(x, noise, now)
    guess = x + turn * start
    _, noise, second = predict(guess, then)
    return x + turn * (start + velocity(guess, noise, then)) / 2, first + second


def _angle(level: Level) -> Float[Array, ""]:
    return jax.lax.atan2(jnp.sqrt(level.noise), jnp.sqrt(level.signal))
