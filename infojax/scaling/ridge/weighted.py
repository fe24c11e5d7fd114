"""The deterministic equivalent where kept examples have weights D ≥ 0, not only 0 and 1."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from infojax.scaling._roots import root
from infojax.scaling.ridge.equivalent import Equivalent, solved
from infojax.scaling.selection.moments import Moments


def weighted_equivalent(
    moments: Callable[[Callable[[Array], Array]], Moments], ratio: Float[Array, ""], ridge: Float[Array, ""]
) -> Equivalent:
    """a and σ² for weights D, ϕ = d/n > 0 and λ ≥ 0, given f ↦ moments of E[f(D) …].

    With h = D/(θ + D) the share of its residual that an example explains itself, θ ≥ 0 solves E h + κ = ϕ, κ = λ/θ, and

        a = (E[h G Gᵀ] + κ)⁻¹ E[h y G],        σ² = E[h²(y − a·G)²] / (ϕ − E h²).

    In terms of the general theorem (docs/scaling-laws.md), θ = 1/δ and κ = λδ: nothing diverges as λ → 0 on either
    side of the interpolation peak. Without a ridge, κ = 0 where ϕ < P(D > 0), and θ = 0, h = 1[D > 0] where it is not.
    """
    theta = _own_share(moments, ratio, ridge)

    def share(weight: Array) -> Array:
        return weight / jnp.where(weight > 0, theta + weight, 1)

    first, second = moments(share), moments(lambda weight: share(weight) ** 2)
    # ϕ − E h² = κ + E h(1 − h)
    left = moments(lambda weight: theta * share(weight) / jnp.where(weight > 0, theta + weight, 1)).kept
    kappa = jnp.where(theta > 0, ridge / jnp.where(theta > 0, theta, 1), ratio - first.kept)
    weights, missing = solved(first, kappa)
    return Equivalent(weights, second.residual(weights, missing) / (kappa + left))


def _own_share(
    moments: Callable[[Callable[[Array], Array]], Moments], ratio: Float[Array, ""], ridge: Float[Array, ""]
) -> Float[Array, ""]:
    """θ; 0 where interpolation is possible without a ridge."""

    def excess(theta: Float[Array, ""]) -> Float[Array, ""]:
        return moments(lambda weight: weight / (theta + weight)).kept + ridge / theta - ratio

    kept = moments(lambda weight: jnp.where(weight > 0, jnp.ones_like(weight), 0)).kept
    mean = moments(lambda weight: weight).kept
    # λ/θ ≤ ϕ ≤ (E D + λ)/θ
    high = (mean + ridge) / ratio
    theta = root(excess, jnp.maximum(ridge / ratio, 1e-25 * high), high, geometric=True)
    return jnp.where((ridge == 0) & (ratio >= kept), 0, theta)
