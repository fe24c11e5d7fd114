"""Moments of examples that are kept with any probability that depends on the pruner's margin and on the label.

Given u = |w_s·x| and ρ = w_s·w_g ≥ 0, the label y = sign(w_g·x) *agrees* with the pruner, y = sign(w_s·x), with
probability 1 − e, e = ½ erfc(ρu/(s√2)), s = √(1 − ρ²). Let A(u) and D(u) be what an agreeing and a disagreeing example
count. All moments are integrals over u of A and D with polynomials, e and φ(ρu/s). Near ρ = 1 the last two
live in a layer u ~ s; there z = u/s is the variable, in which everything is smooth, ρ = 1 included:

    kept    E A + ∫2φ(sz) s e (D − A) dz                     along   E uA − ∫2φ(sz) s²z e (A + D) dz
    square  E u²A + ∫2φ(sz) s³z² e (D − A) dz                side    2φ(0) ∫φ(z) (A + D)(sz) dz
    swap    2φ(0) ∫zφ(z) (A − D)(sz) dz

In the frame (w_s, w_⊥), w_⊥ = w_g − ρ w_s, E[q y x] has the coefficients (along, side), and, as the reflection S that
exchanges w_s and w_g takes w_s to ρ w_s + w_⊥ and w_⊥ to s² w_s − ρ w_⊥, E[q x xᵀ] = kept I + lift w_s w_sᵀ + s swap S
has the entries (square, s³ swap; s swap, kept − ρ s swap). A negative ρ is a positive one with −w_s for w_s.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc
from jaxtyping import Array, Float

from infojax.scaling.selection.moments import PHI0, Moments, frame_gram, sine_of
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


def margin_quadrature(
    edges: Float[Array, " edges"], cosine: Float[Array, ""], sine: Float[Array, ""] | None = None
) -> MarginQuadrature:
    """For counts that are smooth between the ascending edges, of which the first is 0, and zero beyond the last."""
    s, rho = (sine_of(cosine) if sine is None else sine), jnp.where(cosine < 0, -cosine, cosine)
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

    swap = s * swap
    second = jnp.stack([square, flip * s**2 * swap, flip * swap, kept - rho * swap]).reshape(2, 2)
    labels = jnp.stack([flip * along, side])
    return Moments(kept, second, labels, kept, frame_gram(cosine))
