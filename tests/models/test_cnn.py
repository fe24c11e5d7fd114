import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.models import cnn


def convolve(x, layer, stride, padding):
    """Plain loops over output pixels."""
    kernel, bias = np.asarray(layer["kernel"], np.float64), np.asarray(layer["bias"], np.float64)
    size = kernel.shape[0]
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    rows, columns = ((side - size) // stride + 1 for side in x.shape[1:3])
    y = np.empty((len(x), rows, columns, kernel.shape[3]))
    for i in range(rows):
        for j in range(columns):
            patch = x[:, i * stride : i * stride + size, j * stride : j * stride + size]
            y[:, i, j] = np.tensordot(patch, kernel, 3) + bias
    return np.maximum(y, 0)


def by_hand(params, x):
    layers = [layer for _, layer in sorted(params["layers"].items())]
    for layer, (stride, padding) in zip(layers, [(2, 1), (2, 1), (2, 0), (1, 0)], strict=False):
        x = convolve(x, layer, stride, padding)
    x = x.reshape(len(x), -1)
    x = np.maximum(x @ np.asarray(layers[4]["kernel"], np.float64) + np.asarray(layers[4]["bias"], np.float64), 0)
    return x @ np.asarray(layers[5]["kernel"], np.float64) + np.asarray(layers[5]["bias"], np.float64)


def shapes(params):
    return [layer["kernel"].shape for _, layer in sorted(params["layers"].items())]


def test_is_the_papers_network():
    params = cnn().init(jax.random.key(0), (28, 28, 1))
    assert shapes(params) == [
        (4, 4, 1, 32),
        (4, 4, 32, 32),
        (3, 3, 32, 64),
        (3, 3, 64, 256),
        (256, 256),
        (256, 1),
    ]


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 36, 3)])
def test_is_the_formula(shape):
    network = cnn(outputs=2)
    params = network.init(jax.random.key(1), shape)
    x = np.random.default_rng(0).normal(size=(2, *shape))
    got = network.apply(params, jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(got, by_hand(params, x), rtol=1e-4, atol=1e-5)
    with float64():
        wide = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), params)
        got = np.asarray(network.apply(wide, jnp.asarray(x)))
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, by_hand(params, x), rtol=1e-11, atol=1e-12)


def test_gray_images_without_a_channel_axis():
    network = cnn()
    params = network.init(jax.random.key(0), (28, 28))
    x = jax.random.normal(jax.random.key(1), (2, 28, 28))
    np.testing.assert_array_equal(network.apply(params, x), network.apply(params, x[..., None]))


def test_torch_init_bounds_by_the_receptive_field():
    params = cnn().init(jax.random.key(0), (28, 28, 1))
    for _, layer in sorted(params["layers"].items()):
        bound = float(np.prod(layer["kernel"].shape[:-1])) ** -0.5
        assert 0.9 * bound < float(jnp.abs(layer["kernel"]).max()) <= bound
        assert float(jnp.abs(layer["bias"]).max()) <= bound


def test_vmap_over_parameters():
    network = cnn()
    x = jax.random.normal(jax.random.key(1), (2, 28, 28, 1))
    many = [network.init(jax.random.key(i), (28, 28, 1)) for i in range(2)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *many)
    got = jax.vmap(network.apply, (0, None))(stacked, x)
    np.testing.assert_allclose(got, jnp.stack([network.apply(params, x) for params in many]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 27, 1), (784,), (28, 28, 1, 1)])
def test_refuses_what_it_cannot_convolve(shape):
    with pytest.raises(InvalidInput, match=str(shape[0])):
        cnn().init(jax.random.key(0), shape)
    with pytest.raises(InvalidInput, match=str(shape[0])):
        cnn().apply(cnn().init(jax.random.key(0), (28, 28, 1)), jnp.ones((2, *shape)))
