"""The flax modules of `ResidualMLP`."""

from math import prod
from typing import Any

import jax
from flax import nnx
from jaxtyping import Array, Float, Int

from infojax.generation.denoisers.conditioning import CONDITION, Condition, Modulation

_ZEROS = nnx.initializers.zeros_init()


class Block(nnx.Module):
    """h + W₂ silu(W₁ modulated(h))."""

    def __init__(self, width: int, rngs: nnx.Rngs) -> None:
        self.modulation = Modulation(width, rngs)
        self.first = nnx.Linear(width, width, rngs=rngs)
        self.second = nnx.Linear(width, width, kernel_init=_ZEROS, rngs=rngs)

    def __call__(self, h: Float[Array, "b w"], condition: Float[Array, "b c"]) -> Float[Array, "b w"]:
        return h + self.second(jax.nn.silu(self.first(self.modulation(h, condition))))


class ResidualMLPModule(nnx.Module):
    """W_out (1 + gain) h with h = W_in x and then blocks: with no block still the best of a Gaussian's denoisers."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int, blocks: int, rngs: nnx.Rngs) -> None:
        size = prod(shape)
        self.condition = Condition(classes, rngs)
        self.first = nnx.Linear(size, width, rngs=rngs)
        self.blocks = nnx.List([Block(width, rngs) for _ in range(blocks)])
        self.gain = nnx.Linear(CONDITION, width, kernel_init=_ZEROS, rngs=rngs)
        self.last = nnx.Linear(width, size, rngs=rngs)

    def __call__(
        self, x: Float[Array, "b ..."], log_snr: Float[Array, " b"], label: Int[Array, " b"]
    ) -> Float[Array, "b ..."]:
        condition: Any = self.condition(log_snr, label)
        h = self.first(x.reshape(len(x), -1))
        for block in self.blocks:
            h = block(h, condition)
        return self.last(h * (1 + self.gain(condition))).reshape(x.shape)
