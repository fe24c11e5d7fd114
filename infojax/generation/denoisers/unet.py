"""The flax modules of `UNet`."""

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from infojax.generation.denoisers.conditioning import Condition, Modulation

_ZEROS = nnx.initializers.zeros_init()


class Convolution(nnx.Module):
    """3 × 3 with zeros around, as one product of matrices: XLA's own convolutions are very slow in loops on CPUs."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs, **how: Any) -> None:
        self.linear = nnx.Linear(9 * inputs, outputs, rngs=rngs, **how)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w d"]:
        _, height, width, _ = x.shape
        padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        near = [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
        return self.linear(jnp.concatenate(near, axis=-1))


class ConvolutionBlock(nnx.Module):
    """W x + C₂ silu(modulated(C₁ silu(x))), with 1 × 1 W where the number of channels changes."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.first = Convolution(inputs, outputs, rngs)
        self.modulation = Modulation(outputs, rngs)
        self.second = Convolution(outputs, outputs, rngs, kernel_init=_ZEROS)
        self.across = nnx.Linear(inputs, outputs, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"], condition: Float[Array, "b k"]) -> Float[Array, "b h w d"]:
        inner = jax.nn.silu(self.modulation(self.first(x), condition))
        return self.across(x) + self.second(inner)


class UNetModule(nnx.Module):
    """Blocks at ever coarser grids, then at ever finer ones, which also see what there was at that grid before."""

    def __init__(self, shape: tuple[int, ...], classes: int, channels: tuple[int, ...], rngs: nnx.Rngs) -> None:
        self.condition = Condition(classes, rngs)
        # 2 × 2 pixels are one cell of the finest grid
        self.first = nnx.Linear(4 * shape[-1], channels[0], rngs=rngs)
        self.down = nnx.List([ConvolutionBlock(a, b, rngs) for a, b in pairwise((channels[0], *channels))])
        self.middle = ConvolutionBlock(channels[-1], channels[-1], rngs)
        upwards = pairwise((channels[-1], *reversed(channels)))
        self.up = nnx.List([ConvolutionBlock(a + b, b, rngs) for a, b in upwards])
        self.modulation = Modulation(channels[0], rngs)
        self.last = nnx.Linear(channels[0], 4 * shape[-1], rngs=rngs)

    def __call__(
        self, x: Float[Array, "b h w c"], log_snr: Float[Array, " b"], label: Int[Array, " b"]
    ) -> Float[Array, "b h w c"]:
        condition: Any = self.condition(log_snr, label)
        h = self.first(_coarser(x))
        seen = []
        for level, block in enumerate(self.down):
            h = block(_pooled(h) if level else h, condition)
            seen.append(h)
        h = self.middle(h, condition)
        for level, block in enumerate(self.up):
            h = block(jnp.concatenate([_repeated(h) if level else h, seen.pop()], axis=-1), condition)
        return _finer(self.last(self.modulation(h, condition)))


def _coarser(x: Float[Array, "b h w c"]) -> Float[Array, "b h//2 w//2 4*c"]:
    batch, height, width, channels = x.shape
    cells = x.reshape(batch, height // 2, 2, width // 2, 2, channels).swapaxes(2, 3)
    return cells.reshape(batch, height // 2, width // 2, 4 * channels)


def _finer(x: Float[Array, "b h w f"]) -> Float[Array, "b 2*h 2*w f//4"]:
    batch, height, width, channels = x.shape
    cells = x.reshape(batch, height, width, 2, 2, channels // 4).swapaxes(2, 3)
    return cells.reshape(batch, 2 * height, 2 * width, channels // 4)


def _pooled(x: Float[Array, "b h w c"]) -> Float[Array, "b h//2 w//2 c"]:
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def _repeated(x: Float[Array, "b h w c"]) -> Float[Array, "b 2*h 2*w c"]:
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)
