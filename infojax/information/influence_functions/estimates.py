"""Unique information as influence functions estimate it: one Newton step at the trained weights for each example.

With the residual ρ = f_w(X) − Y of trained weights, squared loss, and Θ = J Jᵀ, K* = J* Jᵀ at them

    w_−i − w ≈ Jᵀ x_i,   x_i = (Θ + λ)⁻¹ Σ_j W_ji ρ_j,   λ = n(decay + damping)

(W in leaving_out.py: Σ_j W_ji g_j is n/(n − 1) · (g_i − ḡ) for a mean), so

    SI_i = ½ x_iᵀ Θ x_i,   F-SI_i = 1/(2σ²m) ‖K* x_i‖².

One eigendecomposition Θ = U S Uᵀ; x̃ = Uᵀx. The exact leave-one-out of `unique_information` has (Θ_−i + λ)⁻¹
where this has (Θ + λ)⁻¹: for one output it is larger by 1/(1 − h_i), h_i = 1 − λ[(Θ + λ)⁻¹]_ii, in the weights.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float, Num

from infojax.arrays import float64, refuse_tracers, require_positive
from infojax.files import require_room_to_factor
from infojax.information._retraining_problem import Examples
from infojax.information._unique import Information
from infojax.information.influence_functions.leaving_out import mixed, ridge
from infojax.information.influence_functions.problem import pose
from infojax.kernels import empirical_ntk, kernel_dtype
from infojax.linearized import (
    HARMLESS,
    Converged,
    Groups,
    LinearizedNetwork,
    Spectrum,
    Training,
    amplification,
    coefficients,
    errors,
    linearize_kernels,
    lost_in_zeros,
    rounding_of,
    rows_of,
    spectrum,
    warn_of_lost_digits,
)
from infojax.models import Network, Params, check_network_and_params, require_examples

if TYPE_CHECKING:
    from rich.progress import Progress

# What estimates hold beside what leaving out holds, in float64 squares of the kernel's rows.
MORE = 6.0


def influence_information(
    network: Network,
    params: Params,
    train: Examples,
    validation: Examples,
    *,
    training: Training = Converged(),
    damping: float = 0.0,
    sigma: float = 1.0,
    groups: Groups | None = None,
    budget: int = 2**31,
    progress: "Progress | None" = None,
) -> Information:
    """SI and F-SI as Gauss–Newton influence functions estimate them; the baseline of Harutyunyan et al. (2021).

    Args:
        network: its `apply` gives (b, k).
        params: the *trained* weights, of squared loss with decay.
        train: n examples, a Dataset or a pair of arrays (x, targets).
        validation: m examples, likewise; their targets are not used.
        training: with which the weights were trained; its decay and convention count. Towards which point does not
            matter: in a mean, the share of an example in the decay's gradient is minus the mean gradient of the losses,
            once training has converged. The authors' code is convention "sum" with n·damping where there is no decay:
            (1/n) H⁻¹ g_i, where "mean" has 1/(n − 1).
        damping: added to the decay in the curvature alone. One of the two must be positive.
        sigma: standard deviation of the smoothing noise in F-SI.
        groups: leave out groups instead of single examples; effects add up.
        budget: bytes that building the kernels may use beside the kernels themselves.
        progress: a `rich.progress.Progress` that shows the building of the kernels.

    Warns:
        PrecisionWarning: rounding of the kernels leaves the scores too few digits.

    Raises:
        InvalidInput: shapes that do not fit, NaN, no damping and no decay.
        OverBudget: the kernels cannot be built within `budget`, or the work does not fit into free memory, which is
            said before anything is built.
    """
    check_network_and_params(network, params)
    require_examples("validation", validation)
    problem = pose(network, params, train, validation, "squared")
    with problem.precision():
        rho = np.asarray(jax.jit(problem.apply)(params, problem.x), np.float64) - np.asarray(problem.y, np.float64)
    n, outputs = rho.shape
    shift = ridge(training, damping, n)
    limits = {"budget": budget, "progress": progress}
    rows, others, itemsize = rho.size, len(problem.query_x) * outputs, kernel_dtype(params).itemsize
    _require_room(rows, others, kernel=float(itemsize) * rows**2, cross=float(itemsize) * rows * others)
    theta = spectrum(np.asarray(empirical_ntk(network, params, problem.x, **limits)))
    cross = np.asarray(empirical_ntk(network, params, problem.query_x, problem.x, **limits))
    linearized = LinearizedNetwork(theta, -rho, cross)
    return _information(linearized, lambda _: rho.reshape(-1), Converged(shift, training.convention), groups, sigma)


def influence_from_linearized(
    linearized: LinearizedNetwork,
    training: Training = Converged(),
    *,
    damping: float = 0.0,
    sigma: float = 1.0,
    groups: Groups | None = None,
) -> Information:
    """The same for a linearized network, in float64.

    Args:
        linearized: network with training and validation examples.
        training: how the network was trained before influence is asked for; its decay is in the curvature, too.
        damping, sigma, groups: as in `influence_information`.

    Raises:
        InvalidInput: no validation examples, no damping and no decay.
        OverBudget: there is not enough free memory.

    >>> kernel = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> linearized = linearize_kernels(kernel, kernel[:1], np.array([1.0, 0.0]))
    >>> influence_from_linearized(linearized, Converged(1.0, "sum")).si.round(6)
    array([0.015381, 0.001709])
    """
    refuse_tracers("An argument", training)
    shift = ridge(training, damping, linearized.examples)
    _require_room(len(linearized.spectrum.values), len(linearized.validation_kernel))

    def rho(theta: Spectrum) -> np.ndarray:
        a = coefficients(replace(linearized, spectrum=theta), training)
        vectors = np.asarray(theta.vectors)
        return vectors @ (np.asarray(theta.values) * (vectors.T @ a)) - linearized.residual.reshape(-1)

    return _information(linearized, rho, Converged(shift, training.convention), groups, sigma)


def influence_from_kernels(
    train_kernel: Num[ArrayLike, "..."] | Spectrum,
    validation_kernel: Num[ArrayLike, "..."],
    residual: Num[ArrayLike, "..."],
    *,
    outputs: int = 1,
    training: Training = Converged(),
    damping: float = 0.0,
    sigma: float = 1.0,
    groups: Groups | None = None,
) -> Information:
    """The same from kernels: `linearize_kernels`, then `influence_from_linearized`, whose arguments are these."""
    refuse_tracers("An argument", train_kernel, validation_kernel, residual, training)
    ridge(training, damping, 1)  # refused before anything is factored
    _require_room(rows_of(train_kernel), max(np.shape(validation_kernel), default=0))
    linearized = linearize_kernels(train_kernel, validation_kernel, residual, outputs=outputs)
    return influence_from_linearized(linearized, training, damping=damping, sigma=sigma, groups=groups)


def _require_room(rows: int, others: int, **built: float) -> None:
    remedy = "Take fewer examples or outputs."
    require_room_to_factor(rows, others, **built, more=MORE, device=jax.local_devices()[0], remedy=remedy)


def _information(
    linearized: LinearizedNetwork,
    rho: Callable[[Spectrum], Float[np.ndarray, " N"]],
    curvature: Converged,
    groups: Groups | None,
    sigma: float,
) -> Information:
    """From f − Y after training, and λ of the sum, with the convention of the loss, as a `curvature`."""
    require_positive("sigma", sigma, "the smoothing noise must have a positive, finite standard deviation")
    cross, outputs, shift = linearized.validation_kernel, linearized.outputs, float(curvature.decay)

    def scores(theta: Spectrum) -> np.ndarray:
        with float64():
            values, vectors = jnp.asarray(theta.values), jnp.asarray(theta.vectors)
            # Uᵀ ρ, example by example: the rows of U that belong to it, times its residual.
            rows = (vectors * jnp.asarray(rho(theta))[:, None]).reshape(-1, outputs, len(vectors)).sum(1)
            x = mixed(rows.T, groups, curvature.convention) / (values + shift)[:, None]
            moved = jnp.asarray(cross, jnp.float64) @ (vectors @ x)
            squares = jnp.einsum("mg,mg->g", moved, moved)
            weights = values @ x**2
            points = len(cross) // outputs
            return np.stack([np.asarray(weights) / 2, np.asarray(squares) / (2 * sigma**2 * points)])

    theta, run = linearized.spectrum, Converged(shift, "sum")
    made, condition = scores(theta), amplification(theta, run)
    off = made * theta.rounding * condition
    if theta.rounding * condition > HARMLESS:
        off = errors(theta, scores)
    off = off + made * lost_in_zeros(theta, run)
    found = Information(*made, *off, condition=condition, rounding=max(theta.rounding, rounding_of(cross)))
    warn_of_lost_digits("Influence estimates", found.error, found.rounding, condition)
    return found
