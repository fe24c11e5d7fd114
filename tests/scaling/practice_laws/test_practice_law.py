import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import (
    PracticeProblem,
    RidgeProblem,
    keep_all,
    keep_easy,
    keep_hard,
    keep_random,
    practice_law,
    ridge_law,
    simulate_practice,
    soft,
)


@pytest.mark.parametrize("selection", [keep_hard(0.2), keep_easy(0.4), keep_hard(0.05)])
def test_law_and_simulation_agree_at_every_round(selection):
    setting = {"first_ratio": 0.6, "added_ratio": 1.0, "rounds": 4, "ridge": 0.05}
    law = practice_law(PracticeProblem(selection, **setting))
    measured = simulate_practice(
        PracticeProblem(selection, **setting), dimension=200, repeats=16, key=jax.random.key(0)
    )
    for name, values in law._asdict().items():
        found, stderr = getattr(measured.mean, name), getattr(measured.stderr, name)
        assert (np.abs(found - values) < np.maximum(4 * stderr, 0.03 * np.abs(values))).all(), name
    # and selecting matters: the law of random additions is far off
    blind = practice_law(PracticeProblem(keep_all(), **setting))
    assert abs(blind.error[-1] - measured.mean.error[-1]) > 8 * measured.stderr.error[-1]


def test_batches_of_a_soft_rule_are_those_of_its_acceptance_probability():
    """A simulation of its own: examples drawn and rejected, learners solved for, in NumPy."""
    rule, dimension, start, added, rounds, ridge = soft(0.3, 3.0), 80, 130, 80, 3, 0.1
    law = practice_law(
        PracticeProblem(rule, first_ratio=dimension / start, added_ratio=dimension / added, rounds=rounds, ridge=ridge)
    )
    passes = jax.jit(rule.probability)
    random, errors = np.random.default_rng(0), []
    for _ in range(20):
        x = random.standard_normal((start, dimension))
        for stage in range(rounds + 1):
            y = np.sign(x[:, 0])
            w = np.linalg.solve(x.T @ x / len(x) + ridge * np.eye(dimension), x.T @ y / len(x))
            fresh = random.standard_normal((8 * added, dimension))
            x = np.concatenate(
                [x, fresh[random.uniform(size=len(fresh)) < passes(fresh @ w / np.linalg.norm(w))][:added]]
            )
            errors.append((stage, np.arccos(w[0] / np.linalg.norm(w)) / np.pi))
    for stage in range(rounds + 1):
        found = np.array([error for at, error in errors if at == stage])
        assert abs(found.mean() - law.error[stage]) < max(4 * found.std(ddof=1) / np.sqrt(20), 0.03 * law.error[stage])


@given(
    first=st.floats(0.05, 5.0),
    added=st.floats(0.05, 5.0),
    ridge=st.floats(1e-6, 10.0),
    p=st.floats(0.05, 1.0),
)
def test_random_additions_are_a_larger_first_batch(first, added, ridge, p):
    law = practice_law(PracticeProblem(keep_random(p), first_ratio=first, added_ratio=added, rounds=3, ridge=ridge))
    ratio = 1 / (1 / first + np.arange(4) / added)
    whole = ridge_law(RidgeProblem(keep_all(), pruner=1.0, ratio=ratio, ridge=ridge))
    np.testing.assert_allclose(law.error, whole.error, rtol=1e-6)
    np.testing.assert_allclose(law.norm, whole.norm, rtol=1e-6)


def test_more_rounds_do_not_change_the_earlier_ones():
    rule, setting = keep_hard(0.2), {"first_ratio": 0.4, "added_ratio": 0.7, "ridge": 1e-3}
    some, more = (practice_law(PracticeProblem(rule, rounds=rounds, **setting)) for rounds in (2, 7))
    np.testing.assert_allclose(more.error[:3], some.error, rtol=1e-12)
    assert more.error.shape == (8,)
    assert (np.diff(more.error) < 0).all()


def test_grids_and_derivatives():
    def last(p, first, added, ridge):
        return practice_law(
            PracticeProblem(keep_hard(p), first_ratio=first, added_ratio=added, rounds=3, ridge=ridge)
        ).error[..., -1]

    grid = last(np.array([[0.2], [0.5]]), np.array([0.3, 0.5, 2.0]), 0.8, 0.1)
    assert grid.shape == (2, 3)
    assert grid[1, 2] == pytest.approx(float(last(0.5, 2.0, 0.8, 0.1)), rel=1e-12)
    at = np.array([0.3, 0.4, 0.7, 0.05])
    with float64():
        found = np.asarray(jax.jit(jax.grad(last, argnums=(0, 1, 2, 3)))(*map(jnp.asarray, at)))
    for index in range(4):
        shift = np.eye(4)[index] * 1e-5
        slope = (last(*(at + shift)) - last(*(at - shift))) / 2e-5
        np.testing.assert_allclose(found[index], slope, rtol=1e-5, atol=1e-8)


GIVEN = {"first_ratio": 0.3, "added_ratio": 0.3, "rounds": 2, "ridge": 0.1}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"first_ratio": 0.0}, "first_ratio"),
        ({"added_ratio": np.inf}, "added_ratio"),
        ({"ridge": 0.0}, "1e-8 is as good as none"),
        ({"rounds": -1}, "rounds=-1"),
    ],
)
def test_bad_arguments_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        practice_law(PracticeProblem(keep_hard(0.3), **GIVEN | wrong))
    with pytest.raises(InvalidInput, match="without weights"):
        practice_law(PracticeProblem(soft(0.3, 1.0, weighted=True), **GIVEN))
