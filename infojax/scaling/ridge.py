"""The exact test error of ridge regression on selected data, in high dimension."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from infojax.precision import in_float64
from infojax.scaling.equivalent import equivalent
from infojax.scaling.moments import sign_moments
from infojax.scaling.problem import Problem, checked_problem
from infojax.scaling.selection import Selection

FloatArray = Float[Array, "*shape"] | Float[np.ndarray, "*shape"]


class RidgeLaw(NamedTuple):
    """What becomes of the learner ŵ on unpruned test data x ~ N(0, I_d), in the limit d, n → ∞.

    Each field has the shape of the arguments broadcast together.
    """

    error: FloatArray  # P(sign(ŵ·x) ≠ sign(w_*·x)) = arccos(overlap)/π
    mse: FloatArray  # E (ŵ·x − sign(w_*·x))² = 1 − 2√(2/π)·overlap·norm + norm²
    overlap: FloatArray  # cosine of ŵ with the truth w_*
    norm: FloatArray  # ‖ŵ‖


def ridge_law(
    selection: Selection,
    *,
    pruner: ArrayLike,
    ratio: ArrayLike,
    ridge: ArrayLike,
    generator: ArrayLike = 1.0,
    pruner_generator: ArrayLike | None = None,
    label_aware: bool = False,
) -> RidgeLaw:
    """Test error of ridge regression on a selected pool, exact as d, n → ∞ with d/n → ratio.

    A pool of n examples x ~ N(0, I_d) with labels y = sign(w_g·x) is pruned by a rule that looks at w_s·x; then
    ŵ = argmin 1/n Σ_kept (w·x − y)²/2 + ridge ‖w‖²/2 is tested on unpruned data with labels sign(w_*·x).
    The pruner w_s is independent of the pool. This is Theorem 1 of Deliberate Practice (arXiv 2502.15588),
    corrected, and its extension to label shift (arXiv 2511.03492); see docs/scaling-laws.md.

    Args:
        selection: `keep_hard(p)`, `keep_easy(p)`, `keep_random(p)` or `keep_all()`.
        pruner: w_s·w_*, the cosine of the pruner with the truth.
        ratio: d/n > 0, with n the size of the pool before pruning.
        ridge: λ ≥ 0 relative to 1/n of the pool (a ridge λ' relative to the kept count is λ = p λ'). 0 means the
            minimum-norm solution. With ridge = 0 and ratio = p exactly, the interpolation peak, norm and
            mse are infinite, overlap is 0 and error 1/2; derivatives do not exist there.
        generator: w_g·w_*, the cosine of the labels' direction with the truth.
        pruner_generator: w_s·w_g. None where the generator is the truth.
        label_aware: keep an example only if also sign(w_s·x) is its label. p then is the fraction that the rule
            alone would keep; fewer pass.

    All numbers may be arrays that broadcast together. Of concrete arguments the law is computed in float64 and returned
    as NumPy arrays; under `jit`, `vmap`, `grad` in the caller's precision (`infojax.precision.float64` widens it).
    Derivatives are finite wherever the law is smooth, cosines of ±1 included. It is not smooth in p at p = 1 of
    keep_hard, nor, with `label_aware`, in pruner_generator at ±1; the finite derivatives returned there mean nothing.

    Raises `InvalidInput` on cosines outside [−1, 1], cosines that no three directions have, ratio ≤ 0, ridge < 0,
    and shapes that do not broadcast.

    >>> from infojax.scaling import keep_hard
    >>> law = ridge_law(keep_hard(0.2), pruner=1.0, ratio=0.1, ridge=0.01)
    >>> round(float(law.error), 4)
    0.1858
    """
    problem = checked_problem(selection, pruner, ratio, ridge, generator, pruner_generator, label_aware)
    return _law(selection, problem, label_aware)


@in_float64
def _law(selection: Selection, problem: Problem, label_aware: bool) -> RidgeLaw:
    dtype = jnp.result_type(float)
    leaves, structure = jax.tree.flatten((selection, problem))
    return _broadcast_law([jnp.asarray(leaf, dtype) for leaf in leaves], structure, label_aware)


@partial(jax.jit, static_argnums=(1, 2))
def _broadcast_law(leaves: list[Array], structure: Any, label_aware: bool) -> RidgeLaw:
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in leaves))
    flat = [jnp.broadcast_to(leaf, shape).ravel() for leaf in leaves]

    def at(*scalars: Float[Array, ""]) -> RidgeLaw:
        selection, problem = jax.tree.unflatten(structure, scalars)
        return _law_at(selection, problem, label_aware)

    return jax.tree.map(lambda field: field.reshape(shape), jax.vmap(at)(*flat))


def _law_at(selection: Selection, problem: Problem, label_aware: bool) -> RidgeLaw:
    moments = sign_moments(selection, problem.pruner_generator, label_aware)
    weights, spread = equivalent(moments, problem.ratio, problem.ridge)
    along = jnp.stack([problem.pruner, problem.generator]) @ weights  # ŵ·w_*
    square = weights @ (moments.gram @ weights) + spread  # ‖ŵ‖²
    # arccos(overlap), without its loss of digits near overlap = 1
    angle = jnp.arctan2(jnp.sqrt(square - along**2), along)
    norm = jnp.sqrt(square)
    mse = 1 - 2 * np.sqrt(2 / np.pi).astype(along.dtype) * along + square
    return RidgeLaw(angle / np.pi, mse, along / norm, norm)
