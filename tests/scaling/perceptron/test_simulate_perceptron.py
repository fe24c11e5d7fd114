import jax
import numpy as np
import pytest
from sklearn.svm import SVC

from infojax.errors import InvalidInput, OverBudget
from infojax.scaling import PerceptronProblem, keep_hard, named_rule, perceptron_law, simulate_perceptron
from infojax.scaling.perceptron.simulate_perceptron import max_margin

KEY = jax.random.key(5)
CELLS = [
    ("hard", 0.5, 1.0, 0.0),
    ("hard", 3.0, 1.0, 0.0),
    ("hard", 4.0, 0.3, 0.0),
    ("hard", 3.0, 0.01, 0.0),
    ("easy", 0.5, 0.2, 0.0),
    ("easy", 3.0, 0.5, 0.0),
    ("hard", 4.0, 0.5, 20.0),
    ("hard", 1.0, 0.2, 40.0),
    ("easy", 2.0, 0.3, 40.0),
]


@pytest.mark.parametrize(("rule", "alpha", "kept", "angle"), CELLS)
def test_law_and_simulation_agree(rule, alpha, kept, angle):
    """Every quantity within 4 standard errors, or 5 % of the law."""
    selection, cell = named_rule(rule, kept), {"alpha": alpha, "angle": angle}
    law = perceptron_law(PerceptronProblem(selection, **cell))
    measured = simulate_perceptron(PerceptronProblem(selection, **cell), dimension=100, repeats=10, key=KEY)
    for name, value in law._asdict().items():
        found, stderr = getattr(measured.mean, name), getattr(measured.stderr, name)
        assert abs(found - value) < max(4 * stderr, 0.05 * abs(value)), name
        assert stderr < 0.15 * abs(value), f"{name} is not measured well enough to test anything"


@pytest.mark.parametrize("count", [20, 60, 150])
def test_largest_margin_is_that_of_a_support_vector_machine(count):
    rng = np.random.default_rng(count)
    x = rng.standard_normal((count, 30))
    signed = np.sign(x[:, :1]) * x
    weights = max_margin(signed)
    # A sample and its mirror image, with opposite labels, leave the machine no use for its intercept.
    labels = np.repeat([1, -1], count)
    machine = SVC(kernel="linear", C=1e8, tol=1e-7).fit(np.concatenate([signed, -signed]), labels)
    np.testing.assert_allclose(weights, machine.coef_[0], atol=1e-4 * np.linalg.norm(weights))
    np.testing.assert_allclose((signed @ weights).min(), 1, rtol=1e-9)


def test_what_cannot_be_separated_is_refused():
    with pytest.raises(InvalidInput, match="no weights"):
        max_margin(np.array([[1.0, 0.5], [-1.0, -0.5], [0.3, 1.0]]))


def test_signed_margins_are_another_rule():
    """The same for a perfect probe; for a poor one, keeping what it gets wrong is far worse."""
    size = {"dimension": 60, "repeats": 6, "key": KEY}
    good, poor = (PerceptronProblem(keep_hard(0.2), alpha=4.0, angle=angle) for angle in (0.0, 40.0))
    unsigned, signed = (simulate_perceptron(good, **size, margin=margin).mean for margin in ("unsigned", "signed"))
    np.testing.assert_array_equal(unsigned, signed)
    unsigned, signed = (simulate_perceptron(poor, **size, margin=margin) for margin in ("unsigned", "signed"))
    assert signed.mean.error > unsigned.mean.error + 0.1


def test_arrays_are_simulated_point_by_point_and_keys_decide():
    size = {"dimension": 20, "repeats": 3}
    problem = PerceptronProblem(keep_hard(np.array([0.3, 0.6, 1.0])), alpha=np.array([[1.0], [2.0]]))
    table = simulate_perceptron(problem, **size, key=KEY)
    assert all(field.shape == (2, 3) and field.dtype == np.float64 for field in table.mean + table.stderr)
    assert len(np.unique(table.mean.error)) == 6
    one = PerceptronProblem(keep_hard(1.0), alpha=1.0)
    alone = simulate_perceptron(one, **size, key=jax.random.fold_in(KEY, 2))
    assert alone.mean.error == table.mean.error[0, 2]


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"alpha": -1.0}, InvalidInput, r"alpha=-1\.0"),
        ({"margin": "squared"}, InvalidInput, "margin='squared'"),
        ({"dimension": 1}, InvalidInput, "at least 2 dimensions"),
        ({"repeats": 1}, InvalidInput, "at least 2 repeats"),
        ({"alpha": 0.01}, InvalidInput, "less than one example"),
        ({"selection": keep_hard(1e-7)}, OverBudget, "keep a larger fraction"),
    ],
)
def test_bad_arguments_are_refused(wrong, error, says):
    size = {"dimension": 20, "repeats": 2, "key": KEY} | {
        name: wrong[name] for name in ("dimension", "repeats", "margin") if name in wrong
    }
    numbers = {"selection": keep_hard(0.5), "alpha": 1.0} | {
        name: wrong[name] for name in ("selection", "alpha") if name in wrong
    }
    with pytest.raises(error, match=says):
        simulate_perceptron(PerceptronProblem(**numbers), **size)
