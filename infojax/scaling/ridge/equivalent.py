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
    p = moments.kept
    scale = p + ratio + ridge  # divided out, so that squares cannot overflow
    gap = scale * jnp.sqrt(
        ((p - ratio) / scale) ** 2 + 2 * (ridge / scale) * ((p + ratio) / scale) + (ridge / scale) ** 2
    )
    top = (scale + gap) / 2
    # T − p = (Δ − x)/2 with x = p − ϕ − λ, or 2λp/(Δ + x): whichever adds.
    over = p - ratio - ridge > 0
    size = jnp.where(over, p - ratio - ridge, ratio + ridge - p)
    shift = jnp.where(over, 2 * ridge * p / (gap + size), (gap + size) / 2)
    weights, missing = solved(moments, shift)
    return Equivalent(weights, (ratio / top) * (moments.residual(weights, missing) / gap))


def solved(moments: Moments, shift: Float[Array, ""]) -> tuple[Float[Array, " k"], Float[Array, " k"] | None]:
    """a = (K + shift)⁻¹ c and, of linear labels y = w·x + noise, what it misses, w − a = shift (K + shift)⁻¹ w."""
    shifted = moments.second + shift * jnp.eye(len(moments.labels), dtype=moments.second.dtype)
    missing = None if moments.target is None else shift * _eliminated(shifted, moments.target)
    return _eliminated(shifted, moments.labels), missing


def _eliminated(matrix: Float[Array, "k k"], right: Float[Array, " k"]) -> Float[Array, " k"]:
    """The solution by elimination without pivots: the matrix is positive definite in an orthonormal frame, of which
    this one is a scaling, and entries that differ by many orders of magnitude mislead a choice of pivots."""
    size = len(right)
    rows, values = list(matrix), list(right)
    for i in range(size):
        for j in range(i + 1, size):
            factor = rows[j][i] / rows[i][i]
            rows[j], values[j] = rows[j] - factor * rows[i], values[j] - factor * values[i]
    for i in reversed(range(size)):
        known = sum((rows[i][j] * values[j] for j in range(i + 1, size)), jnp.zeros_like(values[i]))
        values[i] = (values[i] - known) / rows[i][i]
    return jnp.stack(values)
