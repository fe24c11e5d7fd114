"""Networks whose kernels are made layer by layer: (parameters, apply, shape of an example, products with data)."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax

from infojax.models import from_nnx


def brute_force(apply, params, x1, x2=None):
    """J Jᵀ from jax.jacobian."""

    def jacobian(x):
        blocks = jax.tree.leaves(jax.jit(jax.jacobian(apply))(params, x))
        return np.concatenate([np.asarray(block).reshape(len(x) * block.shape[1], -1) for block in blocks], axis=1)

    with jax.default_matmul_precision("highest"):
        left = jacobian(x1)
        return left @ (left if x2 is None else jacobian(x2)).T


def images(n: int, *shape: int, number: int = 0):
    return jnp.asarray(np.random.default_rng([n, *shape, number]).normal(size=(n, *shape)), jnp.float32)


def weights(*shape: int, number: int = 0):
    return images(*shape, number=100 + number) / max(1, math.prod(shape[:-1])) ** 0.5


# Each network: parameters, apply, the shape of an example, and how many of its products with data should be found.


def dense(k: int):
    params = [(weights(a, b, number=a), weights(b, number=b)) for a, b in ((5, 7), (7, 6), (6, k))]

    def apply(params, x):
        for w, b in params[:-1]:
            x = jax.nn.relu(x @ w + b[None])
        return x @ params[-1][0] + params[-1][1][None]

    return params, apply, (5,), 3


def ntk_parameterised(k: int):
    """As in stax: both terms rescaled, the bias after the product."""
    params = [(weights(1, a, b, number=a), weights(1, b, number=b)) for a, b in ((5, 7), (7, k))]

    def layer(x, w, b):
        return 1.5 / np.sqrt(x.shape[-1]) * (x @ w[0]) + 0.3 * b

    def apply(params, x):
        return layer(jax.lax.erf(layer(x, *params[0])), *params[1])

    return params, apply, (5,), 2


def torch_like(k: int):
    """Weights transposed, flattened, scaled by an array, and their sign turned; a bias that is subtracted."""
    params = {"a": weights(7, 5), "b": weights(7), "flat": weights(7 * k, number=1)}

    @jax.jit
    def apply(params, x):
        hidden = jnp.tanh(x @ (-params["a"].T * jnp.sqrt(jnp.float32(3.0)).astype(x.dtype)) - params["b"][None])
        return hidden @ (params["flat"].reshape(k, 7).T / 2)

    return params, apply, (5,), 2


def sliced(k: int):
    """Weights and biases of two layers in one array each (no product of their own), a flipped one, a whole slice."""
    params = [weights(2, 5, 5), weights(5, 5 + k)[:, :5], weights(2, 5), weights(1, 5, k, number=2), weights(k)]

    def apply(params, x):
        stacked, flipped, biases, last, bias = params
        for weight, one in zip(stacked, biases, strict=True):
            x = jnp.tanh(x @ weight + one[None])
        return jnp.tanh(x @ flipped[::-1, ::-1]) @ last[0] + bias[None, ::-1]

    return params, apply, (5,), 2


def gated_by_data(k: int):
    """A product rescaled by a number that depends on the example, biases of other kinds."""
    params = [weights(5, 6), weights(6), weights(6, k, number=1), weights(1, k, number=2), weights(1, number=3)]

    def apply(params, x):
        size = jnp.mean(x**2, axis=1, keepdims=True)
        hidden = jnp.sin(size * (x @ params[0]) + params[1][None])
        return (hidden @ params[2] + params[3]) * size + params[4][None]

    return params, apply, (5,), 2


def residual(k: int):
    params = [weights(5, 5), weights(5), weights(5, 5, number=1), weights(5, k, number=2)]

    def apply(params, x):
        product = x @ params[0]
        x = x + jnp.tanh(product + params[1][None])
        x = x + jax.nn.silu(x @ params[2]) + product
        return x @ params[3]

    return params, apply, (5,), 3


def deep_linear(k: int):
    """A product of weights, each of which is the other's data."""
    params = [weights(4, 6), weights(6, k), weights(k, number=3)]
    return params, lambda p, x: x @ (p[0] @ p[1]) + p[2][None], (4,), 2


def tokens(k: int):
    """Attention-like: products at many positions, with several axes of features, large enough for pairs."""
    params = {"in": weights(4, 2, 9), "bias": weights(2, 9), "mix": weights(2, 9, 30), "out": weights(30, k)}

    def apply(params, x):
        heads = jnp.einsum("btf,fhd->bthd", x, params["in"]) + params["bias"][None, None]
        scores = jax.nn.softmax(jnp.einsum("bthd,bshd->bhts", heads, heads))
        mixed = jnp.einsum("bhts,bshd->bthd", scores, heads)
        hidden = jnp.tanh(jnp.einsum("bthd,hdo->bto", mixed, params["mix"]))
        return hidden.mean(axis=1) @ params["out"]

    return params, apply, (3, 4), 3


def batched_weights(k: int):
    """One weight matrix for each position: a product with a batch axis on the weights."""
    params = [weights(3, 4, 5), weights(5, k)]
    return params, lambda p, x: jnp.tanh(jnp.einsum("btf,tfo->bto", x, p[0])).sum(1) @ p[1], (3, 4), 2


