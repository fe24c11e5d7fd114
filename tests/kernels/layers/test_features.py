"""Layer by layer against contracting the Jacobian, over the ways in which networks use their parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.kernels import empirical_ntk
from infojax.kernels.layers.program import flatten
from infojax.kernels.layers.sites import find_sites
from infojax.models import from_stax
from tests.kernels.layers.networks import DIFFERENT_IN_FLOAT64, NETWORKS, WITH_ONE_OUTPUT, brute_force, examples, images

ONE = [pytest.param(make, 1, marks=pytest.mark.slow) for make in WITH_ONE_OUTPUT]


@pytest.mark.parametrize(("make", "k"), [*((make, 3) for make in NETWORKS), *ONE])
def test_equals_jacobian_contraction(make, k):
    params, apply, shape, _ = make(k)
    x = examples(make, shape, 5)
    expected = brute_force(apply, params, x)
    scale = np.abs(expected).max()
    kernel = empirical_ntk(apply, params, x, x[:3], tile=2)
    assert kernel.shape == (5 * k, 3 * k)
    assert kernel.dtype == np.float32
    np.testing.assert_allclose(kernel, expected[:, : 3 * k], rtol=0, atol=1e-6 * scale)
    symmetric = empirical_ntk(apply, params, x, tile=2)
    np.testing.assert_allclose(symmetric, expected, rtol=0, atol=1e-6 * scale)
    np.testing.assert_array_equal(symmetric, symmetric.T)


@pytest.mark.slow
@pytest.mark.parametrize("make", DIFFERENT_IN_FLOAT64, ids=lambda make: make.__name__)
def test_equals_jacobian_contraction_in_float64(make):
    with float64():
        params, apply, shape, _ = make(3)
        params = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), params)
        x = examples(make, shape, 4)
        x = x.astype(jnp.float64) if jnp.issubdtype(x.dtype, jnp.floating) else x
        expected = brute_force(apply, params, x)
        kernel = empirical_ntk(apply, params, x)
    assert kernel.dtype == np.float64
    np.testing.assert_allclose(kernel, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
def test_products_with_data_are_found(make):
    params, apply, shape, products = make(3)
    leaves, structure = jax.tree.flatten(params)
    x = examples(make, shape, 1)
    program = flatten(lambda *args: apply(jax.tree.unflatten(structure, args[:-1]), args[-1]), *leaves, x)
    assert len(find_sites(program.jaxpr, program.jaxpr.invars[:-1])) == products


def test_stax_network():
    from infojax.models._neural_tangents import stax

    layers = [stax.Conv(4, (3, 3), padding="SAME", b_std=0.1), stax.Relu(), stax.AvgPool((2, 2), (2, 2))]
    network = from_stax(stax.serial(*layers, stax.Flatten(), stax.Dense(5, b_std=0.2), stax.Erf(), stax.Dense(3)))
    params = network.init(jax.random.key(0), (4, 4, 2))
    x = images(4, 4, 4, 2)
    expected = brute_force(network.apply, params, x)
    kernel = empirical_ntk(network, params, x)
    np.testing.assert_allclose(kernel, expected, rtol=0, atol=1e-6 * np.abs(expected).max())
