"""Layers with positions: products over pairs of positions, and of gradients formed from their factors."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax.kernels import _contract as contract
from infojax.kernels import empirical_ntk
from infojax.kernels._batches import in_batches
from infojax.kernels.layers.features import features, pairs_are_cheaper

sizes = st.integers(1, 5)


@settings(max_examples=8)
@given(n=sizes, m=sizes, k=st.integers(1, 3), s=sizes, f=sizes, o=st.integers(1, 12), formed=st.integers(1, 5000))
def test_both_ways_over_positions(n, m, k, s, f, o, formed):
    random = np.random.default_rng([n, m, k, s, f, o])
    shapes = ((n, s, f), (n, k, s, o), (m, s, f), (m, k, s, o))
    a, b, a2, b2 = (jnp.asarray(random.normal(size=shape), jnp.float32) for shape in shapes)
    expected = np.einsum("isf,icso,jtf,jdto->icjd", a, b, a2, b2, optimize=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract, "_FORMED", formed)  # one output feature at a time, up to all of them
        for way in (contract._over_positions, contract._over_formed_gradients):
            np.testing.assert_allclose(way(a, b, a2, b2), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def normal(*shape: int):
    return jnp.asarray(np.random.default_rng(shape).normal(size=shape), jnp.float32) / shape[0] ** 0.5


def of_tokens(positions: int, k: int):
    """A wide layer at so many positions, then a dense one with the same cotangents for all examples."""
    params = {"wide": normal(150, 100), "bias": normal(100), "out": normal(100, k)}
    return params, lambda p, x: jnp.tanh(x @ p["wide"] + p["bias"][None, None]).mean(1) @ p["out"], (positions, 150)


@pytest.mark.parametrize(("positions", "k", "pairs"), [(2, 1, True), (9, 1, False), (9, 3, True)])
def test_wide_layers_are_kept_as_factors(positions, k, pairs):
    params, apply, shape = of_tokens(positions, k)
    x = normal(5, *shape)
    ((a, b),) = features(apply, params, x).factored
    assert a.shape == (5, positions, 151)
    assert b.shape == (5, k, positions, 100)
    assert pairs_are_cheaper(positions, 151, k, 100) == pairs
    expected = empirical_ntk(apply, params, x, implementation="jacobian")
    np.testing.assert_allclose(empirical_ntk(apply, params, x), expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(("positions", "k"), [(2, 1), (9, 1), (9, 3)])
def test_estimate_of_memory_covers_what_the_compiler_takes(positions, k):
    params, apply, shape = of_tokens(positions, k)
    one, block = (features(apply, params, normal(n, *shape)) for n in (1, 24))
    analysis = contract.contract.lower(block, block).compile().memory_analysis()
    taken = analysis.temp_size_in_bytes + analysis.output_size_in_bytes
    assert taken <= 2 * contract.contraction_bytes(one, 24, 24)


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_features_in_batches_are_the_same(most):
    params, apply, shape = of_tokens(4, 2)
    x = np.asarray(normal(5, *shape))
    of_block = functools.partial(features, apply, params)
    jax.tree.map(np.testing.assert_array_equal, in_batches(of_block, x, most), of_block(x))
