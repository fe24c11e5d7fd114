"""Predictions of an ensemble of infinitely wide networks, trained from random initialisations: a Gaussian process.

At initialisation the outputs are a Gaussian process with mean zero and covariance N, the NNGP kernel; training moves
them by f = f₀* + A (Y − f₀), A = K* φ(Θ + λ), with the NTK Θ. So at any time, for each output by itself,

    mean        μ = A Y
    covariance  Σ = N** − A N*ᵀ − N* Aᵀ + A N Aᵀ

(Lee et al., "Wide Neural Networks of Any Depth Evolve as Linear Models Under Gradient Descent", 2019, equations 14 and
15; with decay towards the initialisation, λ in φ alone.) Σ does not depend on targets, and outputs are independent.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.arrays import float64
from infojax.linearized._filters import training_filter
from infojax.linearized._spectrum import Spectrum
from infojax.linearized._training import Training, as_float64, as_sum


class Ensemble(NamedTuple):
    """Kernels and targets, rotated into the eigenbasis of the training NTK Θ = U S Uᵀ.

    Attributes:
        values: S.
        vectors: U.
        projected: K* U, NTK of validation against training points.
        prior: Uᵀ N U, NNGP kernel of the training points.
        cross_prior: N* U, of validation against training points.
        validation_prior: N**, of the validation points.
        targets: Uᵀ Y.
    """

    values: Float[Array, " n"]
    vectors: Float[Array, "n n"]
    projected: Float[Array, "m n"]
    prior: Float[Array, "n n"]
    cross_prior: Float[Array, "m n"]
    validation_prior: Float[Array, "m m"]
    targets: Float[Array, "n k"]


def ensemble(
    theta: Spectrum,
    validation_kernel: Float[np.ndarray, "m n"],
    nngp: Float[np.ndarray, "n n"],
    cross_nngp: Float[np.ndarray, "m n"],
    validation_nngp: Float[np.ndarray, "m m"],
    targets: Float[np.ndarray, "n k"],
) -> Ensemble:
    """The rotation, in float64."""
    with float64():
        values, u, cross, prior, cross_prior, validation_prior, y = (
            jnp.asarray(array, jnp.float64)
            for array in (*theta, validation_kernel, nngp, cross_nngp, validation_nngp, targets)
        )
        return Ensemble(values, u, cross @ u, u.T @ prior @ u, cross_prior @ u, validation_prior, u.T @ y)


class Trained(NamedTuple):
    """An ensemble after training.

    Attributes:
        operator: A U.
        carried: Cov(f, f₀(X)) U = (N* − A N) U, what the predictions still owe to the initial outputs.
        mean: μ, of all outputs.
        covariance: Σ, the same for every output.
    """

    operator: Float[Array, "m n"]
    carried: Float[Array, "m n"]
    mean: Float[Array, "m k"]
    covariance: Float[Array, "m m"]


@jax.jit
def trained(kernels: Ensemble, training: Training) -> Trained:
    """The predictions after `training` of a sum over examples."""
    a = kernels.projected * training_filter(training, kernels.values)[None]
    carried = kernels.cross_prior - a @ kernels.prior
    covariance = kernels.validation_prior - a @ kernels.cross_prior.T - carried @ a.T
    return Trained(a, carried, a @ kernels.targets, (covariance + covariance.T) / 2)


def ensemble_predictions(
    kernels: Ensemble, *, training: Training
) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "m m"]]:
    """Mean (m, k) and covariance (m, m), the same for each output, of the predictions; NumPy float64."""
    summed = as_sum(training, kernels.targets.shape[0])
    with float64():
        made = trained(kernels, as_float64(summed))
        return np.asarray(made.mean), np.asarray(made.covariance)
