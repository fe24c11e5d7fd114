"""Guidance: drawing from e^{ωH} P, or what is meant by it, by moving the sampler towards what a learner is unsure of.

A guidance is a `jax.tree_util.Partial` of `guide(instant, x)` → (x, noise, cost): it may change the predicted noise,
or move x, or both. The sign: noise is −√(1 − ξ_t) times a score, so ω∇H is *subtracted* from it, times √(1 − ξ_t);
ω > 0 raises the entropy. Eq. (7) of Deliberate Practice (arXiv 2502.15588) prints a plus, against its Algorithm 1.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int

from infojax.arrays import LARGEST
from infojax.errors import InvalidInput
from infojax.generation.sampling.drawn import Cost
from infojax.generation.sampling.steps import Level
from infojax.training import Learner, entropy


class Instant(NamedTuple):
    """What a guidance may ask for at one step.

    Attributes:
        noise: x (b, *shape) → predicted noise, with class guidance where there is some.
        conditional: the same without it.
        evaluations: of the score in one call of `noise`.
        level: of noise.
        step: which one, () from 0.
        label: (b,) of the examples.
    """

    noise: Callable[[Array], Array]
    conditional: Callable[[Array], Array]
    evaluations: int
    level: Level
    step: Int[Array, ""]
    label: Int[Array, " b"]


def plug_in(learner: Learner, strength: float) -> Partial:
    """ε̃ = ε − √(1 − ξ_t) ω ∇_{x_t} H(f(x̂₀(x_t))), the guidance of Deliberate Practice with the right sign.

    The gradient passes through the generator. It stands for ∇ log E[e^{ωH(x₀)} | x_t], which `h_transform` has, and
    is not that: see docs/guided-generation.md. Where H is flat there is nothing to follow, and ε̃ = ε.

    Args:
        learner: whose entropy is wanted.
        strength: ω; below 0, examples that the learner is sure of.

    Raises:
        InvalidInput: ω is not a finite number.
    """
    return Partial(_plug_in, learner, finite("plug_in", strength))


def _plug_in(
    learner: Learner, strength: Array | float, instant: Instant, x: Float[Array, "b ..."]
) -> tuple[Float[Array, "b ..."], Float[Array, "b ..."], Cost]:
    level = instant.level

    def summed(x: Array) -> tuple[Array, Array]:
        noise = instant.noise(x)
        clean = (x - jnp.sqrt(level.noise) * noise) / jnp.sqrt(level.signal)
        return jnp.sum(entropy(learner, clean)), noise

    gradient, noise = jax.grad(summed, has_aux=True)(x)
    cost = Cost(score=instant.evaluations, score_gradient=instant.evaluations, learner=1)
    return x, noise - jnp.sqrt(level.noise) * strength * gradient, cost


def normalised(learner: Learner, strength: float, *, every: int = 5) -> Partial:
    """x ← x + ω ‖x‖ g/‖g‖ with g = ∇_{x_t} H(f(a x̂₀ + (1 − a) x_t)), a = √(1 − ξ_t), at every fifth step.

    After the code that the authors of Deliberate Practice published with an earlier paper (arXiv 2310.00158): the step
    is as long whatever the gradient, the noise predicted before it is used after it, and the gradient passes through
    the class's own prediction, without class guidance. Theirs are 30 steps, so six guided ones, and ω = 0.05; more
    guided steps are more guidance. Norms are those of one example. Not theirs: they rescale each decoded image to
    [0, 1] by its own extremes before f sees it, which has no meaning for data that are not images; where it is
    wanted, let the learner do it. Where g = 0, as where H is flat, x stays.

    Args:
        learner: whose entropy is wanted.
        strength: ω, relative to ‖x‖; below 0, examples that the learner is sure of.
        every: how many steps apart guided ones are; the first is guided.

    Raises:
        InvalidInput: ω is not a finite number, or `every` is below one.
    """
    if every < 1:
        raise InvalidInput(f"normalised: every={every}; 1 guides each step, 5 every fifth")
    return Partial(_normalised, learner, finite("normalised", strength), int(every))


def _normalised(
    learner: Learner, strength: Array | float, every: Array | int, instant: Instant, x: Float[Array, "b ..."]
) -> tuple[Float[Array, "b ..."], Float[Array, "b ..."], Cost]:
    level, alone = instant.level, instant.evaluations == 1
    share = jnp.sqrt(level.noise)

    def summed(x: Array) -> tuple[Array, Array]:
        noise = instant.conditional(x)
        clean = (x - jnp.sqrt(level.noise) * noise) / jnp.sqrt(level.signal)
        return jnp.sum(entropy(learner, share * clean + (1 - share) * x)), noise

    def guided(x: Array) -> tuple[Array, Array, Cost]:
        gradient, noise = jax.grad(summed, has_aux=True)(x)
        length = _norm(gradient)
        moved = x + strength * _norm(x) * gradient / jnp.where(length > 0, length, 1.0)
        cost = Cost(score=instant.evaluations + (not alone), score_gradient=1, learner=1)
        return moved, noise if alone else instant.noise(x), jax.tree.map(jnp.asarray, cost)

    def unguided(x: Array) -> tuple[Array, Array, Cost]:
        return x, instant.noise(x), jax.tree.map(jnp.asarray, Cost(score=instant.evaluations))

    return jax.lax.cond(instant.step % every == 0, guided, unguided, x)


def _norm(x: Float[Array, "b ..."]) -> Float[Array, "b ..."]:
    return jnp.sqrt(jnp.sum(x**2, axis=tuple(range(1, x.ndim)), keepdims=True))


def finite(name: str, strength: float) -> float:
    """ω as a plain number; refuses what is not finite, or would not be once float32 has multiplied it."""
    if not abs(strength) <= LARGEST:
        raise InvalidInput(f"{name}: strength={strength} must be finite, within ±{LARGEST:g}; 0 is no guidance")
    return float(strength)
