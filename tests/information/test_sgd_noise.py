"""Information smoothed by SGD noise against its definition in weight space: P × P, and really without each example."""

from dataclasses import replace

import jax
import numpy as np
import pytest
import scipy.linalg

from infojax import Converged, GradientDescent, GradientFlow
from infojax.errors import InvalidInput
from infojax.information import sgd_from_kernel, sgd_information
from infojax.linearized import coefficients, linearize_kernels, spectrum
from infojax.linearized._training import as_sum


def problem(n, k, parameters, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n * k, parameters)) * np.geomspace(1.0, 0.3, parameters), rng.normal(size=n * k)


def defined(jacobian, residual, groups, *, outputs, batch, learning_rate, ridge, training):
    """½ δᵀ Σ⁻¹ δ with δ and Σ in weight space, restricted to the row space of the Jacobian."""
    n = len(residual) // outputs

    def trained(examples):
        rows = (np.asarray(examples)[:, None] * outputs + np.arange(outputs)[None]).ravel()
        j = jacobian[rows]
        return j.T @ coefficients(linearize_kernels(j @ j.T, None, residual[rows], outputs=outputs), training)

    w = trained(np.arange(n))
    gradients = ((jacobian @ w - residual)[:, None] * jacobian).reshape(n, outputs, -1).sum(1)
    rate = learning_rate / n if training.convention == "mean" else learning_rate
    span = scipy.linalg.orth(jacobian.T)
    hessian = span.T @ jacobian.T @ jacobian @ span + as_sum(training, n).decay * np.eye(span.shape[1])
    noise = rate * n**2 / batch * np.cov(span.T @ gradients.T, bias=True)
    sigma = scipy.linalg.solve_continuous_lyapunov(hessian, noise)
    sigma += ridge * np.trace(sigma) / len(sigma) * np.eye(len(sigma))
    moved = [span.T @ (w - trained(np.setdiff1d(np.arange(n), group))) for group in groups]
    return np.array([delta @ np.linalg.solve(sigma, delta) / 2 for delta in moved]), np.linalg.cond(sigma)


EXHAUSTIVE = [pytest.param(training, marks=pytest.mark.slow) for training in (GradientFlow(0.7, 0.3), Converged())]


@pytest.mark.parametrize("convention", ["mean", "sum"])
@pytest.mark.parametrize("training", [GradientDescent(20, 0.02), *EXHAUSTIVE])
@pytest.mark.parametrize(("n", "k", "parameters", "ridge"), [(8, 1, 5, 0.0), (5, 3, 30, 1e-3)])
def test_equals_the_definition(convention, training, n, k, parameters, ridge):
    jacobian, residual = problem(n, k, parameters)
    settings = {"outputs": k, "batch": 2, "learning_rate": 0.1, "ridge": ridge}
    settings |= {"training": replace(training, decay=0.2, convention=convention)}
    scores = sgd_from_kernel(jacobian @ jacobian.T, residual, **settings)
    theirs, condition = defined(jacobian, residual, np.arange(n)[:, None], **settings)
    np.testing.assert_allclose(scores.si, theirs, rtol=1e-14 * condition + 1e-11)
    np.testing.assert_allclose(scores.condition, condition, rtol=1e-14 * condition + 1e-11)


def test_groups_and_a_kept_spectrum():
    jacobian, residual = problem(8, 1, 5)
    settings = {"batch": 3, "learning_rate": 0.1, "training": Converged(0.2), "ridge": 0.0}
    groups = [[0], [2, 5, 6]]
    scores = sgd_from_kernel(spectrum(jacobian @ jacobian.T), residual, groups=groups, **settings)
    theirs, _ = defined(jacobian, residual, groups, outputs=1, **settings)
    np.testing.assert_allclose(scores.si, theirs, rtol=1e-10)


def test_without_decay_needs_a_finite_time_or_too_few_parameters():
    jacobian, residual = problem(6, 1, 20)
    kernel, settings = jacobian @ jacobian.T, {"batch": 2, "learning_rate": 0.1, "ridge": 1e-6}
    with pytest.raises(InvalidInput, match="interpolates its targets"):
        sgd_from_kernel(kernel, residual, training=Converged(), **settings)
    assert (sgd_from_kernel(kernel, residual, training=GradientFlow(3.0), **settings).si > 0).all()
    few = jacobian[:, :3]
    assert (sgd_from_kernel(few @ few.T, residual, training=Converged(), **settings).si > 0).all()


def test_from_a_network():
    from infojax.data import load
    from infojax.models import mlp

    train, _ = load("digits").only(4, 9).split(12, 4, seed=0)
    network = mlp(hidden=(16,))
    params = network.init(jax.random.key(0), train.x.shape[1:])
    scores = sgd_information(network, params, train, batch=4, training=GradientDescent(50, 0.05), ridge=1e-3)
    assert scores.si.shape == (12,)
    assert (scores.si > 0).all()
    assert scores.condition > 1


GOOD = {"training": GradientFlow(3.0), "batch": 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": 0}, "batch is 0"),
        ({"ridge": -1.0}, "ridge is -1.0"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1"),
        ({"training": Converged(0.1)}, "no learning rate"),
        ({"outputs": 2}, "Shapes do not fit"),
        ({"residual": np.array([1.0, np.nan, 0.0])}, "residual has 1 NaN"),
        ({"residual": np.array([1.0, 0.0, 0.0])}, "covariance of SGD's noise is singular"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(InvalidInput, match=message):
        sgd_from_kernel(**{"train_kernel": np.diag([1.0, 2.0, 3.0]), "residual": np.ones(3), **GOOD, **change})
