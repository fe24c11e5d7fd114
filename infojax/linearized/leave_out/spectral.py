"""Training without some of the examples, exactly, from the spectrum of the kernel on all of them.

Deleting the rows and columns g of A changes a resolvent R = (p + cA)⁻¹ by a term of the size of g:

    (R^(−g) r, padded with zeros) = R r − R[:, g] C,   C = (R[g, g])⁻¹ (R r)[g].

Training for a finite time is a sum of resolvents (contour.py), t = ∞ is a single one. In the eigenbasis, with
D_j = 1/(p_j + c(S + λ)), r̃ = Uᵀr and U_g the rows g of U,

    R_j[g, g] = U_g D_j U_gᵀ,   (R_j r)[g] = U_g (D_j ∘ r̃),
    Uᵀ Re Σ_j w_j R_j[:, g] C_j = Σ_{c∈g} U_c ∘ Re Σ_j w_j D_j C_jc.

Nothing here is larger than N × |g| for one g; the functions are written for one g and vmapped.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Complex, Float

from infojax.linearized._contour import Resolvents

# A projector's diagonal block has eigenvalues in [0, 1]; below this they are rounding.
NULL = 1e-9


def resolvent_diagonals(resolvents: Resolvents, shifted: Float[Array, " N"]) -> Complex[Array, "q N"]:
    """D_j = 1/(p_j + c z) for the eigenvalues z = S + λ."""
    return 1 / (resolvents.shifts[:, None] + resolvents.scale * shifted[None].astype(resolvents.shifts.dtype))


def without_group(
    rows: Float[Array, "g N"],
    present: Bool[Array, " g"],
    rotated: Float[Array, " N"],
    diagonals: Complex[Array, "q N"],
    weights: Complex[Array, " q"],
) -> Float[Array, " N"]:
    """Uᵀ(φ(A) r − φ(A^(−g)) r) at a finite time.

    Args:
        rows: U_g, zero where not `present` (groups are padded to one size).
        present: which rows of the group exist.
        rotated: r̃ = Uᵀ r.
        diagonals: D_j.
        weights: w_j.
    """
    q = len(weights)
    parts = jnp.concatenate([diagonals.real, diagonals.imag])  # real products are twice as cheap
    blocks = resolvent_blocks(rows, parts)
    blocks = blocks + jnp.diag((~present).astype(blocks.dtype))[None]
    solved = _complex(rows @ (parts * rotated[None]).T, q, axis=1).T  # (q, g): (R_j r)[g]
    c = _solve(blocks, solved) * weights[:, None]
    pulled = jnp.concatenate([c.real, -c.imag]).T @ parts  # (g, N): Re Σ_j w_j D_j C_jc
    return jnp.sum(rows * pulled, axis=0)


def without_group_converged(
    rows: Float[Array, "g N"],
    present: Bool[Array, " g"],
    rotated: Float[Array, " N"],
    shifted: Float[Array, " N"],
) -> Float[Array, " N"]:
    """Uᵀ(A⁺ r − (A^(−g))⁺ r) at t = ∞, up to directions in the null space of A.

    With G = A⁺ and the projector P₀ on the null space of A, R[g, g] = P₀[g, g]/ε + G[g, g] for ε → 0. Where P₀[g, g]
    has range (the group shares its directions with others: duplicates), it decides C; elsewhere G[g, g] does.
    """
    null = (shifted == 0).astype(shifted.dtype)
    inverse = jnp.where(shifted > 0, 1 / jnp.where(shifted > 0, shifted, 1.0), 0.0)
    decided, free, g = decided_directions(rows, present, null, inverse)
    first = decided @ (rows @ (null * rotated))
    c = first + free @ (rows @ (inverse * rotated) - g @ first)
    return inverse * (c @ rows)


def decided_directions(
    rows: Float[Array, "g N"], present: Bool[Array, " g"], null: Float[Array, " N"], inverse: Float[Array, " N"]
) -> tuple[Float[Array, "g g"], Float[Array, "g g"], Float[Array, "g g"]]:
    """P, F and G[g, g] such that C = P b₀ + F (b − G[g, g] P b₀), with b₀ = (P₀ r)[g] and b = (G r)[g]."""
    p0, g = _diagonal_blocks(rows, jnp.stack([null, inverse]))
    g = g + jnp.diag((~present).astype(g.dtype))
    shared: Array
    shared, basis = jnp.linalg.eigh(p0)
    decided = shared > NULL
    range_, free = (basis * chosen[None].astype(basis.dtype) for chosen in (decided, ~decided))
    # On the rest, (Vᵀ G V) C = Vᵀ (b − G C_first); the decided directions are padded with ones.
    reduced = free.T @ g @ free + jnp.diag(decided.astype(g.dtype))
    return (range_ / jnp.where(decided, shared, 1.0)[None]) @ range_.T, free @ jnp.linalg.solve(reduced, free.T), g


def resolvent_blocks(rows: Float[Array, "g N"], parts: Float[Array, "p N"]) -> Complex[Array, "q g g"]:
    """R_j[g, g] = U_g D_j U_gᵀ, from the real `parts` of all D_j followed by the imaginary ones."""
    return _complex(_diagonal_blocks(rows, parts), len(parts) // 2)


def _diagonal_blocks(rows: Float[Array, "g N"], diagonals: Float[Array, "d N"]) -> Float[Array, "d g g"]:
    # U_g D U_gᵀ for every D: products of pairs of rows first, or scaled rows first, whichever is the smaller array.
    size, count = len(rows), len(diagonals)
    if size <= count:
        pairs = (rows[:, None] * rows[None]).reshape(size * size, -1)
        return (pairs @ diagonals.T).T.reshape(count, size, size)
    return jax.lax.map(lambda d: (rows * d[None]) @ rows.T, diagonals)


def _solve(blocks: Complex[Array, "q g g"], right: Complex[Array, "q g"]) -> Complex[Array, "q g"]:
    if blocks.shape[-1] == 1:
        return right / blocks[..., 0]
    return jnp.linalg.solve(blocks, right[..., None])[..., 0]


def _complex(parts: Array, q: int, axis: int = 0) -> Array:
    real, imaginary = jnp.split(parts, [q], axis=axis)
    return jax.lax.complex(real, imaginary)
