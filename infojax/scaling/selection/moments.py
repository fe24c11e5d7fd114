"""Moments of the kept examples, which are all that the deterministic equivalent needs to know of a selection.

Examples x ~ N(0, I) carry the label y = sign(w_g·x) of a generator and are kept, q(x) ∈ {0, 1}, by a rule that looks
at the margin of a pruner w_s. Everything that matters lies in the span of w_s and w_g. Vectors in it are written in the
frame (w_s, w_⊥), w_⊥ = w_g − ρ w_s, which is orthogonal but not normalised, |w_⊥|² = 1 − ρ²: then no √(1 − ρ²) divides
anything, and ρ = w_s·w_g = ±1, where the two directions fall together, is a point like any other, with its derivatives.
Every moment is a sum or an integral of terms of one sign, so that none loses digits, however small p is.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf, erfc
from jaxtyping import Array, Float

from infojax.scaling.selection.rules import Selection
from infojax.scaling.selection.slanted import Truncated, stretch, truncated_above, truncated_below

PHI0 = 1 / np.sqrt(2 * np.pi)  # the normal density at 0


class Moments(NamedTuple):
    """Moments of the kept examples in a frame f_1 … f_k that spans all special directions.

    A vector Σ_i a_i f_i has coefficients a. With an orthonormal frame, `gram` is the identity and `second` is
    the usual symmetric matrix E[q G Gᵀ] of G_i = f_i·x.
    """

    kept: Float[Array, ""]  # p = E q
    second: Float[Array, "k k"]  # K: E[q x xᵀ] maps coefficients a to coefficients K a
    labels: Float[Array, " k"]  # c: coefficients of E[q y x]
    power: Float[Array, ""]  # E[q y²]
    gram: Float[Array, "k k"]  # f_i·f_j
    target: Float[Array, " k"] | None = None  # w, where labels are y = w·x and noise, and E[q noise²] of it
    noise: Float[Array, ""] | None = None

    def residual(self, weights: Float[Array, " k"], missing: Float[Array, " k"] | None) -> Float[Array, ""]:
        """E[q(y − a·x)²] of weights a; where labels are linear, of what is missing, w − a, without loss of digits."""
        if self.noise is None or missing is None:
            dual = self.gram @ weights
            return self.power - 2 * dual @ self.labels + dual @ (self.second @ weights)
        return self.noise + (self.gram @ missing) @ (self.second @ missing)


def sign_moments(
    selection: Selection, cosine: Float[Array, ""], agreeing: bool = False, sine: Float[Array, ""] | None = None
) -> Moments:
    """Moments for labels y = sign(w_g·x) in the frame (w_s, w_⊥), with cosine ρ = w_s·w_g.

    `agreeing` keeps an example only if, besides, the pruner would give it the label it has: y = sign(w_s·x). The sine
    may be given where it is known to more digits than the cosine tells.
    """
    sine = sine_of(cosine) if sine is None else sine
    moments = _agreeing(selection, cosine, sine) if agreeing else _blind(selection, cosine, sine)
    if selection.rule != "random":
        return moments
    # A coin that ignores the example scales every moment by p.
    p = jnp.asarray(selection.kept, cosine.dtype)
    kept, second, labels, power = (p * moment for moment in moments[:4])
    return Moments(kept, second, labels, power, moments.gram)


def _blind(selection: Selection, cosine: Float[Array, ""], sine: Float[Array, ""]) -> Moments:
    """The label plays no part in the selection (Deliberate Practice, Lemmas 1 and 2).

    With γ = E[q t²], t = w_s·x, and ε = P(hard or easy with ξ/√(1−ρ²) for ξ): E[q x xᵀ] = p I + (γ − p) w_s w_sᵀ,
    E[q y x] = E[q y t] w_s + 2φ(0)ε w_⊥.
    """
    edge = _edge(selection, cosine, sine)
    if edge.hard:
        known = truncated_below(edge.threshold, cosine, sine)
        square, along = known.square, known.tilt
        narrow = erf(edge.stretched * _ROOT_HALF)
    else:
        density = PHI0 * jnp.exp(-(edge.threshold**2) / 2)
        square = edge.kept + 2 * edge.threshold * density
        narrow = erfc(edge.stretched * _ROOT_HALF)
        slanted = erf(edge.stretched * cosine * _ROOT_HALF)
        along = 2 * (PHI0 * cosine * narrow + density * slanted)
    p = edge.kept
    second = jnp.stack([square, jnp.zeros_like(p), jnp.zeros_like(p), p]).reshape(2, 2)
    return Moments(p, second, jnp.stack([along, 2 * PHI0 * narrow]), p, frame_gram(cosine))


def _agreeing(selection: Selection, cosine: Float[Array, ""], sine: Float[Array, ""]) -> Moments:
    """The example is kept if also y = sign(w_s·x).

    With u = |t|, τ = ρ/√(1−ρ²): P(agree | u) = Φ(τu), so that p = E[qΦ(τu)], and, integrating by parts,
    E[q x xᵀ] = p I + lift w_s w_sᵀ + swap S, where S exchanges w_s and w_g, with E[q t²] its first entry in the frame
    and swap = √(1−ρ²) κ, κ = 2φ(0)(φ(0) − φ(ξ/√(1−ρ²))) for hard, 2φ(0)φ(ξ/√(1−ρ²)) for easy.
    """
    edge = _edge(selection, cosine, sine)
    known: Truncated
    if edge.hard:
        known = truncated_below(edge.threshold, cosine, sine)
        kappa = -2 * PHI0**2 * jnp.expm1(-(edge.stretched**2) / 2)
        narrow = erf(edge.stretched * _ROOT_HALF)
    else:
        known = truncated_above(edge.threshold, edge.kept, cosine, sine)
        kappa = 2 * PHI0**2 * jnp.exp(-(edge.stretched**2) / 2)
        narrow = erfc(edge.stretched * _ROOT_HALF)
    swap = kappa * sine
    second = jnp.stack([known.agree_square, swap * sine**2, swap, known.agree - cosine * swap]).reshape(2, 2)
    labels = jnp.stack([known.agree_size, PHI0 * narrow])
    return Moments(known.agree, second, labels, known.agree, frame_gram(cosine))


_ROOT_HALF = float(np.sqrt(0.5))


class _Edge(NamedTuple):
    """What happens at the threshold ξ of a rule; the random rule counts as easy with ξ = 0 here."""

    hard: bool
    kept: Float[Array, ""]  # p
    threshold: Float[Array, ""]  # ξ
    stretched: Float[Array, ""]  # ξ/√(1−ρ²)


def _edge(selection: Selection, cosine: Float[Array, ""], sine: Float[Array, ""]) -> _Edge:
    dtype = cosine.dtype
    threshold = selection.threshold().astype(dtype)
    return _Edge(
        hard=selection.rule == "hard",
        kept=jnp.asarray(1.0 if selection.rule == "random" else selection.kept, dtype),
        threshold=threshold,
        stretched=stretch(threshold, sine),
    )


def orthonormal(moments: Moments, cosine: Float[Array, ""]) -> tuple[Float[Array, "2 2"], Float[Array, " 2"]]:
    """K and c in the basis of w_s and the part of w_g orthogonal to it."""
    # without the derivative in the cosine at ±1, where it is infinite
    sine = jnp.sqrt(jnp.maximum((1 - cosine) * (1 + cosine), jnp.finfo(cosine.dtype).eps ** 2))
    stretch = jnp.stack([jnp.ones_like(sine), sine])
    mixed = moments.second[1, 0] * sine
    second = jnp.stack([moments.second[0, 0], mixed, mixed, moments.second[1, 1]]).reshape(2, 2)
    return second, stretch * moments.labels


def sine_of(cosine: Float[Array, ""]) -> Float[Array, ""]:
    """√(1 − ρ²), kept above 0 at ρ = ±1 but with the derivative −ρ/s that belongs to it, so that what is smooth in s²
    has its derivative there."""
    square = (1 - cosine) * (1 + cosine)
    floor = float(jnp.finfo(cosine.dtype).tiny) ** 0.6
    return jnp.sqrt(square + jax.lax.stop_gradient(jnp.maximum(floor - square, 0)))


def frame_gram(cosine: Float[Array, ""]) -> Float[Array, "2 2"]:
    one, zero = jnp.ones_like(cosine), jnp.zeros_like(cosine)
    return jnp.stack([one, zero, zero, (1 - cosine) * (1 + cosine)]).reshape(2, 2)
