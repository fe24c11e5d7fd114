"""By how much the weights of a head change when examples go: the formulas, for rows g = F_g V of one example or group.

Every node of the contour is a leverage. With D_ja = 1/(π_j + c S_a), π_j = p_j + cλ (nothing of `resolvents` changes):

    1 − h_j = 1 − c Σ_a g_a² D_ja = ν + Σ_a (g_a²/S_a) π_j/(π_j + c S_a),   ν = 1 − Σ_a g_a²/S_a
    C_j     = (R − c g (D_j ∘ b)) / (1 − h_j)                                (k,)
    X       = g ∘ Re Σ_j w_j D_j C_j                                          (r, k)

X is Vᵀ(w − w_−i) at the rates and decay that are used without the example. The second form of 1 − h never cancels; ν is
the leverage's complement, zero for an example that is alone on a direction, and set to zero where it is rounding. At
t = ∞ there is one node, D = 1/(S + λ), π = λ; at λ = 0 an example with ν > 0 has C = (R − g (b/S))/ν, one with ν = 0
C = Σ(g b/S²)/Σ(g²/S²), its pseudo-inverse solution.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from infojax.linearized._contour import resolvents
from infojax.linearized._training import GradientDescent, GradientFlow

# Complements of leverages below this are rounding.
NULL = 1e-9


class Nodes(NamedTuple):
    """w_j, D_j and the share π_j/(π_j + c S) that node j leaves of each direction.

    Attributes:
        weights: w_j (q,).
        diagonals: D_j (q, r).
        left: π_j D_j (q, r).
        scale: c.
    """

    weights: Complex[Array, " q"]
    diagonals: Complex[Array, "q r"]
    left: Complex[Array, "q r"]
    scale: Complex[Array, ""]


def nodes_of(values: Float[Array, " r"], training: GradientDescent | GradientFlow) -> Nodes:
    """The nodes of a training of a sum over examples, at a finite time."""
    terms = resolvents(training)
    shifts = terms.shifts + terms.scale * jnp.asarray(training.decay).astype(terms.shifts.dtype)
    diagonals = 1 / (shifts[:, None] + terms.scale * values[None].astype(shifts.dtype))
    return Nodes(terms.weights, diagonals, shifts[:, None] * diagonals, terms.scale)


def complement(rows: Float[Array, "b r"], values: Float[Array, " r"]) -> Float[Array, " b"]:
    """ν = 1 − Σ g²/S of each row, and 0 where it is rounding."""
    found = 1 - jnp.sum(rows**2 / values[None], axis=1)
    return jnp.where(found > NULL, found, 0.0)


def change_at_nodes(
    rows: Float[Array, "b r"],
    residual: Float[Array, "b k"],
    values: Float[Array, " r"],
    pulled: Float[Array, "r k"],
    nodes: Nodes,
) -> Float[Array, "b k r"]:
    """X of each row at a finite time, transposed."""
    squares = rows**2
    left = _products(squares / values[None], nodes.left)  # (b, q)
    left = left + complement(rows, values)[:, None].astype(left.dtype)  # 1 − h
    scaled = nodes.scale * nodes.diagonals  # (q, r)
    size, k = residual.shape
    weighted = (scaled.T[:, :, None] * pulled[:, None].astype(scaled.dtype)).reshape(len(values), -1)
    fitted = _products(rows, weighted.T).reshape(size, -1, k)  # (b, q, k)
    c = (residual[:, None].astype(fitted.dtype) - fitted) / left[:, :, None] * nodes.weights[None, :, None]
    c = jnp.swapaxes(c, 1, 2)  # (b, k, q)
    return rows[:, None] * (c.real @ nodes.diagonals.real - c.imag @ nodes.diagonals.imag)


def change_at_convergence(
    rows: Float[Array, "b r"],
    residual: Float[Array, "b k"],
    values: Float[Array, " r"],
    pulled: Float[Array, "r k"],
    decay: Float[Array, ""],
) -> tuple[Float[Array, "b r"], Float[Array, "b k"]]:
    """u and C with X = u Cᵀ, at t = ∞: u = g/(S + λ)."""
    inverse = 1 / (values + decay)
    directed = rows * inverse[None]
    missed = residual - directed @ pulled
    left = complement(rows, values) + jnp.sum(rows**2 / values[None] * (decay * inverse)[None], axis=1)
    alone = left <= 0
    # ν = 0 and λ = 0: the first term in λ of numerator and denominator.
    second = directed @ (inverse[:, None] * pulled) / jnp.maximum(jnp.sum(directed**2, axis=1), 1e-300)[:, None]
    return directed, jnp.where(alone[:, None], second, missed / jnp.where(alone, 1.0, left)[:, None])


def change_in_steps(
    rows: Float[Array, "b r"],
    residual: Float[Array, "b k"],
    values: Float[Array, " r"],
    pulled: Float[Array, "r k"],
    training: GradientDescent,
) -> Float[Array, "b k r"]:
    """Vᵀw_−i of each row after few steps u ← u + η(b − gR − (S + λ)u + g(g·u)), transposed: no contour needed."""
    right = pulled.T[None] - residual[:, :, None] * rows[:, None]

    def step(_: Array, u: Array) -> Array:
        own = jnp.einsum("bkr,br->bk", u, rows)[:, :, None] * rows[:, None]
        return u + training.learning_rate * (right - (values + training.decay)[None, None] * u + own)

    return jax.lax.fori_loop(0, jnp.asarray(training.steps, int), step, jnp.zeros_like(right))


def _products(real: Float[Array, "b r"], complex_: Complex[Array, "q r"]) -> Complex[Array, "b q"]:
    """Real rows times complex columns, by two real products, which take half the time."""
    return jax.lax.complex(real @ complex_.real.T, real @ complex_.imag.T)
