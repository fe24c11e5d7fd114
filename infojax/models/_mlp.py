"""Fully connected networks."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod
from typing import Any, Literal

import jax
import numpy as np

from infojax.arrays import whole_number
from infojax.errors import InvalidInput
from infojax.models._network import Network
from infojax.models._nnx import Shape, sized

Init = Literal["torch", "lecun"]


def mlp(
    hidden: Sequence[int] | int = (1024,),
    outputs: int = 1,
    activation: Callable[[Any], Any] = jax.nn.relu,
    init: Init = "torch",
) -> Network:
    """A fully connected network; examples of any shape are flattened.

    The default is the MLP of Harutyunyan et al. (2021), 784-1024-1 on MNIST.

    Args:
        hidden: the widths of the hidden layers, first to last; () for a linear model, and 5 for (5,).
        outputs: the number of outputs k.
        activation: elementwise, after each hidden layer.
        init: "torch", weights and biases from U(−1/√fan_in, 1/√fan_in), PyTorch's default; or "lecun",
            weights from N(0, 1/fan_in) truncated at two standard deviations, biases 0, flax's default.

    Raises:
        InvalidInput: widths or outputs below 1, or an unknown `init`.

    >>> network = mlp(hidden=(16,), outputs=3)
    >>> params = network.init(jax.random.key(0), (8, 8, 1))
    >>> network.apply(params, jax.numpy.ones((5, 8, 8, 1))).shape
    (5, 3)
    """
    listed = hidden if isinstance(hidden, list | tuple) else np.atleast_1d(np.asarray(hidden, object)).tolist()
    named = (*(("a width in hidden", width) for width in listed), ("outputs", outputs))
    widths = tuple(whole_number(f"mlp: {name}", width) for name, width in named)
    if any(width < 1 for width in widths):
        raise InvalidInput(f"mlp: hidden={widths[:-1]}, outputs={widths[-1]}; every width must be at least 1.")
    initializers(init, fan_in=1)

    def make(rngs: Any, shape: Shape) -> Any:
        from flax import nnx

        if prod(shape) < 1:
            raise InvalidInput(f"mlp: examples of shape {shape} have no entries; give at least one.")
        layers: list[Any] = [lambda x: x.reshape(x.shape[0], -1)]
        sizes = (prod(shape), *widths)
        for fan_in, width in pairwise(sizes):
            layers += [nnx.Linear(fan_in, width, rngs=rngs, **initializers(init, fan_in)), activation]
        return nnx.Sequential(*layers[:-1])

    return sized(make)


def initializers(init: Init, fan_in: int) -> dict[str, Any]:
    """What a flax layer takes to be initialised as PyTorch does ("torch") or as flax does ("lecun")."""
    if init not in ("torch", "lecun"):
        raise InvalidInput(f'init={init!r}; it must be "torch" or "lecun".')
    if init == "lecun":
        return {}

    def uniform(key: Any, shape: Shape, dtype: Any = float, **_: Any) -> Any:
        return jax.random.uniform(key, shape, dtype, -(fan_in**-0.5), fan_in**-0.5)

    return {"kernel_init": uniform, "bias_init": uniform}
