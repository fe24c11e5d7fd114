"""Kullback–Leibler divergence between Gaussians whose covariances differ by a low rank.

    KL( N(μ, Σ) ‖ N(μ', Σ') ) = ½ [ tr(Σ'⁻¹Σ) − m + (μ' − μ)ᵀ Σ'⁻¹ (μ' − μ) + ln det Σ' − ln det Σ ]

With Σ' = L (I + B Wᵀ + W Bᵀ + B Γ Bᵀ) Lᵀ, of rank 2a, for narrow B and W (m, a): in an orthonormal basis of their
columns the inner change is a matrix of 2a × 2a, whose eigenvalues ε give the determinant, Π(1 + ε), and the
inverse, I − Σ_k ε_k/(1 + ε_k) e_k e_kᵀ. Where all ε are small, so is each term: nothing is lost by cancellation.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def divergence(
    mean: Float[np.ndarray, "m k"],
    covariance: Float[np.ndarray, "m m"],
    other_mean: Float[np.ndarray, "m k"],
    other_covariance: Float[np.ndarray, "m m"],
) -> float:
    """KL( N(μ, Σ) ‖ N(μ', Σ') ) as it is written, for k independent outputs with the same covariances; in nats.

    >>> divergence(np.zeros((1, 1)), np.eye(1), np.ones((1, 1)), np.eye(1))
    0.5
    """
    inverse = np.linalg.inv(other_covariance)
    moved = other_mean - mean
    logarithms = np.linalg.slogdet(other_covariance)[1] - np.linalg.slogdet(covariance)[1]
    covariances = np.trace(inverse @ covariance) - len(covariance) + logarithms
    return float(np.sum(moved * (inverse @ moved)) + mean.shape[1] * covariances) / 2


class LowRank(NamedTuple):
    """A symmetric change B Wᵀ + W Bᵀ + B Γ Bᵀ of a covariance: B and W (m, a), Γ (a, a)."""

    outer: Float[Array, "m a"]
    inner: Float[Array, "m a"]
    core: Float[Array, "a a"]

    def diagonal(self) -> Float[Array, " m"]:
        """Its diagonal."""
        return jnp.sum(self.outer * (2 * self.inner + self.outer @ self.core), axis=1)


class Reference(NamedTuple):
    """A covariance LLᵀ that both Σ and all Σ' are near.

    Attributes:
        whitening: L⁻¹.
        gap: E = L⁻¹ Σ L⁻ᵀ − I; None where Σ is the reference itself.
        excess: tr E − ln det(I + E).
    """

    whitening: Float[Array, "m m"]
    gap: Float[Array, "m m"] | None = None
    excess: Float[Array, ""] | None = None


def reference(covariance: Float[Array, "m m"], gap: LowRank | None = None) -> Reference:
    """The reference `covariance`, positive definite; Σ is that plus `gap`, or that."""
    root = jnp.linalg.cholesky(covariance)
    whitening = jax.scipy.linalg.solve_triangular(root, jnp.eye(len(root), dtype=root.dtype), lower=True)
    if gap is None:
        return Reference(whitening)
    outer, inner = whitening @ gap.outer, whitening @ gap.inner
    cross = outer @ inner.T
    change = cross + cross.T + outer @ gap.core @ outer.T
    values = jnp.linalg.eigvalsh(change)
    return Reference(whitening, change, jnp.sum(values - jnp.log1p(values)))


def joint_divergence(
    near: Reference, change: LowRank, shift: Float[Array, "m k"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Of k independent outputs together: the divergence, and the part of it that the means make; in nats.

    Args:
        near: the reference and Σ.
        change: Σ' minus the reference.
        shift: μ' − μ.
    """
    size, whitening = change.outer.shape[1], near.whitening
    whitened = whitening @ jnp.concatenate([change.outer, change.inner], axis=1)
    pattern = jnp.block([[change.core, jnp.eye(size)], [jnp.eye(size), jnp.zeros((size, size))]])
    if 2 * size < len(whitening):
        basis, coordinates = jnp.linalg.qr(whitened)
        inner = coordinates @ pattern @ coordinates.T
    else:
        basis, inner = None, whitened @ pattern @ whitened.T
    values, vectors = jnp.linalg.eigh((inner + inner.T) / 2)
    vectors = vectors if basis is None else basis @ vectors
    shrunk = values / (1 + values)
    covariances = jnp.sum(jnp.log1p(values) - shrunk)
    if near.gap is not None:
        covariances += near.excess - shrunk @ jnp.sum(vectors * (near.gap @ vectors), axis=0)
    moved = whitening @ shift
    means = jnp.sum(moved**2) - shrunk @ jnp.sum((vectors.T @ moved) ** 2, axis=1)
    return (means + shift.shape[1] * covariances) / 2, means / 2


def pointwise_divergence(
    variance: Float[Array, " m"], other: Float[Array, " m"], shift: Float[Array, "m k"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The same of the predictions at one point, averaged over the m points.

    Args:
        variance: diagonal of Σ.
        other: diagonal of Σ'.
        shift: μ' − μ.
    """
    change = (other - variance) / variance
    means = jnp.sum(shift**2, axis=1) / other
    covariances = jnp.log1p(change) - change / (1 + change)
    return jnp.mean(means + shift.shape[1] * covariances) / 2, jnp.mean(means) / 2
