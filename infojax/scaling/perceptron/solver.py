"""The largest margin of a perceptron on kept examples, as a concave maximisation over its overlaps.

A student J = U a + σ e, with a its components in the plane of teacher and probe and σ² = 1 − |a|², can have the
margin κ on α examples a dimension as long as α E(κ − a·H − σZ)₊² ≤ σ² (Gordon's comparison). With c = a/σ and
k = κ/σ this is α E h(k − c·H) ≤ 1, convex in (k, c), so that the largest k is a concave function k(c), and

    κ* = max_c k(c)/√(1 + |c|²).

κ(a, σ) = σ k(a/σ) is concave and homogeneous too, so κ(a, σ) − |a|²/2 − σ²/2 is strongly concave, with the maximum
κ*²/2. It has one maximum, to which Newton's method with step halving converges from anywhere.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from infojax.scaling.perceptron.margins import Averages, Kept, averages

_STARTS = 8  # sizes of |c| that are tried first
_INNER, _OUTER, _HALVINGS = 60, 60, 25


class Student(NamedTuple):
    """The perceptron of largest margin: κ = k/√(1 + |c|²), its components in the plane are c/√(1 + |c|²)."""

    k: Float[Array, ""]
    c: Float[Array, "2"]  # along the teacher, and in the plane orthogonal to it
    found: Bool[Array, ""]


class _Point(NamedTuple):
    k: Float[Array, ""]
    c: Float[Array, "2"]
    at: Averages


def largest_margin(alpha: Float[Array, ""], kept: Kept, keep: str) -> Student:
    """The student for α kept examples a dimension, θ > 0; differentiable by the implicit function theorem."""
    given = jax.lax.stop_gradient((alpha, kept))
    fixed = jax.lax.stop_gradient(_search(*given, keep))
    # A last Newton step: it says how far the root was, and carries the derivatives.
    value, jacobian = _conditions(alpha, fixed.k, fixed.c, kept, keep)
    # in units in which the unknowns are of order one
    scale = jnp.concatenate([jnp.maximum(fixed.k, 1)[None], jnp.full((2,), jnp.sqrt(1 + fixed.c @ fixed.c))])
    jacobian = jax.lax.stop_gradient(jacobian) * scale[None]
    size = jnp.max(jnp.abs(jacobian), axis=1)
    step = -scale * jnp.linalg.solve(jacobian / size[:, None], value / size)
    moved = jax.lax.stop_gradient(jnp.max(jnp.abs(step) / scale))
    # Newton's method doubles digits: what this step moves by so little, it leaves correct to rounding.
    found = (moved < jnp.finfo(alpha.dtype).eps ** 0.4) & (fixed.k > 0)
    return Student(fixed.k + step[0], fixed.c + step[1:], found)


def _search(alpha: Array, kept: Kept, keep: str) -> _Point:
    at = partial(averages, kept=kept, keep=keep)
    # |c| is about cot(π error), and the error is never much below f/α; easy examples pull c to the probe.
    top = jnp.maximum(jnp.log10(alpha / kept.fraction), 2) + 1
    sizes = 10 ** (top + jnp.linspace(-1, 0, _STARTS, dtype=alpha.dtype) * (top + 2))

    def along(way: Array) -> _Point:
        def further(before: _Point, size: Array) -> tuple[_Point, _Point]:
            c = size * way
            # k(c) is concave: its tangent is above it
            point = _margin(alpha, c, before.k + before.at.slope_H @ (c - before.c) / before.at.slope, at, 1e-5)
            return point, point

        # and E c·H + 1/√α is above k(c), by Jensen's inequality
        first = sizes[0] * way
        mean = sizes[0] * (1 if keep == "hard" else 2 + kept.threshold)
        k = mean + jax.lax.rsqrt(alpha)
        return jax.lax.scan(further, _Point(k, first, at(k, first)), sizes)[1]

    teacher = jnp.stack([jnp.ones_like(alpha), jnp.zeros_like(alpha)])
    probe = jnp.stack([jnp.cos(kept.angle), jnp.sin(kept.angle)])
    points = jax.lax.map(along, jnp.stack([teacher, probe]))
    points = jax.tree.map(lambda values: values.reshape(-1, *values.shape[2:]), points)
    best = jnp.argmax(points.k / jnp.sqrt(1 + jnp.sum(points.c**2, axis=1)))
    start = jax.tree.map(lambda values: values[best], points)

    def running(state: tuple[_Point, Array, Array]) -> Array:
        _, count, moved = state
        return (count < _OUTER) & (moved > 0.1 * jnp.sqrt(jnp.finfo(alpha.dtype).eps))

    def improve(state: tuple[_Point, Array, Array]) -> tuple[_Point, Array, Array]:
        point, count, _ = state
        after = _newton_step(alpha, point, at)
        moved = jnp.linalg.norm(after.c - point.c) / jnp.sqrt(1 + point.c @ point.c)
        return after, count + 1, moved

    return jax.lax.while_loop(running, improve, (start, jnp.asarray(0), jnp.asarray(jnp.inf, alpha.dtype)))[0]


def _margin(alpha: Array, c: Array, k: Array, at: Any, tolerance: float = 0.0) -> _Point:
    """k(c), from above: √E h(k − c·H) is convex and increasing in k, so Newton's method descends to 1/√α."""
    # Margins vary on the scale of 1; after a step as small as this the next one would be lost in rounding.
    tolerance = tolerance or 0.1 * float(jnp.finfo(alpha.dtype).eps) ** 0.5
    rounding = 8 * float(jnp.finfo(alpha.dtype).eps)

    def running(state: tuple[_Point, Array, Array]) -> Array:
        point, count, moved = state
        return (count < _INNER) & (moved > tolerance + rounding * jnp.abs(point.k))

    def descend(state: tuple[_Point, Array, Array]) -> tuple[_Point, Array, Array]:
        (k, c, _), count, _ = state
        here = at(k, c)
        root = jnp.sqrt(here.h)
        step = 2 * root * (root - jax.lax.rsqrt(alpha)) / here.slope
        return _Point(k - step, c, here), count + 1, jnp.abs(step)

    zero = jnp.zeros_like(alpha)
    nothing = Averages(zero, zero, jnp.zeros_like(c), zero, jnp.zeros_like(c), jnp.outer(c, c))
    state = _Point(k, c, nothing), jnp.asarray(0), jnp.asarray(jnp.inf, alpha.dtype)
    return jax.lax.while_loop(running, descend, state)[0]


