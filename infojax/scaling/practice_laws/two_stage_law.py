"""One step of deliberate practice: examples selected by a first learner are added to its own training set."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float

from infojax.scaling.practice_laws.practice_law import practice_law
from infojax.scaling.registry.problems import PracticeProblem, TwoStageProblem

FloatArray = Float[Array, "*shape"] | Float[np.ndarray, "*shape"]


class TwoStageLaw(NamedTuple):
    """The learner after both stages, in the limit d, n₀, n₁ → ∞; fields have the broadcast shape of the arguments."""

    error: FloatArray  # P(sign(ŵ·x) ≠ sign(w_*·x)) on unselected data
    pruner: FloatArray  # cosine of the first learner, which selects, with the truth
    overlap: FloatArray  # cosine of the second learner with the truth
    norm: FloatArray  # length of the second learner


def two_stage_law(problem: TwoStageProblem) -> TwoStageLaw:
    """Test error of ridge regression on n₀ random examples and n₁ that the learner of those n₀ selected.

    First ŵ₁ = argmin 1/n₀ Σ (w·x − y)²/2 + ridge ‖w‖²/2 on x ~ N(0, I_d), y = sign(w_*·x). Fresh examples are kept by a
    rule that looks at ŵ₁·x until n₁ are there, and the learner is trained again on the union of both, with 1/(n₀ + n₁)
    for 1/n₀. It is the first round of `practice_law`, and every round of a pruner that is frozen after the first stage,
    as what it adds in k rounds it could add in one. `ridge_law` does not hold here, as the pruner depends on data that
    are trained on again: it may be 40 % off. See docs/scaling-laws.md. Precision and derivatives are as in `ridge_law`.

    >>> from infojax.scaling import TwoStageProblem, keep_hard
    >>> law = two_stage_law(TwoStageProblem(keep_hard(0.3), first_ratio=1 / 3, second_ratio=1 / 3, ridge=0.05))
    >>> round(float(law.error), 5), round(float(law.pruner), 5)
    (0.08147, 0.88734)
    """
    law = practice_law(one_round(problem))
    return TwoStageLaw(law.error[..., 1], law.overlap[..., 0], law.overlap[..., 1], law.norm[..., 1])


def one_round(problem: TwoStageProblem) -> PracticeProblem:
    """The same as practice."""
    return PracticeProblem(
        problem.selection,
        first_ratio=problem.first_ratio,
        added_ratio=problem.second_ratio,
        ridge=problem.ridge,
        rounds=1,
    )
