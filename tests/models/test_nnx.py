import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from infojax.errors import InvalidInput
from infojax.models import from_nnx
from infojax.precision import float64


class Normed(nnx.Module):
    """Convolution, BatchNorm with statistics of its own, dropout, shared weights, outputs of rank 4."""

    def __init__(self, rngs):
        self.conv = nnx.Conv(2, 3, (2, 2), rngs=rngs)
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        self.norm.mean[...] = jnp.array([0.5, -1.0, 2.0])
        self.norm.var[...] = jnp.array([0.1, 4.0, 1.5])
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.mix = nnx.Linear(3, 3, rngs=rngs)
        self.again = self.mix

    def __call__(self, x):
        return self.again(self.drop(jnp.tanh(self.mix(self.norm(self.conv(x))))))


SHAPE = (4, 5, 2)


@pytest.fixture(scope="module")
def network():
    return from_nnx(Normed)


@pytest.fixture(scope="module")
def x():
    return jax.random.normal(jax.random.key(7), (6, *SHAPE))


def test_is_the_module_in_evaluation_mode(network, x):
    params = network.init(jax.random.key(3), SHAPE)
    module = Normed(nnx.Rngs(jax.random.key(3)))
    module.eval()
    np.testing.assert_allclose(network.apply(params, x), module(x).reshape(6, -1), rtol=1e-6, atol=1e-6)


def test_only_params_are_parameters_and_shared_ones_are_there_once(network):
    params = network.init(jax.random.key(3), SHAPE)
    names = {jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)}
    assert len(names) == 6  # kernel and bias of conv and mix, scale and bias of norm
    assert not any("mean" in name or "var" in name or "drop" in name for name in names)


def test_a_row_depends_on_its_own_example_alone(network, x):
    params = network.init(jax.random.key(3), SHAPE)
    whole = network.apply(params, x)
    np.testing.assert_allclose(network.apply(params, x[2:3]), whole[2:3], rtol=1e-6, atol=1e-6)


def test_pure_jitted_vmapped_and_differentiable(network, x):
    many = [network.init(jax.random.key(i), SHAPE) for i in range(3)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *many)
    got = jax.jit(jax.vmap(network.apply, (0, None)))(stacked, x)
    np.testing.assert_allclose(got, jnp.stack([network.apply(params, x) for params in many]), rtol=1e-5, atol=1e-6)
    direction = jax.tree.map(jnp.ones_like, many[0])
    _, slope = jax.jvp(lambda params: network.apply(params, x).sum(), (many[0],), (direction,))
    step = 1e-3

    def moved(by):
        return network.apply(jax.tree.map(lambda leaf: leaf + by, many[0]), x).sum()

    np.testing.assert_allclose(slope, (moved(step) - moved(-step)) / (2 * step), rtol=1e-2)


def test_float64_stays_float64_with_statistics_too(network, x):
    params = network.init(jax.random.key(3), SHAPE)
    with float64():
        wide = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), params)
        got = np.asarray(network.apply(wide, jnp.asarray(np.asarray(x), jnp.float64)))
    assert got.dtype == np.float64
    narrow = np.asarray(network.apply(params, x))
    np.testing.assert_allclose(got, narrow, rtol=1e-4, atol=1e-5)
    assert (got != narrow).any()


def test_wrong_shapes_are_named(network, x):
    params = network.init(jax.random.key(3), SHAPE)
    with pytest.raises(InvalidInput, match=r"Normed does not take float32 examples of shape \(4, 5, 7\)"):
        network.init(jax.random.key(3), (4, 5, 7))
    with pytest.raises(InvalidInput, match=r"\(4, 5, 7\)"):
        network.apply(params, jnp.ones((2, 4, 5, 7)))
    with pytest.raises(InvalidInput, match=r"kernel.*network\.init"):
        network.apply({**params, "conv": {"bias": params["conv"]["bias"]}}, x)


def test_a_module_that_loses_the_batch_is_refused():
    class Mean(nnx.Module):
        def __init__(self, rngs):
            self.linear = nnx.Linear(3, 2, rngs=rngs)

        def __call__(self, x):
            return self.linear(x).mean(0)

    with pytest.raises(InvalidInput, match="first axis of the outputs must be the batch"):
        from_nnx(Mean).init(jax.random.key(0), (3,))


def test_importing_the_room_does_not_import_flax():
    code = "import sys, infojax.models; sys.exit('flax' in sys.modules or 'neural_tangents' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