def _newton_step(alpha: Array, point: _Point, at: Any) -> _Point:
    """One step of Newton's method on κ(a, σ) − |a|²/2 − σ²/2, halved until the margin grows."""
    k, c, here = point
    slope, curvature = _derivatives(here)  # ∇k and its derivative
    sigma = k / (1 + c @ c)  # the best length for this direction
    # κ = σ k(a/σ): ∂_a = ∇k, ∂_σ = k − c·∇k; its Hessian is B ∇∇k Bᵀ/σ with B = (I; −cᵀ)
    gradient = jnp.append(slope - sigma * c, k - c @ slope - sigma)
    frame = jnp.concatenate([jnp.eye(2, dtype=c.dtype), -c[None]])
    direction = jnp.linalg.solve(jnp.eye(3, dtype=c.dtype) - frame @ curvature @ frame.T / sigma, gradient)
    rise = gradient @ direction
    size = k / jnp.sqrt(1 + c @ c)
    # So near the top rounding of the margin would hold up the last steps, which need no guard.
    near = rise < 0.1 * jnp.sqrt(jnp.finfo(k.dtype).eps) * size**2

    def tried(length: Array) -> tuple[_Point, Array]:
        new_sigma = sigma + length * direction[2]
        inside = new_sigma > 0.1 * sigma
        new_c = (sigma * c + length * direction[:2]) / jnp.where(inside, new_sigma, sigma)
        # k(c) is concave: its tangent is above it
        new = _margin(alpha, new_c, k + slope @ (new_c - c), at)
        margin = new.k / jnp.sqrt(1 + new_c @ new_c)
        enough = near | (margin * jnp.abs(margin) >= size**2 + 0.2 * length * rise)
        return new, inside & enough

    def running(state: tuple[Array, Array, _Point, Array]) -> Array:
        _, count, _, accepted = state
        return ~accepted & (count < _HALVINGS)

    def halve(state: tuple[Array, Array, _Point, Array]) -> tuple[Array, Array, _Point, Array]:
        length, count, _, _ = state
        return length / 2, count + 1, *tried(length)

    one = jnp.ones_like(k)
    _, _, new, accepted = jax.lax.while_loop(running, halve, (one, jnp.asarray(0), point, jnp.asarray(False)))
    return jax.tree.map(lambda after, before: jnp.where(accepted, after, before), new, point)


def _derivatives(here: Averages) -> tuple[Float[Array, "2"], Float[Array, "2 2"]]:
    """∇k = E h'H/E h' and ∇∇k = −E h″(H − ∇k)(H − ∇k)ᵀ/E h'."""
    slope = here.slope_H / here.slope
    mixed = jnp.outer(slope, here.bend_H)
    curvature = -(here.bend_HH - mixed - mixed.T + here.bend * jnp.outer(slope, slope)) / here.slope
    return slope, curvature


def _conditions(
    alpha: Array, k: Array, c: Array, kept: Kept, keep: str
) -> tuple[Float[Array, "3"], Float[Array, "3 3"]]:
    """What vanishes at the maximum, α E h − 1 and (1 + |c|²)∇k − k c, and its derivative in (k, c)."""
    here = averages(k, c, kept, keep)
    slope = here.slope_H / here.slope
    whole = 1 + c @ c
    value = jnp.append(alpha * here.h - 1, whole * slope - k * c)
    # with k and c apart: d(E h'H/E h') = (E h″(H − ∇k))/E h' dk − (E h″(H − ∇k)Hᵀ)/E h' dc
    by_k = (here.bend_H - slope * here.bend) / here.slope
    by_c = -(here.bend_HH - jnp.outer(slope, here.bend_H)) / here.slope
    top = jnp.append(alpha * here.slope, -alpha * here.slope_H)
    rest = whole * by_c + 2 * jnp.outer(slope, c) - k * jnp.eye(2, dtype=c.dtype)
    return value, jnp.concatenate([top[None], jnp.concatenate([(whole * by_k - c)[:, None], rest], axis=1)])
