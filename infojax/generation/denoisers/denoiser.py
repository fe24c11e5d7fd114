"""Networks that denoise: a residual MLP for examples of any shape, an MLP-mixer of patches and a U-Net for images.

They predict v = √ξ ε − √(1 − ξ) x₀ (Salimans and Ho 2022), which is of one size at all noise levels, and so
E[ε | x_t] = √(1 − ξ) x_t + √ξ v. Time enters as the log signal-to-noise ratio, so a network is not tied to a schedule.
"""

import functools
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.generation._generator import Labels
from infojax.generation.sampling.schedule import Schedule
from infojax.models import Params


@runtime_checkable
class Architecture(Protocol):
    """What a denoiser's network is made by; equal ones make equal networks, so a frozen dataclass of numbers."""

    def module(self, rngs: Any, shape: tuple[int, ...], classes: int) -> Any:
        """A flax.nnx module, called with x (b, *shape), log_snr (b,) and label (b,) → v, (b, *shape)."""
        ...


@dataclass(frozen=True)
class ResidualMLP:
    """Residual blocks of two dense layers; each is told time and class by gains and shifts. For examples of any shape.

    All matrix products, for which CPUs are quick inside of loops too.
    """

    width: int = 1024
    blocks: int = 3

    def module(self, rngs: Any, shape: tuple[int, ...], classes: int) -> Any:
        """Raises `InvalidInput` for a width below 1, or a negative number of blocks."""
        if self.width < 1 or self.blocks < 0:
            raise InvalidInput(f"{self}: give a width of at least 1, and 0 or more blocks")
        from infojax.generation.denoisers.residual_mlp import ResidualMLPModule

        return ResidualMLPModule(shape, classes, self.width, self.blocks, rngs)


@dataclass(frozen=True)
class PatchMixer:
    """Dense layers in turn across patches and within them (Tolstikhin et al. 2021), for images (h, w, c).

    All matrix products too; learns images in a fraction of the time that `ResidualMLP` takes.
    """

    patch: int = 4
    width: int = 64
    hidden: int = 192
    blocks: int = 6

    def module(self, rngs: Any, shape: tuple[int, ...], classes: int) -> Any:
        """Raises `InvalidInput` for sizes below 1, or for images whose sides the patch does not divide."""
        if min(self.patch, self.width, self.hidden, self.blocks) < 1:
            raise InvalidInput(f"{self}: give numbers of at least 1")
        _check_image(self, shape, self.patch)
        from infojax.generation.denoisers.patch_mixer import PatchMixerModule

        return PatchMixerModule(shape, classes, self.patch, self.width, self.hidden, self.blocks, rngs)


@dataclass(frozen=True)
class UNet:
    """Residual blocks of convolutions on grids of 2, 4, 8 … pixels a cell, with so many channels; for images (h, w, c).

    On CPUs it takes many times as long as the others.
    """

    channels: tuple[int, ...] = (32, 64)

    def module(self, rngs: Any, shape: tuple[int, ...], classes: int) -> Any:
        """Raises `InvalidInput` for no channels, or for images whose sides the coarsest grid does not divide."""
        if not self.channels or min(self.channels) < 1:
            raise InvalidInput(f"{self}: give the number of channels at each grid, at least one")
        _check_image(self, shape, 2 ** len(self.channels))
        from infojax.generation.denoisers.unet import UNetModule

        return UNetModule(shape, classes, self.channels, rngs)


def _check_image(architecture: Any, shape: tuple[int, ...], cell: int) -> None:
    if len(shape) != 3 or shape[0] % cell or shape[1] % cell:
        raise InvalidInput(
            f"{architecture}: examples of shape {shape}; give images (h, w, channels) with h and w multiples of "
            f"{cell}, another cell, or ResidualMLP, which takes any shape"
        )


@dataclass(frozen=True)
class Denoiser:
    """A network as what `Generator.predict` is; equal ones share compiled programs.

    >>> from infojax.generation import cosine
    >>> denoiser = Denoiser(ResidualMLP(width=8, blocks=1), (3,), classes=2, schedule=cosine())
    >>> params = denoiser.init(jax.random.key(0))
    >>> denoiser(params, jnp.ones((5, 3)), jnp.asarray(0.5), jnp.full(5, 2)).shape
    (5, 3)
    """

    architecture: Architecture
    shape: tuple[int, ...]
    classes: int
    schedule: Schedule

    def __post_init__(self) -> None:
        if self.classes < 1 or not self.shape or prod(self.shape) < 1:
            raise InvalidInput(f"{self.shape=}, {self.classes=}; give at least one number and one class")

    def init(self, key: PRNGKeyArray) -> Params:
        """Parameters: a nested dictionary under the module's names."""
        return _draw(self.architecture, self.shape, self.classes, key)

    def velocity(
        self, params: Params, x: Float[Array, "b ..."], log_snr: Float[Array, " b"], label: Labels
    ) -> Float[Array, "b ..."]:
        """E[v | x_t, label], each row at its own noise level."""
        from flax import nnx

        params = jax.tree.map(lambda a: a.astype(x.dtype), params)
        return nnx.merge(_graph(self.architecture, self.shape, self.classes), params)(x, log_snr, label)

    def __call__(
        self, params: Params, x: Float[Array, "b ..."], t: Float[Array, ""], label: Labels
    ) -> Float[Array, "b ..."]:
        """E[ε | x_t, label]."""
        signal, noise = (jnp.sqrt(part).astype(x.dtype) for part in (self.schedule.signal(t), self.schedule.noise(t)))
        log_snr = jnp.full(len(x), self.schedule.log_snr(t).astype(x.dtype))
        return noise * x + signal * self.velocity(params, x, log_snr, label)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _draw(architecture: Architecture, shape: tuple[int, ...], classes: int, key: PRNGKeyArray) -> Params:
    from flax import nnx

    return nnx.to_pure_dict(nnx.state(architecture.module(nnx.Rngs(key), shape, classes), nnx.Param))


@functools.cache
def _graph(architecture: Architecture, shape: tuple[int, ...], classes: int) -> Any:
    """The module without its parameters."""
    from flax import nnx

    return nnx.graphdef(nnx.eval_shape(lambda: architecture.module(nnx.Rngs(0), shape, classes)))
