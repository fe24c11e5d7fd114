"""Owen's T function, P(G > h, 0 < Z < a·G) for independent standard normals, at slopes up to ±∞."""

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)


def owens_t(h: Float[Array, ""], rise: Float[Array, ""], run: Float[Array, ""]) -> Float[Array, ""]:
    """T(h, rise/run) for h ≥ 0 and run > 0, however small.

    T(h, a) = 1/2π ∫₀ᵃ exp(−h²(1 + x²)/2) / (1 + x²) dx. The integrand is smooth enough for Gauss–Legendre
    quadrature to reach rounding when |a| ≤ 1; steeper slopes are reflected into that range by
    T(h, a) + T(ah, 1/a) = (Q(h) + Q(ah))/2 − Q(h) Q(ah), a > 0, with Q the upper tail (Owen, 1956).
    """
    steep = jnp.abs(rise) > run
    side, rise = jnp.where(rise < 0, -1, 1).astype(rise.dtype), jnp.abs(rise)
    scaled = h * rise / run
    slope = jnp.where(steep, run, rise) / jnp.where(steep, rise, run)
    gentle = _quadrature(jnp.where(steep, scaled, h), slope)
    tail, scaled_tail = ndtr(-h), ndtr(-scaled)
    return side * jnp.where(steep, (tail + scaled_tail) / 2 - tail * scaled_tail - gentle, gentle)


def _quadrature(h: Float[Array, ""], a: Float[Array, ""]) -> Float[Array, ""]:
    x = a * jnp.asarray((_NODES + 1) / 2, a.dtype)
    square = 1 + x**2
    return a * jnp.sum(jnp.asarray(_WEIGHTS / 2, a.dtype) * jnp.exp(-(h**2) * square / 2) / square) / (2 * np.pi)
