"""The deterministic equivalent of ridge regression on selected examples, given moments of what is kept.

Examples x_i ~ N(0, I_d), i = 1 … n, are kept (q_i = 1) or not (q_i = 0), and the learner is
ŵ = argmin_w 1/n Σ_i q_i (w·x_i − y_i)²/2 + λ‖w‖²/2. As d, n → ∞ with d/n → ϕ, ŵ behaves like a fixed vector a in
the span of the special directions plus an isotropic Gaussian vector of squared length σ² orthogonal to it.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from infojax.scaling.selection.moments import Moments


class Equivalent(NamedTuple):
    """The limit of the learner: its projection on the frame and the squared length of the rest."""

    weights: Float[Array, " k"]  # a, coefficients in the frame of the moments
    spread: Float[Array, ""]  # σ²


def equivalent(moments: Moments, ratio: Float[Array, ""], ridge: Float[Array, ""]) -> Equivalent:
    """a and σ² for ϕ = d/n > 0 and λ ≥ 0; see docs/scaling-laws.md for the derivation.

        Δ = √((p−ϕ)² + 2λ(p+ϕ) + λ²),   T = (p + ϕ + λ + Δ)/2,
        a = (K + (T − p) I)⁻¹ c,        σ² = ϕ E[q(y − a·x)²] / (T Δ).

    This is the theorem with its Stieltjes transform m eliminated by T = ϕ + 1/m. No term is a difference of large
    numbers and none diverges as λ → 0, so the minimum-norm limit is the value at λ = 0, on both sides of the
    interpolation peak. At the peak itself (λ = 0, ϕ = p) σ² is infinite, as it should be.
    """
    p, second, labels, power, gram = moments
    scale = p + ratio + ridge  # divided out, so that squares cannot overflow
    gap = scale * jnp.sqrt(
        ((p - ratio) / scale) ** 2 + 2 * (ridge / scale) * ((p + ratio) / scale) + (ridge / scale) ** 2
    )
    top = (scale + gap) / 2
    # T − p = (Δ − x)/2 with x = p − ϕ − λ, or 2λp/(Δ + x): whichever adds.
    over = p - ratio - ridge > 0
    size = jnp.where(over, p - ratio - ridge, ratio + ridge - p)
    shift = jnp.where(over, 2 * ridge * p / (gap + size), (gap + size) / 2)
    weights = jnp.linalg.solve(second + shift * jnp.eye(len(labels), dtype=second.dtype), labels)
    dual = gram @ weights
    residual = power - 2 * dual @ labels + dual @ (second @ weights)
    return Equivalent(weights, (ratio / top) * (residual / gap))
