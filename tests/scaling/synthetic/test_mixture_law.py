import jax
import numpy as np
import pytest
from scipy.stats import norm

from infojax.errors import InvalidInput
from infojax.scaling import MixtureProblem, mixture_law, simulate_mixture

GIVEN = {
    "ratio": 1 / 6,
    "signal": 1.0,
    "flips": 0.4,
    "keep_correct": 0.8,
    "keep_wrong": 0.2,
    "real_fraction": 1 / 6,
    "ridge": 0.1,
}


def test_golden_value():
    np.testing.assert_allclose(mixture_law(MixtureProblem(**GIVEN)).error, 0.2499453020, rtol=1e-8)


@pytest.mark.parametrize("other", [{}, {"ridge": 0.0}, {"ratio": 1.5, "ridge": 0.0}, {"flips": 0.9, "ratio": 0.1}])
def test_law_and_simulation_agree(other):
    law = mixture_law(MixtureProblem(**GIVEN | other))
    measured = simulate_mixture(MixtureProblem(**GIVEN | other), dimension=200, repeats=30, key=jax.random.key(0))
    for name, value in law._asdict().items():
        found, stderr = getattr(measured.mean, name), getattr(measured.stderr, name)
        assert abs(found - value) < max(4 * stderr, 0.05 * abs(value)), name


def test_breakdown_is_where_wrong_labels_become_the_majority():
    """d/n → 0, synthetic data alone: the best classifier below ε* = 1/(1 + ψ/φ), its complement above."""
    correct, wrong = np.array([1.0, 0.8, 0.9]), np.array([1.0, 0.2, 0.6])
    critical = 1 / (1 + wrong / correct)
    many = GIVEN | {"ratio": 1e-9, "real_fraction": 0.0, "keep_correct": correct, "keep_wrong": wrong, "ridge": 0.01}
    best = norm.sf(1.0)
    np.testing.assert_allclose(mixture_law(MixtureProblem(**many | {"flips": critical - 1e-3})).error, best, atol=1e-3)
    np.testing.assert_allclose(
        mixture_law(MixtureProblem(**many | {"flips": critical + 1e-3})).error, 1 - best, atol=1e-3
    )


def test_arrays_are_simulated_point_by_point():
    problem = MixtureProblem(**GIVEN | {"ridge": np.array([[0.1], [1.0]]), "ratio": np.array([0.5, 1.0])})
    table = simulate_mixture(problem, dimension=20, repeats=3, key=jax.random.key(1))
    assert all(field.shape == (2, 2) and np.isfinite(field).all() for field in table.mean + table.stderr)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"ratio": 0.0}, r"ratio=0\.0"),
        ({"signal": -1.0}, r"signal=-1\.0"),
        ({"flips": 1.2}, r"flips=1\.2 .* probability"),
        ({"keep_correct": 0.0, "keep_wrong": 0.0, "real_fraction": 0.0}, "keep something"),
        ({"ridge": -0.1}, r"ridge=-0\.1"),
    ],
)
def test_bad_arguments_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        mixture_law(MixtureProblem(**GIVEN | wrong))
    with pytest.raises(InvalidInput, match="dimension=1"):
        simulate_mixture(MixtureProblem(**GIVEN), dimension=1, repeats=4, key=jax.random.key(0))


def test_arrays_of_objects_are_read_and_complex_numbers_are_refused():
    law = mixture_law(MixtureProblem(**GIVEN | {"flips": np.array([0.1, 0.4], object)}))
    np.testing.assert_allclose(law.error[1], mixture_law(MixtureProblem(**GIVEN)).error, rtol=1e-12)
    with pytest.raises(InvalidInput, match="flips is of dtype complex128"):
        mixture_law(MixtureProblem(**GIVEN | {"flips": np.array([0.1, 0.2 + 1j])}))
