"""What a linearized network says after training in closed form.

f_t(x) = f₀(x) + K*(x, :) a,   w_t − w₀ = Jᵀ a,   a = φ(Θ + λ) r,   ρ = Y − f_t(X) = r − Θa
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infojax.arrays import float64, require_not_negative
from infojax.errors import InvalidInput
from infojax.linearized._filters import training_filter, untrained
from infojax.linearized._linearized_network import LinearizedNetwork
from infojax.linearized._training import Training, as_float64, as_sum
from infojax.linearized.digits.lost import watched
from infojax.linearized.leave_out.each import require_stable_descent


def coefficients(linearized: LinearizedNetwork, training: Training) -> Float[np.ndarray, " N"]:
    """a = φ(Θ + λ) r, so that w_t = w₀ + Jᵀ a and f_t = f₀ + K* a. NumPy float64.

    Args:
        linearized: network with its training examples.
        training: GradientDescent, GradientFlow or Converged.

    Raises:
        InvalidInput: a step size at which training diverges beyond all numbers.

    >>> from infojax.linearized import Converged, linearize_kernels
    >>> coefficients(linearize_kernels(np.diag([1.0, 2.0]), None, np.array([1.0, 1.0])), Converged())
    array([1. , 0.5])
    """
    theta, summed = linearized.spectrum, as_sum(training, linearized.examples)
    with float64():
        vectors = jnp.asarray(theta.vectors)
        rotated = vectors.T @ jnp.asarray(linearized.residual.reshape(-1), jnp.float64)
        found = np.asarray(vectors @ (training_filter(as_float64(summed), jnp.asarray(theta.values)) * rotated))
    if not np.isfinite(found).all():
        raise InvalidInput(
            f"training diverges beyond all numbers: the kernel's largest eigenvalue is {float(theta.values[-1]):.3g}; "
            "give a smaller learning rate, or scale the inputs."
        )
    return found


def predictions(linearized: LinearizedNetwork, training: Training) -> Float[np.ndarray, "m k"]:
    """f_t(X*) on the validation examples, (m, k) in float64.

    Raises:
        InvalidInput: as `coefficients`; no validation examples, or initial outputs that are not known.
    """
    moved = np.asarray(linearized.validation_kernel, np.float64) @ coefficients(linearized, training)
    if linearized.validation_outputs is None:
        raise InvalidInput(
            "The outputs before training are not known for the validation examples: give them, "
            "dataclasses.replace(linearized, validation_outputs=outputs), zeros for an infinitely wide network."
        )
    return linearized.validation_outputs + moved.reshape(-1, linearized.outputs)


@watched
def trained_residuals(linearized: LinearizedNetwork, training: Training) -> Float[np.ndarray, "n k"]:
    """ρ = Y − f_t(X) (n, k), without cancellation: small where training got far.

    Args:
        linearized: network with its training examples.
        training: GradientDescent, GradientFlow or Converged.

    Warns:
        PrecisionWarning: the rounding of the kernel leaves too few digits.

    Raises:
        InvalidInput: descent that diverges.

    >>> from infojax.linearized import Converged, linearize_kernels
    >>> trained_residuals(linearize_kernels(np.eye(2), None, np.array([1.0, 1.0])), Converged(decay=0.25)).ravel()
    array([0.33333333, 0.33333333])
    """
    run = require_stable_descent(linearized, training)
    s, u = (np.asarray(part, np.float64) for part in linearized.spectrum)
    z = s + run.decay
    # 1 − s φ(z) = λ/z + (s/z)(1 − zφ(z)), and 1 where z = 0.
    left = np.where(z > 0, (run.decay + s * untrained(run, z)) / np.where(z > 0, z, 1.0), 1.0)
    return (u @ (left * (u.T @ linearized.residual.reshape(-1)))).reshape(linearized.residual.shape)


def largest_stable_rate(
    linearized: LinearizedNetwork, *, decay: float = 0.0, convention: str = "mean", left_out: int = 0
) -> float:
    """The learning rate at which gradient descent begins to diverge, η (s_max/n + λ) = 2 for a mean of the losses.

    Args:
        linearized: network with its training examples.
        decay: λ, in the convention.
        convention: "mean" or "sum" of the losses; a mean over fewer examples takes larger steps.
        left_out: how many of the examples are left out; s_max is that of all, which is not smaller.

    Raises:
        InvalidInput: a decay that is negative, or as many left out as there are.

    >>> from infojax.linearized import linearize_kernels
    >>> largest_stable_rate(linearize_kernels(np.diag([1.0, 4.0]), None, np.array([1.0, 1.0])))
    1.0
    """
    require_not_negative("decay", decay)
    kept = linearized.examples - left_out
    if kept < 1:
        raise InvalidInput(f"left_out is {left_out}; of {linearized.examples} examples at least one must be left.")
    return float(2 / (linearized.spectrum.values[-1] / (kept if convention == "mean" else 1) + decay))
