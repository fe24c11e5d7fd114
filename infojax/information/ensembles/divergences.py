"""How far the predictions of an infinitely wide ensemble move when each group of examples is left out: in blocks.

Leaving out example i changes the operator A, which takes residuals to predictions, by B H R of low rank, and so

    A^(−i) = A − B H R,   Σ^(−i) = Σ + B Wᵀ + W Bᵀ + B Γ Bᵀ,   W = Cov(f, f₀(X)) Rᵀ Hᵀ,   Γ = H R N Rᵀ Hᵀ.

Rank 2 at t = ∞, at most 56 at a finite time: one factorisation of Σ serves all examples.
"""

from functools import partial

import jax
import jax.numpy as jnp

from infojax.information.ensembles.gaussians import LowRank, joint_divergence, pointwise_divergence, reference
from infojax.linearized import (
    Ensemble,
    map_in_blocks,
    resolvent_terms,
    training_filter,
    without_group_operator,
    without_group_operator_converged,
)


@partial(jax.jit, static_argnames=("method", "joint", "block"))
def divergences_each_out(kernels: Ensemble, fits, reduced, indices, noise, *, method, joint, block):
    """(4, groups): the fields of EnsembleInformation. `fits`: with all examples, None if that is the same as
    with all examples and the rates and decay that remain without the group, which comes second; `reduced` is a training
    of a sum at these rates.
    """
    before, after = fits
    eye = jnp.eye(len(after.covariance), dtype=after.covariance.dtype)
    # f = f₀* + A (Y − f₀): a change of A by −D changes f by −D Y in the mean, and its covariance by
    # D Cov(f, f₀)ᵀ + Cov(f, f₀) Dᵀ + D N Dᵀ.
    gap, moved = None, jnp.zeros_like(after.mean)
    if before is not None:
        apart = after.operator - before.operator
        gap, moved = LowRank(eye, after.carried @ apart.T, apart @ kernels.prior @ apart.T), after.mean - before.mean
    variance = jnp.diag(after.covariance) + noise
    own = variance if gap is None else variance + gap.diagonal()
    near = reference(after.covariance + noise * eye, gap) if joint else None
    shifted = kernels.values + reduced.decay
    terms = resolvent_terms(kernels.values, reduced) if method == "contour" else None

    def low_rank(group):
        u = kernels.vectors[group]
        made = without_group_operator(u, *terms) if terms else without_group_operator_converged(u, shifted)
        outer, right = kernels.projected @ made.left.T, made.core @ made.right
        change = LowRank(outer, after.carried @ right.T, right @ kernels.prior @ right.T)
        return change, -outer @ (right @ kernels.targets)

    def dense(group):
        # Too few steps, or too close to instability, for the contour: the operator without the group, anew.
        kept = jnp.ones(len(kernels.values), kernels.values.dtype).at[group].set(0.0)
        u = kernels.vectors * kept[:, None]
        values, vectors = jnp.linalg.eigh((u * kernels.values[None]) @ u.T)
        vectors = u.T @ vectors
        filtered = training_filter(reduced, jnp.maximum(values, 0.0))
        apart = after.operator - kernels.projected @ (vectors * filtered[None]) @ vectors.T
        change = LowRank(eye, after.carried @ apart.T, apart @ kernels.prior @ apart.T)
        return change, -apart @ kernels.targets

    def one(group):
        change, shift = dense(group) if method == "steps" else low_rank(group)
        shift = shift + moved
        points = pointwise_divergence(own, variance + change.diagonal(), shift)
        together = joint_divergence(near, change, shift) if near is not None else (jnp.zeros(()), jnp.zeros(()))
        return jnp.stack([*together, *points])

    return map_in_blocks(one, indices, block).T


def block_size(method: str, size: int, points: int, examples: int) -> int:
    """As many groups at once as keep the work space below half a kernel, or 32 MiB."""
    if method == "steps":
        return 1
    columns = size * (28 if method == "contour" else 2)
    per_group = columns * (2 * examples + 6 * points + 8 * columns)
    return max(1, int(max(examples**2 / 2, 2**22) // per_group))
