"""Variance-preserving noise: x_t = √ξ_t x₀ + √(1 − ξ_t) ε, from data at t = 0 to pure noise at t = 1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from infojax.arrays import real_array
from infojax.errors import InvalidInput


@dataclass(frozen=True)
class Schedule:
    """How much signal is left at each time.

    Attributes:
        log_snr: t in [0, 1] → log ξ_t/(1 − ξ_t), decreasing and finite; elementwise.
    """

    log_snr: Callable[[Array], Array]

    def signal(self, t: ArrayLike) -> Float[Array, "..."]:
        """ξ_t, the variance of the signal."""
        return jax.nn.sigmoid(self.log_snr(jnp.asarray(t, float)))

    def noise(self, t: ArrayLike) -> Float[Array, "..."]:
        """1 − ξ_t, the variance of the noise, with all its digits near t = 0."""
        return jax.nn.sigmoid(-self.log_snr(jnp.asarray(t, float)))


# A log signal-to-noise ratio of which float32 still has the exponential.
_WIDEST = 80


def cosine(lowest: float = -12.0, highest: float = 12.0) -> Schedule:
    """ξ_t = cos²(a_t) with a_t linear in t (Nichol and Dhariwal 2021), between two log signal-to-noise ratios.

    Raises `InvalidInput` unless −80 ≤ lowest < 0 < highest ≤ 80.

    >>> [round(float(v), 3) for v in cosine().signal(np.array([0.0, 0.5, 1.0]))]
    [1.0, 0.5, 0.0]
    """
    if not -_WIDEST <= lowest < 0 < highest <= _WIDEST:
        raise InvalidInput(
            f"cosine({lowest}, {highest}): log signal-to-noise ratios, lowest < 0 < highest, within ±{_WIDEST}"
        )
    first, last = np.arctan(np.exp(-0.5 * np.array([highest, lowest]))).tolist()
    return Schedule(lambda t: -2 * jnp.log(jnp.tan(first + t * (last - first))))


def linear(slowest: float = 0.1, fastest: float = 20.0) -> Schedule:
    """The rate of noise β grows linearly in t: ξ_t = exp(−∫β) (Ho et al. 2020; Song et al. 2021).

    Time starts at ξ = 1 − 1e-5 rather than at 1. Raises `InvalidInput` unless 0 < slowest ≤ fastest ≤ 160.
    """
    if not 0 < slowest <= fastest <= 2 * _WIDEST:
        raise InvalidInput(f"linear({slowest}, {fastest}): rates, 0 < slowest ≤ fastest ≤ {2 * _WIDEST}")

    def log_snr(t: Array) -> Array:
        gone = 1e-5 + slowest * t + (fastest - slowest) * t**2 / 2
        return -jnp.log(jnp.expm1(gone))

    return Schedule(log_snr)


def tabulated(signal: Any) -> Schedule:
    """A schedule given at T steps: ξ of step i, `alphas_cumprod` in other libraries, at t = i/(T − 1).

    Between steps the log signal-to-noise ratio is interpolated linearly.

    Args:
        signal: (T,) decreasing, in (0, 1).

    Raises:
        InvalidInput: fewer than two steps, numbers outside (0, 1), or not decreasing.
    """
    table = real_array("tabulated: signal", signal)
    if table.ndim != 1 or len(table) < 2:
        raise InvalidInput(f"tabulated: signal of shape {table.shape}; give ξ of at least two steps, (T,)")
    if not ((table > 0) & (table < 1)).all() or not (np.diff(table) < 0).all():
        raise InvalidInput("tabulated: ξ must decrease from step to step within (0, 1), as alphas_cumprod does")
    log_snr = np.log(table) - np.log1p(-table)
    steps = np.linspace(0, 1, len(table))
    return Schedule(lambda t: jnp.interp(t, jnp.asarray(steps, t.dtype), jnp.asarray(log_snr, t.dtype)))
