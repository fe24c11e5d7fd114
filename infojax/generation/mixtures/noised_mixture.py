"""A Gaussian mixture under noise: its density, the posterior of x₀, and the exact noise prediction."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from infojax.errors import InvalidInput
from infojax.generation._generator import Generator
from infojax.generation.mixtures.gaussian_mixture import Mixture
from infojax.generation.sampling.schedule import Schedule


class Posterior(NamedTuple):
    """Of x₀ given x_t: again a mixture, Σ_j r_j N(mean_j, U_j diag(variance_j) U_jᵀ).

    Attributes:
        log_responsibilities: (b, M) log r_j; −∞ for components of other classes.
        means: (b, M, d).
        variances: (M, d) or (M, 1), as in the mixture; they don't depend on x_t.
    """

    log_responsibilities: Float[Array, "b m"]
    means: Float[Array, "b m d"]
    variances: Float[Array, "m v"]


def mixture_generator(mixture: Mixture, schedule: Schedule, *, shape: tuple[int, ...] | None = None) -> Generator:
    """The exact noise prediction √(1 − ξ_t) Σ_j r_j C_j⁻¹ (x − √ξ_t mean_j), C_j = ξ_t Σ_j + (1 − ξ_t) I.

    Args:
        shape: of one example, with d numbers; None for (d,).

    Raises:
        InvalidInput: a shape of another size.
    """
    d = mixture.means.shape[1]
    shape = (d,) if shape is None else tuple(shape)
    if np.prod(shape) != d:
        raise InvalidInput(f"mixture_generator: shape={shape} does not have the mixture's {d} numbers")

    return Generator(_Exact(schedule), mixture, shape, mixture.classes, schedule)


@dataclass(frozen=True)
class _Exact:
    """Equal for equal schedules, so that two generators share their compiled programs."""

    schedule: Schedule

    def __call__(self, mixture: Mixture, x: Array, t: Array, label: Array) -> Float[Array, "b ..."]:
        signal, noise = (level(t).astype(x.dtype) for level in (self.schedule.signal, self.schedule.noise))
        return exact_noise(mixture, x.reshape(len(x), -1), signal, noise, label).reshape(x.shape)


def log_density(
    mixture: Mixture,
    x: Float[Array, "b d"],
    label: Int[Array, " b"],
    *,
    signal: Array | float = 1.0,
    noise: Array | float = 0.0,
) -> Float[Array, " b"]:
    """log p_t(x | label), of x_t = √ξ_t x₀ + √(1 − ξ_t) ε; of x₀ itself by default."""
    mass = jnp.where(_of_class(mixture, label), mixture.weights[None], 0.0).sum(1)
    joint, _ = _log_joint(mixture, x, jnp.asarray(signal, x.dtype), jnp.asarray(noise, x.dtype), label)
    return jax.nn.logsumexp(joint, axis=1) - jnp.log(mass) - x.shape[1] / 2 * np.log(2 * np.pi)


def posterior(
    mixture: Mixture, x: Float[Array, "b d"], signal: Array, noise: Array, label: Int[Array, " b"]
) -> Posterior:
    """Of x₀ given x_t and the label, exactly; b × M × d numbers, so for few components or dimensions."""
    joint, offset = _log_joint(mixture, x, signal, noise, label)
    spread = signal * mixture.variances + noise
    gain = jnp.sqrt(signal) * mixture.variances / spread
    if offset is None:
        means = mixture.means[None] + gain[None] * (x[:, None] - jnp.sqrt(signal) * mixture.means[None])
    else:
        means = mixture.means[None] + jnp.einsum("bme,mde->bmd", gain[None] * offset, mixture.axes)
    return Posterior(jax.nn.log_softmax(joint, axis=1), means, mixture.variances * noise / spread)


def exact_noise(
    mixture: Mixture, x: Float[Array, "b d"], signal: Array, noise: Array, label: Int[Array, " b"]
) -> Float[Array, "b d"]:
    """E[ε | x_t, label], as in `mixture_generator`."""
    joint, offset = _log_joint(mixture, x, signal, noise, label)
    responsibility = jax.nn.softmax(joint, axis=1)
    precision = 1 / (signal * mixture.variances + noise)
    if offset is None:
        middle = mixture.weights @ mixture.means
        pull = responsibility @ precision * (x - jnp.sqrt(signal) * middle[None])
        pull -= jnp.sqrt(signal) * _product(responsibility, precision * (mixture.means - middle[None]))
    else:
        pull = jnp.einsum("bm,bme,mde->bd", responsibility, offset * precision[None], mixture.axes)
    return jnp.sqrt(noise) * pull


def _of_class(mixture: Mixture, label: Int[Array, " b"]) -> Array:
    return (label[:, None] == mixture.labels[None].astype(label.dtype)) | (label[:, None] == mixture.classes)


def _log_joint(
    mixture: Mixture, x: Float[Array, "b d"], signal: Array, noise: Array, label: Int[Array, " b"]
) -> tuple[Float[Array, "b m"], Float[Array, "b m d"] | None]:
    """log w_j N(x; √ξ mean_j, C_j) without (2π)^(−d/2), −∞ for other classes; and with axes U_jᵀ(x − √ξ mean_j).

    Without axes the squares are multiplied out, about the mixture's mean, where they are smallest.
    """
    spread = signal * mixture.variances + noise
    precision = 1 / spread
    repeats = x.shape[1] // spread.shape[1]  # one variance for all d dimensions, or d
    offset = None
    if mixture.axes is None:
        middle = mixture.weights @ mixture.means
        x, means = x - jnp.sqrt(signal) * middle[None], jnp.sqrt(signal) * (mixture.means - middle[None])
        own = jnp.sum(x**2, 1, keepdims=True) * precision.T if repeats > 1 else _product(x**2, precision.T)
        square = own - 2 * _product(x, (precision * means).T) + jnp.sum(precision * means**2, 1)[None]
    else:
        offset = jnp.einsum("bmd,mde->bme", x[:, None] - jnp.sqrt(signal) * mixture.means[None], mixture.axes)
        square = jnp.sum(offset**2 * precision[None], axis=2)
    joint = jnp.log(mixture.weights)[None] - (square + repeats * jnp.sum(jnp.log(spread), 1)[None]) / 2
    return jnp.where(_of_class(mixture, label), joint, -jnp.inf), offset


def _product(a: Float[Array, "b i"], b: Float[Array, "i j"]) -> Float[Array, "b j"]:
    # differences of large squares: not in TF32 or bfloat16
    return jnp.matmul(a, b, precision="highest")
