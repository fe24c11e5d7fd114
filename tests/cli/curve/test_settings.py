import inspect
from typing import get_args

import numpy as np
import pytest

from infojax.cli.curve.curve import QUANTITIES, Rule, curve
from infojax.cli.curve.presets import PRESETS
from infojax.cli.curve.report import QUANTITIES as DRAWN
from infojax.cli.curve.settings import COMMON, settle
from infojax.errors import InvalidInput
from infojax.scaling import LAWS, PerceptronProblem, keep_easy, keep_hard, perceptron_law


def test_tables_and_options_fit_together():
    options = set(inspect.signature(curve).parameters)
    for law in LAWS.values():
        assert {*law.options, *COMMON} <= options
        assert law.over in law.numbers
        assert set(law.usual.get("rules", ())) <= set(get_args(Rule))
    assert set(QUANTITIES) == set(DRAWN)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_options_that_could_be_given(preset):
    given, settled = settle(dict(PRESETS[preset])), settle({"preset": preset})
    assert given == settled
    assert all(settled.shared[name] == value for name, value in PRESETS[preset].items()
               if name in settled.law.numbers)  # fmt: skip


def test_options_count_over_the_preset_over_the_law():
    settings = settle({"preset": "practice-figure3", "pruner": 0.5, "rules": ("easy",)})
    assert settings.shared["pruner"] == 0.5  # given
    assert settings.dimension == 512  # the preset's
    assert settings.repeats == 16  # the law's
    assert [curve.rule for curve in settings.curves] == 5 * ["easy"]
    assert (settings.low, settings.high) == (0.4, 1.0)
    np.testing.assert_allclose([curve.problem["kept"] for curve in settings.curves], [0.1, 0.5, 0.8, 0.9, 1.0])


def test_another_axis_leaves_the_presets_axis_behind():
    settings = settle({"preset": "practice-figure3", "over": "kept"})
    assert settings.along is None
    assert (settings.low, settings.high) == (0.02, 1.0)


def test_curves_that_would_be_the_same_are_one():
    settings = settle({"over": "ratio", "rules": ("hard", "all"), "curves": "kept=0.2,0.5"})
    assert [curve.name for curve in settings.curves] == ["hard, kept=0.2", "all", "hard, kept=0.5"]
    assert settings.curves[1].problem["kept"] == 1.0
    soft = settle({"rules": ("soft", "hard"), "curves": "strength=1,2"})
    assert [curve.name for curve in soft.curves] == ["soft, strength=1", "hard", "soft, strength=2"]


def test_the_perceptron_in_degrees_and_by_the_pool():
    settled = settle({"law": "perceptron", "angle": 20.0, "rules": ("easy", "random")})
    easy, random = (LAWS["perceptron"].pose(curve.problem) for curve in settled.curves)
    assert easy == PerceptronProblem(keep_easy(0.3), alpha=1.5, angle=20.0)
    assert random.alpha == 1.5
    assert perceptron_law(random) == perceptron_law(PerceptronProblem(keep_hard(1.0), alpha=1.5, angle=20.0))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"law": "mixture", "rules": ("hard",)},
            "--rules is not an option of the law mixture, but of ridge, two-stage",
        ),
        ({"law": "perceptron", "ridge": 1.0}, "--ridge is not an option of the law perceptron"),
        ({"law": "mixture", "optimal": True}, "--optimal is of the law ridge"),
        ({"law": "mixture", "quantity": "mse"}, "the law mixture gives accuracy, error, overlap, norm"),
        ({"over": "signal"}, "the law ridge has no such number; it has --kept"),
        ({"law": "two-stage", "rules": ("hard", "soft")}, "no simulation with the rule soft; give --simulate 0"),
        ({"preset": "collapse", "start": 2.2, "stop": 2.8}, "there is no generation"),
        ({"preset": "collapse", "law": "ridge"}, "is of the law relabelling"),
        ({"curves": "kept=0.1"}, "with one of pruner, ratio"),
        ({"curves": "ridge"}, "must be numbers"),
        ({"curves": "label_aware=0,1"}, "must be yes or no"),
        ({"curves": "ridge=1,2,3,4", "rules": ("hard", "easy")}, "8 curves cannot be told apart"),
    ],
)
def test_what_does_not_go_together(given, says):
    with pytest.raises(InvalidInput, match=says.replace("-", "[-]")):
        settle(given)
