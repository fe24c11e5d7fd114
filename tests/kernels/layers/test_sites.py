"""Weights that are rearranged, repeated, dropped or shared on their way to a product, against the Jacobian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax import lax

from infojax.kernels import empirical_ntk, random_coordinate_ntk
from infojax.kernels.layers.program import flatten
from infojax.kernels.layers.sites import find_sites


def normal(*shape: int):
    return jnp.asarray(np.random.default_rng(shape).normal(size=shape), jnp.float32)


def brute_force(apply, params, x):
    blocks = jax.tree.leaves(jax.jacobian(apply)(params, x))
    jacobian = np.concatenate([np.asarray(b).reshape(x.shape[0] * b.shape[1], -1) for b in blocks], axis=1)
    return jacobian @ jacobian.T


def sites(apply, params, x):
    leaves, structure = jax.tree.flatten(params)
    program = flatten(lambda *a: apply(jax.tree.unflatten(structure, a[:-1]), a[-1]), *leaves, x)
    return len(find_sites(program.jaxpr, program.jaxpr.invars[:-1]))


def convolution(x, w, **options):
    dims = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=dims, **options)


def pooled(x, w, **options):
    return jnp.tanh(convolution(x, w, **options)).mean((1, 2))


W, IMAGES = normal(3, 4), normal(3, 5, 5, 2)

# What the weight becomes before it meets data: the function, the weight, and how many products should be recognized.
WAYS = {
    "a column, repeated": (lambda w: jnp.repeat(w[:, :1], 4, axis=1), W, 0),
    "every other column, repeated": (lambda w: jnp.repeat(w[:, ::2], 2, axis=1), W, 0),
    "half, tiled": (lambda w: jnp.tile(w[:, :2], (1, 2)), W, 0),
    "one number everywhere": (lambda w: jnp.broadcast_to(w[:1, :1], w.shape), W, 0),
    "a copy of a copy": (lambda w: jnp.broadcast_to(w[None], (2, 3, 4)).reshape(6, 4)[1:4], W, 0),
    "turned": (lambda w: -w[::-1, ::-1], W, 1),
    "transposed": (lambda w: w.T, normal(4, 3), 1),
    "reshaped": (lambda w: w.reshape(4, 3).T, W, 1),
    "the whole of a stack": (lambda w: w[0, :, :, 0], normal(1, 3, 4, 1), 1),
    "columns exchanged": (lambda w: w[:, np.array([3, 0, 1, 2])], W, 0),
    "columns gathered twice": (lambda w: w[:, np.array([0, 0, 1, 1])], W, 0),
    "rolled": (lambda w: jnp.roll(w, 1, axis=1), W, 0),
    "masked": (lambda w: w * jnp.tril(jnp.ones((3, 4))), W, 0),
    "held in part": (lambda w: jnp.concatenate([lax.stop_gradient(w[:, :2]), w[:, 2:]], axis=1), W, 0),
    "held": (lambda w: lax.stop_gradient(w) + 0 * w, W, 0),
    "summed along": (lambda w: jnp.cumsum(w, axis=0), W, 0),
    "normalized": (lambda w: w / jnp.linalg.norm(w), W, 0),
    "scaled by its own entry": (lambda w: w * w[0, 0], W, 0),
    "made symmetric": (lambda w: (w + w.T) / 2, normal(3, 3), 0),
    "its own square": (lambda w: w @ w, normal(3, 3), 0),
    "a diagonal": (jnp.diag, normal(3), 0),
    "low rank": (
        lambda w: w["a"] @ w["b"] + lax.stop_gradient(w["c"]),
        {"a": normal(3, 2), "b": normal(2, 4), "c": W},
        2,
    ),
}

NETWORKS = {
    "tied": (lambda w, x: jnp.tanh(x @ w) @ w.T, W, normal(4, 3)),
    "scanned": (lambda w, x: lax.scan(lambda h, v: (jnp.tanh(h @ v), None), x, w)[0], normal(2, 3, 3), normal(4, 3)),
    "experts": (lambda w, x: jax.vmap(lambda v: jnp.tanh(x @ v))(w).sum(0), normal(5, 3, 4), normal(4, 3)),
    "a bias of two halves": (lambda p, x: x @ p[0] + jnp.tile(p[1][:2], 2)[None], (W, normal(4)), normal(4, 3)),
    "a bias twice": (lambda p, x: x @ p[0] + p[1][None] + p[1][None], (W, normal(4)), normal(4, 3)),
    "filters, one repeated": (
        lambda w, x: pooled(x, jnp.broadcast_to(w[..., :1], w.shape)),
        normal(3, 3, 2, 4),
        IMAGES,
    ),
    "filters, one row for all": (lambda w, x: pooled(x, jnp.broadcast_to(w[:1], w.shape)), normal(3, 3, 2, 4), IMAGES),
    "filters in groups": (lambda w, x: pooled(x, w, feature_group_count=2), normal(3, 3, 1, 4), IMAGES),
    "filters in groups, repeated": (
        lambda w, x: pooled(x, jnp.broadcast_to(w[:, :1], w.shape), feature_group_count=2),
        normal(3, 3, 1, 4),
        IMAGES,
    ),
    "filters turned": (lambda w, x: pooled(x, w[::-1, ::-1]), normal(3, 3, 2, 4), IMAGES),
}


def check(apply, params, x):
    expected = brute_force(apply, params, x)
    largest = np.abs(expected).max()
    layers = empirical_ntk(apply, params, x)
    drawn = random_coordinate_ntk(apply, params, x, key=jax.random.key(0))
    for kernel in (layers, drawn):  # these have fewer coordinates than are drawn, so that all count
        np.testing.assert_allclose(kernel, expected, rtol=0, atol=3e-6 * largest)


@pytest.mark.parametrize("name", WAYS)
def test_a_weight_is_one_of_a_product_only_if_each_element_enters_once(name):
    change, weight, products = WAYS[name]

    def apply(w, x):
        return jnp.tanh(x @ change(w)) + x[:, :1]

    x = normal(4, 3)
    assert sites(apply, weight, x) == products
    check(apply, weight, x)


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_that_are_shared_or_repeated(name):
    check(*NETWORKS[name])


STEPS = {
    "transpose": lambda w: w.T,
    "turn": lambda w: w[::-1],
    "reshape": lambda w: w.reshape(w.shape[::-1]),
    "column": lambda w: jnp.repeat(w[:, :1], w.shape[1], axis=1),
    "row": lambda w: jnp.broadcast_to(w[-1:], w.shape),
    "half": lambda w: jnp.tile(w[: w.shape[0] // 2], (2, 1)),
    "doubled": lambda w: jnp.broadcast_to(w[None], (2, *w.shape))[1],
    "scaled": lambda w: w * 0.5,
    "negative": lambda w: -w,
    "narrow": lambda w: w.astype(jnp.bfloat16).astype(jnp.float32),
}


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=5))
def test_any_chain_of_steps_gives_the_kernel_of_the_jacobian(chain):
    def apply(w, x):
        for name in chain:
            w = STEPS[name](w)
        return (x[:, : w.shape[0]] @ w)[:, :2]

    weight, x = normal(4, 6), normal(3, 6)
    layers, jacobian = (empirical_ntk(apply, weight, x, implementation=name) for name in ("layers", "jacobian"))
    np.testing.assert_allclose(layers, jacobian, rtol=0, atol=1e-5 * np.abs(jacobian).max())
