import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

import infojax as ij
from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.models import from_linen


class Normed(linen.Module):
    """Convolution, BatchNorm, dropout, and outputs of rank 4."""

    @linen.compact
    def __call__(self, x, train: bool = True):
        x = linen.BatchNorm(use_running_average=not train)(linen.Conv(3, (2, 2))(x))
        return linen.Dense(2)(linen.Dropout(0.5, deterministic=not train)(jnp.tanh(x)))


X = np.random.default_rng(0).normal(size=(6, 3, 4, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def variables():
    made = Normed().init(jax.random.key(1), X, train=False)
    return {**made, "batch_stats": jax.tree.map(lambda leaf: leaf * 0 + 0.3, made["batch_stats"])}


def test_is_the_module_with_its_statistics(variables):
    network = from_linen(Normed(), variables, train=False)
    expected = Normed().apply(variables, X, train=False).reshape(6, -1)
    np.testing.assert_allclose(network.apply(variables["params"], X), expected, rtol=1e-6)


def test_statistics_are_no_weights(variables):
    network = from_linen(Normed(), variables, train=False)
    params = network.init(jax.random.key(0), (3, 4, 2))
    assert jax.tree.structure(params) == jax.tree.structure(variables["params"])
    kernel = ij.kernels.empirical_ntk(network, params, X)

    def apply(p):
        return Normed().apply({**variables, "params": p}, X, train=False).reshape(-1)

    blocks = jax.tree.leaves(jax.jacobian(apply)(params))
    jacobian = np.concatenate([np.asarray(block).reshape(kernel.shape[0], -1) for block in blocks], axis=1)
    np.testing.assert_allclose(kernel, jacobian @ jacobian.T, rtol=0, atol=1e-5 * np.abs(kernel).max())


def test_without_variables_the_statistics_are_those_of_init():
    network = from_linen(Normed(), train=False)
    params = network.init(jax.random.key(0), (3, 4, 2))
    fresh = Normed().init(jax.random.key(5), X, train=False)
    expected = Normed().apply({**fresh, "params": params}, X, train=False).reshape(6, -1)
    np.testing.assert_allclose(jax.jit(network.apply)(params, X), expected, rtol=1e-5)
    data = ij.data.Dataset(X, np.arange(6) % 2, classes="ab")
    head = from_linen(linen.Sequential([lambda x: x.reshape(x.shape[0], -1), linen.Dense(1)]))
    scores = ij.unique_information(
        head, head.init(jax.random.key(0), (3, 4, 2)), data, data, training=ij.GradientFlow(time=1.0)
    )
    assert np.isfinite(scores.si).all()


def test_float64_stays_float64_with_statistics_too(variables):
    network = from_linen(Normed(), variables, train=False)
    with float64():
        wide = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), variables["params"])
        got = np.asarray(network.apply(wide, jnp.asarray(X, jnp.float64)))
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, network.apply(variables["params"], X), rtol=1e-4, atol=1e-5)


def test_tokens():
    network = from_linen(linen.Sequential([linen.Embed(11, 3), lambda x: x.mean(1), linen.Dense(2)]))
    params = network.init(jax.random.key(0), (4,))
    tokens = np.random.default_rng(0).integers(0, 11, (5, 4)).astype(np.int32)
    assert ij.kernels.empirical_ntk(network, params, tokens).shape == (10, 10)


class Two(linen.Module):
    @linen.compact
    def __call__(self, x):
        return linen.Dense(2)(x), x


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: from_linen(nnx.Linear(3, 2, rngs=nnx.Rngs(0))), "from_linen takes a flax.linen module, not a Linear"),
        (lambda: from_linen(Normed), r"not a class; make the module, Module\(\)"),
        (lambda: from_linen(lambda x: x), "not a function"),
        (lambda: from_linen(Normed(), {"batch_stats": {}}), r"\['batch_stats'\]; give all that module.init made"),
        (
            lambda: from_linen(Normed()).apply(from_linen(Normed()).init(jax.random.key(0), (3, 4, 2)), X),
            r"Remedy: .*train=False",
        ),
        (lambda: from_linen(Normed(), training=False).init(jax.random.key(0), (3, 4, 2)), "unexpected keyword"),
        (
            lambda: from_linen(Two()).apply(from_linen(Two()).init(jax.random.key(0), (3,)), jnp.ones((4, 3))),
            r"Two made a tuple \(\[0\] \(4, 2\), \[1\] \(4, 3\)\) where one array",
        ),
    ],
)
def test_what_is_refused(make, match):
    with pytest.raises(InvalidInput, match=match):
        make()
