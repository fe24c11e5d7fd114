import jax
import numpy as np
import pytest

from infojax.errors import InvalidInput, OverBudget
from infojax.scaling import RidgeProblem, Selection, keep_all, keep_easy, ridge_law, simulate_ridge

KEY = jax.random.key(7)
CELLS = [
    ("hard", 0.4, "pool", {"pruner": 0.9, "ratio": 0.25, "ridge": 1e-2}),
    ("easy", 0.5, "pool", {"pruner": 0.8, "ratio": 1.5, "ridge": 0.1}),
    ("easy", 0.5, "kept", {"pruner": 0.8, "ratio": 0.2, "ridge": 0.0}),
    ("hard", 0.5, "pool", {"pruner": 0.8, "ratio": 0.8, "ridge": 0.0}),
    ("hard", 0.4, "kept", {"pruner": 0.9, "generator": 0.6, "pruner_generator": 0.5, "ratio": 0.3, "ridge": 1e-2}),
    ("easy", 0.5, "kept", {"pruner": 0.3, "ratio": 0.1, "ridge": 1e-2, "label_aware": True}),
]


@pytest.mark.parametrize(("rule", "p", "draw", "setting"), CELLS)
def test_law_and_simulation_agree(rule, p, draw, setting):
    """Every quantity within 4 standard errors, or 5 % of the law."""
    law = ridge_law(RidgeProblem(Selection(rule, p), **setting))
    measured = simulate_ridge(
        RidgeProblem(Selection(rule, p), **setting), dimension=200, repeats=24, key=KEY, draw=draw
    )
    for name, value in law._asdict().items():
        found, stderr = getattr(measured.mean, name), getattr(measured.stderr, name)
        assert abs(found - value) < max(4 * stderr, 0.05 * abs(value)), name
        assert stderr < 0.1 * abs(value), f"{name} is not measured well enough to test anything"


def test_arrays_are_simulated_point_by_point_and_keys_decide():
    setting, size = {"pruner": 0.9, "ridge": 0.1}, {"dimension": 20, "repeats": 3}
    problem = RidgeProblem(keep_easy(np.array([[0.5], [1.0]])), ratio=np.array([0.5, 1.0, 2.0]), **setting)
    table = simulate_ridge(problem, **size, key=KEY)
    assert all(field.shape == (2, 3) and field.dtype == np.float64 for field in table.mean + table.stderr)
    assert len(np.unique(table.mean.error)) == 6
    one = RidgeProblem(keep_easy(0.5), ratio=2.0, **setting)
    alone = simulate_ridge(one, **size, key=jax.random.fold_in(KEY, 2))
    assert alone.mean.error == table.mean.error[0, 2]
    assert alone.stderr.error == table.stderr.error[0, 2]


def test_a_repeat_that_keeps_nothing_guesses():
    rare = simulate_ridge(
        RidgeProblem(keep_easy(0.1), pruner=0.5, ratio=0.5, ridge=0.1), dimension=5, repeats=100, key=KEY
    )
    # a pool of 10 keeps none of them in a third of the repeats
    assert np.isfinite(np.stack(rare.mean + rare.stderr)).all()


GIVEN = {"pruner": 0.5, "ratio": 0.5, "ridge": 0.1}
SIZE = {"dimension": 100, "repeats": 4}


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"pruner": 2.0}, InvalidInput, r"pruner=2\.0"),
        ({"dimension": 2}, InvalidInput, "at least 3 dimensions"),
        ({"repeats": 1}, InvalidInput, "at least 2 repeats"),
        ({"ratio": 200.0}, InvalidInput, "less than one example"),
        ({"ratio": 1e-6}, OverBudget, r"GiB is allowed; .* draw='kept'"),
    ],
)
def test_bad_arguments_are_refused(wrong, error, says):
    size = {name: wrong.get(name, value) for name, value in SIZE.items()}
    numbers = {name: wrong.get(name, value) for name, value in GIVEN.items()}
    with pytest.raises(error, match=says):
        simulate_ridge(RidgeProblem(keep_all(), **numbers), **size, key=KEY)
