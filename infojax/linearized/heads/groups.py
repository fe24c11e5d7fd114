"""Leaving out groups of examples of a linear head, each as a whole.

The leverage of a group g is a matrix, and so is what it leaves; the formulas are those of one example:

    M_j = N + g S^{-1/2} diag(π_j D_j) S^{-1/2} gᵀ,   N = I − g S⁻¹ gᵀ  (its eigenvalues below 1e-9 are zero)
    C_j = M_j⁻¹ (R_g − c g (D_j ∘ b))  (g, k),   X = Re Σ_j w_j D_j ∘ (gᵀ C_j)  (r, k)

At t = ∞ without decay M = N, whose null space (directions that no other example has) is decided by the next order. A
group of more than half as many examples as there are directions is refitted from the factor that is left,
S − gᵀg = V′S′V′ᵀ, which costs less then.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.arrays import float64
from infojax.data import Tiles, read_tiles
from infojax.errors import InvalidInput
from infojax.files import require_room
from infojax.linearized._blocks import map_in_blocks
from infojax.linearized._filters import training_filter
from infojax.linearized._groups import Groups, rows_of_groups
from infojax.linearized._training import Converged, Training, as_sum
from infojax.linearized.heads.change import NULL, nodes_of
from infojax.linearized.heads.each import WORK, Known, known_of
from infojax.linearized.heads.head import ZERO, LinearHead, Validation
from infojax.linearized.leave_out.each import choose_method
from infojax.linearized.leave_out.spectral import decided_directions


class WithoutGroups(NamedTuple):
    """What leaving out each of G groups changes, (G,) each: as `WithoutEach` has it for single examples."""

    weights: Float[np.ndarray, " G"]
    predictions: Float[np.ndarray, " G"]
    loss: Float[np.ndarray, " G"]


def leave_groups_out_of_head(
    head: LinearHead,
    features: Tiles,
    residual: Float[np.ndarray, "n k"],
    validation: Validation,
    training: Training,
    groups: Groups,
) -> WithoutGroups:
    """How far weights, predictions and validation loss move when each group goes; float64.

    Args:
        head, features, residual, validation, training: as of `leave_each_out_of_head`.
        groups: labels (n,), or lists of example numbers or masks, which may overlap.

    Raises:
        InvalidInput: a group that is empty, leaves nothing or names what is not there; descent that diverges.
        OverBudget: the rows of all groups do not fit into memory.

    >>> from infojax.data import ArrayTiles
    >>> from infojax.linearized import Converged, linear_head, validation_of
    >>> features = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 1.0]])
    >>> residual = np.array([[1.0], [0.0], [1.0], [0.0]])
    >>> head = linear_head(ArrayTiles(features), residual)
    >>> validation = validation_of(head, ArrayTiles(np.array([[1.0, 2.0]])), np.array([[1.0]]))
    >>> given = head, ArrayTiles(features), residual, validation, Converged()
    >>> leave_groups_out_of_head(*given, groups=[[0], [2, 3]]).weights.round(6)
    array([0.5     , 2.777778])
    """
    rows = rows_of_groups(groups, head.examples, 1)
    given = _rows_of(rows.indices, features, head)
    right = residual[rows.indices] * rows.present[:, :, None]
    parts = np.zeros((3, len(rows.sizes)))
    for size in np.unique(rows.sizes):
        which = np.flatnonzero(rows.sizes == size)
        full, reduced = as_sum(training, head.examples), as_sum(training, head.examples - int(size))
        method = choose_method(float(head.values[-1]), training, full, reduced)
        refitted = 2 * size > len(head.values) or method == "steps"
        with float64():
            known = known_of(head, validation, full, reduced)
            alone = method == "inverse" and float(reduced.decay) == 0
            run = _refitted if refitted else partial(_left_out, alone=alone)
            held = 8 * len(head.values) * (3 * len(head.values) if refitted else 30 * int(size))
            parts[:, which] = run(
                jnp.asarray(given[which, :size]), jnp.asarray(right[which, :size]), known, block=max(1, WORK // held)
            )
    return WithoutGroups(*parts)


def _rows_of(indices: np.ndarray, features: Tiles, head: LinearHead) -> Float[np.ndarray, "G g r"]:
    """The rows of all groups in the directions of the head, from one pass."""
    if features.rows != head.examples or features.width != len(head.vectors):
        raise InvalidInput(
            f"{features.name} has {features.rows:,} rows of {features.width:,} features, the head was made of "
            f"{head.examples:,} of {len(head.vectors):,}; give the same ones."
        )
    require_room(
        16.0 * indices.size * len(head.values),
        f"The rows of {len(indices):,} groups of up to {indices.shape[1]:,} examples need",
        "Give fewer groups at a time, or fewer features.",
    )
    found = np.zeros((*indices.shape, len(head.values)))
    for tile in read_tiles(features):
        here = (indices >= tile.start) & (indices < tile.stop)
        found[here] = tile.values[indices[here] - tile.start] @ head.vectors
    return found


@partial(jax.jit, static_argnames=("alone", "block"))
def _left_out(
    rows: Float[Array, "G g r"],
    residual: Float[Array, "G g k"],
    known: Known,
    *,
    alone: bool,
    block: int,
) -> Float[Array, "3 G"]:
    values, pulled, reduced = known.values, known.pulled, known.reduced
    nodes = None if isinstance(reduced, Converged) else nodes_of(values, reduced)

    def one(group: tuple[Array, Array]) -> Array:
        u, r = group
        leverage: Array
        leverage, basis = jnp.linalg.eigh(jnp.eye(len(u)) - (u / values[None]) @ u.T)
        leverage = jnp.where(leverage > NULL, leverage, 0.0)
        left = (basis * leverage[None]) @ basis.T
        if nodes is not None:
            kind = nodes.left.dtype
            wide = u.astype(kind)
            scaled = wide[None] * (nodes.left / values.astype(kind)[None])[:, None]
            blocks = left.astype(kind)[None] + scaled @ wide.T
            fitted = jnp.einsum("gr,qr,rk->qgk", wide, nodes.scale * nodes.diagonals, pulled.astype(kind))
            c = jnp.linalg.solve(blocks, r.astype(kind)[None] - fitted) * nodes.weights[:, None, None]
            change = jnp.einsum("qr,gr,qgk->rk", nodes.diagonals, wide, c).real
        else:
            inverse = 1 / (values + jnp.asarray(reduced.decay))
            missed = r - (u * inverse[None]) @ pulled
            if alone:
                c = _decided(u, basis * jnp.sqrt(leverage)[None], missed, values, pulled)
            else:
                share = jnp.asarray(reduced.decay) * inverse
                c = jnp.linalg.solve(left + (u / values[None] * share[None]) @ u.T, missed)
            change = (u * inverse[None]).T @ c
        return _distances(change + known.shifted, known)

    return map_in_blocks(one, (rows, residual), block).T


def _decided(
    u: Float[Array, "g r"],
    root: Float[Array, "g g"],
    missed: Float[Array, "g k"],
    values: Float[Array, " r"],
    pulled: Float[Array, "r k"],
) -> Float[Array, "g k"]:
    """C for λ → 0: where N = root rootᵀ has range it decides; elsewhere the next order g S⁻² gᵀ does."""
    present = jnp.ones(len(u), bool)
    both = jnp.concatenate([root, u / values[None]], axis=1)
    null = jnp.concatenate([jnp.ones(len(u)), jnp.zeros(len(values))])
    decided, free, second = decided_directions(both, present, null, 1 - null)
    first = decided @ missed
    return first + free @ ((u / values[None]) @ (pulled / values[:, None]) - second @ first)


@partial(jax.jit, static_argnames=("block",))
def _refitted(
    rows: Float[Array, "G g r"], residual: Float[Array, "G g k"], known: Known, *, block: int
) -> Float[Array, "3 G"]:
    def one(group: tuple[Array, Array]) -> Array:
        u, r = group
        values: Array
        values, basis = jnp.linalg.eigh(jnp.diag(known.values) - u.T @ u)
        values = jnp.where(values > ZERO * known.values[-1], values, 0.0)
        right = basis.T @ (known.pulled - u.T @ r)
        without = basis @ (training_filter(known.reduced, values)[:, None] * right)
        return _distances(known.trained - without, known)

    return map_in_blocks(one, (rows, residual), block).T


def _distances(change: Float[Array, "r k"], known: Known) -> Float[Array, " 3"]:
    predictions = jnp.sum((known.root @ change) ** 2)
    gain = jnp.sum(change * known.errors)
    return jnp.stack([jnp.sum(change**2), predictions, (predictions / 2 - gain) / known.validation])
