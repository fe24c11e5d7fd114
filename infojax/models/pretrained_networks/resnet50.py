"""ResNet-50 (He et al., 2015) with the ImageNet weights of Keras.

Strides are in the first 1 × 1 convolution of a block, convolutions have biases, and images are BGR with the mean of
ImageNet's pixels taken away: Keras's network is that of the original, not torchvision's.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from infojax.models.pretrained_networks.parts import Body, Images, Layers, convolve, normalize

_MEAN_BGR = (103.939, 116.779, 123.68)
_EPSILON = 1e-3
# Blocks of each stage, which Keras numbers from 2; all but the first halve the picture.
_STAGES = {2: "abc", 3: "abcd", 4: "abcdef", 5: "abc"}


def body(weights: Mapping[str, np.ndarray]) -> Body:
    """The network from Keras's arrays, "res2a_branch2a/kernel" and so on."""
    layers: Layers = {}
    statistics: Layers = {}
    names = {"gamma": "scale", "beta": "bias", "moving_mean": "mean", "moving_variance": "variance"}
    for path, array in weights.items():
        layer, name = path.split("/")
        into = statistics if name.startswith("moving") else layers
        into.setdefault(layer, {})[names.get(name, name)] = array
    head = layers.pop("fc1000")
    return Body(features, layers, statistics, head, channels=3, size=224)


def features(layers: Layers, statistics: Layers, images: Images) -> Float[Array, "b f"]:
    """Images (b, h, w, 3), RGB in [0, 1] → what the last layer takes, 2048 numbers each."""

    def block(x: Images, name: str, *, stride: int) -> Images:
        def branch(x: Images, which: str, stride: int = 1) -> Images:
            y = convolve(x, layers[f"res{name}_branch{which}"], stride)
            norm = f"bn{name}_branch{which}"
            return normalize(y, layers[norm], statistics[norm], _EPSILON)

        y = jax.nn.relu(branch(x, "2a", stride))
        y = branch(jax.nn.relu(branch(y, "2b")), "2c")
        return jax.nn.relu(y + (branch(x, "1", stride) if name.endswith("a") else x))

    x = 255 * images[..., ::-1] - jnp.asarray(_MEAN_BGR, images.dtype)[None, None, None]
    x = convolve(x, layers["conv1"], 2, [(3, 3), (3, 3)])
    x = jax.nn.relu(normalize(x, layers["bn_conv1"], statistics["bn_conv1"], _EPSILON))
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "VALID")
    for stage, blocks in _STAGES.items():
        for letter in blocks:
            x = block(x, f"{stage}{letter}", stride=2 if letter == "a" and stage > 2 else 1)
    return jnp.mean(x, axis=(1, 2))
