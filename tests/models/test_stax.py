import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.models import from_stax
from infojax.models._neural_tangents import stax


def dense(outputs=2):
    return stax.serial(stax.Flatten(), stax.Dense(16, b_std=0.1), stax.Relu(), stax.Dense(outputs))


def conv():
    hidden = [stax.Conv(4, (3, 3), padding="SAME"), stax.Relu(), stax.AvgPool((2, 2)), stax.LayerNorm()]
    return stax.serial(*hidden, stax.Flatten(), stax.Dense(3))


@pytest.mark.parametrize("layers", [dense(), conv()])
@pytest.mark.parametrize("make_key", [jax.random.key, jax.random.PRNGKey])
def test_each_row_of_outputs_is_of_its_own_example(layers, make_key):
    network = from_stax(layers)
    params = network.init(make_key(0), (6, 6, 2))
    x = np.random.default_rng(0).normal(size=(5, 6, 6, 2)).astype(np.float32)
    outputs = jax.jit(network.apply)(params, x)
    assert outputs.dtype == jnp.float32
    for i in range(5):
        np.testing.assert_allclose(outputs[i : i + 1], network.apply(params, x[i : i + 1]), rtol=1e-4, atol=1e-5)


def test_outputs_are_those_of_the_formula():
    """NTK parameterisation: each layer is W_std/√d x W + b_std b."""
    network = from_stax(dense())
    params = network.init(jax.random.key(1), (4,))
    _, (w1, b1), _, (w2, _) = params
    x = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    hidden = np.maximum(x @ w1 / np.sqrt(np.float32(4)) + np.float32(0.1) * b1, 0)
    np.testing.assert_allclose(network.apply(params, x), hidden @ w2 / np.float32(4), rtol=1e-5, atol=1e-6)


def test_keys_decide_parameters_and_can_be_vmapped():
    network = from_stax(dense())
    keys = jax.random.split(jax.random.key(3), 2)
    many = jax.vmap(lambda key: network.init(key, (4,)))(keys)
    alone = network.init(keys[1], (4,))
    jax.tree.map(lambda stacked, one: np.testing.assert_allclose(stacked[1], one, rtol=1e-6), many, alone)
    assert not np.allclose(many[1][0][0], many[1][0][1])


def test_float64_where_asked_for():
    network = from_stax(dense())
    with float64():
        params = network.init(jax.random.key(0), (4,))
        assert network.apply(params, np.ones((2, 4))).dtype == jnp.float64
    assert network.apply(network.init(jax.random.key(0), (4,)), np.ones((2, 4), np.float32)).dtype == jnp.float32


def test_brings_its_infinite_width_kernel_under_strict_promotion():
    network = from_stax(dense())
    assert network.kernel is not None
    kernel = network.kernel(np.ones((2, 4), np.float32), np.ones((3, 4), np.float32), "ntk")
    assert kernel.shape == (2, 3)


@pytest.mark.parametrize("given", [stax.Dense(3)[:2], [1, 2, 3], (1, 2, 3), "mlp"])
def test_refuses_what_is_no_triple(given):
    with pytest.raises(InvalidInput, match=r"stax\.serial"):
        from_stax(given)


@pytest.mark.parametrize("shape", [(), (3,), (6, 6)])
def test_refuses_examples_that_do_not_fit(shape):
    with pytest.raises(InvalidInput, match="does not take examples of shape"):
        from_stax(conv()).init(jax.random.key(0), shape)


def test_apply_refuses_examples_that_do_not_fit_the_parameters():
    network = from_stax(conv())
    params = network.init(jax.random.key(0), (6, 6, 2))
    with pytest.raises(InvalidInput, match=r"does not take examples of shape \(8, 8, 2\)"):
        network.apply(params, np.ones((1, 8, 8, 2), np.float32))


def test_refuses_outputs_that_are_no_vectors():
    network = from_stax(stax.serial(stax.Conv(4, (3, 3))))
    with pytest.raises(InvalidInput, match="Flatten"):
        network.init(jax.random.key(0), (6, 6, 2))


@pytest.mark.parametrize("mode", ["train", "test"])
def test_refuses_dropout(mode):
    network = from_stax(stax.serial(stax.Dense(4), stax.Dropout(0.5, mode=mode), stax.Dense(1)))
    with pytest.raises(InvalidInput, match="Dropout"):
        network.init(jax.random.key(0), (3,))
