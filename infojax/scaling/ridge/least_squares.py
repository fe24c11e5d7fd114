"""Ridge regression on weighted examples, by the smaller of two matrices."""

import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Float


def fit(
    x: Float[Array, "m d"],
    y: Float[Array, " m"],
    weight: Float[Array, " m"],
    pool: Float[Array, ""],
    ridge: Float[Array, ""],
    ridgeless: bool = False,
) -> Float[Array, " d"]:
    """ŵ = (XᵀX/n + λ)⁻¹ Xᵀy/n over rows times the roots of their weights, or Xᵀ(XXᵀ/n + λ)⁻¹ y/n.

    Where there are more rows than dimensions and `ridgeless` is set, by eigendecomposition, as directions may be
    undetermined: the solution of least norm.
    """
    rows, dimension = x.shape
    root = jnp.sqrt(weight)
    x, y = x * root[:, None], y * root
    if rows < dimension:
        # Rows that are not kept are zero; a one on their diagonal leaves the others alone.
        gram = x @ x.T / pool + jnp.diag(ridge + (weight == 0).astype(x.dtype))
        return x.T @ cho_solve(cho_factor(gram), y) / pool
    covariance, target = x.T @ x / pool, x.T @ y / pool
    if not ridgeless:
        return cho_solve(cho_factor(covariance + ridge * jnp.eye(dimension, dtype=x.dtype)), target)
    values: Array
    values, vectors = jnp.linalg.eigh(covariance)
    floor = dimension * jnp.finfo(x.dtype).eps * values[-1]
    inverse = jnp.where(values > floor, 1 / jnp.where(values > floor, values, 1), 0)
    return vectors @ (inverse * (vectors.T @ target))
