"""Kernels over several devices: the same as on one, whatever the shapes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.kernels import empirical_ntk
from infojax.kernels._batches import cost
from infojax.kernels._devices import choose_devices, work_on
from infojax.kernels._workspace import bytes_needed
from infojax.kernels.layers.features import features


def normal(*shape: int) -> np.ndarray:
    return (np.random.default_rng(shape).normal(size=shape) / 2).astype(np.float32)


def network(params, x):
    """A convolution over pairs of positions, one by its gradients, a dense layer, and the last layer's cotangents."""

    def convolve(x, w):
        return jax.lax.conv_general_dilated(x, w, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    x = jnp.tanh(convolve(x, params["first"]))
    x = jnp.tanh(convolve(x, params["wide"])).mean(axis=(1, 2))
    return jnp.tanh(x @ params["dense"]) @ params["out"]


PARAMS = {"first": normal(3, 3, 2, 3), "wide": normal(3, 3, 3, 40), "dense": normal(40, 6), "out": normal(6, 2)}
X = normal(11, 4, 5, 2)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-6 * np.abs(b).max())


@settings(max_examples=8)
@given(
    n=st.sampled_from([1, 3, 11]),
    m=st.sampled_from([None, 1, 6]),
    tile=st.sampled_from([1, 4, 11]),
    devices=st.sampled_from([1, 2, 4]),
)
def test_same_as_on_one_device(n, m, tile, devices):
    y = None if m is None else normal(m, 4, 5, 2)
    kernel = empirical_ntk(network, PARAMS, X[:n], y, tile=tile, devices=jax.devices()[:devices])
    close(kernel, empirical_ntk(network, PARAMS, X[:n], y))
    if y is None:
        np.testing.assert_array_equal(kernel, kernel.T)


def test_features_made_in_batches():
    """Within a budget that lets the network run on a few examples at a time, on each device."""
    small = empirical_ntk(network, PARAMS, X, budget=60_000, devices=jax.devices())
    close(small, empirical_ntk(network, PARAMS, X))


def test_on_the_devices_that_were_asked_for():
    """Wherever the parameters are."""
    params = jax.device_put(PARAMS, jax.devices()[1])
    of_block = functools.partial(features, network, params)
    shapes = cost(of_block, X).shapes
    for devices in (jax.devices()[3:], jax.devices()[2:]):
        work = work_on(tuple(devices), of_block, shapes, 100)
        block = work.features(X[:10])
        assert all(leaf.devices() == set(devices) for leaf in jax.tree.leaves(block))
        assert work.contract(block, work.as_column(block)).devices() == set(devices)
        close(empirical_ntk(network, params, X, devices=devices), empirical_ntk(network, PARAMS, X))


def test_bytes_are_those_of_a_device():
    """A budget too small for one device may do for four, among which rows of a tile and kept features are spread."""
    costs = cost(lambda x: features(network, PARAMS, x), X)
    one, four = (bytes_needed(costs, 8, 8, 4, total=32, symmetric=True, devices=devices) for devices in (1, 4))
    assert four < one


def test_none_is_one_device_on_a_processor():
    assert choose_devices(None) == ()
    assert len(jax.devices()) == 4


@pytest.mark.parametrize("devices", [[], ["cpu"], jax.devices()[:1] * 2])
def test_refused(devices):
    with pytest.raises(InvalidInput, match=r"one or more different ones of jax\.local_devices"):
        empirical_ntk(network, PARAMS, X, devices=devices)


def test_precision_is_checked():
    with pytest.raises(InvalidInput, match='"highest", "high" or "default", not \'low\''):
        empirical_ntk(network, PARAMS, X, precision="low")
