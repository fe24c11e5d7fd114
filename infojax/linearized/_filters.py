"""What training does to each eigenvalue of the kernel.

With Θ = J Jᵀ and the residual r = Y − f₀(X), training moves the weights by w_t − w₀ = Jᵀ φ(Θ + λ) r, where

    gradient flow, rate η, time t:      φ(z) = (1 − e^{−ηtz}) / z
    gradient descent, T steps of η:     φ(z) = (1 − (1 − ηz)^T) / z
    t = ∞:                              φ(z) = 1 / z,  and 0 where z = 0

in the convention of sums. (Harutyunyan et al. 2021 print the equation for w_t with the sign of r reversed.)
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.errors import InvalidInput
from infojax.linearized._training import GradientDescent, GradientFlow, Training


def training_filter(training: Training, values: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """φ(s + λ) for eigenvalues s ≥ 0 of Θ, accurate to rounding from 0 on.

    Args:
        training: of a sum over the examples (`as_sum`), with λ its decay.
        values: s.

    >>> training_filter(GradientDescent(steps=2, learning_rate=0.5, convention="sum"), jnp.array([0.0, 1.0]))
    Array([1.  , 0.75], dtype=float32)
    """
    if training.convention != "sum":
        raise InvalidInput(f"{training} is for a mean over examples; a filter needs as_sum(training, examples).")
    z = values + training.decay
    positive = jnp.where(z > 0, z, 1.0)
    if isinstance(training, GradientFlow):
        horizon = training.learning_rate * training.time
        return jnp.where(z > 0, -jnp.expm1(-horizon * positive) / positive, horizon)
    if isinstance(training, GradientDescent):
        horizon = training.learning_rate * training.steps
        return jnp.where(z > 0, _descended(training, positive) / positive, horizon)
    return jnp.where(z > 0, 1 / positive, 0.0)


def untrained(training: Training, z: np.ndarray) -> np.ndarray:
    """1 − zφ(z), what training of a sum leaves of a direction with z = s + λ > 0."""
    if isinstance(training, GradientFlow):
        return np.exp(-np.asarray(training.learning_rate * training.time) * z)
    if isinstance(training, GradientDescent):
        return (1 - np.asarray(training.learning_rate) * z) ** np.asarray(training.steps)
    return np.zeros_like(z)


def _descended(training: GradientDescent, z: Array) -> Array:
    # 1 − (1 − u)^T loses all digits for small u = ηz; −expm1(T log1p(−u)) does not, but needs u < 1.
    u = training.learning_rate * z
    gentle = -jnp.expm1(training.steps * jnp.log1p(-jnp.where(u < 1, u, 0.0)))
    parity = 1 - 2 * jnp.mod(training.steps, 2)
    overshooting = 1 - parity * jnp.where(u < 1, 1.0, jnp.abs(1 - u)) ** training.steps
    return jnp.where(u < 1, gentle, overshooting)
