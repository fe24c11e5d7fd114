import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.kernels import empirical_ntk
from infojax.models import from_nnx


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


class Two(nnx.Module):
    def __init__(self, rngs):
        self.a = nnx.Linear(4, 3, rngs=rngs)

    def __call__(self, x):
        return self.a(x), x


class Named(Two):
    def __call__(self, x):
        return {"logits": self.a(x)}


class Needy(Two):
    def __call__(self, x):
        return self.a(x + jax.random.normal(nnx.Rngs(0)(), x.shape) if self.missing else x)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: from_nnx(nnx.Linear(4, 3, rngs=nnx.Rngs(0))), r"not the Linear itself.*lambda rngs: module"),
        (lambda: from_nnx(linen.Dense(2)), r"Dense is one of flax\.linen: give ij\.models\.from_linen"),
        (lambda: from_nnx(lambda rngs: linen.Dense(2)), r"Dense is one of flax\.linen"),
        (lambda: from_nnx(lambda: Two(nnx.Rngs(0))), r"make_module\(rngs\) failed with TypeError.*rngs alone"),
        (lambda: from_nnx(nnx.Linear), r"failed with TypeError.*out_features"),
        (lambda: from_nnx(lambda rngs: None), r"gave None; it must give an nnx\.Module"),
        (lambda: from_nnx(lambda rngs: jnp.tanh), r"it must give an nnx\.Module"),
        (lambda: from_nnx(3), "takes a function make_module"),
        (lambda: from_nnx(Two).init(jax.random.key(0), (4,)), r"Two made a tuple \(\[0\] \(1, 3\), \[1\] \(1, 4\)\)"),
        (lambda: from_nnx(Named).init(jax.random.key(0), (4,)), r"Named made a dict \(\['logits'\] \(1, 3\)\)"),
        (lambda: from_nnx(Needy).init(jax.random.key(0), (4,)), r"AttributeError.*missing"),
    ],
)
def test_what_is_no_maker_of_a_module_is_refused_with_a_remedy(make, match):
    with pytest.raises(InvalidInput, match=match):
        make()


def test_a_trained_module_by_the_remedy_of_the_message():
    module = nnx.Linear(4, 3, rngs=nnx.Rngs(7))
    network, params = from_nnx(lambda rngs: module), nnx.to_pure_dict(nnx.state(module, nnx.Param))
    x = jnp.ones((2, 4))
    np.testing.assert_array_equal(network.apply(params, x), module(x))


class Tokens(nnx.Module):
    def __init__(self, rngs):
        self.table, self.a = nnx.Embed(11, 3, rngs=rngs), nnx.Linear(3, 2, rngs=rngs)

    def __call__(self, x):
        return self.a(self.table(x).mean(1))


def test_modules_of_tokens():
    network = from_nnx(Tokens)
    params = network.init(jax.random.key(0), (5,))
    tokens = np.random.default_rng(0).integers(0, 11, (6, 5)).astype(np.int32)
    layers, jacobian = (empirical_ntk(network, params, tokens, implementation=i) for i in ("layers", "jacobian"))
    np.testing.assert_allclose(layers, jacobian, rtol=0, atol=1e-6 * np.abs(jacobian).max())
    with pytest.raises(InvalidInput, match=r"Tokens does not take float32 examples of shape \(5,\)"):
        network.apply(params, jnp.ones((2, 5), jnp.float32))
    with pytest.raises(InvalidInput, match=r"Two does not take float32 examples of shape \(7,\)"):
        from_nnx(Two).init(jax.random.key(0), (7,))


class Counted(nnx.Module):
    """An integer parameter before the others, an integer state, statistics."""

    def __init__(self, rngs):
        self.a_count = nnx.Param(jnp.asarray(2, jnp.int32))
        self.steps = nnx.Variable(3)
        self.norm, self.out = nnx.BatchNorm(4, rngs=rngs), nnx.Linear(4, 2, rngs=rngs)
        self.norm.mean[...] = jnp.full((4,), 0.25)

    def __call__(self, x):
        return self.out(self.norm(x))


def test_statistics_are_not_cast_to_integers():
    network = from_nnx(Counted)
    params = network.init(jax.random.key(0), (4,))
    module = Counted(nnx.Rngs(jax.random.key(0)))
    module.eval()
    x = jnp.linspace(0, 1, 8).reshape(2, 4)
    np.testing.assert_allclose(network.apply(params, x), module(x), rtol=1e-6)


def test_importing_the_room_does_not_import_flax():
    code = "import sys, infojax.models; sys.exit('flax' in sys.modules or 'neural_tangents' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
