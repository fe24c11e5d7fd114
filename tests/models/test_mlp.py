from itertools import pairwise

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.models import mlp

SHAPE = (3, 4, 2)


def dense(layer):
    return np.asarray(layer["kernel"], np.float64), np.asarray(layer["bias"], np.float64)


@pytest.mark.parametrize("activation", [jax.nn.relu, jnp.tanh])
def test_is_the_formula(activation):
    network = mlp(hidden=(7, 5), outputs=3, activation=activation)
    params = network.init(jax.random.key(1), SHAPE)
    x = jax.random.normal(jax.random.key(2), (6, *SHAPE))
    (a, b), (c, d), (e, f) = (dense(layer) for _, layer in sorted(params["layers"].items()))
    phi = {jax.nn.relu: lambda z: np.maximum(z, 0), jnp.tanh: np.tanh}[activation]
    want = phi(phi(np.asarray(x, np.float64).reshape(6, -1) @ a + b) @ c + d) @ e + f
    np.testing.assert_allclose(network.apply(params, x), want, rtol=2e-5, atol=2e-6)


@settings(max_examples=8)
@given(st.lists(st.integers(1, 6), max_size=3), st.integers(1, 4), st.lists(st.integers(1, 4), max_size=3))
def test_any_sizes(hidden, outputs, shape):
    network = mlp(tuple(hidden), outputs)
    params = network.init(jax.random.key(0), tuple(shape))
    sizes = [int(np.prod(shape)), *hidden, outputs]
    count = sum(a * b + b for a, b in pairwise(sizes))
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == count
    assert network.apply(params, jnp.ones((2, *shape))).shape == (2, outputs)


def test_torch_init_is_uniform_within_one_over_root_fan_in():
    params = mlp(hidden=(400,)).init(jax.random.key(3), (50,))
    first, second = (dense(layer) for _, layer in sorted(params["layers"].items()))
    for (kernel, bias), fan_in in ((first, 50), (second, 400)):
        bound = fan_in**-0.5
        for values in (kernel, bias):
            assert np.abs(values).max() <= bound
        assert np.abs(kernel).max() > 0.95 * bound
        assert kernel.std() == pytest.approx(bound / 3**0.5, rel=0.1)
    assert first[1].std() == pytest.approx(50**-0.5 / 3**0.5, rel=0.1)


def test_lecun_init_is_normal_with_zero_bias():
    kernel, bias = dense(mlp(hidden=(400,), init="lecun").init(jax.random.key(3), (50,))["layers"][1])
    assert kernel.std() == pytest.approx(50**-0.5, rel=0.05)
    assert np.abs(kernel).max() > 50**-0.5 * 1.9
    assert not bias.any()


def test_keys_differ_and_repeat():
    network = mlp(hidden=(4,))
    first, again, other = (network.init(jax.random.key(i), (3,))["layers"][1]["kernel"] for i in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_float64_stays_float64():
    network = mlp(hidden=(300,))
    params = network.init(jax.random.key(0), (20,))
    x = np.random.default_rng(0).normal(size=(4, 20))
    with float64():
        wide = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), params)
        got = np.asarray(jax.jit(network.apply)(wide, jnp.asarray(x)))
    (a, b), (c, d) = (dense(layer) for _, layer in sorted(params["layers"].items()))
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, np.maximum(x @ a + b, 0) @ c + d, rtol=1e-12, atol=1e-13)


def test_jit_and_vmap_over_parameters():
    network = mlp(hidden=(6,))
    x = jnp.linspace(0.0, 1.0, 12).reshape(4, 3)
    many = [network.init(jax.random.key(i), (3,)) for i in range(3)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *many)
    got = jax.jit(jax.vmap(network.apply, (0, None)))(stacked, x)
    np.testing.assert_allclose(got, jnp.stack([network.apply(params, x) for params in many]), rtol=1e-5, atol=1e-6)


def test_works_inside_jit_before_any_call_outside():
    network = mlp(hidden=(6,))

    def fresh(key):
        return network.apply(network.init(key, (3,)), jnp.ones((2, 3)))

    got = jax.jit(fresh)(jax.random.key(0))
    np.testing.assert_allclose(got, fresh(jax.random.key(0)), rtol=1e-6)


def test_bad_input():
    with pytest.raises(InvalidInput, match="hidden=\\(3, 0\\)"):
        mlp(hidden=(3, 0))
    with pytest.raises(InvalidInput, match="outputs=0"):
        mlp(outputs=0)
    with pytest.raises(InvalidInput, match="no entries"):
        mlp(hidden=(2,)).init(jax.random.key(0), (0, 3))
    network = mlp(hidden=(2,))
    params = network.init(jax.random.key(0), (3,))
    with pytest.raises(InvalidInput, match=r"\(3, 2\).*\(4, 2\).*init\(key, \(4,\)\)"):
        network.apply(params, jnp.ones((5, 4)))


@pytest.mark.parametrize(("hidden", "shape"), [(5, 8), (np.int64(5), np.int64(8)), ([5], [8]), (np.array([5]), (8,))])
def test_one_number_stands_for_one_width_and_for_vectors(hidden, shape, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as users run it
    params = mlp(hidden=hidden).init(jax.random.key(0), shape)
    expected = mlp(hidden=(5,)).init(jax.random.key(0), (8,))
    jax.tree.map(np.testing.assert_array_equal, params, expected)


@pytest.mark.parametrize("hidden", ["5", None, 2.5, [2.5], (4, "5"), True])
def test_widths_are_whole_numbers(hidden, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as users run it
    with pytest.raises(InvalidInput, match=r"a width in hidden is .*whole number"):
        mlp(hidden=hidden)


@pytest.mark.parametrize("shape", [None, "8", 2.5])
def test_shapes_are_numbers(shape):
    with pytest.raises(InvalidInput, match="shape is"):
        mlp().init(jax.random.key(0), shape)
