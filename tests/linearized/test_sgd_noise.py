"""The stationary covariance of SGD against the Lyapunov equation in weight space, and against SGD itself."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from infojax.arrays._precision import float64
from infojax.linearized import Converged, GradientDescent, GradientFlow, coefficients, linearize_kernels
from infojax.linearized._sgd_noise import sgd_noise
from infojax.linearized._training import as_sum


def problem(n, k, parameters, seed=0):
    """A Jacobian with a spread spectrum, and a residual."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n * k, parameters)) * np.geomspace(1.0, 0.3, parameters), rng.normal(size=n * k)


def linearized(jacobian, residual, examples):
    return linearize_kernels(jacobian @ jacobian.T, None, residual, outputs=len(residual) // examples)


def lyapunov(jacobian, residual, *, examples, batch, learning_rate, training):
    """Σ (P, P) of the weights, from the equation for all P of them."""
    a = coefficients(linearized(jacobian, residual, examples), training)
    left = jacobian @ (jacobian.T @ a) - residual
    gradients = (left[:, None] * jacobian).reshape(examples, -1, jacobian.shape[1]).sum(1)
    # In the convention of sums, batch gradients estimate the sum: n/b times those of the batch.
    scale = 1 / examples if training.convention == "mean" else 1.0
    summed = as_sum(training, examples).decay
    hessian = scale * (jacobian.T @ jacobian + summed * np.eye(jacobian.shape[1]))
    noise = (scale * examples) ** 2 * np.cov(gradients.T, bias=True) * learning_rate / batch
    return scipy.linalg.solve_continuous_lyapunov(hessian, noise)


@pytest.mark.parametrize("convention", ["mean", "sum"])
@pytest.mark.parametrize("training", [GradientDescent(20, 0.02), GradientFlow(0.7, 0.3), Converged()])
@pytest.mark.parametrize(("n", "k", "parameters"), [(8, 1, 5), (5, 3, 30), (5, 1, 30)])
def test_equals_the_equation_in_weight_space(convention, training, n, k, parameters):
    jacobian, residual = problem(n, k, parameters)
    training = replace(training, decay=0.2, convention=convention)
    settings = {"batch": 2, "learning_rate": 0.1, "training": training}
    noise = sgd_noise(linearized(jacobian, residual, n), **settings)
    whole = lyapunov(jacobian, residual, examples=n, **settings)
    # Vᵀ = (√S)⁻¹ Uᵀ J, as √S Uᵀ = Vᵀ Jᵀ.
    v = np.linalg.lstsq(noise.basis.T, jacobian, rcond=None)[0].T
    np.testing.assert_allclose(v.T @ v, np.eye(len(noise.basis)), atol=1e-12)
    np.testing.assert_allclose(v @ noise.covariance @ v.T, whole, atol=1e-12 * np.abs(whole).max())


def simulated(jacobian, residual, key, *, steps, chains, batch, learning_rate, decay):
    """Second moments (chains, P, P) of w − w* along SGD with the mean loss, after as many steps to forget w*."""
    n, parameters = jacobian.shape
    hessian = jacobian.T @ jacobian / n + decay * np.eye(parameters)
    w0 = np.linalg.solve(hessian, jacobian.T @ residual / n)

    def step(carry, key):
        w, moments, count = carry
        chosen = jax.random.randint(key, (chains, batch), 0, n)
        j, r = jnp.asarray(jacobian)[chosen], jnp.asarray(residual)[chosen]
        left = jnp.einsum("cbp,cp->cb", j, w) - r
        w = w - learning_rate * (jnp.einsum("cbp,cb->cp", j, left) / batch + decay * w)
        apart = w - w0[None]
        late = (count >= steps).astype(w.dtype)
        return (w, moments + late * apart[:, :, None] * apart[:, None] / steps, count + 1), None

    with float64():
        start = (jnp.tile(w0, (chains, 1)), jnp.zeros((chains, parameters, parameters)), jnp.zeros((), int))
        (_, moments, _), _ = jax.jit(lambda keys: jax.lax.scan(step, start, keys))(jax.random.split(key, 2 * steps))
        return np.asarray(moments)


def test_sgd_wanders_as_far():
    n, parameters, batch, rate, decay = 12, 3, 4, 0.01, 0.3
    jacobian, residual = problem(n, 1, parameters, seed=1)
    settings = {"batch": batch, "learning_rate": rate}
    moments = simulated(jacobian, residual, jax.random.key(0), steps=2000, chains=200, decay=decay, **settings)
    noise = sgd_noise(linearized(jacobian, residual, n), Converged(decay), **settings)
    v = np.linalg.lstsq(noise.basis.T, jacobian, rcond=None)[0].T
    seen = np.einsum("pa,cpq,qb->cab", v, moments, v)
    error = seen.std(axis=0) / np.sqrt(len(seen))
    scale = np.sqrt(np.outer(*2 * [np.diag(noise.covariance)]))
    # To first order in the rate: 1 % here.
    assert (np.abs(seen.mean(axis=0) - noise.covariance) < 4 * error + 0.02 * scale).all()
