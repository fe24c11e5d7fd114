"""The training set that grows: arrays of a fixed size, and how many rows of them are filled."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int


class Buffer(NamedTuple):
    """Examples and labels, of which the first `filled` are there; a pytree, so that adding some recompiles nothing."""

    x: Float[Array, "rows ..."]
    y: Int[Array, " rows"]
    filled: Int[Array, ""]


def empty(capacity: int, shape: tuple[int, ...]) -> Buffer:
    """Room for `capacity` examples, rounded up to a power of two: runs of similar sizes share a program."""
    rows = 1 << (capacity - 1).bit_length()
    return Buffer(jnp.zeros((rows, *shape), jnp.float32), jnp.zeros(rows, jnp.int32), jnp.asarray(np.int32(0)))


def append(buffer: Buffer, x: Float[np.ndarray, "n ..."], y: Int[np.ndarray, " n"]) -> Buffer:
    """A buffer with n more examples; the caller sees to it that they fit, and lets go of the one given."""
    return _append(buffer, jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.int32))


@partial(jax.jit, donate_argnums=0)
def _append(buffer: Buffer, x: Array, y: Array) -> Buffer:
    return Buffer(
        jax.lax.dynamic_update_slice_in_dim(buffer.x, x, buffer.filled, 0),
        jax.lax.dynamic_update_slice_in_dim(buffer.y, y, buffer.filled, 0),
        buffer.filled + jnp.int32(len(x)),
    )
