"""Any number of rounds of deliberate practice, exactly: each learner selects what is added to its own training set.

Batch j of n_j examples was selected along u_j = w_{j−1}/‖w_{j−1}‖ by the learner w_i = Q_i(N_iλ) B_i, i = j − 1, with

    Q_i(s) = (Σ_{j≤i} X_jᵀX_j + s)⁻¹,    B_i = Σ_{j≤i} X_jᵀy_j,    N_i = Σ_{j≤i} n_j.

Three functions of s are all that is to be known of round i: the forms w_*ᵀQ_i w_*, w_*ᵀQ_i B_i and B_iᵀQ_i B_i. Given
what came before, batch i is Gaussian but along u_i and w_*, so that to quadratic forms, with δ = tr Q_i(s),
h = n_i/(1 + δ), s' = s + h, and the moments I + κ u_i u_iᵀ and c = c_u u_i + c_* w_* of a selected example,

    Q_i(s) ≅ (Q_{i−1}(s')⁻¹ + hκ u_i u_iᵀ)⁻¹,    B_i ≅ B_{i−1} + hc,    B_iᵀQ_iB_i ≅ that of these + n_i δ/(1 + δ).

That takes forms of Q_{i−1}(s') with u_i too, and as u_i is made of the same resolvent at s* = N_{i−1}λ, they follow
from Q(s*)Q(s') = (Q(s*) − Q(s'))/(s' − s*). So a round adds one point at which forms are needed, and no unknown.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from infojax.errors import InvalidInput
from infojax.precision import traced
from infojax.scaling.batched import batched
from infojax.scaling.selection.kept import kept_moments
from infojax.scaling.selection.problem import Labels, Problem, require
from infojax.scaling.selection.rules import Selection

# At 1e6 the first digits are lost, at 1e5 four are left.
_SPREAD = 1e5

FloatArray = Float[Array, "*shape rounds"] | Float[np.ndarray, "*shape rounds"]


class PracticeLaw(NamedTuple):
    """The learner at first and after each round, in the limit d → ∞; fields have the broadcast shape of the arguments,
    then 1 + rounds entries."""

    error: FloatArray  # P(sign(w·x) ≠ sign(w_*·x)) on unselected data
    overlap: FloatArray  # cosine of the learner with the truth
    norm: FloatArray  # length of the learner


def practice_law(
    selection: Selection, *, first_ratio: ArrayLike, added_ratio: ArrayLike, rounds: int, ridge: ArrayLike
) -> PracticeLaw:
    """Test error of ridge regression in rounds of deliberate practice, each selecting with the current learner.

    A learner is trained on n₀ random examples x ~ N(0, I_d), y = sign(w_*·x). In each round fresh examples that pass a
    rule on w·x, w the current learner, are added until n₁ more are there, and it is trained again on all. Exact as
    d → ∞, the dependence of each pruner on the data that are trained on again included; docs/scaling-laws.md has the
    derivation. `simulate_practice` measures the same.

    Args:
        selection: a rule without weights; p is the fraction of fresh examples that passes.
        first_ratio: d/n₀ > 0.
        added_ratio: d/n₁ > 0, with n₁ the number that each round adds.
        rounds: at least 0.
        ridge: λ > 0, relative each time to 1/(number of examples trained on).

    Arguments may be arrays that broadcast together; precision and derivatives are as in `ridge_law`.

    Raises `InvalidInput` on ratios or a ridge that are not positive, on an added_ratio above 1e5 times the first, where
    float64 does not resolve what a batch adds, on rounds < 0 and on weighted rules.

    >>> from infojax.scaling import keep_hard
    >>> law = practice_law(keep_hard(0.2), first_ratio=0.4, added_ratio=2 / 3, rounds=5, ridge=0.05)
    >>> [round(float(error), 4) for error in law.error]
    [0.1702, 0.1056, 0.0737, 0.0562, 0.0457, 0.039]
    """
    if not isinstance(selection, Selection) or selection.weighted:
        raise InvalidInput("laws of practice know rules without weights: keep_hard, keep_easy, keep_random, soft")
    if rounds < 0:
        raise InvalidInput(f"rounds={rounds}: give 0, for the first learner alone, or more")
    require("first_ratio", first_ratio, lambda v: (v > 0) & np.isfinite(v), "d/n₀ > 0")
    require("added_ratio", added_ratio, lambda v: (v > 0) & np.isfinite(v), "d/n₁ > 0")
    require("ridge", ridge, lambda v: (v > 0) & np.isfinite(v), "positive; 1e-8 is as good as none")
    _check_spread(first_ratio, added_ratio)
    return batched(law_at, selection, first_ratio, added_ratio, ridge, static=(rounds,))


def _check_spread(first_ratio: ArrayLike, added_ratio: ArrayLike) -> None:
    if traced((first_ratio, added_ratio)):
        return
    first, added = (np.asarray(given, np.float64) for given in (first_ratio, added_ratio))
    try:
        spread = np.max(added / first, initial=0.0)
    except ValueError:
        return  # `batched` refuses shapes that do not broadcast
    if spread > _SPREAD:
        raise InvalidInput(
            f"added_ratio is {spread:.3g} times first_ratio: what a batch of less than {1 / _SPREAD:g} of the first "
            "adds is lost in float64. Add more, or begin with less."
        )


class _Batch(NamedTuple):
    """What selected a batch, as forms of its resolvent at s*, and the moments of what was selected."""

    shift: Array  # s*
    truth: Array  # w_*ᵀQB at s*
    power: Array  # BᵀQB at s*
    slope: Array  # the derivative of that in s, −‖w‖²
    stretch: Array  # κ
    own: Array  # c_u
    right: Array  # c_*


def law_at(selection: Selection, first_ratio: Array, added_ratio: Array, ridge: Array, rounds: int) -> PracticeLaw:
    """The law of one checked problem, all numbers scalars of one floating type."""
    sizes = jnp.concatenate([1 / first_ratio[None], jnp.full(rounds, 1, ridge.dtype) / added_ratio])  # n_j/d
    totals = jnp.cumsum(sizes)
    # No learner selected the first batch: u is then of no effect, and any slope but 0 serves.
    nothing = _Batch(*(jnp.zeros(rounds + 1, ridge.dtype) for _ in _Batch._fields))
    mean = jnp.asarray(np.sqrt(2 / np.pi), ridge.dtype)  # of |w_*·x|
    batches = nothing._replace(slope=nothing.slope - 1, right=nothing.right.at[0].set(mean))

    def practise(batches: _Batch, i: Array) -> tuple[_Batch, tuple[Array, Array]]:
        shift = totals[i] * ridge
        trained = jnp.where(jnp.arange(rounds + 1) <= i, sizes, 0)
        forms = partial(_forms, sizes=trained, batches=batches)
        (truth, power), (_, slope) = jax.jvp(forms, (shift,), (jnp.ones_like(shift),))
        rho = truth / jnp.sqrt(-slope)
        moments = _moments(selection, rho)
        found = _Batch(shift, truth, power, slope, *moments)
        after = jax.tree.map(lambda values, value: values.at[i + 1].set(value, mode="drop"), batches, found)
        return after, (truth, -slope)

    _, (along, square) = jax.lax.scan(practise, batches, jnp.arange(rounds + 1))
    # arccos(overlap), without its loss of digits near overlap = 1
    angle = jnp.arctan2(jnp.sqrt(jnp.maximum(square - along**2, 0)), along)
    return PracticeLaw(angle / np.pi, along / jnp.sqrt(square), jnp.sqrt(square))


def _forms(s: Float[Array, ""], sizes: Float[Array, " batches"], batches: _Batch) -> tuple[Array, Array]:
    """w_*ᵀQ(s)B and BᵀQ(s)B of all batches that are not empty, from the first one on, for which Q(s)⁻¹ = s, B = 0."""
    delta = _trace(s, jnp.sum(sizes))
    share = sizes / (1 + delta)  # h_j

    def add(state: tuple[Array, ...], now: tuple[Array, Array, _Batch]) -> tuple[tuple[Array, ...], None]:
        s, whole, truth, power = state  # forms at s' = s + h: w_*ᵀQw_*, w_*ᵀQB, BᵀQB
        h, size, batch = now
        gap, norm = s - batch.shift, jnp.sqrt(-batch.slope)
        u_truth = (batch.truth - truth) / (gap * norm)
        u_power = (batch.power - power) / (gap * norm)
        u_u = (-batch.slope - (batch.power - power) / gap) / (gap * norm**2)
        # Sherman and Morrison
        less = h * batch.stretch / (1 + h * batch.stretch * u_u)
        whole, truth, power, right, own, u_u = (
            whole - less * u_truth**2,
            truth - less * u_truth * u_power,
            power - less * u_power**2,
            u_truth - less * u_truth * u_u,
            u_power - less * u_power * u_u,
            u_u - less * u_u**2,
        )
        a, b = h * batch.right, h * batch.own  # B + a w_* + b u
        power = power + 2 * (a * truth + b * own) + a**2 * whole + 2 * a * b * right + b**2 * u_u
        after = s - h, whole, truth + a * whole + b * right, power + size * delta / (1 + delta)
        return after, None

    bottom = s + jnp.sum(share)
    zero = jnp.zeros_like(s)
    (_, _, truth, power), _ = jax.lax.scan(add, (bottom, 1 / bottom, zero, zero), (share, sizes, batches))
    return truth, power


def _trace(s: Float[Array, ""], total: Float[Array, ""]) -> Float[Array, ""]:
    """δ = tr Q(s), to which selection makes no difference: δ (s + N/(1 + δ)) = 1 in units in which d = 1."""
    b = s + total - 1
    root = jnp.sqrt(b**2 + 4 * s)
    # of the two forms the one that adds
    return jnp.where(b > 0, 2 / jnp.where(b > 0, b + root, 1), (root - b) / (2 * s))


def _moments(selection: Selection, rho: Float[Array, ""]) -> tuple[Array, Array, Array]:
    """κ, c_u, c_* of an example that passed the rule, for a pruner of cosine ρ."""
    zero, one = jnp.zeros_like(rho), jnp.ones_like(rho)
    problem = Problem(rho, one, zero, one, rho, zero, zero)
    moments = kept_moments(selection, problem, Labels())
    stretch = moments.second[0, 0] / moments.kept - 1
    return stretch, moments.labels[0] / moments.kept, moments.labels[1] / moments.kept
