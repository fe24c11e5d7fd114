"""Unique information as influence functions estimate it: one Newton step at the trained weights for each example.

With the residual ρ = f_w(X) − Y of trained weights, squared loss, and Θ = J Jᵀ, K* = J* Jᵀ at them

    w_−i − w ≈ Jᵀ x_i,   x_i = (Θ + λ)⁻¹ Σ_j W_ji ρ_j,   λ = n(decay + damping)

(W in leaving_out.py: Σ_j W_ji g_j is n/(n − 1) · (g_i − ḡ) for a mean), so

    SI_i = ½ x_iᵀ Θ x_i,   F-SI_i = 1/(2σ²m) ‖K* x_i‖².

One eigendecomposition Θ = U S Uᵀ; x̃ = Uᵀx. The exact leave-one-out of `unique_information` has (Θ_−i + λ)⁻¹
where this has (Θ + λ)⁻¹: for one output it is larger by 1/(1 − h_i), h_i = 1 − λ[(Θ + λ)⁻¹]_ii, in the weights.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float, Num

from infojax.arrays import array_of_reals, float64, real_array, refuse_tracers, require_moderate, require_positive
from infojax.errors import InvalidInput
from infojax.files import require_room_to_factor
from infojax.information._inputs import check_network_and_params, require_examples
from infojax.information._real_descent import Examples
from infojax.information._unique import Information
from infojax.information.influence_functions.leaving_out import mixed, ridge
from infojax.information.influence_functions.problem import pose
from infojax.kernels import empirical_ntk, kernel_dtype
from infojax.linearized import (
    HARMLESS,
    Converged,
    Groups,
    Spectrum,
    Training,
    amplification,
    coefficients,
    errors,
    lost_in_zeros,
    rounding_of,
    rows_of,
    spectrum,
    spectrum_of,
    warn_of_lost_digits,
)
from infojax.models import Network, Params

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
    return _information(theta, cross, lambda _: rho.reshape(-1), shift, groups, training.convention, sigma, outputs)


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
    """The same for a linearised network, from the arguments of `infojax.information.from_kernels`, in float64.

    Args:
        train_kernel: Θ (N, N), N = n·outputs, example-major, or its `spectrum`.
        validation_kernel: K* (M, N).
        residual: targets minus *initial* outputs, (N,) or (n, outputs).
        outputs: k, outputs per example.
        training: how the network was trained before influence is asked for; by default to convergence.
        damping, sigma, groups: as in `influence_information`.

    Raises:
        InvalidInput: shapes that do not fit, NaN, a kernel that is not positive semi-definite, no damping and no decay.
        OverBudget: there is not enough free memory.

    >>> kernel = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> scores = influence_from_kernels(kernel, kernel[:1], np.array([1.0, 0.0]), training=Converged(1.0, "sum"))
    >>> scores.weights.round(6)
    array([0.015381, 0.001709])
    """
    refuse_tracers("An argument", train_kernel, residual, training)
    r, cross = real_array("residual", residual).reshape(-1), array_of_reals("validation_kernel", validation_kernel)
    require_moderate("residual", r)
    require_moderate("validation_kernel", cross)
    size = rows_of(train_kernel)
    if outputs < 1 or cross.ndim != 2 or size != len(r) or cross.shape[1] != size or size % outputs or len(cross) == 0:
        raise InvalidInput(
            f"Shapes do not fit: train_kernel {size} rows, validation_kernel {cross.shape}, residual {len(r)} entries, "
            f"outputs {outputs}. With n examples, m validation points and k outputs they are (nk, nk), (mk, nk), nk."
        )
    n = size // outputs
    shift = ridge(training, damping, n)
    _require_room(size, len(cross))
    theta = spectrum_of(train_kernel)

    def rho(theta: Spectrum) -> np.ndarray:
        a, vectors = coefficients(theta, r, examples=n, training=training), np.asarray(theta.vectors)
        return vectors @ (np.asarray(theta.values) * (vectors.T @ a)) - r

    return _information(theta, cross, rho, shift, groups, training.convention, sigma, outputs)


def _require_room(rows: int, others: int, **built: float) -> None:
    remedy = "Take fewer examples or outputs."
    require_room_to_factor(rows, others, **built, more=MORE, device=jax.local_devices()[0], remedy=remedy)


def _information(
    theta: Spectrum,
    cross: np.ndarray,
    rho: Callable[[Spectrum], Float[np.ndarray, " N"]],
    shift: float,
    groups: Groups | None,
    convention: str,
    sigma: float,
    outputs: int,
) -> Information:
    require_positive("sigma", sigma, "the smoothing noise must have a positive, finite standard deviation")

    def scores(theta: Spectrum) -> np.ndarray:
        with float64():
            values, vectors = jnp.asarray(theta.values), jnp.asarray(theta.vectors)
            # Uᵀ ρ, example by example: the rows of U that belong to it, times its residual.
            rows = (vectors * jnp.asarray(rho(theta))[:, None]).reshape(-1, outputs, len(vectors)).sum(1)
            x = mixed(rows.T, groups, convention) / (values + shift)[:, None]
            moved = jnp.asarray(cross, jnp.float64) @ (vectors @ x)
            squares = jnp.einsum("mg,mg->g", moved, moved)
            weights = values @ x**2
            points = len(cross) // outputs
            return np.stack([np.asarray(weights) / 2, np.asarray(squares) / (2 * sigma**2 * points)])

    curvature = Converged(shift, "sum")
    made, condition = scores(theta), amplification(theta, curvature)
    off = made * theta.rounding * condition
    if theta.rounding * condition > HARMLESS:
        off = errors(theta, scores)
    off = off + made * lost_in_zeros(theta, curvature)
    found = Information(*made, *off, condition=condition, rounding=max(theta.rounding, rounding_of(cross)))
    warn_of_lost_digits("Influence estimates", found.error, found.rounding, condition)
    return found
