"""What the networks of this folder are made of: convolutions, frozen normalization, resized images."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

Layer = dict[str, Any]
Layers = dict[str, Layer]
Images = Float[Array | np.ndarray, "_ _ _ _"]
"""(b, height, width, channels), and what layers make of them."""


class Body(NamedTuple):
    """A trained network without its last layer, and that layer.

    Attributes:
        features: `features(layers, statistics, images)` with images (b, h, w, channels) in [0, 1] → (b, f).
        layers: the parameters, layer by layer.
        statistics: running means and variances of normalizations, which are no parameters.
        head: the last layer as it was trained: kernel (f, classes) and bias (classes).
        channels: of an image.
        size: pixels along the edge of the images that it was trained on.
    """

    features: Callable[[Layers, Layers, Images], Float[Array, "b f"]]
    layers: Layers
    statistics: Layers
    head: Layer
    channels: int
    size: int


def convolve(x: Images, layer: Layer, stride: int = 1, padding: Any = "SAME", groups: int = 1) -> Images:
    """A convolution with kernel (height, width, channels in / groups, channels out), and a bias where there is one."""
    y = lax.conv_general_dilated(
        jnp.asarray(x),
        layer["kernel"],
        (stride, stride),
        padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    return y + layer["bias"][None, None, None] if "bias" in layer else y


def normalize(x: Images, layer: Layer, statistics: Layer, epsilon: float) -> Images:
    """Batch normalization in evaluation mode: scale · (x − mean) / √(variance + ε) + bias, channel by channel."""
    mean, variance = (jnp.asarray(statistics[name], x.dtype) for name in ("mean", "variance"))
    whitened = (x - mean[None, None, None]) * lax.rsqrt(variance + epsilon)[None, None, None]
    return whitened * layer["scale"][None, None, None] + layer["bias"][None, None, None]


def resize(x: Images, size: int) -> Images:
    """Images as size × size pixels, by bilinear interpolation (with anti-aliasing where they shrink)."""
    if x.shape[1:3] == (size, size):
        return jnp.asarray(x)
    return jax.image.resize(x, (x.shape[0], size, size, x.shape[3]), "bilinear")
