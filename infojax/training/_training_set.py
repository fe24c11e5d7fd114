"""Examples to train on: arrays of a fixed size, how many rows of them are filled, and what each row counts."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Shaped


class TrainingSet(NamedTuple):
    """Examples and targets, of which the first `filled` are there; a pytree, so that adding some recompiles nothing.

    Attributes:
        x: (rows, *shape).
        y: classes (rows,), or targets (rows, k).
        filled: rows that are there; minibatches are drawn from them, and without minibatches all must be.
        weights: c (rows,) of the loss Σ_j c_j ℓ_j; None for the mean.
    """

    x: Float[Array, "rows ..."]
    y: Shaped[Array, "rows ..."]
    filled: Int[Array, ""]
    weights: Float[Array, " rows"] | None = None


def training_set(
    x: Float[Array | np.ndarray, "n ..."],
    y: Shaped[Array | np.ndarray, "n ..."],
    weights: Float[Array | np.ndarray, " n"] | None = None,
) -> TrainingSet:
    """All rows are there. Classes become int32; floating arrays keep their precision."""
    y = jnp.asarray(y, jnp.int32) if np.issubdtype(y.dtype, np.integer) else jnp.asarray(y)
    weights = None if weights is None else jnp.asarray(weights)
    return TrainingSet(jnp.asarray(x), y, jnp.asarray(np.int32(len(x))), weights)


def empty(capacity: int, shape: tuple[int, ...]) -> TrainingSet:
    """Room for `capacity` examples, rounded up to a power of two: runs of similar sizes share a program."""
    rows = 1 << (capacity - 1).bit_length()
    return TrainingSet(jnp.zeros((rows, *shape), jnp.float32), jnp.zeros(rows, jnp.int32), jnp.asarray(np.int32(0)))


def append(data: TrainingSet, x: Float[np.ndarray, "n ..."], y: Int[np.ndarray, " n"]) -> TrainingSet:
    """With n more examples; the caller sees to it that they fit, and lets go of the training set given."""
    return _append(data, jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.int32))


@partial(jax.jit, donate_argnums=0)
def _append(data: TrainingSet, x: Array, y: Array) -> TrainingSet:
    return data._replace(
        x=jax.lax.dynamic_update_slice_in_dim(data.x, x, data.filled, 0),
        y=jax.lax.dynamic_update_slice_in_dim(data.y, y, data.filled, 0),
        filled=data.filled + jnp.int32(len(x)),
    )
