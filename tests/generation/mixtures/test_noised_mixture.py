"""Posterior and score of mixtures against quadrature and automatic differentiation; exact sampling against moments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.generation import (
    cosine,
    empirical,
    gaussian_mixture,
    log_density,
    mixture_generator,
    posterior,
    sample,
    sample_exactly,
)

WEIGHTS, LABELS = np.array([1.0, 2.0, 1.5, 0.5]), np.array([0, 1, 1, 0])
MEANS = np.array([[-1.0, 0.5], [1.2, 0.0], [0.0, -1.5], [0.3, 1.0]])
COVARIANCES = {
    "isotropic": np.array([0.1, 0.3, 0.2, 0.4]),
    "diagonal": np.array([[0.1, 0.3], [0.2, 0.1], [0.3, 0.3], [0.05, 0.4]]),
    "full": np.array([[[0.3, s * 0.2], [s * 0.2, 0.25]] for s in (1, -1, 0.5, 0)]),
}
X, LABEL = np.array([[0.1, -0.2], [1.5, 0.3], [-0.7, 0.8]]), np.array([0, 1, 2])


def _made(kind):
    return gaussian_mixture(WEIGHTS, MEANS, COVARIANCES[kind], LABELS)


def _density(kind, label):
    """p(x₀ | label) by SciPy."""
    full = {
        "isotropic": lambda c: c * np.eye(2),
        "diagonal": np.diag,
        "full": np.asarray,
    }[kind]
    mine = [j for j in range(4) if label in (2, LABELS[j])]
    weights = WEIGHTS[mine] / WEIGHTS[mine].sum()
    parts = [multivariate_normal(MEANS[j], full(COVARIANCES[kind][j])) for j in mine]
    return lambda x: sum(w * part.pdf(x) for w, part in zip(weights, parts, strict=True))


@pytest.mark.parametrize("kind", COVARIANCES)
@pytest.mark.parametrize("t", [0.1, 0.6])
def test_posterior_score_and_density_against_quadrature(kind, t):
    side = np.linspace(-5, 5, 401)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    with float64():
        mixture, schedule = _made(kind), cosine()
        signal, noise = schedule.signal(t), schedule.noise(t)
        found = posterior(mixture, jnp.asarray(X), signal, noise, jnp.asarray(LABEL))
        density = log_density(mixture, jnp.asarray(X), jnp.asarray(LABEL), signal=signal, noise=noise)
        predicted = mixture_generator(mixture, schedule).noise(jnp.asarray(X), jnp.asarray(t), jnp.asarray(LABEL))
        for i in range(3):
            prior = _density(kind, LABEL[i])(grid)
            joint = prior * multivariate_normal(cov=float(noise)).pdf(X[i][0] - np.sqrt(signal) * grid[:, 0])
            joint *= multivariate_normal(cov=float(noise)).pdf(X[i][1] - np.sqrt(signal) * grid[:, 1])
            evidence = joint.sum() * (side[1] - side[0]) ** 2
            np.testing.assert_allclose(np.exp(density[i]), evidence, rtol=1e-6)
            mean = joint @ grid / joint.sum()
            np.testing.assert_allclose(predicted[i], (X[i] - np.sqrt(signal) * mean) / np.sqrt(noise), rtol=1e-6)
            r = np.exp(found.log_responsibilities[i])
            np.testing.assert_allclose(r @ np.asarray(found.means[i]), mean, rtol=1e-6)
            second = (joint * (grid**2).sum(1)).sum() / joint.sum()
            trace = np.broadcast_to(found.variances, (4, 2)).sum(1)
            np.testing.assert_allclose(r @ (trace + (np.asarray(found.means[i]) ** 2).sum(1)), second, rtol=1e-6)


@pytest.mark.parametrize("kind", COVARIANCES)
def test_noise_is_minus_the_noise_level_times_the_gradient_of_the_log_density(kind):
    with float64():
        mixture, schedule = _made(kind), cosine()
        for t in (0.0, 0.3, 1.0):
            signal, noise = schedule.signal(t), schedule.noise(t)

            def summed(x, signal=signal, noise=noise, mixture=mixture):
                return log_density(mixture, x, jnp.asarray(LABEL), signal=signal, noise=noise).sum()

            wanted = -np.sqrt(noise) * jax.grad(summed)(jnp.asarray(X))
            found = mixture_generator(mixture, schedule).noise(jnp.asarray(X), jnp.asarray(t), jnp.asarray(LABEL))
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_a_data_set_in_many_dimensions_keeps_its_digits_in_float32():
    rng = np.random.default_rng(0)
    x, y = rng.normal(5.0, 1.0, (300, 6, 8)), np.arange(300) % 3
    near = (x[:4] + 0.05 * rng.normal(size=(4, 6, 8))).reshape(4, 48)
    label = np.array([0, 1, 3, 3])
    given = {}
    for name in ("single", "double"):
        with float64() if name == "double" else jax.default_matmul_precision("default"):
            generator = mixture_generator(empirical(x, y, 0.1), cosine(), shape=(6, 8))
            xt = jnp.asarray(near, float).reshape(4, 6, 8)
            given[name] = [
                np.asarray(generator.noise(xt, jnp.asarray(t), jnp.asarray(label))) for t in (0.0, 0.02, 0.5)
            ]
    for single, double in zip(given["single"], given["double"], strict=True):
        np.testing.assert_allclose(single, double, atol=2e-4 * np.abs(double).max())
    # by hand at t = 0.02, label "any"
    t = 0.02
    with float64():
        signal, noise = float(cosine().signal(t)), float(cosine().noise(t))
    shift = near[2] - np.sqrt(signal) * x.reshape(300, -1)
    logits = -(shift**2).sum(1) / 2 / (signal * 0.01 + noise)
    r = np.exp(logits - logits.max())
    wanted = np.sqrt(noise) * (r / r.sum()) @ shift / (signal * 0.01 + noise)
    np.testing.assert_allclose(given["double"][1][2].reshape(-1), wanted, rtol=1e-6)


@pytest.mark.parametrize("kind", COVARIANCES)
def test_exact_sampling_has_the_moments_of_each_class(kind):
    n = 6000
    for label in (0, 1, 2):
        x = np.asarray(sample_exactly(_made(kind), np.full(n, label), key=jax.random.key(label)))
        mine = [j for j in range(4) if label in (2, LABELS[j])]
        w = WEIGHTS[mine] / WEIGHTS[mine].sum()
        covariance = {
            "isotropic": lambda c: c[:, None, None] * np.eye(2),
            "diagonal": lambda c: c[:, :, None] * np.eye(2),
            "full": lambda c: c,
        }[kind](COVARIANCES[kind][mine])
        mean = w @ MEANS[mine]
        second = np.einsum("j,jab->ab", w, covariance + MEANS[mine][:, :, None] * MEANS[mine][:, None])
        total = second - np.outer(mean, mean)
        assert (np.abs(x.mean(0) - mean) < 4 * np.sqrt(np.diag(total) / n)).all()
        scale = np.sqrt(np.outer(np.diag(total), np.diag(total)))
        assert (np.abs(np.cov(x.T) - total) < 5 * scale / np.sqrt(n / 2)).all()


def test_exact_sampling_never_leaves_its_class():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 7, 2000)
    data = empirical(y[:, None] * 10.0, y, 0.01)
    labels = rng.integers(0, 7, 5000)
    x = sample_exactly(data, labels, key=jax.random.key(0))
    np.testing.assert_array_equal(np.round(np.asarray(x)[:, 0] / 10), labels)


def test_samplers_and_exact_sampling_agree():
    mixture, labels, n = _made("full"), np.full(4000, 2), 4000
    x = np.asarray(sample(mixture_generator(mixture, cosine()), labels, key=jax.random.key(0), steps=100).x)
    exact = np.asarray(sample_exactly(mixture, labels, key=jax.random.key(1)))
    for statistic in (lambda x: x, lambda x: x**2, lambda x: np.sin(2 * x), lambda x: x * x[:, ::-1]):
        a, b = statistic(x), statistic(exact)
        assert (np.abs(a.mean(0) - b.mean(0)) < 4 * np.sqrt((a.var(0) + b.var(0)) / n)).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"weights": [1.0, 0.0]}, "weights of a mixture must be positive"),
        ({"covariances": [0.1, -0.1]}, "variances of a mixture must be positive"),
        ({"covariances": np.ones((2, 3))}, "covariances of shape"),
        ({"means": [[0.0, np.nan], [0.0, 0.0]]}, "means of a mixture must be finite"),
        ({"labels": [0, 2]}, "each class from 0 to 2 needs"),
        ({"labels": [0]}, "labels"),
    ],
)
def test_bad_mixtures_are_refused(wrong, says):
    given = {"weights": [1.0, 1.0], "means": np.zeros((2, 2)), "covariances": [1.0, 1.0], "labels": [0, 1]} | wrong
    with pytest.raises(InvalidInput, match=says):
        gaussian_mixture(*given.values())


def test_bad_bandwidths_and_shapes_are_refused():
    with pytest.raises(InvalidInput, match="bandwidth is 0"):
        empirical(np.ones((3, 2)), np.array([0, 1, 0]), 0.0)
    with pytest.raises(InvalidInput, match="2 numbers"):
        mixture_generator(_made("full"), cosine(), shape=(3,))
