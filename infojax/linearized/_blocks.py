"""A function of one group over all groups, as many at a time as fit into memory."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def map_in_blocks(function: Callable[..., Any], groups: Any, block: int) -> Any:
    """`jax.lax.map` with `batch_size`, in blocks of one size of at most `block`; the last is filled with repetitions.

    What is left over `jax.lax.map` computes apart, in a batch of another size, which is compiled a second time.

    >>> map_in_blocks(lambda x: 2 * x, jnp.arange(5), 3).tolist()
    [0, 2, 4, 6, 8]
    """
    count = len(jax.tree.leaves(groups)[0])
    blocks = -(-count // min(block, count))
    size = -(-count // blocks)
    filled = jnp.arange(blocks * size) % count
    made = jax.lax.map(function, jax.tree.map(lambda leaf: jnp.asarray(leaf)[filled], groups), batch_size=size)
    return jax.tree.map(lambda leaf: leaf[:count], made)
