"""The flax modules of `PatchMixer`. Arrays are (patches, b, width), so that both kinds of mixing are plain products."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from infojax.generation.denoisers.conditioning import Condition, Modulation

_ZEROS = nnx.initializers.zeros_init()


class AcrossPatches(nnx.Module):
    """W h + bias over the first axis."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs, kernel_init: Any = None) -> None:
        draw = kernel_init or nnx.initializers.lecun_normal(in_axis=1, out_axis=0)
        self.kernel = nnx.Param(draw(rngs.params(), (outputs, inputs), jnp.float32))
        self.bias = nnx.Param(jnp.zeros((outputs,), jnp.float32))

    def __call__(self, h: Float[Array, "p b w"]) -> Float[Array, "q b w"]:
        patches, *rest = h.shape
        mixed = self.kernel[...] @ h.reshape(patches, -1) + self.bias[...][:, None]
        return mixed.reshape(-1, *rest)


class MixerBlock(nnx.Module):
    """Two dense layers across the patches, added to h, then two across the width of each patch."""

    def __init__(self, patches: int, width: int, hidden: int, rngs: nnx.Rngs) -> None:
        self.first_modulation = Modulation(width, rngs)
        self.across_first = AcrossPatches(patches, 2 * patches, rngs)
        self.across_second = AcrossPatches(2 * patches, patches, rngs, _ZEROS)
        self.second_modulation = Modulation(width, rngs)
        self.within_first = nnx.Linear(width, hidden, rngs=rngs)
        self.within_second = nnx.Linear(hidden, width, kernel_init=_ZEROS, rngs=rngs)

    def __call__(self, h: Float[Array, "p b w"], condition: Float[Array, "b c"]) -> Float[Array, "p b w"]:
        h = h + self.across_second(jax.nn.silu(self.across_first(self.first_modulation(h, condition, axis=1))))
        return h + self.within_second(jax.nn.silu(self.within_first(self.second_modulation(h, condition, axis=1))))


class PatchMixerModule(nnx.Module):
    """Patches into vectors of one width, their places added; blocks; and back."""

    def __init__(
        self, shape: tuple[int, ...], classes: int, patch: int, width: int, hidden: int, blocks: int, rngs: nnx.Rngs
    ) -> None:
        height, breadth, channels = shape
        patches = (height // patch) * (breadth // patch)
        self.patch = patch
        self.condition = Condition(classes, rngs)
        self.first = nnx.Linear(patch**2 * channels, width, rngs=rngs)
        self.place = nnx.Param(0.02 * jax.random.normal(rngs.params(), (patches, width), jnp.float32))
        self.blocks = nnx.List([MixerBlock(patches, width, hidden, rngs) for _ in range(blocks)])
        self.modulation = Modulation(width, rngs)
        self.last = nnx.Linear(width, patch**2 * channels, rngs=rngs)

    def __call__(
        self, x: Float[Array, "b h w c"], log_snr: Float[Array, " b"], label: Int[Array, " b"]
    ) -> Float[Array, "b h w c"]:
        batch, height, breadth, channels = x.shape
        size, down, across = self.patch, height // self.patch, breadth // self.patch
        condition: Any = self.condition(log_snr, label)
        cut = x.reshape(batch, down, size, across, size, channels).transpose(1, 3, 0, 2, 4, 5)
        h = self.first(cut.reshape(down * across, batch, -1)) + self.place[...][:, None]
        for block in self.blocks:
            h = block(h, condition)
        made = self.last(self.modulation(h, condition, axis=1))
        return made.reshape(down, across, batch, size, size, channels).transpose(2, 0, 3, 1, 4, 5).reshape(x.shape)
