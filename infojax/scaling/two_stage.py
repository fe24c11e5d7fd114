"""One step of deliberate practice, exactly: examples selected by a first learner are added to its own training set."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from infojax.errors import InvalidInput
from infojax.scaling.batched import batched
from infojax.scaling.kept import kept_moments
from infojax.scaling.moments import orthonormal
from infojax.scaling.problem import Labels, Problem, require
from infojax.scaling.roots import root
from infojax.scaling.selection import Selection

FloatArray = Float[Array, "*shape"] | Float[np.ndarray, "*shape"]


class TwoStageLaw(NamedTuple):
    """The learner after both stages, in the limit d, n₀, n₁ → ∞; fields have the broadcast shape of the arguments."""

    error: FloatArray  # P(sign(ŵ·x) ≠ sign(w_*·x)) on unselected data
    pruner: FloatArray  # cosine of the first learner, which selects, with the truth
    overlap: FloatArray  # cosine of the second learner with the truth
    norm: FloatArray  # length of the second learner


def two_stage_law(
    selection: Selection, *, first_ratio: ArrayLike, second_ratio: ArrayLike, ridge: ArrayLike
) -> TwoStageLaw:
    """Test error of ridge regression on n₀ random examples and n₁ that the learner of those n₀ selected.

    First ŵ₁ = argmin 1/n₀ Σ (w·x − y)²/2 + ridge ‖w‖²/2 on x ~ N(0, I_d), y = sign(w_*·x). Fresh examples are kept by a
    rule that looks at ŵ₁·x until n₁ are there, and the learner is trained again on the union of both, with 1/(n₀ + n₁)
    for 1/n₀. `ridge_law` does not hold here, as the pruner depends on data that are trained on again: it may be 40 %
    off. See docs/scaling-laws.md.

    Args:
        selection: a rule without weights; p is the fraction of fresh examples that passes.
        first_ratio: d/n₀ > 0.
        second_ratio: d/n₁ > 0, with n₁ the number of *kept* examples of the second stage.
        ridge: λ > 0, relative to 1/n₀ and then to 1/(n₀ + n₁).

    Arguments may be arrays that broadcast together; precision and derivatives are as in `ridge_law`.

    Raises `InvalidInput` on ratios or a ridge that are not positive and on weighted rules.

    >>> from infojax.scaling import keep_hard
    >>> law = two_stage_law(keep_hard(0.3), first_ratio=1 / 3, second_ratio=1 / 3, ridge=0.05)
    >>> round(float(law.error), 5), round(float(law.pruner), 5)
    (0.08147, 0.88734)
    """
    if not isinstance(selection, Selection) or selection.weighted:
        raise InvalidInput("two_stage_law knows rules without weights: keep_hard, keep_easy, keep_random, soft")
    require("first_ratio", first_ratio, lambda v: (v > 0) & np.isfinite(v), "d/n₀ > 0")
    require("second_ratio", second_ratio, lambda v: (v > 0) & np.isfinite(v), "d/n₁ > 0")
    require("ridge", ridge, lambda v: (v > 0) & np.isfinite(v), "positive; 1e-8 is as good as none")
    return batched(_law_at, selection, first_ratio, second_ratio, ridge)


def _law_at(selection: Selection, first_ratio: Array, second_ratio: Array, ridge: Array) -> TwoStageLaw:
    """With f₀, f₁ the shares of the stages, A₀ = X₀ᵀX₀/n₀, b₀ = X₀ᵀy₀/n₀ and Q(s) = (f₀A₀ + s)⁻¹ = R(s/f₀)/f₀:

        h₁ (1 + d/n · tr Q(h₁ + λ)/d) = f₁,       E = h₁(K/p − I),       U = (ŵ₁/‖ŵ₁‖, v),
        a = (I + UᵀQU E)⁻¹ (f₀UᵀQb₀ + h₁UᵀQU c/p),   z = (h₁c/p − Ea, f₀),   τ = tr Q² f₁/n / (1 + δ₁)²,
        ‖ŵ‖² = (zᵀ[Q²]z + τ(1 − 2a·c/p + aᵀKa/p − ‖a‖²)) / (1 − τ),

    where [Q²] are the forms of Q² = −dQ/ds in (U, b₀), and f₁/h₁ = 1 + δ₁.
    """
    first = 1 / (1 + first_ratio / second_ratio)  # n₀/(n₀ + n₁)
    second = 1 - first
    forms = _FirstStage(first_ratio, ridge)
    rho = forms.cosine

    own = _own_share(forms, first, second)
    shift = own + ridge

    def q_forms(s: Float[Array, ""]) -> Float[Array, "3 3"]:
        return forms.between(s / first) / first

    def q_trace(s: Float[Array, ""]) -> Float[Array, ""]:  # tr Q / n
        return first_ratio * forms.trace(s / first)

    q, minus_square = jax.jvp(q_forms, (shift,), (jnp.ones_like(shift),))
    _, minus_trace = jax.jvp(q_trace, (shift,), (jnp.ones_like(shift),))

    problem = Problem(rho, first_ratio, ridge, jnp.ones_like(rho), rho, jnp.zeros_like(rho), jnp.zeros_like(rho))
    moments = kept_moments(selection, problem, Labels())
    k, c = (value / moments.kept for value in orthonormal(moments, rho))
    identity = jnp.eye(2, dtype=k.dtype)
    e = own * (k - identity)
    quu, qub = q[:2, :2], q[:2, 2]
    a = jnp.linalg.solve(identity + quu @ e, first * qub + own * quu @ c)
    z = jnp.concatenate([own * c - e @ a, first[None]])
    delta = second / own - 1
    tau = -minus_trace * second / (1 + delta) ** 2
    fit = 1 - 2 * a @ c + a @ (k @ a) - a @ a
    square = (-z @ (minus_square @ z) + tau * fit) / (1 - tau)
    sine = jnp.sqrt((1 - rho) * (1 + rho))
    along = a @ jnp.stack([rho, sine])
    angle = jnp.arctan2(jnp.sqrt(jnp.maximum(square - along**2, 0)), along)
    return TwoStageLaw(angle / np.pi, rho, along / jnp.sqrt(square), jnp.sqrt(square))


class _FirstStage:
    """Quadratic forms of R(μ) = (A₀ + μ)⁻¹ and of ŵ₁ = R(λ)b₀.

    With m = tr R/d, δ = m d/n₀ and C = √(2/π): w_*ᵀRw_* = m, b₀ᵀRw_* = Cm/(1 + δ), b₀ᵀRb₀ = δ/(1 + δ) + C²m/(1 + δ)².
    """

    def __init__(self, ratio: Float[Array, ""], ridge: Float[Array, ""]):
        self.ratio, self.ridge = ratio, ridge
        (_, self._label, self._power), slopes = jax.jvp(self._basic, (ridge,), (jnp.ones_like(ridge),))
        self._power_slope = slopes[2]
        self.norm = jnp.sqrt(-self._power_slope)  # ‖ŵ₁‖² = b₀ᵀR²b₀
        self.cosine = self._label / self.norm

    def trace(self, mu: Float[Array, ""]) -> Float[Array, ""]:
        """m: the positive root of 1/m = 1/(1 + m d/n₀) + μ."""
        b = 1 + mu - self.ratio
        root = jnp.sqrt(b**2 + 4 * self.ratio * mu)
        # of the two forms the one that adds
        return jnp.where(b > 0, 2 / (b + root), (root - b) / (2 * self.ratio * mu))

    def between(self, mu: Float[Array, ""]) -> Float[Array, "3 3"]:
        """Forms of R(μ) in (u = ŵ₁/‖ŵ₁‖, v = (w_* − ρu)/√(1 − ρ²), b₀), for μ > λ."""
        truth, label, power = self._basic(mu)
        gap = mu - self.ridge
        # R(λ)R(μ) = (R(λ) − R(μ))/(μ − λ), and its derivative in λ
        u_truth = (self._label - label) / (gap * self.norm)
        u_label = (self._power - power) / (gap * self.norm)
        u_u = (-self._power_slope / gap - (self._power - power) / gap**2) / self.norm**2
        sine = jnp.sqrt((1 - self.cosine) * (1 + self.cosine))
        u_v = (u_truth - self.cosine * u_u) / sine
        v_v = (truth - 2 * self.cosine * u_truth + self.cosine**2 * u_u) / sine**2
        v_label = (label - self.cosine * u_label) / sine
        return jnp.array([[u_u, u_v, u_label], [u_v, v_v, v_label], [u_label, v_label, power]])

    def _basic(self, mu: Float[Array, ""]) -> tuple[Array, Array, Array]:
        m, c = self.trace(mu), np.sqrt(2 / np.pi).astype(mu.dtype)
        inner = 1 + self.ratio * m
        return m, c * m / inner, self.ratio * m / inner + c**2 * m / inner**2


def _own_share(forms: _FirstStage, first: Float[Array, ""], second: Float[Array, ""]) -> Float[Array, ""]:
    """h₁ in (0, f₁]."""

    def excess(own: Float[Array, ""]) -> Float[Array, ""]:
        return own * (1 + forms.ratio * forms.trace((own + forms.ridge) / first)) - second

    return root(excess, jnp.zeros_like(second), second)
