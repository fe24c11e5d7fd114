"""Trained networks so small that every matrix can be written down, and influence from those matrices."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from infojax.arrays._precision import float64
from infojax.linearized import Converged
from infojax.models import mlp


@pytest.fixture(scope="session")
def make():
    return problem


@pytest.fixture(scope="session")
def dense():
    return dense_influence


@pytest.fixture(scope="session")
def jacobian():
    return dense_jacobian


@functools.cache  # one network, one compilation
def perceptron(hidden, outputs):
    return mlp(hidden, outputs, activation=jax.nn.tanh)


def problem(loss, n=6, q=6, k=3, inputs=4, hidden=(5,), seed=0, dtype=np.float64):
    """Network, parameters of the size of trained ones, examples and queries; few shapes, each is compiled once."""
    rng = np.random.default_rng(seed)
    network = perceptron(hidden, k)
    shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), (inputs,)))
    with float64():
        params = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), dtype), shapes)

    def examples(count):
        x = rng.normal(size=(count, inputs)).astype(dtype)
        y = rng.integers(k, size=count) if loss == "cross_entropy" else rng.normal(size=(count, k)).astype(dtype)
        return x, y

    return network, params, examples(n), examples(q)


def dense_influence(network, params, train, queries, *, curvature, loss, damping, training=Converged()):
    """Scores (n, q) and self-influence (n,) from P × P matrices and n × P gradients, by the definition of the loss."""
    n, k = len(train[0]), jax.tree.leaves(params)[-1].shape[-1]
    x, y = (np.concatenate(parts) for parts in zip(train, queries, strict=True))
    if loss == "cross_entropy":
        y = np.eye(k)[y]
    f, j = dense_jacobian(network, params, x)
    p = np.exp(f - f.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    rho = f - y if loss == "squared" else p - y
    g, query_g = np.split(np.einsum("ikp,ik->ip", j, rho), [n])
    if curvature == "hessian":
        c = dense_hessian(network, params, x[:n], y[:n], loss)
    elif curvature == "fisher":
        c = g.T @ g
    else:
        middle = np.eye(k)[None] if loss == "squared" else np.eye(k)[None] * p[:n, None] - p[:n, None] * p[:n, :, None]
        c = np.einsum("ikp,ikl,ilr->pr", j[:n], np.broadcast_to(middle, (n, k, k)), j[:n])
    if training.convention == "mean":
        # From where a step on all examples ends to where one without i ends: −H⁻¹ (∇L_−i − ∇L).
        change = np.stack([np.delete(g, i, 0).mean(0) - g.mean(0) for i in range(n)])
        c = c / n
    else:
        change = -g
    moved = -np.linalg.solve(c + (training.decay + damping) * np.eye(len(c)), change.T)
    return (query_g @ moved).T, np.sum(g * moved.T, axis=1)


def dense_jacobian(network, params, x):
    """Outputs (n, k) and their derivatives (n, k, P)."""
    with float64():
        w, unflatten = ravel_pytree(params)
        apply = jax.jit(lambda w: network.apply(unflatten(w), x))
        return np.asarray(apply(w)), np.asarray(jax.jit(jax.jacobian(apply))(w))


def dense_hessian(network, params, x, y, loss):
    with float64():
        w, unflatten = ravel_pytree(params)

        def total(w):
            f = network.apply(unflatten(w), x)
            return ((f - y) ** 2).sum() / 2 if loss == "squared" else -(y * jax.nn.log_softmax(f)).sum()

        return np.asarray(jax.jit(jax.hessian(total))(w))
