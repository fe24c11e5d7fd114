"""The losses of an example's outputs, and a square root of their curvature in which the gradient is one direction.

ℓ(f, y) with outputs f (k,), gradient ρ = ∂ℓ/∂f. The curvature is written as

    ∂²ℓ/∂f² = B Bᵀ,   B (k, r),   ρ = c · (last column of B),

so that after the other r − 1 directions have been eliminated, one number per example is left.

    squared        ½‖f − y‖²            curvature I, r = k:      ρ = f − y, c = ‖ρ‖
    cross-entropy  −log softmax(f)_y    diag(p) − p pᵀ, r = k−1: ρ = p − e_y, c² = (1 − p_y)/p_y

The second: with s = √p, (diag(s) − p sᵀ)(…)ᵀ is the curvature, and it maps s − e_y/s_y, of squared length c², to ρ. On
what is orthogonal to s and e_y it is diag(s).
"""

from typing import Literal, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Loss: TypeAlias = Literal["squared", "cross_entropy"]

# Below this probability of the right class c would overflow in float32; the curvature along ρ is then p_y < 1e-26
# times its square, which is nothing.
LOG_SMALLEST = -60.0


def value(loss: Loss, f: Float[Array, " k"], y: Float[Array, " k"]) -> Float[Array, ""]:
    """ℓ(f, y); for cross-entropy y is one-hot.

    >>> round(float(value("cross_entropy", jnp.zeros(4), jnp.eye(4)[1])), 4)
    1.3863
    """
    if loss == "squared":
        return jnp.sum((f - y) ** 2) / 2
    return -jnp.vdot(jax.nn.log_softmax(f), y)


def directions(
    loss: Loss, f: Float[Array, " k"], y: Float[Array, " k"]
) -> tuple[Float[Array, "k r"], Float[Array, ""]]:
    """B and c of one example."""
    if loss == "squared":
        rho = f - y
        c: Array = jnp.linalg.norm(rho)
        first = jnp.zeros_like(rho).at[0].set(1)
        along = jnp.where(c > 0, rho / jnp.where(c > 0, c, 1), first)
        return jnp.concatenate([_complement(rho), along[:, None]], axis=1), c
    k, right = len(f), jnp.argmax(y)
    others = (right + 1 + jnp.arange(k - 1)) % k
    log_p = jax.nn.log_softmax(f)
    p = jnp.exp(log_p)[others]
    # 1 − p_y as a sum, which keeps its digits where p_y is nearly 1.
    wrong = p.sum()
    c = jnp.sqrt(wrong / jnp.exp(jnp.maximum(log_p[right], LOG_SMALLEST)))
    rho = jnp.zeros_like(f).at[others].set(p).at[right].set(-wrong)
    along = rho / jnp.where(c > 0, c, 1)
    s = jnp.exp(log_p[others] / 2)
    rest = jnp.zeros((k, k - 2), f.dtype).at[others].set(s[:, None] * _complement(s))
    return jnp.concatenate([rest, along[:, None]], axis=1), c


def _complement(v: Float[Array, " d"]) -> Float[Array, "d d-1"]:
    """An orthonormal basis of what is orthogonal to v, by a Householder reflection."""
    norm: Array = jnp.linalg.norm(v)
    first = jnp.zeros_like(v).at[0].set(1)
    unit = jnp.where(norm > 0, v / jnp.where(norm > 0, norm, 1), first)
    normal = unit + jnp.where(unit[0] >= 0, first, -first)
    return (jnp.eye(len(v), dtype=v.dtype) - jnp.outer(normal, normal) * (2 / jnp.vdot(normal, normal)))[:, 1:]
