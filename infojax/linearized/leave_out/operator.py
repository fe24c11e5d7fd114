"""What leaving examples out changes of training itself, as a matrix: for all residuals at once, not for one.

    φ(A) − φ(A^(−g)), padded with zeros, = U Lᵀ H R Uᵀ,

with L and R of few rows. At t = ∞ the rank is |g|; at a finite time each of the q resolvents of contour.py changes by
a complex term of rank |g|, so that it is at most 2q|g|. Derivations are in leave_out.py. Written for one g and vmapped.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from infojax.linearized.leave_out.spectral import decided_directions, resolvent_blocks


class OperatorChange(NamedTuple):
    """Lᵀ H R in the eigenbasis: L (a, N), H (a, b), R (b, N)."""

    left: Float[Array, "a N"]
    core: Float[Array, "a b"]
    right: Float[Array, "b N"]


def without_group_operator(
    rows: Float[Array, "g N"], diagonals: Complex[Array, "q N"], weights: Complex[Array, " q"]
) -> OperatorChange:
    """Uᵀ(φ(A) − φ(A^(−g)))U at a finite time: Re Σ_j w_j (D_j ∘ U_gᵀ) (R_j[g, g])⁻¹ (U_g ∘ D_j).

    Args:
        rows: U_g.
        diagonals: D_j.
        weights: w_j.
    """
    size, q = len(rows), len(weights)
    parts = jnp.concatenate([diagonals.real, diagonals.imag])
    inverse = jnp.linalg.inv(resolvent_blocks(rows, parts)) * weights[:, None, None]
    # Re (a + ib)(h + ik)(a + ib)ᵀ, of the real parts a and the imaginary parts b.
    real, imaginary = inverse.real, -inverse.imag
    signs = jnp.stack([jnp.stack([real, imaginary]), jnp.stack([imaginary, -real])])
    core = jnp.einsum("xyjcd,jk->cxjdyk", signs, jnp.eye(q, dtype=signs.dtype))
    basis = (rows[:, None] * parts[None]).reshape(size * 2 * q, -1)
    return OperatorChange(basis, core.reshape(size * 2 * q, size * 2 * q), basis)


def without_group_operator_converged(rows: Float[Array, "g N"], shifted: Float[Array, " N"]) -> OperatorChange:
    """Uᵀ(A⁺ − (A^(−g))⁺)U at t = ∞, up to directions on its left in the null space of A; S + λ is `shifted`."""
    null = (shifted == 0).astype(shifted.dtype)
    inverse = jnp.where(shifted > 0, 1 / jnp.where(shifted > 0, shifted, 1.0), 0.0)
    decided, free, g = decided_directions(rows, jnp.ones(len(rows), bool), null, inverse)
    core = jnp.concatenate([decided - free @ g @ decided, free], axis=1)
    return OperatorChange(rows * inverse[None], core, jnp.concatenate([rows * null[None], rows * inverse[None]]))
