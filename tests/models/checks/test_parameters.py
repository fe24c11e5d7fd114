"""What a tree of parameters may hold, by the names of what is refused and the remedies."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from infojax.errors import InvalidInput, PrecisionWarning
from infojax.kernels import empirical_ntk, random_coordinate_ntk
from infojax.models.checks.first_use import check_network
from infojax.models.checks.parameters import check_parameters

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
ONE = jnp.ones((), jnp.float32)


def line(p, x):
    return x * p["a"] + p["b"]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"a": 1.0, "b": 2.0}, r"Python number 1\.0 at \['a'\]; give arrays, jax\.tree\.map\(jnp\.asarray"),
        ({"a": ONE, "b": 2.0}, r"Python number 2\.0 at \['b'\]"),
        ({"a": ONE, "b": 2j}, r"Python number 2j at \['b'\]"),
        ({"a": 1, "b": 2}, "no floating-point arrays.*nothing to differentiate"),
        ({"a": jnp.ones((), jnp.int32), "b": np.int64(2)}, "no floating-point arrays"),
        ({"a": ONE, "b": jnp.ones((), jnp.complex64)}, r"complex weights, complex64 at \['b'\].*two arrays"),
        ({"a": ONE, "b": "s"}, r"a str at \['b'\]; it must hold arrays alone"),
        ({"a": ONE, "b": jnp.tanh}, r"at \['b'\]; it must hold arrays alone"),
        ({"a": ONE, "b": np.array([None])}, r"dtype object at \['b'\]"),
        ({"a": ONE, "b": np.ones((), np.longdouble)}, r"at \['b'\]; give real numbers of at most 64 bits"),
        ({"a": ONE, "b": jnp.full((2,), jnp.nan, jnp.float32)}, r"NaN or infinite values at \['b'\]: did training"),
        ({"a": ONE, "b": -np.inf * np.ones(1, np.float32)}, r"NaN or infinite values at \['b'\]"),
        (None, "no floating-point arrays"),
        ({}, "no floating-point arrays"),
    ],
)
def test_what_is_no_weight_is_named(params, match):
    with pytest.raises(InvalidInput, match=match):
        empirical_ntk(line, params, X)


@pytest.mark.parametrize(
    "params",
    [
        {"a": ONE, "b": 2},
        {"a": ONE, "b": np.arange(4)},
        {"a": np.float32(2), "b": jnp.float32(1)},
        {"a": ONE, "b": jnp.zeros(4, jnp.float32), "unused": None},
        {"a": ONE, "b": jnp.zeros(4, jnp.float32), "never enters": jnp.ones(3, jnp.float32)},
        {"a": ONE, "b": jnp.zeros(4, jnp.float32), "key": jax.random.key(0)},
    ],
    ids=["an integer", "integers", "NumPy scalars", "None", "a weight that does not enter", "a random key"],
)
def test_what_holds_other_things_than_weights_is_taken(params):
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        layers, jacobian = (empirical_ntk(line, params, X, implementation=name) for name in ("layers", "jacobian"))
        weights = {name: leaf for name, leaf in params.items() if name in "ab" and jnp.asarray(leaf).dtype.kind == "f"}
        blocks = jax.jacobian(lambda w: line({**params, **w}, X).reshape(-1))(weights)
    expected = sum(np.asarray(b).reshape(20, -1) @ np.asarray(b).reshape(20, -1).T for b in jax.tree.leaves(blocks))
    np.testing.assert_allclose(layers, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(jacobian, expected, rtol=1e-5, atol=1e-5)


class Normed(nnx.Module):
    def __init__(self, rngs):
        self.norm, self.a = nnx.BatchNorm(4, rngs=rngs), nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, x):
        return self.a(self.norm(x))


def test_states_of_nnx_that_are_no_weights():
    module = Normed(nnx.Rngs(0))
    module.eval()
    graph, state = nnx.split(module)
    with pytest.raises(InvalidInput, match=r"params has BatchStat at .*no weight.*nnx\.Param, \.\.\.\)"):
        empirical_ntk(lambda s, x: nnx.merge(graph, s)(x), state, X)
    with pytest.raises(InvalidInput, match="params has BatchStat at"):
        empirical_ntk(lambda m, x: m(x), module, X)
    graph, weights, rest = nnx.split(module, nnx.Param, ...)
    assert empirical_ntk(lambda s, x: nnx.merge(graph, s, rest)(x), weights, X).shape == (10, 10)


class LinenNormed(linen.Module):
    @linen.compact
    def __call__(self, x):
        return linen.Dense(2)(linen.BatchNorm(use_running_average=True)(x))


@pytest.mark.parametrize("wrapped", [False, True])
def test_collections_of_linen_that_are_no_weights(wrapped):
    module = LinenNormed()
    variables = module.init(jax.random.key(0), X)
    apply = (lambda v, x: module.apply(v, x)) if wrapped else module.apply
    with pytest.raises(
        InvalidInput, match=r"collection 'batch_stats' beside 'params'.*from_linen\(module, variables\)"
    ):
        empirical_ntk(apply, variables, X)
    own = {"params": variables["params"], "mine": variables["batch_stats"]}
    with pytest.raises(InvalidInput, match="collection 'mine' beside 'params'"):
        empirical_ntk(lambda v, x: module.apply({"params": v["params"], "batch_stats": v["mine"]}, x), own, X)


def test_a_dictionary_of_ones_own_with_that_key_is_taken():
    params = {"params": jnp.ones((4, 2), jnp.float32), "scale": jnp.ones((), jnp.float32)}
    assert empirical_ntk(lambda p, x: x @ p["params"] * p["scale"], params, X).shape == (10, 10)
    linear = linen.Dense(2)
    assert empirical_ntk(linear.apply, linear.init(jax.random.key(0), X), X).shape == (10, 10)


class Callable:
    __hash__ = None  # pyright: ignore

    def __call__(self, p, x):
        return x @ p


@pytest.mark.parametrize(
    ("network", "match"),
    [
        (linen.Dense(2), r"flax\.linen module, Dense.*from_linen\(module\)"),
        (nnx.Linear(4, 2, rngs=nnx.Rngs(0)), r"flax\.nnx module, Linear.*from_nnx\(lambda rngs: module\)"),
        (Callable(), "a Callable that cannot be hashed"),
        (lambda p, x: x.mean_of_all, "AttributeError"),
        (lambda p, x: {}["missing"], "KeyError"),
        (lambda p: p, "takes 1 positional argument but 2 were given"),
        (lambda p, x: x @ p if x.sum() > 0 else p, "boolean conversion"),
        (lambda p, x: (x @ p, x), r"it gave tuple: let it return the one array.*\[0\]"),
        (lambda p, x: {"logits": x @ p}, "it gave dict: let it return the one array"),
        (lambda p, x: None, "it gave NoneType"),
        (lambda p, x: (x @ p)[:, 0], r"it gave float32\[2\]; ij\.models\.from_function"),
        (lambda p, x: (x @ p).reshape(-1, 1, 1, 2), r"it gave float32\[2, 1, 1, 2\]; ij\.models\.from_function"),
        (lambda p, x: (x @ p).sum(), r"it gave float32\[\]: the first axis"),
        (
            lambda p, x: jnp.argmax(x @ p, axis=1, keepdims=True),
            r"it gave int32\[2, 1\]: take outputs that have a grad",
        ),
        (lambda p, x: jax.lax.complex(x @ p, x @ p), r"it gave complex64\[2, 2\]: take outputs that have a gradient"),
    ],
)
def test_networks_that_are_none(network, match):
    with pytest.raises(InvalidInput, match=match) as caught:
        empirical_ntk(network, jnp.ones((4, 2), jnp.float32), X)
    assert len(str(caught.value)) < 500
    with pytest.raises(InvalidInput, match=match):
        check_network(network, jnp.ones((4, 2), jnp.float32), X)


@pytest.mark.parametrize(
    ("x", "match"),
    [
        ({"ids": X, "mask": X}, r"x1 is a dict of \['ids', 'mask'\]; give one array"),
        (X * 1j, "x1 is of dtype complex64, and needs real numbers; give its real part, or real and imaginary"),
        (jnp.asarray(X * 1j), "x1 is of dtype complex64, and needs real numbers; give its real part, or real and imag"),
        ("abc", "x1 is of dtype <U3"),
    ],
)
def test_examples_that_are_none(x, match):
    with pytest.raises(InvalidInput, match=match):
        empirical_ntk(lambda p, x: x @ p, jnp.ones((4, 2), jnp.float32), x)


@pytest.mark.parametrize(("dtype", "digits"), [(jnp.bfloat16, "2.1"), (jnp.float16, "3.0")])
def test_parameters_of_16_bits_are_said(dtype, digits):
    params, x = jnp.ones((4, 2), dtype), jnp.asarray(X, dtype)
    said = f"parameters are {jnp.dtype(dtype)}, so that the kernel has about {digits} digits.*32 bits"
    with pytest.warns(PrecisionWarning, match=said):
        kernel = empirical_ntk(lambda p, x: x @ p, params, x)
    with pytest.warns(PrecisionWarning, match=said):
        random_coordinate_ntk(lambda p, x: x @ p, params, x, key=jax.random.key(0))
    assert kernel.dtype == dtype
    assert empirical_ntk(lambda p, x: x @ p, params, x, dtype=np.float32).dtype == np.float32
    assert empirical_ntk(lambda p, x: x @ p, params, x, dtype=dtype).dtype == dtype


SCALE, MEAN = {"scale": jnp.ones(3), "bias": jnp.ones(3)}, {"mean": jnp.ones(3), "var": jnp.ones(3)}
KERNEL = {"kernel": jnp.ones((4, 3))}


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"weights": {"dense": KERNEL, "bn": SCALE}, "batch_stats": {"bn": MEAN}}, "'batch_stats'.*'weights'"),
        ({"w": KERNEL, "spectral_stats": {"a": jnp.ones(1)}}, "'spectral_stats'"),
        (({"dense": KERNEL, "bn": SCALE}, {"bn": MEAN}), "a mean and a var at 1/bn"),
        ({"p": {"dense": KERNEL, "bn": SCALE}, "s": {"bn": MEAN}}, "a mean and a var at s/bn"),
        ({"p": {"a": {"bn": {"scale": jnp.ones(3)}}}, "s": {"a": {"bn": MEAN}}}, "a mean and a var at s/a/bn"),
        ({"dense": KERNEL, "bn": SCALE | MEAN}, "a mean and a var at bn"),
        ({"dense": KERNEL, "bn": {"bias": jnp.ones(3)} | MEAN}, "a mean and a var at bn"),
    ],
)
def test_running_statistics_are_refused_under_any_name(params, where):
    with pytest.raises(InvalidInput, match=where):
        check_parameters(line, params)


def test_the_whole_state_of_an_nnx_module_is_refused_and_its_weights_are_taken():
    module = nnx.Sequential(nnx.Linear(4, 3, rngs=nnx.Rngs(0)), nnx.BatchNorm(3, rngs=nnx.Rngs(0)))
    with pytest.raises(InvalidInput, match=r"a mean and a var at layers/1 .*nnx.split"):
        check_parameters(line, nnx.to_pure_dict(nnx.split(module)[1]))
    check_parameters(line, nnx.to_pure_dict(nnx.split(module, nnx.Param, ...)[1]))


@pytest.mark.parametrize(
    "params",
    [
        {"mean": jnp.ones(3)},
        MEAN,
        {"gaussian": MEAN, "norm": SCALE},
        {"gaussian": MEAN | KERNEL},
        {"layer": {"mean": jnp.ones(3), "scale": jnp.ones(3)}},
        {"head": MEAN, "body": {"norm": SCALE}},
        {"gaussian": MEAN | {"bias": jnp.ones(1)}},
        [{"a": SCALE}, {"b": MEAN}],
        (jnp.ones(3), {1: jnp.ones(2), 2: jnp.ones(2)}),
        {"batch_stats": {"w": jnp.ones(2)}},
    ],
)
def test_weights_called_mean_and_var_are_taken(params):
    check_parameters(line, params)


@pytest.mark.parametrize("mask", [False, True])
def test_masked_arrays_are_no_weights(mask):
    masked = np.ma.array(np.ones(2, np.float32), mask=[mask, False])
    with pytest.raises(InvalidInput, match=r"masked array at \['b'\].*filled"):
        empirical_ntk(line, {"a": ONE, "b": masked}, X)


@pytest.mark.parametrize("dtype", [np.float32])
def test_a_kernel_beyond_the_floating_range_is_refused(dtype):
    params = {"w": jnp.full((4, 1), np.finfo(dtype).max ** 0.9, dtype), "v": jnp.ones((1, 2), dtype)}

    def network(p, x):
        return jnp.asarray(x, dtype) @ p["w"] @ p["v"]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PrecisionWarning)
        for x2 in (None, X[:2].astype(dtype)):
            with pytest.raises(InvalidInput, match=r"the kernel has .* NaN or infinite entries.*float64"):
                empirical_ntk(network, params, X.astype(dtype), x2)
