"""Distances against loops over pairs, closed forms, and repeated sampling; the exact tilt by another quadrature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from infojax.errors import InvalidInput
from infojax.generation import (
    diversity,
    exact_tilt,
    gaussian_mixture,
    mean_entropy,
    squared_mmd,
    total_variation,
    total_variation_floor,
)
from infojax.models._network import Network
from infojax.training import Learner, entropy

MIXTURE = gaussian_mixture([1.0, 3.0], [[-1.0, 0.0], [1.0, 0.5]], [0.1, 0.3], [0, 1])
LEARNER = Learner(Network(lambda key, shape: jnp.ones(2), lambda w, x: x @ w[:, None]), jnp.array([2.0, -1.0]))


def test_exact_tilt_against_gauss_legendre_quadrature_of_scipys_densities():
    nodes, weights = np.polynomial.legendre.leggauss(120)
    x = np.stack(np.meshgrid(4.5 * nodes, 4.5 * nodes, indexing="ij"), -1).reshape(-1, 2)
    p = 0.25 * multivariate_normal([-1.0, 0.0], 0.1).pdf(x) + 0.75 * multivariate_normal([1.0, 0.5], 0.3).pdf(x)
    one = 1 / (1 + np.exp(-(2 * x[:, 0] - x[:, 1])))
    uncertain = -(one * np.log(one) + (1 - one) * np.log1p(-one))
    mass = 4.5**2 * np.outer(weights, weights).reshape(-1) * p * np.exp(1.5 * uncertain)
    total, weighed = mass.sum(), mass @ uncertain
    found = exact_tilt(MIXTURE, LEARNER, 1.5)
    np.testing.assert_allclose([found.normaliser, found.entropy], [total, weighed / total], rtol=2e-4)
    np.testing.assert_allclose(found.probabilities.sum(), 1, rtol=1e-9)
    of_class = exact_tilt(MIXTURE, LEARNER, 0.0, label=1)
    middles = [(edges[1:] + edges[:-1]) / 2 for edges in of_class.edges]
    np.testing.assert_allclose(of_class.probabilities.sum(1) @ middles[0], 1.0, atol=0.01)


def test_the_floor_is_what_perfect_samples_have():
    tilt = exact_tilt(MIXTURE, LEARNER, 1.0, cells=12)
    n, rng = 500, np.random.default_rng(0)
    counts = rng.multinomial(n, tilt.probabilities.reshape(-1) / tilt.probabilities.sum(), size=400)
    drawn = np.abs(counts / n - tilt.probabilities.reshape(-1)).sum(1) / 2
    floor = total_variation_floor(tilt, n)
    assert abs(drawn.mean() - floor.value) < 4 * drawn.std() / np.sqrt(400)
    assert 0.8 < drawn.std() / floor.stderr < 1.1
    corners = np.stack([tilt.edges[0][:1] + 1e-3, tilt.edges[1][:1] + 1e-3], 1)
    apart = total_variation(np.concatenate([corners, corners - 1.0]), tilt)
    np.testing.assert_allclose(apart, 1.0, atol=1e-6)  # a cell of no probability, and outside of all


def test_mmd_is_its_double_sum():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(7, 3)), rng.normal(1.0, 2.0, size=(5, 3))

    def k(a, b):
        return np.exp(-((a - b) ** 2).sum() / 2 / 0.7**2)

    within = [sum(k(z[i], z[j]) for i in range(len(z)) for j in range(len(z)) if i != j) for z in (x, y)]
    wanted = within[0] / 42 + within[1] / 20 - 2 * np.mean([[k(a, b) for b in y] for a in x])
    for tile in (2, 100):
        np.testing.assert_allclose(squared_mmd(x, y, 0.7, tile=tile).value, wanted, rtol=1e-5)
    np.testing.assert_allclose(diversity(x, 0.7), 49 / sum(k(a, b) ** 2 for a in x for b in x), rtol=1e-5)


def test_mmd_is_unbiased_and_its_error_is_not_too_small():
    """For two Gaussians and a Gaussian kernel: E k(a, b) = (h²/(h² + s²))^{1/2} e^{−m²/2(h² + s²)} in one dimension."""
    rng, h = np.random.default_rng(0), 1.0

    def overlap(mean, variance):
        return np.sqrt(h**2 / (h**2 + variance)) * np.exp(-(mean**2) / 2 / (h**2 + variance))

    for shift in (0.0, 0.6):
        drawn = np.array([squared_mmd(rng.normal(size=(60, 1)), rng.normal(shift, 1, (40, 1)), h) for _ in range(200)])
        exact = 2 * overlap(0.0, 2.0) - 2 * overlap(shift, 2.0)
        spread = drawn[:, 0].std()
        assert abs(drawn[:, 0].mean() - exact) < 4 * spread / np.sqrt(200)
        assert 0.9 * spread < np.sqrt((drawn[:, 1] ** 2).mean()) < 2.0 * spread


def test_diversity_counts_what_is_apart():
    apart = np.repeat(np.arange(5.0)[:, None] * 100, 3, axis=1)
    np.testing.assert_allclose(diversity(np.repeat(apart, 4, axis=0), 1.0), 5.0, rtol=1e-5)


def test_mean_entropy_and_its_error():
    x = np.asarray(jax.random.normal(jax.random.key(0), (300, 2)))
    uncertain = np.asarray(entropy(LEARNER, jnp.asarray(x)))
    found = mean_entropy(LEARNER, x)
    np.testing.assert_allclose(found, [uncertain.mean(), uncertain.std(ddof=1) / np.sqrt(300)], rtol=1e-5)


def test_bad_arguments_are_refused():
    with pytest.raises(InvalidInput, match="at least three"):
        squared_mmd(np.ones((2, 1)), np.ones((5, 1)), 1.0)
    for wrong in (lambda: squared_mmd(np.ones((5, 1)), np.ones((5, 1)), 0.0), lambda: diversity(np.ones((5, 1)), -1.0)):
        with pytest.raises(InvalidInput, match="bandwidth"):
            wrong()
    with pytest.raises(InvalidInput, match="in 1 dimensions"):
        exact_tilt(gaussian_mixture([1.0], [[0.0]], [1.0], [0]), LEARNER, 1.0)
    with pytest.raises(InvalidInput, match="sums to"):
        exact_tilt(
            gaussian_mixture([1.0, 1.0], [[0.0, 0.0], [900.0, 0.0]], [1e-4, 1.0], [0, 1]), LEARNER, 1.0, refine=2
        )
