"""The empirical Fisher matrix: the curvature is Σ_i g_i g_iᵀ, of the gradients themselves, n × n in the dual.

It stands in for the curvature where the model's own predictions are as uncertain as its errors say; a network that
fits its examples has far smaller gradients than curvature, so the same damping weighs more.
"""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from infojax.information.influence_functions.directed import curvature_directions, directed_kernel
from infojax.information.influence_functions.dual import Inner, inner, with_error
from infojax.information.influence_functions.problem import Problem

if TYPE_CHECKING:
    from rich.progress import Progress


def fisher(problem: Problem, ridge: float, *, budget: int, progress: "Progress | None" = None) -> Inner:
    """Inner products of gradients under (Σ_i g_i g_iᵀ + λ)⁻¹."""
    rho, query_rho = (_gradients(problem, *of) for of in ((problem.x, problem.y), (problem.query_x, problem.query_y)))
    limits = {"budget": budget, "progress": progress}
    gram = directed_kernel(problem, problem.x, rho, **limits)
    cross = directed_kernel(problem, problem.query_x, query_rho, problem.x, rho, **limits)
    return with_error(lambda gram, cross: inner(gram, cross, np.ones(len(gram)), ridge), gram, cross, ridge)


def _gradients(problem: Problem, x: np.ndarray, y: np.ndarray) -> Float[np.ndarray, "n k 1"]:
    b, c = curvature_directions(problem, x, y)
    return b[:, :, -1:] * c[:, None, None]
