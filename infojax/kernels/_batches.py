"""Features of a block of examples made a few examples at a time: networks hold far more while they run than after."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from infojax.kernels._tiles import blocks, even
from infojax.kernels.layers.features import Features
from infojax.kernels.layers.program import peak_bytes

# Examples of which the cost is looked at, to tell what each adds from what is there once.
_MANY = 256


class Cost(NamedTuple):
    """What features cost: the shapes of one example's, their bytes, and the bytes that making them takes beside.

    Attributes:
        shapes: as `Features`, with leading axes of one example.
        each: bytes of one example's features.
        making: bytes for each example under way.
        weights: bytes that are there once, whatever the number of examples.
    """

    shapes: Features
    each: int
    making: int
    weights: int


def cost(of_block: Callable[[Any], Features], x: Any) -> Cost:
    """The cost of the features of examples like `x` (n, ...)."""
    one, many = (jax.ShapeDtypeStruct((size, *x.shape[1:]), x.dtype) for size in (1, _MANY))
    program, shapes = jax.make_jaxpr(of_block, return_shape=True)(one)
    each = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))
    of_one, of_many = peak_bytes(program.jaxpr), peak_bytes(jax.make_jaxpr(of_block)(many).jaxpr)
    # What is made of the weights alone, reversed ones of a convolution say, is there once as well.
    making = max(each, (of_many - of_one) // (_MANY - 1))
    return Cost(shapes, each, making, of_one - making)


def in_batches(
    of_block: Callable[[Any], Features],
    x: Any,
    most: int,
    *,
    parts: int = 1,
    join: Callable[[list[Any], int], Any] | None = None,
) -> Features:
    """`of_block(x)`, from at most so many examples at a time.

    With `parts`, as many devices have an equal part of `x` each, from which a batch takes as many examples each; then
    `join(leaves, skip)` puts each device's batches one after another, the last without its first `skip`.
    """
    if len(x) <= most:
        return of_block(x)
    each = len(x) // parts
    size = even(each, most // parts)
    by_part = x.reshape(parts, each, *x.shape[1:])
    batches = (by_part[:, batch].reshape(parts * size, *x.shape[1:]) for batch in blocks(each, size))
    # One batch at a time: what it takes to make features is counted once.
    made = [jax.block_until_ready(of_block(batch)) for batch in batches]
    seen_twice, join = len(made) * size - each, join or _concatenate
    joined = jax.tree.map(lambda *leaves: join([*leaves], seen_twice), *(part._replace(dense=()) for part in made))
    # Cotangents that no example changes stand once.
    dense = [
        (
            join([a for a, _ in layers], seen_twice),
            layers[0][1] if layers[0][1].ndim == 2 else join([b for _, b in layers], seen_twice),
        )
        for layers in zip(*(part.dense for part in made), strict=True)
    ]
    return joined._replace(dense=tuple(dense))


def _concatenate(leaves: list[Any], skip: int) -> Any:
    return jnp.concatenate([*leaves[:-1], leaves[-1][skip:]])
