"""Predictions of a linearised network at any training time.

f_t(x) = f₀(x) + K*(x, :) φ(Θ + λ) r,   w_t − w₀ = Jᵀ φ(Θ + λ) r
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float

from infojax.arrays import float64, real_array
from infojax.errors import InvalidInput
from infojax.linearized._filters import training_filter
from infojax.linearized._spectrum import Spectrum
from infojax.linearized._training import Training, as_float64, as_sum


def coefficients(
    theta: Spectrum, residual: Float[ArrayLike, " N"], *, examples: int, training: Training
) -> Float[np.ndarray, " N"]:
    """a_t = φ(Θ + λ) r, so that w_t = w₀ + Jᵀ a_t and f_t = f₀ + K* a_t. NumPy float64.

    Args:
        theta: spectrum of the training kernel.
        residual: targets minus initial outputs, example-major.
        examples: n, the number of training examples, which a mean is over.
        training: GradientDescent, GradientFlow or Converged.

    Raises:
        InvalidInput: a residual of another length or with NaN, a step size at which training diverges beyond all
            numbers.

    >>> theta = Spectrum(np.array([1.0, 2.0]), np.eye(2))
    >>> from infojax.linearized import Converged
    >>> coefficients(theta, np.array([1.0, 1.0]), examples=2, training=Converged())
    array([1. , 0.5])
    """
    r = real_array("residual", residual)
    if r.shape != np.shape(theta.values) or not np.isfinite(r).all():
        raise InvalidInput(
            f"residual has shape {r.shape} and {np.sum(~np.isfinite(r))} NaN or infinite entries; give "
            f"{np.shape(theta.values)} finite numbers, as many as the kernel has rows."
        )
    summed = as_sum(training, examples)
    with float64():
        vectors = jnp.asarray(theta.vectors)
        rotated = vectors.T @ jnp.asarray(r)
        found = np.asarray(vectors @ (training_filter(as_float64(summed), jnp.asarray(theta.values)) * rotated))
    if not np.isfinite(found).all():
        raise InvalidInput(
            f"training diverges beyond all numbers: the kernel's largest eigenvalue is {float(theta.values[-1]):.3g}; "
            "give a smaller learning rate, or scale the inputs."
        )
    return found
