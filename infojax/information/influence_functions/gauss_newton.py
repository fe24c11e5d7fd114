"""Damped Gauss–Newton: the curvature is Σ_i J_iᵀ (∂²ℓ_i/∂f²) J_i, exactly, without a matrix of the size of the weights.

With ∂²ℓ_i/∂f² = B_i B_iᵀ (losses.py) and the kernel K = Bᵀ Θ B the push-through identity asks for K + λ. Of each
example's directions the last, 2, is that of its gradient; the others, 1, are eliminated:

    M = K₂₂ − K₂₁ (K₁₁ + λ)⁻¹ K₁₂,   and for queries, V₂ − V₁ (K₁₁ + λ)⁻¹ K₁₂.

One Cholesky factor of K₁₁ + λ, n(r − 1) square; what is left is n × n, as for the empirical Fisher matrix (dual.py).
"""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Float

from infojax.information.influence_functions.directed import curvature_directions, directed_kernel
from infojax.information.influence_functions.dual import Inner, cholesky, inner, too_small, with_error
from infojax.information.influence_functions.problem import Problem

if TYPE_CHECKING:
    from rich.progress import Progress


def gauss_newton(problem: Problem, ridge: float, *, budget: int, progress: "Progress | None" = None) -> Inner:
    """Inner products of gradients under (Σ_i J_iᵀ (∂²ℓ_i/∂f²) J_i + λ)⁻¹."""
    b, c = curvature_directions(problem, problem.x, problem.y)
    query_b, query_c = curvature_directions(problem, problem.query_x, problem.query_y)
    limits = {"budget": budget, "progress": progress}
    kernel = directed_kernel(problem, problem.x, b, **limits)
    cross = directed_kernel(problem, problem.query_x, query_b, problem.x, b, **limits)
    return with_error(lambda kernel, cross: _inner(kernel, cross, c, query_c, ridge), kernel, cross, ridge)


def _inner(
    kernel: Float[np.ndarray, "N N"],
    cross: Float[np.ndarray, "Q N"],
    c: Float[np.ndarray, " n"],
    query_c: Float[np.ndarray, " q"],
    ridge: float,
) -> Inner:
    """From Bᵀ Θ B, which is overwritten, and that of queries."""
    n, q = len(c), len(query_c)
    r = len(kernel) // n
    kernel = kernel.reshape(n, r, n, r)
    # Of a query only the gradient matters; its other directions came along because the kernel has r everywhere.
    cross = cross.reshape(q, r, n, r)[:, -1] * query_c[:, None, None]
    gram, queries = kernel[:, -1, :, -1], cross[:, :, -1]
    if r > 1:
        first = kernel[:, :-1, :, :-1].reshape(n * (r - 1), -1)
        between = kernel[:, :-1, :, -1].reshape(n * (r - 1), n)
        gram = gram.copy()
        del kernel  # the factor takes as much again
        gram, queries = _eliminate(first, between, gram, cross[:, :, :-1].reshape(q, -1), queries, ridge)
    return inner(gram, queries, c, ridge)


def _eliminate(
    first: Float[np.ndarray, "N1 N1"],
    between: Float[np.ndarray, "N1 n"],
    gram: Float[np.ndarray, "n n"],
    query_first: Float[np.ndarray, "q N1"],
    queries: Float[np.ndarray, "q n"],
    ridge: float,
) -> tuple[np.ndarray, np.ndarray]:
    """M and the queries' products, K₁₁ eliminated; overwrites K₁₁."""
    first[np.diag_indices_from(first)] += ridge
    right = np.concatenate([between, query_first.T], axis=1)
    if jax.default_backend() == "cpu":
        lower, _ = cholesky(first, ridge)
        half = scipy.linalg.solve_triangular(lower, right, lower=True, overwrite_b=True, check_finite=False)
    else:
        lower = jnp.linalg.cholesky(jnp.asarray(first), symmetrize_input=False)
        half = np.asarray(jax.scipy.linalg.solve_triangular(lower, jnp.asarray(right), lower=True))
        if not np.isfinite(half).all():
            raise too_small(ridge, first.dtype)
    n = len(gram)
    ours, theirs = half[:, :n], half[:, n:]
    return gram - ours.T @ ours, queries - theirs.T @ ours
