"""EfficientNet-Lite0 (Tan and Le, 2019; Liu, 2020): inverted residuals with ReLU6, without squeeze-and-excitation."""

from collections.abc import Mapping

import jax
import numpy as np
from jaxtyping import Array, Float

from infojax.models.pretrained_networks.parts import Body, Images, Layers, convolve, normalize

_EPSILON = 1e-3
# Of the sixteen blocks; widths and kernel sizes are those of the weights.
_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)


def body(weights: Mapping[str, np.ndarray]) -> Body:
    """The network from PyTorch's arrays, "_blocks.1._expand_conv.weight" (out, in, height, width) and so on."""
    layers: Layers = {}
    statistics: Layers = {}
    names = {"running_mean": "mean", "running_var": "variance"}
    for path, array in weights.items():
        layer, name = path.removeprefix("_").replace("._", ".").rsplit(".", 1)
        if name in names:
            statistics.setdefault(layer, {})[names[name]] = array
        elif name == "weight" and array.ndim == 4:
            layers.setdefault(layer, {})["kernel"] = array.transpose(2, 3, 1, 0)
        elif name in ("weight", "bias"):
            one = "kernel" if array.ndim == 2 else "scale" if name == "weight" else "bias"
            layers.setdefault(layer, {})[one] = array.T
    head = layers.pop("fc")
    return Body(features, layers, statistics, head, channels=3, size=224)


def features(layers: Layers, statistics: Layers, images: Images) -> Float[Array, "b f"]:
    """Images (b, h, w, 3), RGB in [0, 1] → what the last layer takes, 1280 numbers each."""

    def convolved(x: Images, name: str, norm: str, stride: int = 1, groups: int = 1) -> Images:
        return normalize(convolve(x, layers[name], stride, "SAME", groups), layers[norm], statistics[norm], _EPSILON)

    x = (255 * images - 127) / 128
    x = jax.nn.relu6(convolved(x, "conv_stem", "bn0", 2))
    for number, stride in enumerate(_STRIDES):
        name, y = f"blocks.{number}", x
        if f"{name}.expand_conv" in layers:
            y = jax.nn.relu6(convolved(y, f"{name}.expand_conv", f"{name}.bn0"))
        y = jax.nn.relu6(convolved(y, f"{name}.depthwise_conv", f"{name}.bn1", stride, groups=y.shape[-1]))
        y = convolved(y, f"{name}.project_conv", f"{name}.bn2")
        x = x + y if x.shape == y.shape else y
    x = jax.nn.relu6(convolved(x, "conv_head", "bn1"))
    return x.mean(axis=(1, 2))
