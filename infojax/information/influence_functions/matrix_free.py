"""Inner products of gradients under an inverse curvature that is never written down: one linear system a gradient.

u_j = (C + λ)⁻¹ g_j is solved for each query j; then u_j·g_i is the derivative of example i's loss in the direction u_j,
of all examples in one forward pass. Nothing here is larger than (right-hand sides at once) × P, or × n.
"""

import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from infojax.errors import InvalidInput, OverBudget
from infojax.information.influence_functions.dual import Inner
from infojax.information.influence_functions.losses import value
from infojax.information.influence_functions.problem import Problem
from infojax.information.influence_functions.products import Curvature, all_products, product
from infojax.information.influence_functions.solvers import ConjugateGradient, Lissa, conjugate_gradient, lissa
from infojax.kernels import blocks, peak_bytes

if TYPE_CHECKING:
    from rich.progress import Progress

# More right-hand sides at once than this make products no faster.
MOST_AT_ONCE = 32


def matrix_free(
    problem: Problem,
    curvature: Curvature,
    solver: ConjugateGradient | Lissa | None,
    ridge: float,
    *,
    examples: bool,
    budget: int,
    progress: "Progress | None" = None,
) -> Inner:
    """Inner products of gradients under (C + λ)⁻¹, C of the sum; those between examples only where asked for.

    Without a solver the matrix is written down and factored, for networks so small that P × P fits the budget.
    """
    n = len(problem.x)
    parts = [(problem.query_x, problem.query_y)] + ([(problem.x, problem.y)] if examples else [])
    rows = sum(len(x) for x, _ in parts)
    shift = jnp.asarray(ridge / n, problem.x.dtype)
    inverse, error = _inverse(problem, curvature, shift, budget) if solver is None else (None, np.nan)
    at_once = _at_once(problem, curvature, budget)
    task = None if progress is None else progress.add_task("influence", total=rows)
    results, worst = [], 0.0
    for x, y in parts:
        made = np.empty((len(x), n))
        for block in blocks(len(x), min(at_once, len(x))):
            products, residuals = _rows(problem, x[block], y[block], shift, inverse, curvature, solver)
            made[block] = np.asarray(products, np.float64) / n  # the inverse for the sum
            worst = max(worst, float(residuals.max()))
            if progress is not None and task is not None:
                progress.advance(task, len(products))
        results.append(made)
    if not all(np.isfinite(result).all() for result in results):
        raise InvalidInput(_diverged(solver))
    return Inner(results[0], results[1] if examples else None, worst if solver is not None else 0.0, error)


@functools.partial(jax.jit, static_argnames=("curvature", "solver"))
def _rows(
    problem: Problem, x: Array, y: Array, shift: Array, inverse: Any, curvature: Curvature, solver: Any
) -> tuple[Float[Array, "b n"], Float[Array, " b"]]:
    """g_jᵀ (C̄ + λ̄)⁻¹ g_i of a block of examples j and all training examples i, and the systems' residuals."""
    w, outputs = _flat(problem)
    each = jax.vmap(functools.partial(value, problem.loss))

    def of(chosen: Any, v: Array) -> Array:
        x, y = (problem.x, problem.y) if chosen is None else (problem.x[chosen], problem.y[chosen])
        return product(curvature, problem.loss, outputs, w, x, y, v)

    def row(x: Array, y: Array) -> tuple[Array, Array]:
        g = jax.grad(lambda w: value(problem.loss, outputs(w, x[None])[0], y))(w)
        match solver:
            case ConjugateGradient():
                u = conjugate_gradient(solver, functools.partial(of, None), shift, g)
            case Lissa():
                u = lissa(solver, of, shift, len(problem.x), g)
            case _:
                u = inverse @ g
        size = jnp.linalg.norm(g)
        residual = jnp.linalg.norm(of(None, u) + shift * u - g) / jnp.where(size > 0, size, 1)
        return jax.jvp(lambda w: each(outputs(w, problem.x), problem.y), (w,), (u,))[1], residual

    return jax.vmap(row)(x, y)


def _flat(problem: Problem) -> tuple[Array, Any]:
    w, unflatten = ravel_pytree(problem.params)
    return w, lambda w, x: problem.apply(unflatten(w), x)


def _inverse(problem: Problem, curvature: Curvature, shift: Array, budget: int) -> tuple[Array, float]:
    """The inverse, and its relative rounding: that of the matrix times its condition number."""
    w, outputs = _flat(problem)
    needed = 4 * w.size**2 * w.dtype.itemsize
    if needed > budget:
        raise OverBudget(
            f'solver="exact" for the {curvature} of {w.size:,} parameters needs {needed:,} bytes, the budget is '
            f'{budget:,}: take solver="conjugate_gradient", or curvature="gauss_newton".'
        )
    matrix = jax.jit(all_products, static_argnums=(0, 1, 2))(curvature, problem.loss, outputs, w, problem.x, problem.y)
    matrix = (matrix + matrix.T) / 2 + shift * jnp.eye(len(w), dtype=w.dtype)
    sizes = np.abs(np.linalg.eigvalsh(np.asarray(matrix, np.float64)))
    error = float(jnp.finfo(w.dtype).eps) * float(sizes.max()) / max(float(sizes.min()), 1e-300)
    return jnp.linalg.inv(matrix), error


def _at_once(problem: Problem, curvature: Curvature, budget: int) -> int:
    """Right-hand sides whose products fit into the budget together."""
    w, outputs = _flat(problem)
    one = (problem.x[:1], problem.y[:1])
    program = jax.make_jaxpr(lambda w, x, y, v: product(curvature, problem.loss, outputs, w, x, y, v))(w, *one, w)
    # Weights, direction and result do not grow with the examples; everything else does.
    fixed = 12 * w.size * w.dtype.itemsize
    each = fixed + max(0, peak_bytes(program.jaxpr) - 4 * w.size * w.dtype.itemsize) * len(problem.x)
    if each > budget:
        raise OverBudget(
            f"A product of the {curvature} over {len(problem.x):,} examples needs some {each:,} bytes, the budget is "
            f"{budget:,}: allow a larger budget, or take fewer examples."
        )
    return min(MOST_AT_ONCE, budget // each)


def _diverged(solver: Any) -> str:
    if isinstance(solver, Lissa):
        return (
            f"LiSSA diverged with scale {solver.scale:g}: raise it above half of the largest eigenvalue of the "
            "curvature of the mean loss (with damping)."
        )
    return "The linear systems have no finite answer: the curvature is not positive definite; raise the damping."
