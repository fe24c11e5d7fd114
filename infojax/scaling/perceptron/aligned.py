"""The largest margin of a perceptron where the probe is the teacher: two equations in two logarithms.

At θ = 0 what matters of a kept example is u = y T·x > 0 alone: with s the smallest u that is kept (hard: 0, easy: γ),
s < u < s + span. A student with c along T and margin k, in units of its part across T, violates it by v − Z with
v = j − c(u − s) and j = k − cs. With h(v) = E(v − Z)₊², the largest k/√(1 + c²) under α E h ≤ 1 is where

    A = log α E h = 0,
    B = log[(1 + c²) E h'(u − s) + s E h'] − log[j c E h'] = 0.

Both are nearly linear in log j and log c, over the many orders of magnitude of c. On the curve A = 0, B has the sign
of the derivative of the margin in c, of which there is one zero (`largest_margin` says why). So of a Newton step the
length is what may be wrong: its sign is set so that it climbs, and it is bounded.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc
from jaxtyping import Array, Bool, Float, Int

from infojax.scaling.perceptron.margins import FAR, Kept, phi
from infojax.scaling.perceptron.solver import Student

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_STEPS = 60
_LONGEST = 1.0  # step in a logarithm; with twice as long ones a few problems in 10⁵ run in circles


class _Search(NamedTuple):
    log_j: Float[Array, ""]
    log_c: Float[Array, ""]
    steps: Int[Array, ""]
    moved: Float[Array, ""]


class _Equations(NamedTuple):
    """A and B, and their derivatives in log j and log c."""

    A: Float[Array, ""]
    B: Float[Array, ""]
    A_j: Float[Array, ""]
    A_c: Float[Array, ""]
    B_j: Float[Array, ""]
    B_c: Float[Array, ""]


def largest_aligned_margin(alpha: Float[Array, ""], kept: Kept, keep: str) -> Student:
    """The student for α kept examples a dimension, θ = 0; differentiable by the implicit function theorem."""
    log_j, log_c = jax.lax.stop_gradient(_search(*jax.lax.stop_gradient((alpha, kept)), keep))
    # A last Newton step: it says how far the root was, and carries the derivatives.
    at = _equations(alpha, kept, keep, log_j, log_c)
    slopes = jax.lax.stop_gradient(at)
    step = (slopes.A_j * at.B - slopes.B_j * at.A) / -_determinant(slopes)
    step_j = -(at.A + slopes.A_c * step) / slopes.A_j
    moved = jax.lax.stop_gradient(jnp.maximum(jnp.abs(step), jnp.abs(step_j)))
    c, j = jnp.exp(log_c + step), jnp.exp(log_j + step_j)
    # Newton's method doubles digits: what this step moves by so little, it leaves correct to rounding.
    found = moved < jnp.finfo(alpha.dtype).eps ** 0.4
    return Student(j + c * _kept_range(kept, keep)[0], jnp.stack([c, jnp.zeros_like(c)]), found)


def _search(alpha: Array, kept: Kept, keep: str) -> tuple[Array, Array]:
    tolerance = float(jnp.finfo(alpha.dtype).eps) ** 0.3

    def running(state: _Search) -> Bool[Array, ""]:
        return (state.moved > tolerance) & (state.steps < _STEPS)

    def climb(state: _Search) -> _Search:
        log_j, log_c, steps, _ = state
        at = _equations(alpha, kept, keep, log_j, log_c)
        step = jnp.clip((at.A_j * at.B - at.B_j * at.A) / jnp.abs(_determinant(at)), -_LONGEST, _LONGEST)
        step_j = jnp.clip(-(at.A + at.A_c * step) / at.A_j, -_LONGEST, _LONGEST)
        return _Search(log_j + step_j, log_c + step, steps + 1, jnp.maximum(jnp.abs(step), jnp.abs(step_j)))

    start = _Search(*_start(alpha, kept, keep), jnp.asarray(0), jnp.asarray(jnp.inf, alpha.dtype))
    return jax.lax.while_loop(running, climb, start)[:2]


def _start(alpha: Array, kept: Kept, keep: str) -> tuple[Array, Array]:
    """log j and log c between what they tend to for few and for many examples.

    Few are all at the margin: α(j² + 1) ≈ 1 and c ≈ √α E(u − s). Of many only those near s matter, whose density is p:
    α p ∫h(j − x)dx = c, and j/c is largest at j = 0.64, where c = 0.8 α p. Of the hardest, few become many at α = 2.
    """
    low, _ = _kept_range(kept, keep)
    few = jnp.sqrt(alpha) * 2 * phi(low) / kept.fraction
    many = 0.8 * alpha * 2 * phi(low) / kept.fraction
    if keep == "hard":
        few *= -jnp.expm1(-(kept.threshold**2) / 2)
        c = jnp.where(alpha > 2, many, few)
    else:
        c = few + many
    return jnp.log(0.4 + 1 / alpha) / 2, jnp.log(c)


def _equations(alpha: Array, kept: Kept, keep: str, log_j: Array, log_c: Array) -> _Equations:
    j, c = jnp.exp(log_j), jnp.exp(log_c)
    low, span = _kept_range(kept, keep)
    # x = c(u − s); beyond j + FAR nothing is violated
    nodes, weights = (jnp.asarray(v, j.dtype) for v in ((_NODES + 1) / 2, _WEIGHTS / 2))
    high = jnp.minimum(c * span, j + FAR)
    x = high * nodes
    u = x / c
    mass = high / c * weights * 2 * phi(low + u) / kept.fraction
    v = j - x
    # erfc alone: in ndtr XLA computes erf and erfc of every v
    cdf, density = erfc(-np.sqrt(0.5).astype(v.dtype) * v) / 2, phi(v)
    slopes, bends = mass * 2 * jnp.maximum(v * cdf + density, 0), mass * 2 * cdf
    h = jnp.sum(mass * jnp.maximum((1 + v**2) * cdf + v * density, 0))
    slope, slope_u = jnp.sum(slopes), jnp.sum(slopes * u)
    bend, bend_u, bend_uu = jnp.sum(bends), jnp.sum(bends * u), jnp.sum(bends * u**2)
    whole = 1 + c**2
    rise = whole * slope_u + low * slope
    return _Equations(
        A=jnp.log(alpha * h),
        B=jnp.log(rise) - jnp.log(slope) - log_j - log_c,
        A_j=j * slope / h,
        A_c=-c * slope_u / h,
        B_j=j * ((whole * bend_u + low * bend) / rise - bend / slope) - 1,
        B_c=c * ((2 * c * slope_u - whole * bend_uu - low * bend_u) / rise + bend_u / slope) - 1,
    )


def _determinant(at: _Equations) -> Float[Array, ""]:
    return at.A_j * at.B_c - at.A_c * at.B_j


def _kept_range(kept: Kept, keep: str) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """s, and how far beyond it kept examples go."""
    if keep == "hard":
        return jnp.zeros_like(kept.threshold), jnp.minimum(kept.threshold, FAR)
    return kept.threshold, jnp.sqrt(kept.threshold**2 + FAR**2) - kept.threshold
