"""From the features of two blocks of examples to their block of the kernel."""

import functools
import operator
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from infojax.kernels.layers.features import Features, pairs_are_cheaper

# Gradients with fewer components than this are joined before the product: fewer passes over the result.
_NARROW = 1024
# Rows of a product over positions, and bytes of gradients formed at once: what stays in a processor's caches.
_ROWS = 64
_FORMED = 2**25


@jax.jit
def contract(left: Features, right: Features) -> Float[Array, "N M"]:
    """The kernel between the examples of `left` and of `right`, example-major.

    Of a dense layer Θ[ic, jd] = (a_i·a_j)(b_ic·b_jd); of a layer with positions
    Θ[ic, jd] = Σ_st (a_is·a_jt)(b_ics·b_jdt), or Θ = J Jᵀ with J_ic = Σ_s a_is b_icsᵀ; of gradients Θ = J Jᵀ.
    """
    block = functools.reduce(operator.add, _terms(left, right))
    n, k, m, _ = block.shape
    return block.reshape(n * k, m * k)


def contraction_bytes(one: Features, rows: int, columns: int) -> int:
    """Bytes that `contract` takes for blocks of so many examples, given the shapes of one example's features: the
    result and its terms, joined gradients, and what layers with positions need at once.
    """
    k, itemsize = _outputs(one), jax.tree.leaves(one)[0].dtype.itemsize
    wide, joined = _by_width(one)
    joined_width = sum(gradient.shape[2] for gradient in joined)
    tiles = (1 + len(one.dense) + len(one.factored) + len(wide) + bool(joined)) * rows * columns * k**2
    factored = [_factored_size(a.shape, b.shape, rows, columns) for a, b in one.factored]
    return itemsize * (tiles + (rows + columns) * k * joined_width + max(factored, default=0))


def _factored_size(a: tuple[int, ...], b: tuple[int, ...], rows: int, columns: int) -> int:
    (_, s, f), (_, k, _, o) = a, b
    if pairs_are_cheaper(s, f, k, o):
        return 2 * _rows_at_once(s, k) * columns * s**2 * (1 + k**2)
    return (rows + columns) * k * (2 * f * _formed_at_once(rows + columns, f, k, o) + s * o)


def _terms(left: Features, right: Features) -> Iterator[Float[Array, "n k m k"]]:
    for (a, b), (a2, b2) in zip(left.dense, right.dense, strict=True):
        inputs = (a @ a2.T)[:, None, :, None]
        # The same cotangents for all examples (the last layer, usually): k × k products do for all pairs.
        yield inputs * ((b @ b2.T)[None, :, None, :] if b.ndim == 2 else _products(b, b2))
    for (a, b), (a2, b2) in zip(left.factored, right.factored, strict=True):
        _, k, s, o = b.shape
        over = _over_positions if pairs_are_cheaper(s, a.shape[2], k, o) else _over_formed_gradients
        yield over(a, b, a2, b2)
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
    (m, s, f), (_, k, _, o) = a2.shape, b2.shape
    all_inputs, all_cotangents = a2.reshape(m * s, f), b2.reshape(m * k * s, o)

    def row(one: tuple[Float[Array, "s f"], Float[Array, "k s o"]]) -> Float[Array, "k m k"]:
        inputs = (one[0] @ all_inputs.T).reshape(1, s, m, 1, s)
        cotangents = (one[1].reshape(k * s, o) @ all_cotangents.T).reshape(k, s, m, k, s)
        return (inputs * cotangents).sum(axis=(1, 4))

    return jax.lax.map(row, (a, b), batch_size=min(len(a), _rows_at_once(s, k)))


def _over_formed_gradients(
    a: Float[Array, "n s f"],
    b: Float[Array, "n k s o"],
    a2: Float[Array, "m s f"],
    b2: Float[Array, "m k s o"],
) -> Float[Array, "n k m k"]:
    """A few output features at a time, so that gradients (n k f o) are never there as a whole."""
    (n, k, _, o), m = b.shape, len(b2)
    few = _formed_at_once(n + m, a.shape[2], k, o)

    def cut(b: Array) -> Array:
        return jnp.moveaxis(b.reshape(*b.shape[:3], o // few, few), 3, 0)

    def add(block: Array, some: tuple[Array, Array]) -> tuple[Array, None]:
        formed, formed2 = (
            jnp.einsum("nsf,nkso->nkfo", x, y).reshape(len(x) * k, -1) for x, y in zip((a, a2), some, strict=True)
        )
        return block + formed @ formed2.T, None

    block, _ = jax.lax.scan(add, jnp.zeros((n * k, m * k), a.dtype), (cut(b), cut(b2)))
    return block.reshape(n, k, m, k)


def _rows_at_once(positions: int, outputs: int) -> int:
    return max(1, _ROWS // (positions * outputs))


def _formed_at_once(examples: int, fan_in: int, outputs: int, fan_out: int) -> int:
    """The most output features, in equal parts, whose gradients for so many examples stay small; at least one."""
    most = max(1, _FORMED // (4 * examples * outputs * fan_in))
    return next(few for few in range(min(most, fan_out), 0, -1) if fan_out % few == 0)


def _by_width(features: Features) -> tuple[list[Any], list[Any]]:
    """Wide gradients (n k p) and narrow ones."""
    wide = [gradient for gradient in features.gradients if gradient.shape[2] >= _NARROW]
    return wide, [gradient for gradient in features.gradients if gradient.shape[2] < _NARROW]


def _outputs(features: Features) -> int:
    for _, b in features.dense:
        return b.shape[-2]
    return next(b.shape[1] for b in (*features.gradients, *(b for _, b in features.factored)))
