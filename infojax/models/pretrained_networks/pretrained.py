"""Trained networks with a new last layer: ImageNet's, and the paper's small one trained on drawings."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from infojax.data import load_weights
from infojax.errors import InvalidInput
from infojax.models._mlp import initializers
from infojax.models._network import Network, Params
from infojax.models.pretrained_networks import cnn_drawings, efficientnet_lite0, resnet50
from infojax.models.pretrained_networks.parts import Body, Layer, resize

_BODIES: dict[str, Callable[[], Body]] = {
    "resnet50": lambda: resnet50.body(load_weights("resnet50")),
    "efficientnet-lite0": lambda: efficientnet_lite0.body(load_weights("efficientnet-lite0")),
    "cnn-drawings": cnn_drawings.body,
}

__all__ = ["pretrained"]


def pretrained(
    name: str, outputs: int | None, key: PRNGKeyArray | None = None, size: int | None = None
) -> tuple[Network, Params]:
    """A trained network with a new last layer, and its parameters.

    `apply` takes images (b, h, w, channels) of any size in [0, 1], RGB for ImageNet's networks, gray for
    "cnn-drawings", resizes them to `size` × `size` where they have another, and does the preprocessing. Batch
    normalization is frozen: its running statistics are constants, its scale and bias are parameters, as everything
    else is. `network.init(key, shape)` gives the same trained weights with a new last layer.

    Args:
        name: "resnet50" or "efficientnet-lite0" (`infojax data fetch` brings them), or "cnn-drawings", which is
            trained on this machine when it is first asked for (some minutes; needs `infojax data fetch quickdraw`).
        outputs: of the new last layer, a dense one whose weights and bias are from U(−1/√fan_in, 1/√fan_in);
            None keeps the trained one: 1000 classes of ImageNet in the usual order, or 345 kinds of drawings.
        key: for the new last layer; needed unless `outputs` is None.
        size: pixels along an edge inside of the network; None for those of its training, 224 (28 for drawings).

    Raises:
        InvalidInput: for another name, fewer than one output, no key; from `apply`, for what is no such image.
        DataNotFound: when the weights are not on this machine; says which command brings them.
        CorruptData: when what is stored is not what its checksum says.
    """
    if name not in _BODIES:
        raise InvalidInput(f"There is no pretrained network {name!r}. Known: {', '.join(_BODIES)}.")
    if outputs is not None and (outputs < 1 or key is None):
        raise InvalidInput(f"{name}: a new last layer needs outputs ≥ 1 and a key; given {outputs} and key={key}.")
    if size is not None and size < 28:
        raise InvalidInput(f"{name}: size={size}; its convolutions need at least 28 pixels.")
    body = _body(name)
    edge = size or body.size

    def params(key: PRNGKeyArray | None) -> Params:
        head = body.head if outputs is None or key is None else _new_head(key, len(body.head["kernel"]), outputs)
        return jax.tree.map(jnp.asarray, {**body.layers, "head": head})

    def apply(params: Params, x: Shaped[Array | np.ndarray, "b ..."]) -> Float[Array, "b k"]:
        if x.ndim != 4 or x.shape[3] != body.channels or not jnp.issubdtype(x.dtype, jnp.floating):
            raise InvalidInput(
                f"{name} takes images (b, height, width, {body.channels}) of floating-point numbers in [0, 1], not "
                f"{x.dtype}{list(x.shape)}."
            )
        head = params["head"]
        return body.features(params, body.statistics, resize(x, edge)) @ head["kernel"] + head["bias"][None]

    def init(key: PRNGKeyArray, shape: tuple[int, ...]) -> Params:
        made = params(key)
        jax.eval_shape(apply, made, jax.ShapeDtypeStruct((1, *shape), made["head"]["bias"].dtype))
        return made

    return Network(init, apply), params(key)


@functools.cache
def _body(name: str) -> Body:
    return _BODIES[name]()


def _new_head(key: PRNGKeyArray, fan_in: int, outputs: int) -> Layer:
    make = initializers("torch", fan_in)
    for_kernel, for_bias = jax.random.split(key)
    return {
        "kernel": make["kernel_init"](for_kernel, (fan_in, outputs)),
        "bias": make["bias_init"](for_bias, (outputs,)),
    }
