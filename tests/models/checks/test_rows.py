"""Networks whose rows depend on their batch are refused wherever a network is first used, and no others are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

import infojax as ij
from infojax.arrays import _jax_versions as jax_versions
from infojax.errors import InvalidInput
from infojax.information.influence_functions.scores import influence
from infojax.models import Network, from_linen, from_nnx
from infojax.models.checks.first_use import check_network


def normal(*shape: int):
    return jnp.asarray(np.random.default_rng(shape).normal(size=shape), jnp.float32)


W, X = normal(5, 3), normal(9, 5)


class OverBatch(nnx.Module):
    """Stays in training mode after `.eval()`; the last layer may start at zero, which hides it."""

    def __init__(self, rngs, last=None):
        self.a = nnx.Linear(5, 8, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.b = nnx.Linear(8, 1, rngs=rngs, kernel_init=last or nnx.initializers.lecun_normal())

    def __call__(self, x):
        return self.b(nnx.relu(self.norm(self.a(x), use_running_average=False)))


class Noisy(nnx.Module):
    def __init__(self, rngs):
        self.drop, self.a = nnx.Dropout(0.5, rngs=rngs), nnx.Linear(5, 2, rngs=rngs)

    def __call__(self, x):
        return self.a(self.drop(x, deterministic=False))


class LinenNorm(linen.Module):
    @linen.compact
    def __call__(self, x, train=True):
        return linen.Dense(2)(linen.BatchNorm(use_running_average=not train)(linen.Dense(8)(x)))


class LinenNoise(linen.Module):
    @linen.compact
    def __call__(self, x, train=True):
        return linen.Dense(2)(linen.Dropout(0.5, deterministic=not train)(x))


def linen_in_training(params, x):
    """The usual call in training, whose statistics are those of the batch."""
    fixed = LinenNorm().init(jax.random.key(0), X)["batch_stats"]
    return LinenNorm().apply({"params": params, "batch_stats": fixed}, x, mutable=["batch_stats"])[0]


# One stream for the whole file: every call draws other noise, and every run of the tests the same.
NOISE = np.random.default_rng(0)


def in_the_host(params, x):
    noise = jax.pure_callback(
        lambda _: NOISE.normal(size=()).astype(np.float32),
        jax.ShapeDtypeStruct((), jnp.float32),
        x[0, 0],
    )
    return x @ params + noise


OTHERS, PLACE, NUMBER, CALLS = "other examples of its batch", "place in the batch", "how many others", "two calls"

DEPENDENT = {
    "centered": (lambda p, x: (x - x.mean(0)[None]) @ p, OTHERS),
    "centered a little": (lambda p, x: (x - 1e-5 * x.mean(0)[None]) @ p, OTHERS),
    "centered, without a gradient": (lambda p, x: (x - jax.lax.stop_gradient(x.mean(0)[None])) @ p, OTHERS),
    "a softmax over axis 0": (lambda p, x: jax.nn.softmax(x @ p, axis=0), OTHERS),
    "scaled by the largest": (lambda p, x: (x @ p) / jnp.abs(x @ p).max(), OTHERS),
    "attention over the batch": (lambda p, x: jax.nn.softmax(x @ x.T) @ x @ p, OTHERS),
    "the neighbor": (lambda p, x: x @ p + jnp.roll(x, 1, axis=0) @ p, OTHERS),
    "sums so far": (lambda p, x: jnp.cumsum(x @ p, axis=0), PLACE),
    "the row's number": (lambda p, x: x @ p + 0.1 * jnp.arange(len(x), dtype=x.dtype)[:, None], PLACE),
    "noise of a fixed key": (lambda p, x: x @ p + jax.random.normal(jax.random.key(0), (len(x), 1)), PLACE),
    "the batch's size": (lambda p, x: x @ p / len(x), NUMBER),
    "noise of NumPy": (lambda p, x: x @ p * NOISE.normal(), NUMBER),
    "noise of the host": (in_the_host, CALLS),
}


@pytest.mark.parametrize("name", DEPENDENT)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_that_depend_on_more_than_their_example(name, dtype):
    apply, said = DEPENDENT[name]
    with jax_versions.enable_x64(dtype == "float64"), jax.numpy_dtype_promotion("standard"):
        params, x = np.asarray(W, dtype), np.asarray(X, dtype)
        with pytest.raises(InvalidInput, match=f"{said}.*own example alone: "):
            check_network(apply, params, x)


@pytest.mark.parametrize(
    ("network", "match"),
    [
        (from_nnx(OverBatch), "OverBatch: .*other examples of its batch.*use_running_average=True"),
        (from_nnx(lambda rngs: OverBatch(rngs, nnx.initializers.zeros)), "OverBatch: .*other examples"),
        (from_nnx(Noisy), "Noisy: .*place in the batch.*dropout and noise off"),
        (Network(lambda k, s: LinenNorm().init(k, X)["params"], linen_in_training), "other examples of its batch"),
        (from_linen(LinenNorm()), "ModifyScopeVariableError.*train=False"),
        (
            Network(from_linen(LinenNoise(), train=False).init, from_linen(LinenNoise()).apply),
            "InvalidRngError.*deterministic=True",
        ),
    ],
)
def test_modules_in_training_mode(network, match):
    params = network.init(jax.random.key(1), (5,))
    with pytest.raises(InvalidInput, match=match):
        ij.kernels.empirical_ntk(network, params, X)


def test_a_module_with_a_state_of_its_own_in_a_plain_function():
    module = Noisy(nnx.Rngs(0))
    with pytest.raises(InvalidInput, match=r"TraceContextError.*from_nnx"):
        ij.kernels.empirical_ntk(lambda w, x: module(x) @ w, normal(2, 2), X)


@pytest.mark.parametrize(
    "x",
    [X[:1], X[:2], jnp.ones((6, 5), jnp.float32), jnp.zeros((6, 5), jnp.float32)],
    ids=["one", "two", "equal", "zero"],
)
def test_few_examples_and_equal_ones_are_enough_to_find_it(x):
    with pytest.raises(InvalidInput, match="depend on the other examples"):
        check_network(DEPENDENT["centered"][0], W, x)


@pytest.mark.parametrize("high", [2, 11, 256])
def test_integers_stay_within_their_range(high):
    table = normal(high, 3)
    tokens = np.random.default_rng(0).integers(0, high, (6, 4)).astype(np.int32)

    def alone(p, x):
        # Outside of the table, a row would be NaN.
        return jnp.take(p, x, axis=0, mode="fill").mean(axis=1)

    def together(p, x):
        return alone(p, x) - alone(p, x).mean(axis=0, keepdims=True)

    assert check_network(alone, table, tokens) == 3
    with pytest.raises(InvalidInput, match=r"depend on the other examples|depend on how many others"):
        check_network(together, table, tokens)


def deep(p, x):
    """Chaotic: rounding grows some four times in each layer."""
    return jax.lax.fori_loop(0, 60, lambda _, h: jnp.tanh(h @ p[0]), x @ p[1]) @ p[2]


def narrow_inside(p, x):
    return (x.astype(jnp.bfloat16) @ p[0].astype(jnp.bfloat16)).astype(jnp.float32) @ p[1]


INDEPENDENT = {
    "chaotic": (deep, (normal(40, 40) * 0.63, normal(5, 40), normal(40, 3)), X),
    "bfloat16 inside": (narrow_inside, (normal(5, 300), normal(300, 2)), X),
    "bfloat16": (lambda p, x: x @ p, W.astype(jnp.bfloat16), X.astype(jnp.bfloat16)),
    "float16": (lambda p, x: x @ p, W.astype(jnp.float16), X.astype(jnp.float16)),
    "digits that cancel": (lambda p, x: (x @ p + 1e4) - 1e4, W, X),
    "a step": (lambda p, x: jnp.sign(x @ p), W, X),
    "no negative inputs": (lambda p, x: jnp.sqrt(x) @ p, W, jnp.abs(X)),
    "infinite": (lambda p, x: x @ p * 1e38 * 1e3, W, X),
    "tiny": (lambda p, x: x @ p * 1e-30, W, X),
    "zero weights under a root": (lambda p, x: x @ jnp.sqrt(p), jnp.zeros((5, 3), jnp.float32), X),
    "zero weights, logarithm of what they are not": (
        lambda p, x: jnp.log(1 - 1e3 * jnp.abs(x @ p)),
        jnp.zeros((5, 3), jnp.float32),
        X,
    ),
    "one example": (lambda p, x: x @ p, W, X[:1]),
    "attention over one example": (lambda p, x: jax.nn.softmax(x[:, :, None] * x[:, None]).sum(1) @ p, W, X),
}


@pytest.mark.parametrize("name", INDEPENDENT)
def test_no_false_alarm(name):
    apply, params, x = INDEPENDENT[name]
    assert check_network(apply, params, x) in (2, 3)


def test_a_network_is_tried_out_once_for_each_shape():
    traced = []

    def apply(p, x):
        traced.append(x.shape)
        return x @ p

    check_network(apply, W, X)
    first = len(traced)
    check_network(apply, 2 * W, X[:5])
    assert len(traced) == first
    check_network(apply, normal(5, 2), X)
    assert len(traced) > first


WAYS_IN = {
    "empirical_ntk": lambda n, p, d: ij.kernels.empirical_ntk(n, p, d.x),
    "random_coordinate_ntk": lambda n, p, d: ij.kernels.random_coordinate_ntk(n, p, d.x, key=jax.random.key(0)),
    "unique_information": lambda n, p, d: ij.unique_information(n, p, d, d, training=ij.GradientFlow(time=1.0)),
    "retraining": lambda n, p, d: ij.information.retrain_without_each(
        n, p, d, d, training=ij.GradientDescent(steps=2, learning_rate=0.1)
    ),
    "influence": lambda n, p, d: influence(n, p, d, d, damping=1.0),
    "fgsm": lambda n, p, d: ij.models.fgsm(n, p, d.x, d.targets, radius=0.1),
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_every_way_in_refuses(way):
    network = from_nnx(OverBatch)
    params = network.init(jax.random.key(1), (5,))
    data = ij.data.Dataset(np.asarray(X), (np.asarray(X)[:, 0] > 0).astype(int), classes="ab")
    with pytest.raises(InvalidInput, match="OverBatch: an example's outputs depend on the other examples"):
        WAYS_IN[way](network, params, data)
