"""The exact test error of ridge regression on selected data, in high dimension."""

from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from infojax.scaling.batched import batched
from infojax.scaling.ridge.equivalent import equivalent
from infojax.scaling.ridge.weighted import weighted_equivalent
from infojax.scaling.selection.kept import kept_moments, transformed_moments
from infojax.scaling.selection.moments import frame_gram
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
    as NumPy arrays; under `jit`, `vmap`, `grad` in the caller's precision (`infojax.precision.float64` widens it).
    Derivatives are finite wherever the law is smooth, cosines of ±1 included. It is not smooth in p at p = 1 of
    keep_hard, nor, with `label_aware`, in pruner_generator at ±1; the finite derivatives returned there mean nothing.

    Raises `InvalidInput` on cosines outside [−1, 1], cosines that no three directions have, ratio ≤ 0, ridge < 0,
    noise < 0, flips outside [0, 1], options that do not go together, and shapes that do not broadcast.

    >>> from infojax.scaling import keep_hard
    >>> law = ridge_law(keep_hard(0.2), pruner=1.0, ratio=0.1, ridge=0.01)
    >>> round(float(law.error), 4)
    0.1858
    """
    kind = Labels(labels, label_aware)
    problem = checked_problem(selection, pruner, ratio, ridge, generator, pruner_generator, kind, noise, flips)
    return batched(law_at, selection, problem, static=(kind,))


def law_at(selection: Selection | Weighting, problem: Problem, labels: Labels) -> RidgeLaw:
    """The law of one checked problem, all numbers scalars of one floating type."""
    gram = frame_gram(problem.pruner_generator)
    if isinstance(selection, Weighting) or selection.weighted:
        moments = transformed_moments(selection, problem, labels)
        weights, spread = weighted_equivalent(moments, problem.ratio, problem.ridge)
    else:
        weights, spread = equivalent(kept_moments(selection, problem, labels), problem.ratio, problem.ridge)
    along = jnp.stack([problem.pruner, problem.generator]) @ weights  # ŵ·w_*
    square = weights @ (gram @ weights) + spread  # ‖ŵ‖²
    return law_of(along, square, labels)


def law_of(along: Float[Array, ""], square: Float[Array, ""], labels: Labels) -> RidgeLaw:
    """The law of a learner with ŵ·w_* = along and ‖ŵ‖² = square."""
    # arccos(overlap), without its loss of digits near overlap = 1
    across = square - along**2  # below 0 by rounding, where the learner is as good as the truth
    angle = jnp.where(across > 0, jnp.arctan2(jnp.sqrt(jnp.where(across > 0, across, 1)), along), 0)
    norm = jnp.sqrt(square)
    pull = 1.0 if labels.kind == "linear" else np.sqrt(2 / np.pi).astype(along.dtype)
    return RidgeLaw(angle / np.pi, 1 - 2 * pull * along + square, along / norm, norm)
