"""From the features of two blocks of examples to their block of the kernel."""

import functools
import operator
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from infojax.kernels.layers import Features

# Gradients with fewer components than this are joined before the product: fewer passes over the result.
_NARROW = 1024


@jax.jit
def contract(left: Features, right: Features) -> Float[Array, "N M"]:
    """The kernel between the examples of `left` and of `right`, example-major.

    Of a dense layer Θ[ic, jd] = (a_i·a_j)(b_ic·b_jd); of a layer with positions
    Θ[ic, jd] = Σ_st (a_is·a_jt)(b_ics·b_jdt); of gradients Θ = J Jᵀ.
    """
    block = functools.reduce(operator.add, _terms(left, right))
    n, k, m, _ = block.shape
    return block.reshape(n * k, m * k)


def contraction_bytes(one: Features, rows: int, columns: int) -> int:
    """Bytes that `contract` takes for blocks of so many examples, given the shapes of one example's features: the
    result and its terms, joined gradients, and what a row of examples carries over positions.
    """
    k, itemsize = _outputs(one), jax.tree.leaves(one)[0].dtype.itemsize
    wide, joined = _by_width(one)
    joined_width = sum(gradient.shape[2] for gradient in joined)
    tiles = (1 + len(one.dense) + len(one.pairs) + len(wide) + bool(joined)) * rows * columns * k**2
    carried = [columns * s * (s + 2 * k * b.shape[3]) for a, b in one.pairs for s in a.shape[1:2]]
    return itemsize * (tiles + (rows + columns) * k * joined_width + max(carried, default=0))


def _terms(left: Features, right: Features) -> Iterator[Float[Array, "n k m k"]]:
    for (a, b), (a2, b2) in zip(left.dense, right.dense, strict=True):
        inputs = (a @ a2.T)[:, None, :, None]
        # The same cotangents for all examples (the last layer, usually): k × k products do for all pairs.
        yield inputs * ((b @ b2.T)[None, :, None, :] if b.ndim == 2 else _products(b, b2))
    for (a, b), (a2, b2) in zip(left.pairs, right.pairs, strict=True):
        yield _over_positions(a, b, a2, b2)
    (wide, narrow), (wide2, narrow2) = _by_width(left), _by_width(right)
    if narrow:
        yield _products(jnp.concatenate(narrow, axis=2), jnp.concatenate(narrow2, axis=2))
    for gradient, gradient2 in zip(wide, wide2, strict=True):
        yield _products(gradient, gradient2)


def _products(b: Float[Array, "n k o"], b2: Float[Array, "m k o"]) -> Float[Array, "n k m k"]:
    n, k, o = b.shape
    return (b.reshape(n * k, o) @ b2.reshape(-1, o).T).reshape(n, k, -1, k)


def _over_positions(
    a: Float[Array, "n s f"],
    b: Float[Array, "n k s o"],
    a2: Float[Array, "m s f"],
    b2: Float[Array, "m k s o"],
) -> Float[Array, "n k m k"]:
    def row(one: tuple[Float[Array, "s f"], Float[Array, "k s o"]]) -> Float[Array, "k m k"]:
        inputs = jnp.einsum("sf,jtf->jst", one[0], a2)
        carried = jnp.einsum("jst,jdto->jdso", inputs, b2)
        return jnp.einsum("cso,jdso->cjd", one[1], carried)

    return jax.lax.map(row, (a, b))


def _by_width(features: Features) -> tuple[list[Any], list[Any]]:
    """Wide gradients (n k p) and narrow ones."""
    wide = [gradient for gradient in features.gradients if gradient.shape[2] >= _NARROW]
    return wide, [gradient for gradient in features.gradients if gradient.shape[2] < _NARROW]


def _outputs(features: Features) -> int:
    for _, b in features.dense:
        return b.shape[-2]
    return next(b.shape[1] for b in (*features.gradients, *(b for _, b in features.pairs)))
