"""Baselines against their definitions on an explicit linear model, parameters, gradients and all."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.information._baselines import (
    BASELINES,
    held_out_margin,
    held_out_residual,
    initial_gradient_norm,
    margin,
)
from infojax.linearized import (
    Converged,
    GradientDescent,
    GradientFlow,
    LinearizedNetwork,
    Spectrum,
    coefficients,
    held_out_residuals,
    linearize_kernels,
    trained_residuals,
)


def problem(n, k, parameters, seed):
    """Jacobian (nk, P), labels, and targets less small initial outputs (n, k)."""
    rng = np.random.default_rng(seed)
    j = rng.normal(size=(n * k, parameters)) * np.geomspace(1.0, 0.1, parameters)
    labels = rng.integers(0, max(k, 2), n)
    targets = labels[:, None] if k == 1 else np.eye(k)[labels]
    return j, labels, targets + rng.uniform(-0.24, 0.24, (n, k))


def descended(j, r, steps, rate, decay, convention):
    """w − w₀ by gradient descent on the parameters."""
    scale = 1 if convention == "sum" else 1 / r.shape[0]
    w = np.zeros(j.shape[1])
    for _ in range(steps):
        w = w - rate * (scale * j.T @ (j @ w - r.ravel()) + decay * w)
    return w


def stable(j, n, decay, convention):
    return 0.8 / (np.linalg.norm(j, 2) ** 2 / (1 if convention == "sum" else n - 1) + decay)


@given(
    k=st.sampled_from([1, 3]),
    decay=st.sampled_from([0.0, 0.3]),
    convention=st.sampled_from(["sum", "mean"]),
    steps=st.sampled_from([7, 150]),
    seed=st.integers(0, 10**6),
)
def test_equals_descent_on_parameters(k, decay, convention, steps, seed):
    n = 7
    j, labels, r = problem(n, k, 30, seed)
    rate = stable(j, n, decay, convention)
    how = {"training": GradientDescent(steps, rate, decay, convention)}
    linearized = linearize_kernels(j @ j.T, None, r, outputs=k)
    rho = r - (j @ descended(j, r, steps, rate, decay, convention)).reshape(n, k)
    np.testing.assert_allclose(trained_residuals(linearized, **how), rho, atol=1e-11)

    per_example = j.reshape(n, k, -1)
    gradients = np.einsum("icp,ic->ip", per_example, rho)
    first = np.einsum("icp,ic->ip", per_example, r)
    np.testing.assert_allclose(BASELINES["residual"](linearized, **how), np.linalg.norm(rho, axis=1), atol=1e-11)
    np.testing.assert_allclose(
        BASELINES["gradient-norm"](linearized, **how), np.linalg.norm(gradients, axis=1), atol=1e-6
    )
    np.testing.assert_allclose(initial_gradient_norm(linearized, **how), np.linalg.norm(first, axis=1), rtol=1e-9)

    # Training is linear in the residual, so a column of the hat matrix is what a unit of it makes of all outputs.
    unit = np.eye(n * k).reshape(-1, n, k)
    hat = np.stack([j @ descended(j, e, steps, rate, decay, convention) for e in unit], axis=1)
    own = hat.reshape(n, k, n, k)[np.arange(n), :, np.arange(n), :]
    np.testing.assert_allclose(BASELINES["leverage"](linearized, **how), [np.trace(h) for h in own], atol=1e-11)
    influence = np.einsum("ic,icd,id->i", rho, own, rho)
    np.testing.assert_allclose(BASELINES["self-influence"](linearized, **how), np.maximum(influence, 0), atol=1e-11)

    assert_margins(margin(linearized, **how), labels, targets(labels, k) - rho)
    known = replace(linearized, targets=targets(labels, k))
    np.testing.assert_array_equal(margin(linearized, **how), margin(known, **how))


@given(
    k=st.sampled_from([1, 3]),
    decay=st.sampled_from([0.0, 0.3]),
    convention=st.sampled_from(["sum", "mean"]),
    kind=st.sampled_from(["descent", "few steps", "flow", "converged"]),
    parameters=st.sampled_from([4, 30]),
    seed=st.integers(0, 10**6),
)
def test_held_out_equals_training_without(k, decay, convention, kind, parameters, seed):
    n = 7
    j, labels, r = problem(n, k, parameters, seed)
    rate = stable(j, n, decay, convention)
    training = {
        "descent": GradientDescent(150, rate, decay, convention),
        "few steps": GradientDescent(7, rate, decay, convention),
        "flow": GradientFlow(40.0, 1.0, decay, convention),
        "converged": Converged(decay, convention),
    }[kind]
    how = {"training": training}
    expected = np.empty((n, k))
    for i in range(n):
        kept = np.delete(np.arange(n * k).reshape(n, k), i, axis=0).ravel()
        rest = linearize_kernels(j[kept] @ j[kept].T, None, r.ravel()[kept], outputs=k)
        a = coefficients(rest, **how)
        expected[i] = r[i] - j.reshape(n, k, -1)[i] @ (j[kept].T @ a)
    linearized = linearize_kernels(j @ j.T, None, r, outputs=k)
    size = np.abs(expected).max()
    np.testing.assert_allclose(held_out_residuals(linearized, **how), expected, atol=1e-9 * size)
    np.testing.assert_allclose(
        held_out_residual(linearized, **how), np.linalg.norm(expected, axis=1), atol=1e-9 * k * size
    )
    assert_margins(held_out_margin(linearized, **how), labels, targets(labels, k) - expected, atol=1e-8 * size)


def targets(labels, k):
    return labels[:, None] if k == 1 else np.eye(k)[labels]


def assert_margins(scores, labels, outputs, atol=1e-10):
    if outputs.shape[1] == 1:
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    for score, label, row in zip(scores, labels, outputs, strict=True):
        others = np.delete(row, label)
        assert abs(score - (others.max() - row[label])) < atol


def test_influence_at_convergence_is_leave_one_out_times_what_leverage_leaves():
    # k = 1: exact leave-one-out residual = ρ/(1 − h), the influence function's ratio.
    j, _, r = problem(9, 1, 40, 1)
    how = {"training": Converged(0.05, "sum")}
    linearized = linearize_kernels(j @ j.T, None, r)
    h, rho = BASELINES["leverage"](linearized, **how), BASELINES["residual"](linearized, **how)
    np.testing.assert_allclose(BASELINES["self-influence"](linearized, **how), h * rho**2, rtol=1e-9)
    np.testing.assert_allclose(BASELINES["loo-residual"](linearized, **how), rho / (1 - h), rtol=1e-9)


def test_interpolation_leaves_nothing():
    j, _, r = problem(6, 1, 40, 2)
    how = {"training": Converged()}
    linearized = linearize_kernels(j @ j.T, None, r)
    assert (BASELINES["residual"](linearized, **how) == 0).all()
    assert (BASELINES["loo-residual"](linearized, **how) > 1e-3).all()


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize(
    ("residual", "settings", "says"),
    [
        (np.ones((4, 1)), {}, "residual has shape"),
        (np.full((3, 1), np.nan), {}, "3 NaN"),
        (np.ones((3, 1)), {"training": GradientDescent(50, 9.0)}, "diverges"),
    ],
)
def test_bad_input_is_named(name, residual, settings, says):
    theta = Spectrum(np.ones(3), np.eye(3))
    how = {"training": Converged()} | settings
    with pytest.raises(InvalidInput, match=says):
        BASELINES[name](LinearizedNetwork(theta, residual), **how)


@pytest.mark.parametrize("targets", [[[0.0], [1.0], [2.0]], [[0.5], [1.0], [0.0]], [[-1.0], [1.0], [1.0]]])
def test_labels_outside_the_classes_are_refused(targets):
    linearized = LinearizedNetwork(Spectrum(np.ones(3), np.eye(3)), np.ones((3, 1)), targets=np.array(targets))
    with pytest.raises(InvalidInput, match="targets that are 0 and 1"):
        margin(linearized, Converged(1.0))


@pytest.mark.parametrize("residual", [np.array([[0.9], [0.4]]), np.array([[0.6, 0.3, 0.0], [0.0, 0.0, 1.0]])])
def test_labels_that_cannot_be_read_must_be_given(residual):
    linearized = LinearizedNetwork(Spectrum(np.ones(residual.size), np.eye(residual.size)), residual)
    with pytest.raises(InvalidInput, match="labels of 1 of 2 examples cannot be read"):
        margin(linearized, Converged(1.0))
    targets = np.eye(residual.shape[1])[[0, 1]] if residual.shape[1] > 1 else np.array([[1.0], [0.0]])
    assert margin(replace(linearized, targets=targets), Converged(1.0)).shape == (2,)
