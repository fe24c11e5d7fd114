"""The convolutional network of Harutyunyan et al. (2021) for MNIST."""

from typing import Any

import jax

from infojax.errors import InvalidInput
from infojax.models._mlp import Init, initializers
from infojax.models._network import Network
from infojax.models._nnx import Shape, sized

# (filters, kernel size, stride, padding): 28 × 28 → 14 → 7 → 3 → 1.
CONVOLUTIONS = ((32, 4, 2, 1), (32, 4, 2, 1), (64, 3, 2, 0), (256, 3, 1, 0))
DENSE = 256


def cnn(outputs: int = 1, init: Init = "torch") -> Network:
    """The four-layer convolutional network of Harutyunyan et al. (2021): ReLU after each layer but the last.

    Convolutions 32 of 4×4 (stride 2, padding 1) twice, 64 of 3×3 (stride 2), 256 of 3×3, dense 256, dense k.

    Args:
        outputs: the number of outputs k.
        init: "torch" or "lecun", as in `mlp`.

    Raises:
        InvalidInput: for examples that are no images (h, w) or (h, w, channels) of at least 28 × 28 pixels.

    >>> network = cnn(outputs=1)
    >>> params = network.init(jax.random.key(0), (28, 28, 1))
    >>> network.apply(params, jax.numpy.ones((2, 28, 28, 1))).shape
    (2, 1)
    """
    if outputs < 1:
        raise InvalidInput(f"cnn: outputs={outputs}; there must be at least 1.")
    initializers(init, fan_in=1)

    def make(rngs: Any, shape: Shape) -> Any:
        from flax import nnx

        height, width, channels = _image(shape)
        layers: list[Any] = [lambda x: x.reshape(x.shape[0], *_image(x.shape[1:]))]
        for filters, size, stride, padding in CONVOLUTIONS:
            layers += [
                nnx.Conv(channels, filters, (size, size), stride, padding=padding, rngs=rngs,
                         **initializers(init, channels * size**2)),
                jax.nn.relu,
            ]  # fmt: skip
            height, width = ((side + 2 * padding - size) // stride + 1 for side in (height, width))
            channels = filters
        features = height * width * channels
        return nnx.Sequential(
            *layers,
            lambda x: x.reshape(x.shape[0], -1),
            nnx.Linear(features, DENSE, rngs=rngs, **initializers(init, features)),
            jax.nn.relu,
            nnx.Linear(DENSE, outputs, rngs=rngs, **initializers(init, DENSE)),
        )

    return sized(make)


def _image(shape: Shape) -> tuple[int, int, int]:
    if len(shape) not in (2, 3):
        raise InvalidInput(f"cnn: examples of shape {shape} are no images; give (height, width[, channels]).")
    height, width, channels = (*shape, 1)[:3]
    if min(height, width) < 28 or channels < 1:
        raise InvalidInput(
            f"cnn: images of {height} × {width} pixels, {channels} channels; its four convolutions need at "
            "least 28 × 28 pixels and one channel. Enlarge the images, or take mlp for small ones."
        )
    return height, width, channels
