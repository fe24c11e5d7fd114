"""Bounds of the largest eigenvalue, and quadrature, against eigendecompositions."""

import jax
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.linearized.products.largest_eigenvalues import spectral
from infojax.linearized.products.products import products_with


@pytest.mark.parametrize("n", [1, 5, 120])
@pytest.mark.parametrize("power", [0.0, 0.3, 2.0])
def test_bounds_hold(n, power):
    rng = np.random.default_rng(n)
    points = rng.normal(size=(n, n)) * (1.0 + np.arange(n)) ** -power
    kernel, r = points @ points.T, rng.normal(size=n)
    s, u = np.linalg.eigh(kernel)
    with float64():
        found = spectral(products_with(kernel, n, np.dtype(float), jax.devices()[:1], resident=True), r)
    assert found.below <= s[-1] * (1 + 1e-12)
    assert s[-1] <= found.near <= found.above <= 1.3 * s[-1]
    np.testing.assert_allclose(found.weights.sum(), r @ r, rtol=1e-10)
    for f in (np.square, np.sqrt, lambda s: np.exp(-s / kernel.trace())):
        exact = (u.T @ r) ** 2 @ f(np.maximum(s, 0))
        np.testing.assert_allclose(found.weights @ f(np.maximum(found.nodes, 0)), exact, rtol=1e-3)


def test_a_matrix_with_few_eigenvalues_ends_early():
    with float64():
        found = spectral(
            products_with(2 * np.eye(100), 100, np.dtype(float), jax.devices()[:1], resident=True), np.ones(100)
        )
    assert found.above == pytest.approx(2.0, rel=1e-12)
