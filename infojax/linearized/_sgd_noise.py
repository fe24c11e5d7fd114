"""The stationary covariance of the weights under the noise of stochastic gradient descent, in the span of the data.

Near w*, steps of rate η on batches of b examples make the weights an Ornstein–Uhlenbeck process (Mandt, Hoffman and
Blei, "Stochastic Gradient Descent as Approximate Bayesian Inference", 2017), whose covariance Σ solves

    H Σ + Σ H = (η n²/b) Λ,   H = JᵀJ + λ,   Λ = (1/n) Σ_i g_i g_iᵀ − ḡ ḡᵀ

for a sum over n examples, with g_i = J_iᵀ ρ_i the gradient of one of them and ρ = f − Y what is left of the residual.
(For a mean the rate is nη: the same Σ.) All g_i lie in the span of Jᵀ, where V = Jᵀ U S^{-1/2} is an orthonormal basis
that diagonalises H. So no P × P equation is solved:

    Λ_V = cov_i(√S ∘ U_iᵀ ρ_i),   Σ_V[a, b] = (η n²/b) Λ_V[a, b] / (s_a + s_b + 2λ)

Outside of the span there is no noise, and no example moves the weights there.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.linearized._filters import training_filter
from infojax.linearized._linearized_network import LinearizedNetwork
from infojax.linearized._training import Converged, Scalar, Training, as_float64, as_sum

# Of the initial residual: below, what is left of it is rounding.
INTERPOLATES = 1e-10
# Gradients that differ by less than so many roundings of themselves are equal, and have no covariance.
EQUAL = 30


class SgdNoise(NamedTuple):
    """Stationary noise of the weights, in an orthonormal basis V (P, R) of the span of the data.

    Attributes:
        covariance: Σ_V = Vᵀ Σ V.
        basis: √S Uᵀ, the R rows with s > 0: a change Jᵀa of the weights is `basis @ a` in V.
        cancelled: how much larger gradients are than what they differ by.
    """

    covariance: Float[np.ndarray, "R R"]
    basis: Float[np.ndarray, "R N"]
    cancelled: float


def sgd_noise(
    linearized: LinearizedNetwork, training: Training, *, batch: Scalar, learning_rate: Scalar | None = None
) -> SgdNoise:
    """Noise around the weights that `training` ends with. NumPy float64.

    Args:
        linearized: network with its n training examples.
        training: GradientDescent, GradientFlow or Converged, without noise: sets w* and with it Λ.
        batch: b, drawn with replacement. (Without, the covariance is (n − b)/(n − 1) times this one.)
        learning_rate: of the noisy steps, in the convention of `training`, and by default that of `training`.

    Raises:
        InvalidInput: the trained network interpolates its targets, or all its gradients are equal, so that there is no
            noise; or no learning rate.
    """
    rate = None if isinstance(training, Converged) else training.learning_rate
    rate = rate if learning_rate is None else learning_rate
    if rate is None:
        raise InvalidInput("Converged() has no learning rate, which the noise is proportional to: give learning_rate.")
    theta, examples, residual = linearized.spectrum, linearized.examples, linearized.residual.reshape(-1)
    summed = as_sum(training, examples)
    rate = rate / examples if training.convention == "mean" else rate
    with float64():
        run = as_float64(summed)
        values, vectors = (jnp.asarray(array, jnp.float64) for array in theta)
        rotated = vectors.T @ jnp.asarray(residual, jnp.float64)
        left = vectors @ (rotated * (values * training_filter(run, values) - 1))
        if float(jnp.linalg.norm(left)) <= INTERPOLATES * float(jnp.linalg.norm(rotated)):
            raise InvalidInput(
                f"After {training} the network interpolates its targets: gradients of all "
                "examples vanish, there is no SGD noise, and information smoothed by it diverges. Give decay > 0, or "
                "end the training at a finite time."
            )
        spanned = np.asarray(values) > 0
        if not spanned.any():
            raise InvalidInput("The training kernel is zero: no example moves the weights, and SGD has no noise.")
        s, u = values[spanned], vectors[:, spanned]
        gradients = (left[:, None] * u).reshape(examples, -1, len(s)).sum(axis=1)
        size = float(jnp.linalg.norm(gradients * jnp.sqrt(s)[None]))
        gradients -= gradients.mean(axis=0)[None]
        # What is left of a residual is known to the rounding of the residual, too.
        initial = float(jnp.linalg.norm(u * jnp.asarray(residual, jnp.float64)[:, None] * jnp.sqrt(s)[None]))
        rounding = theta.rounding * size + 2.0**-52 * initial
        apart = float(jnp.linalg.norm(gradients * jnp.sqrt(s)[None]))
        if apart <= EQUAL * rounding:
            raise InvalidInput(
                f"After {training} the gradients of all examples are equal, up to rounding: their "
                "covariance is zero, there is no SGD noise, and information smoothed by it diverges. Give examples "
                "that differ, or unique_information, which needs no noise of SGD."
            )
        basis = jnp.sqrt(s)[:, None] * u.T
        rates = s[:, None] + s[None] + 2 * run.decay
        covariance = rate * examples / batch * (gradients.T @ gradients) / rates
        covariance = jnp.sqrt(s)[:, None] * covariance * jnp.sqrt(s)[None]
        return SgdNoise(np.asarray(covariance), np.asarray(basis), max(1.0, rounding / theta.rounding / apart))
