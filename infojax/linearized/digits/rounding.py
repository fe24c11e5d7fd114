"""By how much scores may be off because the entries of the kernels are rounded.

An entry Θ_ij is off by some δ √(Θ_ii Θ_jj) at random, δ the rounding of its dtype: Θ + D^½ E D^½ with D the diagonal
of Θ and E of independent entries of size δ. To first order the inverse moves by −G (D^½ E D^½) G, G = (Θ + λ)⁻¹, and
with A_−g the kernel without the rows g, what leaving them out changes, Δ = a − a^(−g), moves by

    δΔ = −G D^½ ξ₁ δ‖D^½ Δ‖ − G[:, g] (G[g, g])⁻¹ G[g, :] D^½ ξ₂ δ‖D^½ a^(−g)‖

with ξ of independent entries of size one: a random matrix times a vector is a random vector of its length. At a finite
time Φ = φ(Θ + λ) stands for G: the divided differences that the exact expression has, φ[z, z'], are φ(z) φ(z') for 1/z,
and at most about that for the other filters. Predictions move by K* δΔ, and by the rounding of K* itself.

Lengths ‖D^½ x‖ are those of a few random projections Z D^½ x, which take no N × N matrix of their own.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

PROJECTIONS = 16
# Rounding of the last sums, of entries that are equal and of the residual: relative to the score, in units of δ.
OWN = 4


class Sketch(NamedTuple):
    """What all groups share; everything in the eigenbasis.

    Attributes:
        filtered: φ(S + λ).
        trained: Uᵀ a.
        rows: Z D^½ U.
        points: Z' K* U.
        onto_points: Z D^½ Φ K*ᵀ.
        spread: ‖Θ^½ Φ D^½‖ and ‖K* Φ D^½‖, of Frobenius.
        cross: of each row of K*, the size of its entries over those of D^½, where δ of K* is that of Θ.
        noise: δ.
    """

    filtered: Float[Array, " N"]
    trained: Float[Array, " N"]
    rows: Float[Array, "s N"]
    points: Float[Array, "s N"]
    onto_points: Float[Array, "s M"]
    spread: Float[Array, " 2"]
    cross: Float[Array, " M"]
    noise: Float[Array, ""]


def sketch(
    values, vectors: Array, cross: Array, projected: Array, filtered, trained, noise, *, identical: bool
) -> Sketch:
    """From S, U, K*, K*U, φ(S + λ), Uᵀa, and δ of Θ and of K*.

    With `identical`, zeros of S come from rows that are rounded equally.
    """
    first, second = jax.random.split(jax.random.key(0))
    diagonal = jnp.sum(vectors**2 * values[None], axis=1)
    draws = jax.random.normal(first, (PROJECTIONS, len(values)), values.dtype) / PROJECTIONS**0.5
    rows = (draws * jnp.sqrt(diagonal)[None]) @ vectors
    if identical:
        rows, projected = (jnp.where(values[None] > 0, array, 0.0) for array in (rows, projected))
    points = jax.random.normal(second, (PROJECTIONS, len(cross)), values.dtype) / PROJECTIONS**0.5 @ projected
    seen = jnp.where(diagonal > 0, diagonal, 1.0)
    sizes = jnp.sqrt(jnp.max(jnp.where(diagonal > 0, cross**2 / seen[None], 0.0), axis=1))
    onto_points = (rows * filtered[None]) @ projected.T
    onto_weights = rows * (filtered * jnp.sqrt(values))[None]
    spread = jnp.stack([jnp.linalg.norm(onto_weights), jnp.linalg.norm(onto_points)])
    return Sketch(filtered, trained, rows, points, onto_points, spread, sizes * (noise[1] / noise[0]), noise[0])


def errors_of_squares(
    known: Sketch,
    values: Float[Array, " N"],
    u: Float[Array, "g N"],
    present: Bool[Array, " g"],
    change: Float[Array, " N"],
    moved: Float[Array, " M"],
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """By how much ‖Θ^½Δ‖² and ‖K*Δ‖² may be off, in the root of the mean square.

    Args:
        known: what all groups share.
        values: S.
        u: U_g, zero where not `present`.
        present: which rows of the group exist.
        change: UᵀΔ.
        moved: K*Δ.
    """
    f = known.filtered
    pulled = u * f[None]
    block = pulled @ u.T + jnp.diag((~present).astype(f.dtype))
    # What nothing holds (zero rows of a singular kernel) is not divided by zero.
    block = block + 1e-13 * jnp.max(f) * jnp.eye(len(u), dtype=f.dtype)
    right = pulled @ known.rows.T
    through = (right / block if len(u) == 1 else jnp.linalg.solve(block, right)).T  # (s, g): Z D^½ Φ[:, g] (Φ[g, g])⁻¹
    one = jnp.linalg.norm(known.rows @ change)
    two = jnp.linalg.norm(known.rows @ (known.trained - change))

    weights = (pulled * values[None]) @ pulled.T
    length = (one * known.spread[0]) ** 2 + two**2 * jnp.sum((through @ weights) * through)
    # ΔᵀΘΔ has the rounding of Θ itself, too; but what is between directions of zeros was set to zero.
    zeros = jnp.linalg.norm(known.rows @ jnp.where(values > 0, 0.0, change))
    others = jnp.linalg.norm(known.rows @ jnp.where(values > 0, change, 0.0))
    along = one**2 * jnp.sum((known.rows @ (f * values * change)) ** 2) + others**2 * (others**2 / 2 + zeros**2)
    along += two**2 * jnp.sum((through @ (pulled @ (values * change))) ** 2)
    of_weights = _of_square(known.noise, along, length) + OWN * known.noise * (values @ change**2)

    seen = known.points @ pulled.T
    length = one**2 * (known.spread[1] ** 2 + jnp.sum(known.cross**2)) + two**2 * jnp.sum((through @ seen.T) ** 2)
    along = one**2 * (jnp.sum((known.onto_points @ moved) ** 2) + jnp.sum((known.cross * moved) ** 2))
    along += two**2 * jnp.sum((through @ (seen.T @ (known.points @ change))) ** 2)
    return of_weights, _of_square(known.noise, along, length) + OWN * known.noise * jnp.sum(moved**2)


def _of_square(noise: Array, along: Array, length: Array) -> Array:
    """Of ‖v + δv‖²: 2 v·δv and ‖δv‖²."""
    return 2 * noise * jnp.sqrt(along) + noise**2 * length
