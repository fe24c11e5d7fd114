"""Inner products of gradients under an inverse curvature, in the space of examples instead of that of weights.

If the curvature is C = Σ_i h_i h_iᵀ and the gradients are g_i = c_i h_i, then with the Gram matrix M_ij = h_i·h_j

    (C + λ)⁻¹ h = h (M + λ)⁻¹     (the push-through identity; h (P, n) has columns h_i)

so g_jᵀ (C + λ)⁻¹ g_i = (g_j·h) (M + λ)⁻¹ e_i c_i for a query j, and c_j [M (M + λ)⁻¹]_ji c_i for another example.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Float

from infojax.errors import InvalidInput
from infojax.linearized import HARMLESS, rounded, rounding_of


class Inner(NamedTuple):
    """Inner products g_jᵀ (C + λ)⁻¹ g_i of gradients.

    Attributes:
        queries: query j, example i (q, n).
        examples: example j, example i (n, n); None where it was not asked for.
        residual: the largest relative residual of the linear systems, 0 where they were solved directly.
        error: by what part of the largest they may be off for the rounding of the kernels; nan where it is not known.
    """

    queries: Float[np.ndarray, "q n"]
    examples: Float[np.ndarray, "n n"] | None
    residual: float = 0.0
    error: float = np.nan


def inner(
    gram: Float[np.ndarray, "n n"], cross: Float[np.ndarray, "q n"], scale: Float[np.ndarray, " n"], ridge: float
) -> Inner:
    """From M, the products g_j·h_i of queries and examples, c and λ; float64.

    Raises:
        InvalidInput: λ is below the rounding of M.
    """
    gram = np.asarray(gram, np.float64)
    shifted = (gram + gram.T) / 2
    shifted[np.diag_indices_from(shifted)] += ridge
    factor = cholesky(shifted, ridge)
    c = np.asarray(scale, np.float64)[None]
    queries = scipy.linalg.cho_solve(factor, np.asarray(cross, np.float64).T, check_finite=False).T * c
    examples = scipy.linalg.cho_solve(factor, gram, check_finite=False) * c.T * c
    return Inner(queries, examples)


def with_error(
    solve: Callable[[np.ndarray, np.ndarray], Inner],
    kernel: Float[np.ndarray, "N N"],
    cross: Float[np.ndarray, "Q N"],
    ridge: float,
) -> Inner:
    """What `solve` makes of the kernels, and by how much that changes where they are rounded otherwise."""
    rounding = max(rounding_of(kernel), rounding_of(cross))
    amplified = 1 + float(np.trace(kernel)) / ridge  # no eigenvalue is above the trace
    if not rounding * amplified > HARMLESS:
        return solve(kernel, cross)._replace(error=rounding * amplified)
    rng = np.random.default_rng(0)
    others = [rounded(kernel, rounding, rng).astype(kernel.dtype), rounded(cross, rounding, rng).astype(cross.dtype)]
    made = solve(kernel, cross)
    try:
        other = solve(*others)
    except InvalidInput:  # another rounding, and there is no answer: no digit of it is right
        return made._replace(error=np.inf)
    pairs = [(made.queries, other.queries), (made.examples, other.examples)]
    parts = [np.abs(a - b).max() / max(np.abs(a).max(), 1e-300) for a, b in pairs if a is not None and b is not None]
    return made._replace(error=float(max(parts)))


def cholesky(shifted: np.ndarray, ridge: float) -> tuple[np.ndarray, bool]:
    """The factor that `scipy.linalg.cho_solve` takes, in place of a C-ordered symmetric matrix."""
    try:
        return scipy.linalg.cholesky(shifted.T, lower=True, overwrite_a=True, check_finite=False), True
    except np.linalg.LinAlgError as error:
        raise too_small(ridge, shifted.dtype) from error


def too_small(ridge: float, dtype: np.dtype) -> InvalidInput:
    return InvalidInput(
        f"A ridge of {ridge:.3g} (decay + damping, for the sum of the losses) is below the rounding of the {dtype} "
        "kernel. Give a larger damping, or parameters in float64."
    )
