import jax
import numpy as np
import pytest
from sklearn.svm import SVC

from infojax.errors import InvalidInput, OverBudget
from infojax.scaling.perceptron.perceptron_law import perceptron_law
from infojax.scaling.perceptron.simulate_perceptron import max_margin, simulate_perceptron

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


@pytest.mark.parametrize(("keep", "alpha", "fraction", "degrees"), CELLS)
def test_law_and_simulation_agree(keep, alpha, fraction, degrees):
    """Every quantity within 4 standard errors, or 5 % of the law."""
    cell = {"alpha_kept": alpha, "fraction": fraction, "angle": np.radians(degrees), "keep": keep}
    law = perceptron_law(**cell)
    measured = simulate_perceptron(**cell, dimension=100, repeats=10, key=KEY)
    for name, value in law._asdict().items():
        found, stderr = getattr(measured, name), getattr(measured, f"{name}_stderr")
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
    cell = {"alpha_kept": 4.0, "fraction": 0.2, "dimension": 60, "repeats": 6, "key": KEY}
    np.testing.assert_array_equal(simulate_perceptron(**cell), simulate_perceptron(**cell, margin="signed"))
    poor = {**cell, "angle": np.radians(40)}
    unsigned, signed = simulate_perceptron(**poor), simulate_perceptron(**poor, margin="signed")
    assert signed.error > unsigned.error + 0.1


def test_arrays_are_simulated_point_by_point_and_keys_decide():
    setting = {"dimension": 20, "repeats": 3, "key": KEY}
    table = simulate_perceptron(alpha_kept=np.array([[1.0], [2.0]]), fraction=np.array([0.3, 0.6, 1.0]), **setting)
    assert all(field.shape == (2, 3) and field.dtype == np.float64 for field in table)
    assert len(np.unique(table.error)) == 6
    alone = simulate_perceptron(alpha_kept=1.0, fraction=1.0, **{**setting, "key": jax.random.fold_in(KEY, 2)})
    assert alone.error == table.error[0, 2]


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"alpha_kept": -1.0}, InvalidInput, r"alpha_kept=-1\.0"),
        ({"margin": "squared"}, InvalidInput, "margin='squared'"),
        ({"dimension": 1}, InvalidInput, "at least 2 dimensions"),
        ({"repeats": 1}, InvalidInput, "at least 2 repeats"),
        ({"alpha_kept": 0.01}, InvalidInput, "less than one example"),
        ({"fraction": 1e-7}, OverBudget, "raise the fraction"),
    ],
)
def test_bad_arguments_are_refused(wrong, error, says):
    given = {"alpha_kept": 1.0, "fraction": 0.5, "dimension": 20, "repeats": 2, "key": KEY, **wrong}
    with pytest.raises(error, match=says):
        simulate_perceptron(**given)
