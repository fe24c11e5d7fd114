"""Training to convergence without each of many groups, from products with the kernel alone: conjugate gradients.

With A = Θ + λ and α = A⁻¹ r, what leaving out g changes is α itself on the rows g, and elsewhere what keeps the
equations that are left true: Δ_g = α_g and (A Δ)_kept = 0, one system per group however many outputs an example has.
(The block inverse, Δ = A⁻¹ E_g (A⁻¹[g, g])⁻¹ α_g, needs one for each output.) All groups iterate together.

A residual ρ bounds the error: ‖Θ^½ δ‖ ≤ ‖A^½ δ‖ ≤ ‖ρ‖/√λ, and ‖δ‖ ≤ ‖ρ‖/λ. That of α carries over no larger: the
extension of (δα)_g with (A δ)_kept = 0 is the shortest in the norm of A, so no longer than δα itself.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Bool, Float

from infojax.linearized.products.products import Products, iterate


class Solved(NamedTuple):
    """Columns x with (A x)_kept = b_kept.

    Attributes:
        columns: (size, B), on the devices.
        residuals: (B,) ‖(b − A x)_kept‖, computed from x, and its rounding.
        steps: how many.
        smallest: an eigenvalue of A, for the first column's; in practice the smallest that matters to it.
    """

    columns: Array
    residuals: Float[np.ndarray, " B"]
    steps: int
    smallest: float


class _State(NamedTuple):
    step: Array
    direction: Array
    x: Array
    residual: Array
    squares: Array
    wanted: Array
    lengths: Array
    ratios: Array


class _Constants(NamedTuple):
    left: Array
    shift: Array
    target: Array
    floor: Array
    most: Array


def solve(
    products: Products,
    right: Array,
    guess: Array,
    left: Bool[np.ndarray, "N B"],
    shift: Float[np.ndarray, " B"],
    *,
    largest: float,
    target: float,
    most: int,
) -> Solved:
    """x, equal to the guess on the rows `left` out, with residuals of at most `target` on the others.

    Args:
        products: with Θ.
        right: b (size, B), on the devices.
        guess: (size, B); solved for from there.
        left: what rows keep the guess.
        shift: λ of each column.
        largest: the largest eigenvalue of Θ, for what rounding allows.
        target: ‖(b − A x)_kept‖ to reach, where rounding allows.
        most: steps.
    """
    eps = float(np.finfo(products.dtype).eps)
    floor = 2 * eps * (largest + shift)
    constants = _Constants(
        products.place(left),
        jnp.asarray(shift, products.dtype),
        jnp.asarray(target, products.dtype),
        jnp.asarray(floor, products.dtype),
        jnp.asarray(most),
    )
    residual = _residual(products, right, guess, constants)
    squares = jnp.sum(residual**2, axis=0)
    history = jnp.zeros(most + 1, products.dtype)
    wanted = jnp.maximum(constants.target**2, jnp.sum((constants.floor[None] * guess) ** 2, axis=0))
    state = _State(jnp.asarray(0), residual, guess, residual, squares, wanted, history, history)
    state = iterate(products, state, constants, _update, _done)
    left_over = jnp.linalg.norm(_residual(products, right, state.x, constants), axis=0)
    rounding = floor * np.asarray(jnp.linalg.norm(state.x, axis=0), np.float64)
    taken = int(state.step)
    smallest = _smallest(np.asarray(state.lengths[:taken], np.float64), np.asarray(state.ratios[:taken], np.float64))
    return Solved(state.x, np.asarray(left_over, np.float64) + rounding, taken, smallest)


def _residual(products: Products, right: Array, x: Array, constants: _Constants) -> Array:
    return jnp.where(constants.left, 0, right - products(x) - constants.shift[None] * x)


def _update(state: _State, product: Array, constants: _Constants) -> _State:
    p = state.direction
    image = jnp.where(constants.left, 0, product + constants.shift[None] * p)
    curvature = jnp.sum(p * image, axis=0)
    active = (state.squares > state.wanted) & (curvature > 0)
    length = jnp.where(active, state.squares / jnp.where(active, curvature, 1), 0)
    x, residual = state.x + length[None] * p, state.residual - length[None] * image
    squares = jnp.sum(residual**2, axis=0)
    ratio = jnp.where(active, squares / jnp.where(active, state.squares, 1), 0)
    wanted = jnp.maximum(constants.target**2, jnp.sum((constants.floor[None] * x) ** 2, axis=0))
    # A column without curvature left is finished, whatever its residual.
    wanted = jnp.where(active, wanted, jnp.maximum(wanted, squares))
    return _State(
        state.step + 1,
        jnp.where(active[None], residual + ratio[None] * p, p),
        x,
        residual,
        squares,
        wanted,
        state.lengths.at[state.step].set(length[0]),
        state.ratios.at[state.step].set(ratio[0]),
    )


def _done(state: _State, constants: _Constants) -> Array:
    return (state.step >= constants.most) | jnp.all(state.squares <= state.wanted)


def _smallest(lengths: np.ndarray, ratios: np.ndarray) -> float:
    """The smallest Ritz value of a run of conjugate gradients, which is Lanczos' method with other names."""
    moving = int((lengths > 0).sum())
    if moving == 0:
        return np.inf
    lengths, ratios = lengths[:moving], ratios[:moving]
    diagonal = 1 / lengths
    diagonal[1:] += ratios[:-1] / lengths[:-1]
    off = np.sqrt(ratios[:-1]) / lengths[:-1]
    return float(scipy.linalg.eigh_tridiagonal(diagonal, off, eigvals_only=True, select="i", select_range=(0, 0))[0])
