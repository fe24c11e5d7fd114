"""Moments of the kept examples, which are all that the deterministic equivalent needs to know of a selection.

Examples x ~ N(0, I) carry the label y = sign(w_g·x) of a generator and are kept, q(x) ∈ {0, 1}, by a rule that looks
at the margin of a pruner w_s. Everything that matters lies in the span of w_s and w_g. Vectors in it are
written in the frame (w_s, w_g) itself, which need not be orthogonal: then no √(1 − ρ²) divides anything, and
ρ = w_s·w_g = ±1, where the two directions fall together, is a point like any other, with its derivatives.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf, erfc, ndtr
from jaxtyping import Array, Float

from infojax.scaling.selection.owens_t import owens_t
from infojax.scaling.selection.rules import Selection

PHI0 = 1 / np.sqrt(2 * np.pi)  # the normal density at 0


class Moments(NamedTuple):
    """Moments of the kept examples in a frame f_1 … f_k of unit vectors that spans all special directions.

    A vector Σ_i a_i f_i has coefficients a. With an orthonormal frame, `gram` is the identity and `second` is
    the usual symmetric matrix E[q G Gᵀ] of G_i = f_i·x.
    """

    kept: Float[Array, ""]  # p = E q
    second: Float[Array, "k k"]  # K: E[q x xᵀ] maps coefficients a to coefficients K a
    labels: Float[Array, " k"]  # c: coefficients of E[q y x]
    power: Float[Array, ""]  # E[q y²]
    gram: Float[Array, "k k"]  # f_i·f_j


def sign_moments(selection: Selection, cosine: Float[Array, ""], agreeing: bool = False) -> Moments:
    """Moments for labels y = sign(w_g·x) in the frame (w_s, w_g), with cosine ρ = w_s·w_g.

    `agreeing` keeps an example only if, besides, the pruner would give it the label it has: y = sign(w_s·x).
    """
    moments = _agreeing(selection, cosine) if agreeing else _blind(selection, cosine)
    if selection.rule != "random":
        return moments
    # A coin that ignores the example scales every moment by p.
    p = jnp.asarray(selection.fraction, cosine.dtype)
    scaled = Moments(*(p * moment for moment in moments))
    return scaled._replace(gram=moments.gram)


def _blind(selection: Selection, cosine: Float[Array, ""]) -> Moments:
    """The label plays no part in the selection (Deliberate Practice, Lemmas 1 and 2, written in the frame).

    With side = −1 for hard and +1 for easy, and ε₁ = P(hard or easy with ξ/√(1−ρ²) for ξ), ε₂ = erf(τξ/√2):
    E[q x xᵀ] = p I + (γ − p) w_s w_sᵀ,  γ = p + side·2ξφ(ξ),  E[q y x] = side·2φ(ξ)ε₂ w_s + 2φ(0)ε₁ w_g.
    """
    edge = _edge(selection, cosine)
    p = edge.kept
    excess = edge.side * 2 * edge.threshold * edge.density
    second = jnp.array([[p + excess, excess * cosine], [jnp.zeros_like(p), p]])
    slanted = erf(edge.tilted / np.sqrt(2).astype(p.dtype))
    labels = jnp.array([edge.side * 2 * edge.density * slanted, 2 * PHI0 * edge.narrow])
    return Moments(p, second, labels, p, frame_gram(cosine))


def _agreeing(selection: Selection, cosine: Float[Array, ""]) -> Moments:
    """The example is kept if also y = sign(w_s·x).

    With u = |w_s·x|, τ = ρ/√(1−ρ²): P(agree | u) = Φ(τu), so that p = E[qΦ(τu)] (by Owen's T), and, integrating
    by parts, E[q x xᵀ] = p I + side·2ξφ(ξ)Φ(τξ) w_s w_sᵀ + κ√(1−ρ²) S, where S w_s = w_g, S w_g = w_s and
    κ = 2φ(0)(φ(0) − φ(ξ/√(1−ρ²))) for hard, 2φ(0)φ(ξ/√(1−ρ²)) for easy.
    """
    edge = _edge(selection, cosine)
    agree = ndtr(edge.tilted)
    tail = owens_t(edge.threshold, cosine, edge.sine)
    corner = PHI0 * jnp.exp(-(edge.stretched**2) / 2)
    if selection.rule == "hard":
        p = edge.kept / 2 + jnp.arctan2(cosine, edge.sine) / np.pi - 2 * tail
        kappa = 2 * PHI0 * (PHI0 - corner)
        along = PHI0 - 2 * edge.density * agree
    else:
        p = edge.kept / 2 + 2 * tail
        kappa = 2 * PHI0 * corner
        along = 2 * edge.density * agree
    swap = kappa * edge.sine
    excess = edge.side * 2 * edge.threshold * edge.density * agree
    second = jnp.array([[p + excess, swap + excess * cosine], [swap, p]])
    return Moments(p, second, jnp.array([along, PHI0 * edge.narrow]), p, frame_gram(cosine))


class _Edge(NamedTuple):
    """What happens at the threshold ξ of a rule; the random rule counts as easy with ξ = 0 here."""

    side: int  # −1 hard, +1 easy
    kept: Float[Array, ""]  # p
    threshold: Float[Array, ""]  # ξ
    density: Float[Array, ""]  # φ(ξ)
    sine: Float[Array, ""]  # √(1−ρ²)
    stretched: Float[Array, ""]  # ξ/√(1−ρ²)
    tilted: Float[Array, ""]  # τξ
    narrow: Float[Array, ""]  # ε₁


def _edge(selection: Selection, cosine: Float[Array, ""]) -> _Edge:
    dtype = cosine.dtype
    hard = selection.rule == "hard"
    threshold = selection.threshold().astype(dtype)
    sine = sine_of(cosine)
    stretched = threshold / sine
    root_half = np.sqrt(0.5).astype(dtype)
    return _Edge(
        side=-1 if hard else 1,
        kept=jnp.asarray(1.0 if selection.rule == "random" else selection.fraction, dtype),
        threshold=threshold,
        density=PHI0 * jnp.exp(-(threshold**2) / 2),
        sine=sine,
        stretched=stretched,
        tilted=stretched * cosine,
        narrow=erf(root_half * stretched) if hard else erfc(root_half * stretched),
    )


def orthonormal(moments: Moments, cosine: Float[Array, ""]) -> tuple[Float[Array, "2 2"], Float[Array, " 2"]]:
    """K and c in the basis of w_s and the part of w_g orthogonal to it, with nothing divided by √(1 − ρ²).

    Every K here is p I + lift w_s w_sᵀ + swap S, with S the reflection that exchanges w_s and w_g.
    """
    sine = sine_of(cosine)
    swap = moments.second[1, 0]
    lift = moments.second[0, 0] - moments.kept
    second = jnp.array(
        [[moments.kept + lift + swap * cosine, swap * sine], [swap * sine, moments.kept - swap * cosine]]
    )
    return second, jnp.array([moments.labels[0] + cosine * moments.labels[1], sine * moments.labels[1]])


def sine_of(cosine: Float[Array, ""]) -> Float[Array, ""]:
    """√(1 − ρ²), at least a floor below any 1 − ρ² but 0, so that what is divided by it, and its derivatives, are
    finite at ρ = ±1."""
    return jnp.sqrt(jnp.maximum((1 - cosine) * (1 + cosine), jnp.finfo(cosine.dtype).eps ** 2))


def frame_gram(cosine: Float[Array, ""]) -> Float[Array, "2 2"]:
    one = jnp.ones_like(cosine)
    return jnp.array([[one, cosine], [cosine, one]])
