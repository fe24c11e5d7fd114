from dataclasses import replace

import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.linearized import (
    Converged,
    GradientDescent,
    GradientFlow,
    coefficients,
    held_out_predictions,
    held_out_residuals,
    largest_stable_rate,
    linearize_kernels,
    predictions,
    trained_residuals,
)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_coefficients_are_gradient_descent_on_the_parameters(decay):
    rng = np.random.default_rng(0)
    n, k = 6, 2
    j, r = rng.normal(size=(n * k, 40)), rng.normal(size=n * k)
    rate = 0.8 * n / np.linalg.norm(j, 2) ** 2
    w = np.zeros(40)
    for _ in range(50):
        w -= rate * (j.T @ (j @ w - r) / n + decay * w)
    a = coefficients(linearize_kernels(j @ j.T, None, r, outputs=k), GradientDescent(50, rate, decay))
    np.testing.assert_allclose(j.T @ a, w, rtol=1e-10, atol=1e-12)


def test_flow_reaches_the_interpolating_solution():
    rng = np.random.default_rng(1)
    j, r = rng.normal(size=(5, 20)), rng.normal(size=5)
    linearized = linearize_kernels(j @ j.T, None, r)
    end = coefficients(linearized, Converged(convention="sum"))
    late = coefficients(linearized, GradientFlow(time=1e3, convention="sum"))
    np.testing.assert_allclose(late, end, rtol=1e-10)
    np.testing.assert_allclose(j @ j.T @ end, r, rtol=1e-10)


def test_predictions_are_those_of_the_trained_parameters():
    rng = np.random.default_rng(2)
    n, k = 6, 2
    j, j_star = rng.normal(size=(n * k, 40)), rng.normal(size=(4 * k, 40))
    r, before, targets = rng.normal(size=n * k), rng.normal(size=(4, k)), rng.normal(size=(n, k))
    training = GradientDescent(50, 0.8 * n / np.linalg.norm(j, 2) ** 2, 0.3)
    linearized = linearize_kernels(j @ j.T, j_star @ j.T, r, outputs=k)
    w = j.T @ coefficients(linearized, training)
    np.testing.assert_allclose(trained_residuals(linearized, training).ravel(), r - j @ w, atol=1e-12)
    known = replace(linearized, validation_outputs=before, targets=targets)
    np.testing.assert_allclose(predictions(known, training), before + (j_star @ w).reshape(4, k), rtol=1e-12)
    held_out = targets - held_out_residuals(known, training)
    np.testing.assert_array_equal(held_out_predictions(known, training), held_out)


def test_what_is_not_known_is_named():
    linearized = linearize_kernels(np.eye(3), None, np.ones(3))
    with pytest.raises(InvalidInput, match="has no validation examples"):
        predictions(linearized, Converged())
    with pytest.raises(InvalidInput, match="validation_outputs=outputs"):
        predictions(replace(linearized, cross=np.eye(3)), Converged())
    with pytest.raises(InvalidInput, match="targets=targets"):
        held_out_predictions(linearized, Converged())


@pytest.mark.parametrize("convention", ["mean", "sum"])
@pytest.mark.parametrize("left_out", [0, 2])
def test_descent_at_the_largest_stable_rate_neither_grows_nor_shrinks(convention, left_out):
    kernel = np.diag([1.0, 2.0, 5.0, 5.0])
    rate = largest_stable_rate(
        linearize_kernels(kernel, None, np.ones(4)), decay=0.3, convention=convention, left_out=left_out
    )
    scale = 4 - left_out if convention == "mean" else 1
    assert 1 - rate * (5 / scale + 0.3) == pytest.approx(-1)
    with pytest.raises(InvalidInput, match="left_out is 4"):
        largest_stable_rate(linearize_kernels(kernel, None, np.ones(4)), left_out=4)