def tied(k: int):
    params = {"w": weights(5, 5), "out": weights(5, k)}

    def apply(params, x):
        x = jnp.tanh(x @ params["w"])
        return jnp.tanh(x @ params["w"].T) @ params["out"]

    return params, apply, (5,), 1


def scanned(k: int):
    params = {"w": weights(3, 5, 5), "b": weights(3, 5), "out": weights(5, k)}

    def apply(params, x):
        x, _ = lax.scan(lambda h, p: (jnp.tanh(h @ p[0] + p[1][None]), None), x, (params["w"], params["b"]))
        return x @ params["out"]

    return params, apply, (5,), 1


def embedded(k: int):
    params = {"table": weights(11, 6), "out": weights(6, k)}
    return params, lambda p, x: jnp.tanh(p["table"][x].sum(axis=1)) @ p["out"], (4,), 1


def own_derivative(k: int):
    """A function with a derivative of its own, around a parameter and around none; a checkpoint."""

    @jax.custom_vjp
    def straight_through(x, w):
        return jnp.sign(x @ w)

    straight_through.defvjp(
        lambda x, w: (jnp.sign(x @ w), (x, w)), lambda kept, g: (g @ kept[1].T, 2.0 * kept[0].T @ g)
    )
    params = [weights(5, 4), weights(4, 6), weights(6), weights(6, k)]

    def apply(params, x):
        hidden = straight_through(x, params[0])
        hidden = jax.checkpoint(lambda h: jax.nn.gelu(h @ params[1] + params[2][None]))(hidden)
        return hidden @ params[3]

    return params, apply, (5,), 2


def convolutional(k: int):
    """Strides, dilations, uneven padding, groups, a transposed convolution, NCHW, pooling; weights large and small."""
    params = {
        "first": weights(3, 2, 3, 4),
        "bias": weights(4),
        "grouped": weights(3, 3, 1, 8, number=1),
        "grouped bias": weights(8, number=1),
        "nchw": weights(6, 8, 2, 2, number=2),
        "transposed": weights(2, 2, 6, 3, number=3),
        "wide": weights(3, 3, 3, 40, number=4),
        "wide bias": weights(40, number=4),
        "out": weights(40, k),
    }

    def apply(params, x):
        nhwc = ("NHWC", "HWIO", "NHWC")
        x = lax.conv_general_dilated(
            x, params["first"], (1, 2), ((1, 2), (0, 1)), rhs_dilation=(2, 1), dimension_numbers=nhwc
        )
        x = jax.nn.relu(0.7 * x + params["bias"][None, None, None])
        x = lax.conv_general_dilated(
            x, params["grouped"], (1, 1), "SAME", dimension_numbers=nhwc, feature_group_count=4
        )
        x = nnx.max_pool(jnp.tanh(x + params["grouped bias"][None, None, None]), (2, 2), strides=(1, 1))
        x = lax.conv_general_dilated(
            x.transpose(0, 3, 1, 2), params["nchw"], (2, 2), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW")
        )
        x = jnp.tanh(x.transpose(0, 2, 3, 1))
        x = jnp.tanh(lax.conv_transpose(x, params["transposed"], (2, 2), "SAME"))
        x = lax.conv_general_dilated(x, params["wide"], (3, 3), "SAME", dimension_numbers=nhwc) + params[
            "wide bias"
        ].reshape(1, 1, 1, -1)
        return jnp.tanh(x).mean(axis=(1, 2)) @ params["out"]

    return params, apply, (6, 7, 3), 6


class Module(nnx.Module):
    def __init__(self, k: int, rngs: nnx.Rngs):
        self.conv = nnx.Conv(1, 4, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(4, use_running_average=True, rngs=rngs)
        self.layer_norm = nnx.LayerNorm(36, rngs=rngs)
        self.hidden = nnx.Linear(36, 8, rngs=rngs)
        self.out = nnx.Linear(8, k, rngs=rngs)
        self.norm.mean[...] = jnp.linspace(-0.1, 0.1, 4, dtype=jnp.float32)
        self.norm.scale[...] = jnp.linspace(0.5, 1.5, 4, dtype=jnp.float32)

    # flax mixes dtypes.
    @jax.numpy_dtype_promotion("standard")
    def __call__(self, x):
        x = nnx.relu(self.norm(self.conv(x)))
        x = nnx.avg_pool(x, (2, 2), strides=(2, 2))
        return self.out(nnx.relu(self.hidden(self.layer_norm(x.reshape(x.shape[0], -1)))))


def normalised(k: int):
    network = from_nnx(lambda rngs: Module(k, rngs))
    return network.init(jax.random.key(0), (6, 6, 1)), network.apply, (6, 6, 1), 3


NETWORKS = [
    dense,
    ntk_parameterised,
    torch_like,
    sliced,
    gated_by_data,
    residual,
    deep_linear,
    tokens,
    batched_weights,
    tied,
    scanned,
    embedded,
    own_derivative,
    convolutional,
    normalised,
]


def examples(make, shape: tuple[int, ...], n: int, number: int = 0) -> Any:
    if make is embedded:
        return jnp.asarray(np.random.default_rng(number).integers(0, 11, (n, *shape)), jnp.int32)
    return images(n, *shape, number=number)


WITH_ONE_OUTPUT = [dense, ntk_parameterised, gated_by_data, tokens, convolutional]
DIFFERENT_IN_FLOAT64 = [ntk_parameterised, torch_like, gated_by_data, residual, tokens, convolutional, normalised]
