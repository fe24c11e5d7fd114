"""How far kept examples lie from a student's boundary, and how that drives its margin.

The plane of the teacher T and the probe J_p holds all that a label and a rule can see of an example. Let H be y·x
projected on it: a standard normal (t, w), t = T·x·y > 0, kept where z = t cos θ + w sin θ is, in size, below
(hard) or above (easy) the threshold γ. A student with the component c in the plane, in units of its component outside,
violates the margin k by k − c·H − Z with Z ~ N(0, 1). All that matters are averages over kept H of

    h(v) = E(v − Z)₊² = (1 + v²) Φ(v) + v φ(v)  at v = k − c·H,

and of its derivatives. In coordinates u along c and q across it, h depends on u alone, and the kept part of the
line at u is one interval of q (easy: two), so that averages over q are closed forms and only u is left to quadrature.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc, erfinv, ndtr, ndtri
from jaxtyping import Array, Float

FAR = 8.8  # beyond so many standard deviations, a normal density adds nothing to a double
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(14)
_STEPS = np.array([-FAR, -5.5, -3.5, -1.75, 0.0, 1.75, 3.5, 5.5, FAR])  # panels across a normal density


class Kept(NamedTuple):
    """The rule and the probe."""

    fraction: Any  # f
    threshold: Any  # γ
    angle: Any  # θ


class Averages(NamedTuple):
    """Averages over kept examples of h, h', h″ at k − c·H, with powers of H."""

    h: Float[Array, ""]
    slope: Float[Array, ""]  # E h'
    slope_H: Float[Array, "2"]  # E h' H
    bend: Float[Array, ""]  # E h″
    bend_H: Float[Array, "2"]  # E h″ H
    bend_HH: Float[Array, "2 2"]  # E h″ HHᵀ


def kept_examples(fraction: Float[Array, ""], angle: Float[Array, ""], keep: str) -> Kept:
    """γ with P(|z| < γ) = f (hard) or P(|z| > γ) = f (easy)."""
    if keep == "easy":
        return Kept(fraction, -ndtri(fraction / 2), angle)
    # kept finite at f = 1 by stopping half a unit of rounding below
    whole = 1 - jnp.finfo(fraction.dtype).eps / 2
    return Kept(fraction, np.sqrt(2).astype(fraction.dtype) * erfinv(jnp.minimum(fraction, whole)), angle)


def averages(k: Float[Array, ""], c: Float[Array, "2"], kept: Kept, keep: str) -> Averages:
    """Averages at the margin k of a student c = (c_t, c_w), in units of its part outside the plane."""
    size = jnp.sqrt(c @ c)
    cosine, sine = c / size  # of the angle η between c and T
    edges = _panels(k, size, cosine, sine, kept)
    nodes, weights = (jnp.asarray(v, k.dtype)[None] for v in ((_NODES + 1) / 2, _WEIGHTS / 2))
    widths = jnp.diff(edges)[:, None]
    x = (edges[:-1, None] + widths * nodes).ravel()
    u = x / size
    mass = (widths * weights).ravel() / size * 2 * phi(u) / kept.fraction
    one, first, second = _across(u, cosine, sine, kept, keep)
    v = k - x
    # erfc alone: in ndtr XLA computes erf and erfc of every v
    cdf, density = erfc(-np.sqrt(0.5).astype(v.dtype) * v) / 2, phi(v)
    h = mass * jnp.maximum((1 + v**2) * cdf + v * density, 0)
    slope = mass * 2 * jnp.maximum(v * cdf + density, 0)
    bend = mass * 2 * cdf
    frame = jnp.array([[cosine, -sine], [sine, cosine]])  # columns: along c, across c
    bend_HH = jnp.array(
        [
            [(bend * u**2) @ one, (bend * u) @ first],
            [(bend * u) @ first, bend @ second],
        ]
    )
    return Averages(
        h @ one,
        slope @ one,
        frame @ jnp.stack([(slope * u) @ one, slope @ first]),
        bend @ one,
        frame @ jnp.stack([(bend * u) @ one, bend @ first]),
        frame @ bend_HH @ frame.T,
    )


