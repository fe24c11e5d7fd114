"""The exact test error of ridge regression on selected data, in high dimension."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from infojax.arrays import traced
from infojax.errors import InvalidInput
from infojax.scaling._batched import batched, withheld
from infojax.scaling.ridge.equivalent import equivalent
from infojax.scaling.ridge.weighted import weighted_equivalent
from infojax.scaling.selection.kept import kept_moments, transformed_moments
from infojax.scaling.selection.problem import Labels, Problem, checked_problem
from infojax.scaling.selection.rules import Selection
from infojax.scaling.selection.weighting import Weighting

FloatArray = Float[Array, "*shape"] | Float[np.ndarray, "*shape"]


class RidgeLaw(NamedTuple):
    """What becomes of the learner ŵ on unpruned test data x ~ N(0, I_d), in the limit d, n → ∞.

    Each field has the shape of the arguments broadcast together.
    """

    error: FloatArray  # P(sign(ŵ·x) ≠ sign(w_*·x)) = arccos(overlap)/π
    mse: FloatArray  # E (ŵ·x − sign(w_*·x))² = 1 − 2√(2/π)·overlap·norm + norm²; of linear labels ‖ŵ − w_*‖²
    overlap: FloatArray  # cosine of ŵ with the truth w_*
    norm: FloatArray  # ‖ŵ‖


def ridge_law(
    selection: Selection | Weighting,
    *,
    pruner: ArrayLike,
    ratio: ArrayLike,
    ridge: ArrayLike,
    generator: ArrayLike = 1.0,
    pruner_generator: ArrayLike | None = None,
    label_aware: bool = False,
    labels: Literal["sign", "linear"] = "sign",
    noise: ArrayLike = 0.0,
    flips: ArrayLike = 0.0,
) -> RidgeLaw:
    """Test error of ridge regression on a selected pool, exact as d, n → ∞ with d/n → ratio.

    A pool of n examples x ~ N(0, I_d) with labels y = sign(w_g·x) is pruned by a rule that looks at w_s·x; then
    ŵ = argmin 1/n Σ_kept D (w·x − y)²/2 + ridge ‖w‖²/2 is tested on unpruned data with labels sign(w_*·x).
    The pruner w_s is independent of the pool. This is Theorem 1 of Deliberate Practice (arXiv 2502.15588),
    corrected, and its extension to label shift (arXiv 2511.03492), weights D, and other labels; see
    docs/scaling-laws.md.

    Args:
        selection: `keep_hard(p)`, `keep_easy(p)`, `keep_random(p)`, `keep_all()` or `soft(p, strength)`, where D = 1
            unless weighted; or `weigh_by(function)`, any probability of being kept and any weight D.
        pruner: w_s·w_*, the cosine of the pruner with the truth.
        ratio: d/n > 0, with n the size of the pool before pruning.
        ridge: λ ≥ 0 relative to 1/n of the pool (a ridge λ' relative to the kept count is λ = p λ'). 0 means the
            minimum-norm solution. With ridge = 0 and ratio = p exactly, the interpolation peak, norm and
            mse are infinite, overlap is 0 and error 1/2; derivatives do not exist there.
        generator: w_g·w_*, the cosine of the labels' direction with the truth.
        pruner_generator: w_s·w_g. None where the generator is the truth.
        label_aware: keep an example only if also sign(w_s·x) is its label. p then is the fraction that the rule
            alone would keep; fewer pass.
        labels: "sign", or "linear" for regression, y = w_g·x + noise. Its mse is ‖ŵ − w_*‖², without the noise of test
            labels; its error still that of sign(ŵ·x).
        noise: standard deviation of the noise of linear labels.
        flips: probability with which a sign is flipped, before the selection sees it.

    All numbers may be arrays that broadcast together. Of concrete arguments the law is computed in float64 and returned
    as NumPy arrays; under `jit`, `vmap`, `grad` in the caller's precision (`infojax.arrays.float64` widens it), and
    what would be refused is NaN there.
    Derivatives are finite wherever the law is smooth, cosines of ±1 included. It is not smooth in p at p = 1 of
    keep_hard, nor, with `label_aware`, in pruner_generator at ±1; the finite derivatives returned there mean nothing.

    Raises `InvalidInput` on cosines outside [−1, 1], cosines that no three directions have, ratio ≤ 0, ridge < 0,
    noise < 0, flips outside [0, 1], options that do not go together, shapes that do not broadcast, rules of `weigh_by`
    on which two quadratures disagree, and numbers at which float64 does not hold the law.

    >>> from infojax.scaling import keep_hard
    >>> law = ridge_law(keep_hard(0.2), pruner=1.0, ratio=0.1, ridge=0.01)
    >>> round(float(law.error), 4)
    0.1858
    """
    kind = Labels(labels, label_aware)
    problem = checked_problem(selection, pruner, ratio, ridge, generator, pruner_generator, kind, noise, flips)
    law = batched(law_at, selection, problem, static=(kind,), lost=isinstance(selection, Weighting))
    if isinstance(selection, Weighting) and not traced(law) and np.isnan(np.stack(law)).any():
        raise InvalidInput(
            "two quadratures of the rule made by weigh_by disagree: give the sizes |w_s·x| at which its function has "
            "jumps or kinks as breaks=(…), or a function that varies more slowly, or less extreme numbers"
        )
    return law


def law_at(selection: Selection | Weighting, problem: Problem, labels: Labels) -> RidgeLaw:
    """The law of one checked problem, all numbers scalars of one floating type."""
    if isinstance(selection, Weighting):
        law, other = (_weighted_at(selection, problem, labels, halved) for halved in (False, True))
        # Agreement to seven digits in float64 and to three in float32; an infinity is one twice.
        slack = float(jnp.finfo(law.error.dtype).eps) ** 0.45
        agree = jnp.stack(
            [(a == b) | (jnp.abs(a - b) <= slack * (jnp.abs(a) + slack)) for a, b in zip(law, other, strict=True)]
        )
        return RidgeLaw(*(withheld(~agree.all(), field) for field in law))
    if selection.weighted:
        return _weighted_at(selection, problem, labels)
    weights, spread = equivalent(kept_moments(selection, problem, labels), problem.ratio, problem.ridge)
    return _law_of_weights(weights, spread, problem, labels)


def _weighted_at(selection: Selection | Weighting, problem: Problem, labels: Labels, halved: bool = False) -> RidgeLaw:
    moments = transformed_moments(selection, problem, labels, halved=halved)
    return _law_of_weights(*weighted_equivalent(moments, problem.ratio, problem.ridge), problem, labels)


def _law_of_weights(weights: Float[Array, "2"], spread: Float[Array, ""], problem: Problem, labels: Labels) -> RidgeLaw:
    along, across = components(weights, problem.pruner, problem.generator, problem.pruner_generator)
    return law_of(along, across + spread, labels)


def components(
    weights: Float[Array, "2"], pruner: Float[Array, ""], generator: Float[Array, ""], between: Float[Array, ""]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Of a vector in the frame (w_s, w_⊥) of the moments its component along w_*, and the square of what is left of it.

    The square is a sum of squares, so that it keeps its digits where the vector is nearly along w_*.
    """
    rest = generator - between * pruner  # w_⊥·w_*
    left, size = (1 - pruner) * (1 + pruner), (1 - between) * (1 + between)  # of |w_s|² and |w_⊥|², w_* taken out
    # the determinant of the Gram matrix of the three, as a difference of squares that are 0 where two are the same
    apart = between - pruner * generator
    volume = _not_negative(left * (1 - generator) * (1 + generator) - apart**2)
    usable = left > 0
    by = jnp.where(usable, left, 1)
    squares = by * (weights[0] - pruner * rest / by * weights[1]) ** 2 + volume / by * weights[1] ** 2
    plain = left * weights[0] ** 2 - 2 * pruner * rest * weights[0] * weights[1] + (size - rest**2) * weights[1] ** 2
    return weights[0] * pruner + weights[1] * rest, jnp.where(usable, squares, _not_negative(plain))


def _not_negative(value: Float[Array, ""]) -> Float[Array, ""]:
    """With its derivative at 0 too."""
    return value + jax.lax.stop_gradient(jnp.maximum(-value, 0))


def law_of(along: Float[Array, ""], across: Float[Array, ""], labels: Labels) -> RidgeLaw:
    """The law of a learner with ŵ·w_* = along and ‖ŵ‖² = along² + across."""
    # arccos(overlap), without its loss of digits near overlap = 1, and with derivatives where nothing is across
    exact = jnp.where(along < 0, 1.0, jnp.where(along > 0, 0.0, jnp.nan)).astype(along.dtype)
    inside = (across > 0) | jnp.isnan(across)
    angle = jnp.arctan2(jnp.sqrt(jnp.where(inside, across, 1)), along) / np.pi
    norm = jnp.sqrt(along**2 + across)
    pull = 1.0 if labels.kind == "linear" else np.sqrt(2 / np.pi).astype(along.dtype)
    mse = (1 - pull) * (1 + pull) + (along - pull) ** 2 + across
    return RidgeLaw(jnp.where(inside, angle, exact), mse, along / norm, norm)
