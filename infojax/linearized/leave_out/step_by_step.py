"""Gradient descent without a group, step by step: for runs too short or too near instability for the contour.

Written for one group and vmapped: then all groups descend together, and a step is one product with the kernel.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from infojax.linearized._training import GradientDescent


def descend_without(
    kernel: Float[Array, "N N"],
    residual: Float[Array, " N"],
    kept: Bool[Array, " N"],
    training: GradientDescent,
) -> Float[Array, " N"]:
    """a^(−g) after T steps of a ← a + η (r − (Θ + λ) a) with the rows that are not `kept` held at zero."""
    mask = kept.astype(kernel.dtype)

    def step(_, a):
        return a + training.learning_rate * mask * (residual - kernel @ a - training.decay * a)

    return jax.lax.fori_loop(0, jnp.asarray(training.steps, int), step, jnp.zeros_like(residual))
