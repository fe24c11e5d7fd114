import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import (
    PracticeProblem,
    RidgeProblem,
    TwoStageProblem,
    keep_all,
    keep_easy,
    keep_hard,
    keep_random,
    ridge_law,
    simulate_practice,
    simulate_two_stage,
    soft,
    two_stage_law,
)


def test_golden_value():
    law = two_stage_law(TwoStageProblem(keep_hard(0.3), first_ratio=300 / 900, second_ratio=300 / 900, ridge=0.05))
    np.testing.assert_allclose([law.error, law.pruner], [0.08146544, 0.88734317], rtol=1e-7)


@pytest.mark.parametrize("ratio", [0.3, 2.0])
def test_a_second_stage_without_selection_is_a_larger_first_one(ratio):
    law = two_stage_law(TwoStageProblem(keep_random(0.3), first_ratio=ratio, second_ratio=0.8, ridge=0.1))
    whole = ridge_law(RidgeProblem(keep_all(), pruner=1.0, ratio=1 / (1 / ratio + 1 / 0.8), ridge=0.1))
    np.testing.assert_allclose([law.error, law.norm], [whole.error, whole.norm], rtol=1e-9)
    first = ridge_law(RidgeProblem(keep_all(), pruner=1.0, ratio=ratio, ridge=0.1))
    np.testing.assert_allclose(law.pruner, first.overlap, rtol=1e-9)


@pytest.mark.parametrize("selection", [keep_hard(0.3), keep_easy(0.4), keep_hard(0.05)])
def test_law_and_simulation_agree_where_the_theorem_for_independent_pruners_does_not(selection):
    setting = {"first_ratio": 1 / 3, "second_ratio": 1 / 3, "ridge": 0.05}
    law = two_stage_law(TwoStageProblem(selection, **setting))
    measured = simulate_two_stage(
        TwoStageProblem(selection, **setting), dimension=150, repeats=24, key=jax.random.key(0)
    )
    for name, value in law._asdict().items():
        found, stderr = getattr(measured.mean, name), getattr(measured.stderr, name)
        assert abs(found - value) < max(4 * stderr, 0.03 * abs(value)), name


def test_derivatives():
    def error(p, first, second, ridge):
        return two_stage_law(TwoStageProblem(soft(p, -2.0), first_ratio=first, second_ratio=second, ridge=ridge)).error

    at = np.array([0.3, 0.4, 0.7, 0.05])
    with float64():
        found = np.asarray(jax.jit(jax.grad(error, argnums=(0, 1, 2, 3)))(*map(jnp.asarray, at)))
    for index in range(4):
        shift = np.eye(4)[index] * 1e-5
        slope = (error(*(at + shift)) - error(*(at - shift))) / 2e-5
        np.testing.assert_allclose(found[index], slope, rtol=1e-4, atol=1e-8)


def test_practice_adaptive_beats_frozen_beats_nothing_new():
    """Against the means of many repeats at d = 200, 500 + 5 × 300 examples, λ = .05, the hardest fifth."""
    setting = {"first_ratio": 100 / 250, "added_ratio": 100 / 150, "rounds": 5, "ridge": 0.05}
    size = {"dimension": 100, "repeats": 12, "key": jax.random.key(0)}
    last = {}
    for policy in ("adaptive", "frozen", "truth"):
        found = simulate_practice(PracticeProblem(keep_hard(0.2), **setting), policy=policy, **size)
        assert found.mean.error.shape == (6,)
        last[policy] = found.mean.error[-1], found.stderr.error[-1]
    random = simulate_practice(PracticeProblem(keep_all(), **setting), **size)
    assert abs(last["adaptive"][0] - 0.0390) < 4 * last["adaptive"][1] + 0.002
    assert abs(last["frozen"][0] - 0.0829) < 4 * last["frozen"][1] + 0.002
    assert abs(random.mean.error[-1] - 0.0775) < 4 * random.stderr.error[-1] + 0.002
    whole = ridge_law(RidgeProblem(keep_all(), pruner=1.0, ratio=100 / (250 + 150 * np.arange(6)), ridge=0.05)).error
    assert (np.abs(random.mean.error - whole) < np.maximum(4 * random.stderr.error, 0.05 * whole)).all()


GIVEN = {"first_ratio": 0.3, "second_ratio": 0.3, "ridge": 0.1}


@pytest.mark.parametrize(
    ("wrong", "says"), [({"first_ratio": 0.0}, "first_ratio"), ({"ridge": 0.0}, "1e-8 is as good as none")]
)
def test_bad_arguments_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        two_stage_law(TwoStageProblem(keep_hard(0.3), **GIVEN | wrong))
    with pytest.raises(InvalidInput, match="without weights"):
        two_stage_law(TwoStageProblem(soft(0.3, 1.0, weighted=True), **GIVEN))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"first_ratio": 0.0}, r"first_ratio=0\.0"),
        ({"added_ratio": 11.0}, "leave at least one example"),
        ({"rounds": -1}, "rounds=-1"),
        ({"repeats": 1}, "repeats=1"),
        ({"ridge": 0.0}, "must be positive"),
        ({"selection": soft(0.3, 1.0)}, "keep_hard, keep_easy or keep_random"),
    ],
)
def test_bad_practice_is_refused(wrong, says):
    given = {"selection": keep_hard(0.3), "first_ratio": 1.0, "added_ratio": 1.0, "rounds": 1, "ridge": 0.1}
    repeats = wrong.pop("repeats", 2)
    with pytest.raises(InvalidInput, match=says):
        simulate_practice(PracticeProblem(**given | wrong), dimension=10, repeats=repeats, key=jax.random.key(0))
