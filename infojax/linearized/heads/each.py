"""Leaving out each example of a linear head: every quantity of all examples in one more pass over the features."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.arrays import float64
from infojax.data import Tiles, read_tiles
from infojax.errors import InvalidInput
from infojax.linearized._filters import training_filter
from infojax.linearized._training import Converged, GradientDescent, Training, as_float64, as_sum
from infojax.linearized.heads.change import change_at_convergence, change_at_nodes, change_in_steps, nodes_of
from infojax.linearized.heads.head import LinearHead, Validation
from infojax.linearized.leave_out.each import Method, choose_method

# Bytes that the changes of a tile's examples may take.
WORK = 2**27


class WithoutEach(NamedTuple):
    """What leaving out each of n examples changes.

    Attributes:
        weights: ‖w − w_−i‖² (n,).
        predictions: Σ ‖f_w(x) − f_−i(x)‖² over the validation points (n,).
        loss: the exact change (n,) of their mean loss ½‖f − y‖² when the example goes; positive where it helps.
        held_out: what the head trained without the example adds to f₀ of it (n, k).
        leverage: by how much an example's own target moves its fitted value (n,); near 1 for outliers.
    """

    weights: Float[np.ndarray, " n"]
    predictions: Float[np.ndarray, " n"]
    loss: Float[np.ndarray, " n"]
    held_out: Float[np.ndarray, "n k"]
    leverage: Float[np.ndarray, " n"]


class Known(NamedTuple):
    """What all examples share: S, b, trained weights, what the rates of n − 1 examples change, B, Bᵀ B w − pulled*."""

    values: Float[Array, " r"]
    pulled: Float[Array, "r k"]
    trained: Float[Array, "r k"]
    shifted: Float[Array, "r k"]
    full: Training
    reduced: Training
    root: Float[Array, "d r"]
    errors: Float[Array, "r k"]
    validation: Float[Array, ""]


def leave_each_out_of_head(
    head: LinearHead,
    features: Tiles,
    residual: Float[np.ndarray, "n k"],
    validation: Validation,
    training: Training,
) -> WithoutEach:
    """Every quantity of every example at one training time; float64.

    Args:
        head: factored from the same features and residual.
        features: F (n, p), read once more.
        residual: R (n, k).
        validation: of `validation_of`.
        training: at any time, with any decay.

    Raises:
        InvalidInput: fewer than two examples, and descent that diverges.

    >>> from infojax.data import ArrayTiles
    >>> from infojax.linearized import Converged, linear_head, validation_of
    >>> features = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 1.0]])
    >>> residual = np.array([[1.0], [0.0], [1.0], [0.0]])
    >>> head = linear_head(ArrayTiles(features), residual)
    >>> validation = validation_of(head, ArrayTiles(np.array([[1.0, 2.0]])), np.array([[1.0]]))
    >>> found = leave_each_out_of_head(head, ArrayTiles(features), residual, validation, Converged())
    >>> found.held_out.round(6).tolist()
    [[-0.5], [0.5], [-1.0], [1.0]]
    """
    if features.rows != head.examples or features.width != len(head.vectors):
        raise InvalidInput(
            f"{features.name} has {features.rows:,} rows of {features.width:,} features, the head was made of "
            f"{head.examples:,} of {len(head.vectors):,}; give the same ones."
        )
    if head.examples < 2:
        raise InvalidInput("There is one example; leaving it out leaves nothing. Give two or more.")
    full, reduced = as_sum(training, head.examples), as_sum(training, head.examples - 1)
    method = choose_method(float(head.values[-1]), training, full, reduced)
    size = tile_of(features, head, residual.shape[1])
    with float64():
        known = known_of(head, validation, full, reduced)
        vectors = jnp.asarray(head.vectors)
        parts = []
        for tile in read_tiles(features, size):
            right = np.zeros((size, residual.shape[1]))
            right[: tile.stop - tile.start] = residual[tile.start : tile.stop]
            found = _without_each(tile.values, right, vectors, known, method=method, same=full == reduced)
            parts.append([np.asarray(part)[: tile.stop - tile.start] for part in found])
    return WithoutEach(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def known_of(head: LinearHead, validation: Validation, full: Training, reduced: Training) -> Known:
    """What all examples, or all groups of one size, share; where float64 is switched on."""
    values, pulled, root = jnp.asarray(head.values), jnp.asarray(head.pulled), jnp.asarray(validation.root)
    full, reduced = as_float64(full), as_float64(reduced)
    trained = training_filter(full, values)[:, None] * pulled
    shifted = trained - training_filter(reduced, values)[:, None] * pulled
    errors = root.T @ (root @ trained) - jnp.asarray(validation.pulled)
    return Known(values, pulled, trained, shifted, full, reduced, root, errors, jnp.asarray(float(validation.examples)))


def tile_of(features: Tiles, head: LinearHead, outputs: int) -> int:
    """Rows of a tile whose changes of all outputs fit into the work space."""
    per_row = 8 * (features.width + len(head.values) * (3 * outputs + 4))
    return max(1, min(features.rows, WORK // per_row))


@partial(jax.jit, static_argnames=("method", "same"))
def _without_each(
    tile: Float[Array, "b p"],
    residual: Float[Array, "b k"],
    vectors: Float[Array, "p r"],
    known: Known,
    *,
    method: Method,
    same: bool,
) -> tuple[Array, Array, Array, Array, Array]:
    rows = tile @ vectors
    fitted = rows @ known.trained
    leverage = (rows**2) @ training_filter(known.full, known.values)
    if method == "inverse" and same:
        # One direction for all outputs: no array of (b, k, r).
        decay = jnp.asarray(known.reduced.decay)
        directed, c = change_at_convergence(rows, residual, known.values, known.pulled, decay)
        squares = jnp.sum(c**2, axis=1)
        weights = squares * jnp.sum(directed**2, axis=1)
        predictions = squares * jnp.sum((directed @ known.root.T) ** 2, axis=1)
        gain = jnp.sum(c * (directed @ known.errors), axis=1)
        held_out = fitted - jnp.sum(rows * directed, axis=1)[:, None] * c
    else:
        change = change_of(rows, residual, known, method=method)
        weights = jnp.sum(change**2, axis=(1, 2))
        predictions = jnp.sum((change @ known.root.T) ** 2, axis=(1, 2))
        gain = jnp.sum(change * known.errors.T[None], axis=(1, 2))
        held_out = fitted - jnp.einsum("bkr,br->bk", change, rows)
    loss = (predictions / 2 - gain) / known.validation
    return weights, predictions, loss, held_out, leverage


def change_of(
    rows: Float[Array, "b r"], residual: Float[Array, "b k"], known: Known, *, method: Method
) -> Float[Array, "b k r"]:
    """Vᵀ(w − w_−i) of each row, transposed."""
    values, pulled, reduced = known.values, known.pulled, known.reduced
    if isinstance(reduced, Converged):
        directed, c = change_at_convergence(rows, residual, values, pulled, jnp.asarray(reduced.decay))
        change = c[:, :, None] * directed[:, None]
    elif method == "steps" and isinstance(reduced, GradientDescent):
        return known.trained.T[None] - change_in_steps(rows, residual, values, pulled, reduced)
    else:
        change = change_at_nodes(rows, residual, values, pulled, nodes_of(values, reduced))
    return change + known.shifted.T[None]
