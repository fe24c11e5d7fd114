"""The best choice against an exhaustive search of the law."""

import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.scaling import RidgeProblem, best_of_rule, best_selection, keep_all, keep_easy, keep_hard, ridge_law, soft

CELLS = {"pruner": np.array([1.0, 0.8, 0.9, 0.3]), "ratio": np.array([0.1, 0.3, 0.05, 1.0])}
FRACTIONS = np.linspace(0.005, 1, 1500)


@pytest.mark.parametrize(
    ("name", "rule", "hold"), [("hard", keep_hard, "pool"), ("hard", keep_hard, "kept"), ("easy", keep_easy, "pool")]
)
def test_best_fraction_is_that_of_a_search(name, rule, hold):
    best = best_of_rule(name, **CELLS, ridge=0.01, hold=hold)
    p = FRACTIONS[:, None]
    scale = p if hold == "kept" else 1.0
    errors = ridge_law(
        RidgeProblem(rule(p), pruner=CELLS["pruner"], ratio=CELLS["ratio"] * scale, ridge=0.01 * scale)
    ).error
    assert (best.error <= errors.min(0) + 1e-9).all()
    np.testing.assert_allclose(best.kept, FRACTIONS[errors.argmin(0)], atol=2e-3)
    scale = best.kept if hold == "kept" else 1.0
    attained = ridge_law(
        RidgeProblem(rule(best.kept), pruner=CELLS["pruner"], ratio=CELLS["ratio"] * scale, ridge=0.01 * scale)
    )
    np.testing.assert_allclose(best.error, attained.error, rtol=1e-12)


def test_best_ridge_is_that_of_a_search():
    best = best_of_rule("easy", **CELLS)
    p, ridge = FRACTIONS[::10, None, None], np.geomspace(1e-6, 100, 400)[:, None]
    errors = ridge_law(RidgeProblem(keep_easy(p), **CELLS, ridge=ridge)).error
    assert (best.error <= errors.min((0, 1)) + 1e-6).all()
    attained = ridge_law(RidgeProblem(keep_easy(best.kept), **CELLS, ridge=best.ridge))
    np.testing.assert_allclose(best.error, attained.error, rtol=1e-12)


def test_soft_is_never_worse_than_its_ends():
    few = {name: values[:2] for name, values in CELLS.items()}
    best = best_of_rule("soft", **few, ridge=0.01)
    attained = ridge_law(RidgeProblem(soft(best.kept, best.strength), **few, ridge=0.01))
    np.testing.assert_allclose(best.error, attained.error, rtol=1e-9)
    for name in ("hard", "easy"):
        assert (best.error <= best_of_rule(name, **few, ridge=0.01).error + 2e-3).all()  # strengths end at 40


def test_choice_and_regret():
    choice = best_selection(**CELLS, ridge=0.01)
    each = [best_of_rule(rule, **CELLS, ridge=0.01).error for rule in ("hard", "easy")]
    every = ridge_law(RidgeProblem(keep_all(), **CELLS, ridge=0.01)).error
    np.testing.assert_allclose(choice.error, np.minimum(np.min(each, 0), every), atol=1e-6)
    np.testing.assert_allclose(choice.regret["all"], every - choice.error, atol=1e-12)
    assert all((lost > -1e-6).all() for lost in choice.regret.values())
    assert list(choice.rule[[0, 3]]) == [0, 1]


def test_nothing_beats_keeping_all_where_nothing_does():
    """Plenty of data with a pruner that knows nothing: every rule's best is to keep all."""
    choice = best_selection(pruner=0.0, ratio=0.01, ridge=0.01)
    assert choice.rule == 2
    assert choice.kept == 1
    np.testing.assert_allclose(
        choice.error, ridge_law(RidgeProblem(keep_all(), pruner=0.0, ratio=0.01, ridge=0.01)).error
    )


def test_bad_arguments_are_refused():
    with pytest.raises(InvalidInput, match=r"pruner=1\.5"):
        best_of_rule("hard", pruner=1.5, ratio=0.1)
