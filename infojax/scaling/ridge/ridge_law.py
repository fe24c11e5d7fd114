"""The exact test error of ridge regression on selected data, in high dimension."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.arrays import traced
from infojax.errors import InvalidInput
from infojax.scaling._batched import batched, withheld
from infojax.scaling.registry.problems import RidgeProblem
from infojax.scaling.ridge.equivalent import equivalent
from infojax.scaling.ridge.weighted import weighted_equivalent
from infojax.scaling.selection.kept import kept_moments, transformed_moments
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


def ridge_law(problem: RidgeProblem) -> RidgeLaw:
    """Test error of ridge regression on a selected pool, exact as d, n → ∞ with d/n → ratio.

    The pruner w_s is independent of the pool. This is Theorem 1 of Deliberate Practice (arXiv 2502.15588), corrected,
    and its extension to label shift (arXiv 2511.03492), weights D, and other labels; see docs/scaling-laws.md. With
    ridge = 0 and ratio = p exactly, the interpolation peak, norm and mse are infinite, overlap is 0 and error 1/2;
    derivatives do not exist there. Of linear labels mse is ‖ŵ − w_*‖², without the noise of test labels, and the error
    still that of sign(ŵ·x).

    Of concrete numbers the law is computed in float64 and returned as NumPy arrays; under `jit`, `vmap`, `grad` in the
    caller's precision (`infojax.arrays.float64` widens it), and what would be refused is NaN there.
    Derivatives are finite wherever the law is smooth, cosines of ±1 included. It is not smooth in p at p = 1 of
    keep_hard, nor, with `label_aware`, in pruner_generator at ±1; the finite derivatives returned there mean nothing.

    Raises `InvalidInput` on rules of `weigh_by` on which two quadratures disagree, and numbers at which float64 does
    not hold the law.

    >>> from infojax.scaling import RidgeProblem, keep_hard
    >>> law = ridge_law(RidgeProblem(keep_hard(0.2), pruner=1.0, ratio=0.1, ridge=0.01))
    >>> round(float(law.error), 4)
    0.1858
    """
    weighted = isinstance(problem.selection, Weighting)
    law = batched(law_at, problem, lost=weighted)
    if weighted and not traced(law) and np.isnan(np.stack(law)).any():
        raise InvalidInput(
            "two quadratures of the rule made by weigh_by disagree: give the sizes |w_s·x| at which its function has "
            "jumps or kinks as breaks=(…), or a function that varies more slowly, or less extreme numbers"
        )
    return law


def law_at(problem: RidgeProblem) -> RidgeLaw:
    """The law of one checked problem, all numbers scalars of one floating type."""
    if isinstance(problem.selection, Weighting):
        law, other = (_weighted_at(problem, halved) for halved in (False, True))
        # Agreement to seven digits in float64 and to three in float32; an infinity is one twice.
        slack = float(jnp.finfo(law.error.dtype).eps) ** 0.45
        agree = jnp.stack(
            [(a == b) | (jnp.abs(a - b) <= slack * (jnp.abs(a) + slack)) for a, b in zip(law, other, strict=True)]
        )
        return RidgeLaw(*(withheld(~agree.all(), field) for field in law))
    if problem.selection.weighted:
        return _weighted_at(problem)
    return _law_of_weights(*equivalent(kept_moments(problem), problem.ratio, problem.ridge), problem)


def _weighted_at(problem: RidgeProblem, halved: bool = False) -> RidgeLaw:
    moments = transformed_moments(problem, halved=halved)
    return _law_of_weights(*weighted_equivalent(moments, problem.ratio, problem.ridge), problem)


def _law_of_weights(weights: Float[Array, "2"], spread: Float[Array, ""], problem: RidgeProblem) -> RidgeLaw:
    along, across = components(weights, problem.pruner, problem.generator, problem.pruner_generator)
    return law_of(along, across + spread, problem.labels)


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


def law_of(along: Float[Array, ""], across: Float[Array, ""], labels: str) -> RidgeLaw:
    """The law of a learner with ŵ·w_* = along and ‖ŵ‖² = along² + across."""
    # arccos(overlap), without its loss of digits near overlap = 1, and with derivatives where nothing is across
    exact = jnp.where(along < 0, 1.0, jnp.where(along > 0, 0.0, jnp.nan)).astype(along.dtype)
    inside = (across > 0) | jnp.isnan(across)
    angle = jnp.arctan2(jnp.sqrt(jnp.where(inside, across, 1)), along) / np.pi
    norm = jnp.sqrt(along**2 + across)
    pull = 1.0 if labels == "linear" else np.sqrt(2 / np.pi).astype(along.dtype)
    mse = (1 - pull) * (1 + pull) + (along - pull) ** 2 + across
    return RidgeLaw(jnp.where(inside, angle, exact), mse, along / norm, norm)