def _panels(k: Array, size: Array, cosine: Array, sine: Array, kept: Kept) -> Float[Array, " edges"]:
    """Edges in x = |c|u of panels in each of which the integrand is smooth: it varies as h about k, as the
    normal density about 0, as the boundaries t = 0 and z = ±γ cross the line, and has kinks where those meet."""
    steps = jnp.asarray(_STEPS, k.dtype)
    slanted = jnp.cos(kept.angle) * cosine + jnp.sin(kept.angle) * sine  # cosine of the angle between c and J_p
    across = jnp.sin(kept.angle) * cosine - jnp.cos(kept.angle) * sine
    edge = kept.threshold / _away(slanted)
    corner = kept.threshold * sine / _away(jnp.sin(kept.angle))
    in_u = jnp.concatenate(
        [
            jnp.asarray(_STEPS[::2], k.dtype),
            steps * sine / _away(cosine),
            edge + steps * across / _away(slanted),
            -edge + steps * across / _away(slanted),
            jnp.stack([corner, -corner]),
        ]
    )
    far = jnp.sqrt(FAR**2 + kept.threshold**2)  # a threshold far out leaves a small fraction to be normalised
    low = -size * jnp.where(cosine > 0, jnp.minimum(far, far * jnp.abs(sine) / _away(cosine)), far)
    high = jnp.maximum(jnp.minimum(size * far, k + FAR), low)
    return jnp.sort(jnp.clip(jnp.concatenate([size * in_u, k + steps, jnp.stack([low, high])]), low, high))


def _across(u: Array, cosine: Array, sine: Array, kept: Kept, keep: str) -> tuple[Array, Array, Array]:
    """∫ q^j φ(q) dq, j = 0, 1, 2, over the kept part of the line at u.

    With s the sign of sin η: t > 0 is s·q < u cos η/|sin η|, and |z| < γ is an interval of s·q about
    −u cos β/(s sin β), β = θ − η.
    """
    side = jnp.where(sine < 0, -1, 1).astype(u.dtype)
    slanted = jnp.cos(kept.angle) * cosine + jnp.sin(kept.angle) * sine
    across = side * (jnp.sin(kept.angle) * cosine - jnp.cos(kept.angle) * sine)
    turn = jnp.where(across < 0, -1, 1).astype(u.dtype)
    top = _clip(u * cosine / _away(jnp.abs(sine)))
    middle = -turn * u * slanted
    left = _clip((middle - kept.threshold) / _away(jnp.abs(across)))
    right = _clip((middle + kept.threshold) / _away(jnp.abs(across)))
    if keep == "hard":
        one, first, second = _interval(left, jnp.minimum(right, top))
    else:
        below, above = _interval(jnp.full_like(u, -_BEYOND), jnp.minimum(left, top)), _interval(right, top)
        one, first, second = (a + b for a, b in zip(below, above, strict=True))
    return one, side * first, second


_BEYOND = 40.0  # standard deviations: stands for infinity


def _interval(low: Array, high: Array) -> tuple[Array, Array, Array]:
    """∫ q^j φ(q) dq for j = 0, 1, 2 from low to high; nothing where the interval is empty."""
    high = jnp.maximum(high, low)
    upper = low > 0  # both in the upper tail, where 1 − Φ says more than Φ
    one = ndtr(jnp.where(upper, -low, high)) - ndtr(jnp.where(upper, -high, low))
    at_low, at_high = phi(low), phi(high)
    return one, at_low - at_high, one + low * at_low - high * at_high


def _clip(q: Array) -> Array:
    return jnp.clip(q, -_BEYOND, _BEYOND)


def phi(v: Array) -> Array:
    return jnp.exp(-(v**2) / 2) / np.sqrt(2 * np.pi).astype(v.dtype)


def _away(value: Array) -> Array:
    """A divisor kept away from zero: what it divides is then clipped."""
    tiny = jnp.asarray(1e-30, value.dtype)
    return jnp.where(jnp.abs(value) < tiny, tiny, value)
