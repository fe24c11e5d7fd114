"""Averages of a normal t, |t| below or above a threshold, with the chance Φ(τ|t|) that a label agrees with its sign.

τ = ρ/s is the slope of a cosine ρ and its sine s. All are integrals of positive functions over u = |t|, by a Gauss rule
where Φ(τu) varies and in closed form where it does not: no digits are lost for small thresholds or steep slopes.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf, ndtr
from jaxtyping import Array, Float

_X, _W = (np.asarray(values) / 2 for values in np.polynomial.legendre.leggauss(40))
_X = _X + 0.5  # on [0, 1]
_STEEP = 8.5  # Φ(±8.5) is 0 or 1 in float64
_FAR = 200.0  # beyond it, and beyond most of it, a normal tail is 0 in float64
_DENSITY = float(np.sqrt(2 / np.pi))  # of |t| at 0
_ROOT_HALF = float(np.sqrt(0.5))


class Truncated(NamedTuple):
    """E over t ~ N(0, 1) of 1[|t| in the range] times what each field says."""

    square: Float[Array, ""]  # t²
    tilt: Float[Array, ""]  # |t| (2Φ(τ|t|) − 1)
    agree: Float[Array, ""]  # Φ(τ|t|)
    agree_size: Float[Array, ""]  # |t| Φ(τ|t|)
    agree_square: Float[Array, ""]  # t² Φ(τ|t|)


def truncated_below(threshold: Float[Array, ""], cosine: Float[Array, ""], sine: Float[Array, ""]) -> Truncated:
    """|t| ≤ threshold."""
    flip = jnp.where(cosine < 0, -1, 1).astype(cosine.dtype)
    rho = flip * cosine
    steep = rho * threshold > _STEEP * sine
    # Up to `turn` the chance varies, with τu up to `top`.
    turn = jnp.where(steep, _STEEP * sine / jnp.where(steep, rho, 1), threshold)
    top = jnp.where(steep, _STEEP, rho * threshold / jnp.where(steep, 1, sine))
    u, z, du = turn * _nodes(turn), top * _nodes(turn), turn * _weights(turn)
    mass = du * _DENSITY * jnp.exp(-(u**2) / 2)
    # beyond it, it is 0 or 1
    span = (threshold**2 - turn**2) / 2
    rest = _DENSITY * jnp.exp(-(turn**2) / 2) * -jnp.expm1(-span)
    square = _square_below(threshold)
    tilt = flip * (mass @ (u * erf(_ROOT_HALF * z)) + rest)
    chance = ndtr(flip * z)
    sure = jnp.where(flip > 0, 1, 0).astype(u.dtype)
    beyond = sure * (erf(_ROOT_HALF * threshold) - erf(_ROOT_HALF * turn))
    beyond_square = sure * (square - _square_below(turn))
    return Truncated(
        square,
        tilt,
        mass @ chance + beyond,
        mass @ (u * chance) + sure * rest,
        mass @ (u**2 * chance) + beyond_square,
    )


def truncated_above(
    threshold: Float[Array, ""], fraction: Float[Array, ""], cosine: Float[Array, ""], sine: Float[Array, ""]
) -> Truncated:
    """|t| > threshold, which is so with probability `fraction`.

    Φ(−z) is integrated from the threshold to where the product with the density of t is nothing beside its value there;
    where labels mostly agree it is what is missing from the whole.
    """
    stretched = stretch(threshold, sine)
    # e^{−(ξ+rs)²/2s²} is e^{−44} of e^{−ξ²/2s²}
    reach = 88 / (jnp.sqrt(stretched**2 + 88) + stretched)
    u = threshold + sine * reach * _nodes(reach)
    z = jnp.abs(cosine) * (stretched + reach * _nodes(reach))
    mass = sine * reach * _weights(reach) * _DENSITY * jnp.exp(-(u**2) / 2)
    wrong = ndtr(-z)
    none, size, square = (mass @ (power * wrong) for power in (jnp.ones_like(u), u, u**2))
    density = _DENSITY * jnp.exp(-(threshold**2) / 2)
    whole = fraction, density, fraction + threshold * density
    less = cosine < 0
    agree = [jnp.where(less, part, full - part) for part, full in zip((none, size, square), whole, strict=True)]
    tilt = jnp.where(less, -1, 1) * (whole[1] - 2 * size)
    return Truncated(whole[2], tilt, *agree)


def stretch(threshold: Float[Array, ""], sine: Float[Array, ""]) -> Float[Array, ""]:
    """ξ/s, at most what is beyond all tails."""
    far = threshold > _FAR * sine
    return jnp.where(far, _FAR, threshold / jnp.where(far, 1, sine))


def _square_below(threshold: Float[Array, ""]) -> Float[Array, ""]:
    """E[t²; |t| ≤ ξ] = erf(ξ/√2) − 2ξφ(ξ), by a series of positive terms where that would cancel."""
    small = threshold < 1.5
    x = jnp.where(small, threshold, 1.0)
    total = jnp.zeros_like(x)
    for k in range(20, 0, -1):  # 1 + x²/5 (1 + x²/7 (…))
        total = (1 + total) * x**2 / (2 * k + 3)
    density = _DENSITY * jnp.exp(-(threshold**2) / 2)
    series = density * x**3 / 3 * (1 + total)
    return jnp.where(small, series, erf(_ROOT_HALF * threshold) - threshold * density)


def _nodes(like: Array) -> Array:
    return jnp.asarray(_X, like.dtype)


def _weights(like: Array) -> Array:
    return jnp.asarray(_W, like.dtype)
