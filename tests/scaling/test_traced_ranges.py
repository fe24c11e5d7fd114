"""Under a transformation nothing can be refused: numbers out of range make every field NaN, in every law."""

import jax
import numpy as np
import pytest

from infojax.scaling import (
    MixtureProblem,
    PerceptronProblem,
    PracticeProblem,
    RelabellingProblem,
    RidgeProblem,
    TwoStageProblem,
    anisotropic_law,
    best_of_rule,
    keep_easy,
    keep_hard,
    mixture_law,
    perceptron_law,
    practice_law,
    relabelling_law,
    ridge_law,
    soft,
    two_stage_law,
    weigh_by,
)

RIDGE = {"pruner": 0.9, "ratio": 0.2, "ridge": 0.1}
MIXTURE = {"ratio": 0.1, "signal": 1.0, "flips": 0.4, "keep_correct": 0.8, "keep_wrong": 0.2}
MIXTURE |= {"real_fraction": 0.1, "ridge": 0.1}
ONES = np.ones(5)


def half(size, agrees, p):
    return p, 1.0


LAWS = {
    "ridge": lambda **changed: ridge_law(RidgeProblem(keep_hard(changed.pop("p", 0.3)), **RIDGE | changed)),
    "aware": lambda **changed: ridge_law(
        RidgeProblem(keep_easy(changed.pop("p", 0.3)), **RIDGE | changed, label_aware=True)
    ),
    "linear": lambda noise: ridge_law(RidgeProblem(keep_hard(0.3), **RIDGE, labels="linear", noise=noise)),
    "soft": lambda strength: ridge_law(RidgeProblem(soft(0.3, strength), **RIDGE)),
    "weigh_by": lambda p: ridge_law(RidgeProblem(weigh_by(half, p), **RIDGE)),
    "relabelling": lambda **changed: relabelling_law(
        RelabellingProblem(keep_hard(0.3), generations=2, **RIDGE | changed)
    ),
    "two_stage": lambda **changed: two_stage_law(
        TwoStageProblem(keep_hard(0.3), **{"first_ratio": 0.3, "second_ratio": 0.3, "ridge": 0.1} | changed)
    ),
    "practice": lambda **changed: practice_law(
        PracticeProblem(keep_hard(0.3), **{"first_ratio": 0.3, "added_ratio": 0.3, "ridge": 0.1} | changed, rounds=1)
    ),
    "mixture": lambda **changed: mixture_law(MixtureProblem(**MIXTURE | changed)),
    "anisotropic": lambda **changed: anisotropic_law(
        keep_hard(0.3), **({"spectrum": ONES, "truth": ONES, "pruner": ONES, "samples": 9, "ridge": 0.1} | changed)
    ),
    "perceptron": lambda **changed: perceptron_law(
        PerceptronProblem(keep_hard(changed.pop("p", 0.5)), **{"alpha": 2.0} | changed)
    ),
    "best": lambda **changed: best_of_rule("hard", **(RIDGE | changed)),
}


@pytest.mark.parametrize(
    ("law", "name", "value"),
    [
        ("ridge", "ridge", -0.5),
        ("ridge", "ratio", -0.2),
        ("ridge", "pruner", 1.5),
        ("ridge", "p", 1.5),
        ("ridge", "p", 0.0),
        ("ridge", "flips", -0.1),
        ("aware", "ridge", -0.5),
        ("aware", "pruner", -1.0),
        ("linear", "noise", -1.0),
        ("soft", "strength", 1e3),
        ("weigh_by", "p", 1.5),
        ("relabelling", "ratio", -0.2),
        ("two_stage", "second_ratio", -1.0),
        ("two_stage", "ridge", 0.0),
        ("practice", "first_ratio", 0.0),
        ("practice", "added_ratio", np.inf),
        ("mixture", "flips", 1.5),
        ("mixture", "signal", -1.0),
        ("anisotropic", "samples", -1.0),
        ("anisotropic", "ridge", -1.0),
        ("perceptron", "p", 1.5),
        ("perceptron", "alpha", -1.0),
        ("best", "ratio", -1.0),
    ],
)
def test_numbers_out_of_range_are_nan(law, name, value):
    found = jax.jit(lambda given: LAWS[law](**{name: given}))(value)
    for field in jax.tree.leaves(found):
        assert np.isnan(field).all()


def test_cosines_of_no_three_directions_and_a_negative_eigenvalue_are_nan():
    found = jax.jit(lambda g: ridge_law(RidgeProblem(keep_hard(0.3), **RIDGE, generator=0.9, pruner_generator=g)))(-0.9)
    assert np.isnan(np.stack(found)).all()
    assert np.isnan(np.stack(jax.jit(lambda s: LAWS["anisotropic"](spectrum=s))(-ONES))).all()


def test_numbers_in_range_are_not():
    for law in ("ridge", "practice", "mixture", "anisotropic", "relabelling"):
        found = jax.jit(lambda ridge, law=law: LAWS[law](ridge=ridge))(0.2)
        assert np.isfinite(np.concatenate([np.ravel(field) for field in found])).all()


@pytest.mark.parametrize(
    ("name", "field", "outside"), [("ridge", "ridge", -0.5), ("ridge", "p", 1.5), ("ridge", "pruner", 1.5)]
)
def test_slopes_out_of_range_are_nan_too(name, field, outside):
    # A slope of 0 would say that a descent has arrived.
    slope = jax.grad(lambda value: LAWS[name](**{field: value}).error)(outside)
    assert np.isnan(slope)


def test_rules_with_known_numbers_may_be_made_inside_of_a_jit():
    def band(size, agrees, low, high):
        return (size > low) & (size < high), 1.0

    made = jax.jit(
        lambda ratio: ridge_law(RidgeProblem(weigh_by(band, 0.3, 1.0), pruner=0.9, ratio=ratio, ridge=0.01)).error
    )(0.1)
    assert made == pytest.approx(
        ridge_law(RidgeProblem(weigh_by(band, 0.3, 1.0), pruner=0.9, ratio=0.1, ridge=0.01)).error, rel=1e-5
    )
