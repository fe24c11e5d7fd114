"""Exact guidance: sampling from e^{ωH} P with the score that it has, where the posterior of x₀ is known."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Float

from infojax.errors import InvalidInput
from infojax.generation.mixtures.gaussian_mixture import Mixture
from infojax.generation.mixtures.noised_mixture import posterior
from infojax.generation.sampling.drawn import Cost
from infojax.generation.sampling.guidance import Instant, finite
from infojax.training import Learner, entropy


def h_transform(mixture: Mixture, learner: Learner, strength: float, *, points: int = 12) -> Partial:
    """ε̃ = ε − √(1 − ξ_t) ∇ log E[e^{ωH(x₀)} | x_t], Doob's h-transform: the noise prediction of e^{ωH} P itself.

    By Tweedie's formula the gradient is √ξ_t/(1 − ξ_t) (E_ω[x₀ | x_t] − E[x₀ | x_t]), two posterior means, the first
    that of e^{ωH} P: no derivative of the learner, nor of the score, is needed. Expectations under the mixture's
    posterior are by Gauss–Hermite quadrature, so exact as far as e^{ωH} is a polynomial of degree 2 · points − 1
    over a component: give more points for sharp learners, wide components or large ω. The learner is evaluated
    M · pointsᵈ times an example and step, which is for d ≤ 3; for more see `tilted`.

    Args:
        mixture: that the generator draws from.
        learner: whose entropy is wanted.
        strength: ω.
        points: of the quadrature, in each dimension.

    Raises:
        InvalidInput: more than three dimensions, no points, or ω not finite.
    """
    d = mixture.means.shape[1]
    if d > 3 or points < 1:
        raise InvalidInput(
            f"h_transform: {d} dimensions, points={points}; give up to three, and at least one point. For more "
            "dimensions draw from mixture_generator(tilted(mixture, learner, strength), schedule)"
        )
    line, weights = np.polynomial.hermite_e.hermegauss(points)
    nodes = np.stack(np.meshgrid(*[line] * d, indexing="ij"), -1).reshape(-1, d)
    log_weights = np.log(weights / weights.sum())
    log_product = np.sum(np.meshgrid(*[log_weights] * d, indexing="ij"), 0).reshape(-1)
    quadrature = jnp.asarray(nodes, float), jnp.asarray(log_product, float)
    return Partial(_guide, mixture, learner, finite("h_transform", strength), *quadrature)


def _guide(
    mixture: Mixture,
    learner: Learner,
    strength: Array | float,
    nodes: Float[Array, "q d"],
    log_weights: Float[Array, " q"],
    instant: Instant,
    x: Float[Array, "b ..."],
) -> tuple[Float[Array, "b ..."], Float[Array, "b ..."], Cost]:
    signal, noise = instant.level.signal, instant.level.noise
    flat = x.reshape(len(x), -1)
    now = posterior(mixture, flat, signal, noise, instant.label)
    # Σ_q over the nodes of each component j's posterior N(mean_j, C_j)
    shifts = jnp.sqrt(now.variances)[:, None] * nodes[None]
    if mixture.axes is not None:
        shifts = jnp.einsum("mde,mqe->mqd", mixture.axes, shifts)
    at = now.means[:, :, None] + shifts[None]
    uncertain = entropy(learner, at.reshape(-1, *x.shape[1:])).reshape(at.shape[:-1])
    tilt = strength * uncertain + log_weights[None, None]
    # log h_j = log E_j[e^{ωH}], log h = log Σ_j r_j h_j
    of_component = jax.nn.logsumexp(tilt, axis=2)
    whole = jax.nn.logsumexp(now.log_responsibilities + of_component, axis=1, keepdims=True)
    # E_ω[x₀] − E[x₀] = Σ_j r_j (h_j/h − 1) mean_j + Σ_j r_j h_j/h (E_{j,ω}[x₀] − mean_j)
    responsibility = jnp.exp(now.log_responsibilities)
    between = responsibility * jnp.expm1(of_component - whole)
    within = jnp.einsum("bmq,mqd->bmd", jax.nn.softmax(tilt, axis=2), shifts)
    moved = jnp.einsum("bm,bmd->bd", between, now.means)
    moved += jnp.einsum("bm,bmd->bd", responsibility * jnp.exp(of_component - whole), within)
    # without noise x₀ is x_t, and there is nothing to guide
    scale = jnp.where(noise > 0, jnp.sqrt(signal / jnp.where(noise > 0, noise, 1.0)), 0.0)
    cost = Cost(score=instant.evaluations, learner=uncertain[0].size)
    return x, instant.noise(x) - scale * moved.reshape(x.shape), cost


def tilted(mixture: Mixture, learner: Learner, strength: float, *, shape: tuple[int, ...] | None = None) -> Mixture:
    """Σ_j w_j e^{ωH(mean_j)} N(mean_j, C_j), scaled: e^{ωH} P where H is constant over each component.

    For a smoothed data set in many dimensions: its generator is the h-transform of the data's in the limit of a small
    bandwidth; otherwise it differs from e^{ωH} P by how much H varies over a component. Costs M evaluations of the
    learner, and none when sampling.

    Args:
        shape: of the learner's examples; None for (d,).

    Raises `InvalidInput` if ω is not finite.
    """
    strength = finite("tilted", strength)
    means = mixture.means.reshape(-1, *(shape or mixture.means.shape[1:]))
    return replace(mixture, weights=_tilted_weights(mixture.weights, learner, strength, means))


@jax.jit
def _tilted_weights(
    weights: Float[Array, " m"], learner: Learner, strength: Array | float, means: Float[Array, "m ..."]
) -> Float[Array, " m"]:
    uncertain = jax.lax.map(lambda x: entropy(learner, x[None])[0], means, batch_size=256)
    return jax.nn.softmax(jnp.log(weights) + strength * uncertain)
