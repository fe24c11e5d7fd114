"""Moments of examples that are kept with any probability that depends on the pruner's margin and on the label.

Given u = |w_s·x| and ρ = w_s·w_g ≥ 0, the label y = sign(w_g·x) *agrees* with the pruner, y = sign(w_s·x), with
probability 1 − e, e = ½ erfc(ρu/(s√2)), s = √(1 − ρ²). Let A(u) and D(u) be what an agreeing and a disagreeing example
count. All moments are integrals over u of A and D with polynomials, e and φ(ρu/s). Near ρ = 1 the last two
live in a layer u ~ s; there z = u/s is the variable, in which everything is smooth, ρ = 1 included:

    kept    E A + ∫2φ(sz) s e (D − A) dz                     along   E uA − ∫2φ(sz) s²z e (A + D) dz
    square  E u²A + ∫2φ(sz) s³z² e (D − A) dz                side    2φ(0) ∫φ(z) (A + D)(sz) dz
    swap    2φ(0) ∫zφ(z) (A − D)(sz) dz

With S the reflection that exchanges w_s and w_g, E[q x xᵀ] = kept I + (square − kept − ρs·swap) w_s w_sᵀ + s·swap S,
E[q y x] = (along − ρ side) w_s + side w_g. A negative ρ is a positive one with −w_s for w_s.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc
from jaxtyping import Array, Float

from infojax.scaling.selection.moments import PHI0, Moments, frame_gram
from infojax.scaling.selection.panels import panels
from infojax.scaling.selection.soft_cap import REACH, density

Counts = tuple[Float[Array, " nodes"], Float[Array, " nodes"]]  # A and D


class MarginQuadrature(NamedTuple):
    """Sizes u at which A and D are wanted, and what their values are multiplied with."""

    cosine: Float[Array, ""]
    sine: Float[Array, ""]
    sizes: Float[Array, " nodes"]  # u
    layer: Float[Array, " nodes"]  # sz
    whole: Float[Array, " nodes"]  # 2φ(u) du
    wrong: Float[Array, " nodes"]  # 2φ(sz) s e dz
    normal: Float[Array, " nodes"]  # φ(z) dz
    scaled: Float[Array, " nodes"]  # z


def margin_quadrature(edges: Float[Array, " edges"], cosine: Float[Array, ""]) -> MarginQuadrature:
    """For counts that are smooth between the ascending edges, of which the first is 0, and zero beyond the last."""
    s, rho = _sine(cosine), jnp.where(cosine < 0, -cosine, cosine)
    u, du = panels(edges)
    z, dz = panels(jnp.minimum(edges / s, REACH))
    wrong = dz * density(s * z) * s * erfc(rho * z * np.sqrt(0.5).astype(cosine.dtype)) / 2
    return MarginQuadrature(cosine, s, u, s * z, du * density(u), wrong, dz * density(z) / 2, z)


def margin_moments(quadrature: MarginQuadrature, at_sizes: Counts, at_layer: Counts) -> Moments:
    """The moments in the frame (w_s, w_g), given A and D at the sizes and at the layer of the quadrature."""
    cosine, s, u, sz, whole, wrong, normal, z = quadrature
    flip = jnp.where(cosine < 0, -1, 1).astype(cosine.dtype)
    rho = flip * cosine
    # With −w_s for w_s a label that agreed disagrees.
    agree = jnp.where(cosine < 0, at_sizes[1], at_sizes[0])
    more = flip * (at_layer[1] - at_layer[0])
    both = at_layer[0] + at_layer[1]

    kept = whole @ agree + wrong @ more
    square = whole @ (u**2 * agree) + wrong @ (sz**2 * more)
    swap = -2 * PHI0 * (normal @ (z * more))
    along = whole @ (u * agree) - wrong @ (sz * both)
    side = 2 * PHI0 * (normal @ both)

    lift = square - kept - rho * s * swap
    second = jnp.array([[kept + lift, flip * (s * swap + lift * rho)], [flip * s * swap, kept]])
    labels = jnp.array([flip * (along - rho * side), side])
    return Moments(kept, second, labels, kept, frame_gram(cosine))


def _sine(cosine: Float[Array, ""]) -> Float[Array, ""]:
    """√(1 − ρ²), kept above 0 at ρ = ±1 but with the derivative −ρ/s that belongs to it, so that what is smooth in s²
    has its derivative there."""
    square = (1 - cosine) * (1 + cosine)
    floor = jnp.finfo(cosine.dtype).eps ** 2
    return jnp.sqrt(square + jax.lax.stop_gradient(jnp.maximum(floor - square, 0)))
