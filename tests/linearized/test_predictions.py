import numpy as np
import pytest

from infojax.linearized import Converged, GradientDescent, GradientFlow, spectrum
from infojax.linearized._predictions import coefficients


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_coefficients_are_gradient_descent_on_the_parameters(decay):
    rng = np.random.default_rng(0)
    n, k = 6, 2
    j, r = rng.normal(size=(n * k, 40)), rng.normal(size=n * k)
    rate = 0.8 * n / np.linalg.norm(j, 2) ** 2
    w = np.zeros(40)
    for _ in range(50):
        w -= rate * (j.T @ (j @ w - r) / n + decay * w)
    a = coefficients(spectrum(j @ j.T), r, examples=n, training=GradientDescent(50, rate, decay))
    np.testing.assert_allclose(j.T @ a, w, rtol=1e-10, atol=1e-12)


def test_flow_reaches_the_interpolating_solution():
    rng = np.random.default_rng(1)
    j, r = rng.normal(size=(5, 20)), rng.normal(size=5)
    theta = spectrum(j @ j.T)
    end = coefficients(theta, r, examples=5, training=Converged(convention="sum"))
    late = coefficients(theta, r, examples=5, training=GradientFlow(time=1e3, convention="sum"))
    np.testing.assert_allclose(late, end, rtol=1e-10)
    np.testing.assert_allclose(j @ j.T @ end, r, rtol=1e-10)
