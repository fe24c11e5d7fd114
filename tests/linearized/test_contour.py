"""The filter, its contour form, and plain arithmetic in high precision agree."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.linearized._contour import covers, resolvents
from infojax.linearized._filters import training_filter
from infojax.linearized._training import Converged, GradientDescent, GradientFlow, as_sum

SPECTRUM = np.concatenate([[0.0], np.geomspace(1e-20, 1.0, 60)])


def contour_filter(training, z):
    terms = resolvents(training)
    resolvent = 1 / (terms.shifts[:, None] + terms.scale * z[None].astype(terms.shifts.dtype))
    return jnp.real(terms.weights @ resolvent)


@pytest.mark.parametrize(
    "training",
    [
        GradientFlow(time=1.0, learning_rate=1e-3),
        GradientFlow(time=1e6),
        GradientFlow(time=1e12),
        GradientDescent(steps=20, learning_rate=0.1),
        GradientDescent(steps=2000, learning_rate=1.0),
        GradientDescent(steps=2001, learning_rate=1.9),
        GradientDescent(steps=10**6, learning_rate=0.5),
    ],
)
def test_contour_is_the_filter(training):
    assert covers(training, 1.0)
    with float64():
        z = jnp.asarray(SPECTRUM)
        exact, contour = training_filter(as_sum(training, 1), z), contour_filter(training, z)
        assert jnp.abs(contour - exact).max() < 1e-13 * exact.max()


@pytest.mark.parametrize("steps", [1, 2, 7, 40])
@pytest.mark.parametrize("rate", [Fraction(1, 100), Fraction(1), Fraction(9, 5)])
def test_filter_of_descent_in_exact_arithmetic(steps, rate):
    z = [Fraction(0), Fraction(1, 10**9), Fraction(1, 3), Fraction(1)]
    exact = []
    for value in z:
        phi = Fraction(0)
        for _ in range(steps):
            phi += rate * (1 - value * phi)
        exact.append(float(phi))
    with float64():
        ours = training_filter(
            GradientDescent(steps, float(rate), convention="sum"), jnp.array([float(value) for value in z])
        )
    np.testing.assert_allclose(ours, exact, rtol=2e-14, atol=1e-15)


def test_filter_at_infinity_is_the_pseudo_inverse():
    np.testing.assert_array_equal(training_filter(as_sum(Converged(), 1), jnp.array([0.0, 0.5, 4.0])), [0.0, 2.0, 0.25])


def test_short_and_nearly_unstable_descent_is_not_left_to_the_contour():
    assert not covers(GradientDescent(19, 0.1), 1.0)
    assert not covers(GradientDescent(100, 1.9), 1.0)


@pytest.mark.parametrize("training", [GradientFlow(time=3.0), GradientDescent(steps=9, learning_rate=0.4)])
def test_filter_is_differentiable_at_zero(training):
    with float64():
        training = as_sum(training, 1)
        slope = jax.grad(lambda z: training_filter(training, z))(1e-3)
        step = 1e-6
        rise = training_filter(training, jnp.array([1e-3 - step, 1e-3 + step]))
        assert abs(slope - (rise[1] - rise[0]) / (2 * step)) < 1e-7 * abs(slope)


def test_the_filter_of_a_decayed_training_is_that_of_a_shifted_kernel():
    z = jnp.array([0.0, 0.5, 4.0])
    plain = training_filter(GradientFlow(3.0, convention="sum"), z + 0.25)
    np.testing.assert_array_equal(training_filter(GradientFlow(3.0, decay=0.25, convention="sum"), z), plain)
    with pytest.raises(InvalidInput, match=r"as_sum\(training, examples\)"):
        training_filter(GradientFlow(3.0), z)
