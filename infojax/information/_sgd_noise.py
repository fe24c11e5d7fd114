"""Unique information in weights that are smoothed by the noise of stochastic gradient descent itself.

    SI_i = ½ (w − w_−i)ᵀ Σ⁻¹ (w − w_−i)

with Σ the stationary covariance of SGD around w (linearized/sgd_noise.py): what example i adds to the weights, in
units of how far they wander anyway (Harutyunyan et al. 2021, section 3). One Cholesky factor serves all examples.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
import scipy.linalg
from jaxtyping import ArrayLike, Float, Num

from infojax.arrays import refuse_tracers, require_not_negative, require_positive
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.files import require_room_to_factor
from infojax.kernels import kernel_dtype
from infojax.linearized import (
    HARMLESS,
    Groups,
    LinearizedNetwork,
    Scalar,
    Spectrum,
    Training,
    amplification,
    as_sum,
    check_training,
    errors,
    leave_each_out,
    linearize,
    linearize_kernels,
    lost_in_zeros,
    relative_error,
    rows_of,
    rows_of_groups,
    sgd_noise,
    warn_of_lost_digits,
)
from infojax.models import Network, Params, check_network_and_params, require_dataset

if TYPE_CHECKING:
    from rich.progress import Progress

# Scores of a covariance that is conditioned worse than this have no correct digit.
CONDITION = 1e14
# What the covariance and its factor hold beside what leaving out holds, in float64 squares of the kernel's rows.
MORE = 6.0


class _Scores(NamedTuple):
    si: Float[np.ndarray, " n"]
    condition: float


class SgdInformation(_Scores):
    """Information in weights that SGD smooths: a pair, and beside it what the rounding of the kernel makes of it.

    Attributes:
        si: SI (n,), in nats, one entry for each example or group.
        condition: largest over smallest eigenvalue of the covariance that was factored, ridge included, in the span of
            the data. Scores have at least about 16 − log₁₀(condition) correct digits, those of a float32 kernel
            7 − log₁₀.
        si_error: (n,) by how much they may be off.
    """

    si_error: Any = None

    def __new__(cls, si: Any, condition: float, si_error: Any = None) -> "SgdInformation":
        made = super().__new__(cls, si, condition)
        made.si_error = si_error
        return made


def sgd_from_linearized(
    linearized: LinearizedNetwork,
    training: Training,
    *,
    batch: Scalar,
    learning_rate: Scalar | None = None,
    ridge: Scalar = 0.0,
    groups: Groups | None = None,
) -> SgdInformation:
    """Information of every training example in weights smoothed by SGD noise, of a linearized network, in float64.

    Args:
        linearized: network with its training examples.
        training: GradientDescent, GradientFlow or Converged: where the weights are.
        batch: examples in a batch, drawn with replacement. Scores are proportional to batch/learning_rate.
        learning_rate: of the noisy steps around them, in the convention of `training`; by default that of `training`,
            which Converged() has not.
        ridge: variance of isotropic noise that is added, in units of the mean variance of SGD's over the span of the
            data, tr Σ / rank Θ. Scales with Σ, so that batch and learning rate remain pure factors.
        groups: leave out groups instead of single examples: integer labels (n,), or lists of example numbers.

    Warns:
        PrecisionWarning: rounding of the kernel, in its own dtype, leaves the scores too few digits.

    Raises:
        InvalidInput: arguments out of range, a network that interpolates its targets (no noise: t = ∞ without decay)
            or whose gradients are all equal, and a noise covariance that is singular without a ridge.
        OverBudget: there is not enough free memory.

    >>> from infojax import Converged
    >>> from infojax.linearized import linearize_kernels
    >>> kernel = np.array([[2.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
    >>> linearized, training = linearize_kernels(kernel, None, np.array([1.0, 0.0, 2.0])), Converged(decay=0.3)
    >>> noise = {"learning_rate": 0.1, "ridge": 0.01}
    >>> few, many = (sgd_from_linearized(linearized, training, batch=b, **noise) for b in (1, 10))
    >>> (many.si / few.si).round(6)
    array([10., 10., 10.])
    """
    refuse_tracers("An argument", training)
    check_training(training)
    require_not_negative("ridge", ridge)
    require_positive("batch", batch)
    if learning_rate is not None:
        require_positive("learning_rate", learning_rate)
    ridge, batch = float(ridge), int(batch) if batch == int(batch) else batch
    learning_rate = None if learning_rate is None else float(learning_rate)
    theta, size = linearized.spectrum, len(linearized.spectrum.values)
    rows, run = rows_of_groups(groups, linearized.examples, linearized.outputs), as_sum(training, linearized.examples)
    _require_room(size)

    def scores(theta: Spectrum) -> tuple[np.ndarray, float, float]:
        here = replace(linearized, spectrum=theta)
        noise = sgd_noise(here, training, batch=batch, learning_rate=learning_rate)
        added = ridge * np.trace(noise.covariance) / len(noise.covariance)
        covariance = noise.covariance + added * np.eye(len(noise.covariance))
        values = scipy.linalg.eigvalsh(covariance)
        if not values[0] * CONDITION > values[-1]:
            raise InvalidInput(
                f"The covariance of SGD's noise is singular: its smallest eigenvalue is {values[0]:.3g}, its largest "
                f"{values[-1]:.3g}. n gradients span at most n of the {len(values)} directions of the data at once: "
                "give a ridge, 1e-6 say (a millionth of the mean variance)."
            )
        # ‖L⁻¹ Vᵀ Jᵀ Δa‖², with L Lᵀ the covariance: as if L⁻¹ Vᵀ Jᵀ were what the weights predict.
        whitened = scipy.linalg.solve_triangular(np.linalg.cholesky(covariance), noise.basis, lower=True)
        # Rows of zeros change nothing; with them, spectra of any rank share a compiled program.
        whitened = np.pad(whitened, ((0, size - len(whitened)), (0, 0)))
        left_out = leave_each_out(replace(here, cross=whitened), rows, training)
        return left_out.predictions / 2, float(values[-1] / values[0]), noise.cancelled

    si, condition, cancelled = scores(theta)
    amplified = max(condition * cancelled**2, amplification(theta, run))
    off = si * theta.rounding * amplified
    if theta.rounding * amplified > HARMLESS or theta.zeros.hidden > 0:
        off = errors(theta, lambda other: scores(other)[0])
    off = off + si * lost_in_zeros(theta, run)
    warn_of_lost_digits("Information under SGD's noise", relative_error(si, off), theta.rounding, amplified)
    return SgdInformation(si, condition, off)


def sgd_from_kernel(
    train_kernel: Num[ArrayLike, "..."] | Spectrum,
    residual: Num[ArrayLike, "..."],
    *,
    batch: Scalar,
    outputs: int = 1,
    training: Training,
    learning_rate: Scalar | None = None,
    ridge: Scalar = 0.0,
    groups: Groups | None = None,
) -> SgdInformation:
    """Information in weights smoothed by SGD noise: `linearize_kernels`, then `sgd_from_linearized`.

    Args:
        train_kernel: Θ (N, N) on the training set, N = n·outputs, example-major; or its `spectrum`.
        residual: targets minus initial outputs, (N,) or (n, outputs).
        outputs: k, outputs per example.

    The other arguments, and what is warned of and raised, are those of the two.
    """
    refuse_tracers("An argument", train_kernel, residual, training)
    _require_room(rows_of(train_kernel))
    linearized = linearize_kernels(train_kernel, None, residual, outputs=outputs)
    return sgd_from_linearized(
        linearized, training, batch=batch, learning_rate=learning_rate, ridge=ridge, groups=groups
    )


def sgd_information(
    network: Network,
    params: Params,
    train: Dataset,
    *,
    batch: Scalar,
    training: Training,
    learning_rate: Scalar | None = None,
    ridge: Scalar = 0.0,
    groups: Groups | None = None,
    budget: int = 2**31,
    progress: "Progress | None" = None,
) -> SgdInformation:
    """Information of every training example in the weights of a network linearized at `params`, smoothed by SGD noise:
    `linearize`, then `sgd_from_linearized`, whose arguments are the others.

    Args:
        network: its `apply` gives (b, k).
        params: where the network is linearized, usually its initialization.
        train: n examples.
        budget: bytes that building the kernel may use beside the kernel itself.
        progress: a `rich.progress.Progress` that shows the building of the kernel.

    Raises:
        InvalidInput: as the two.
        OverBudget: the kernel cannot be built within `budget`, or the work does not fit into free memory, which is said
            before anything is built.
    """
    check_network_and_params(network, params)
    require_dataset("train", train)
    check_training(training)
    _require_room(train.targets.size, kernel_dtype(params).itemsize)
    linearized = linearize(network, params, train, budget=budget, progress=progress)
    return sgd_from_linearized(
        linearized, training, batch=batch, learning_rate=learning_rate, ridge=ridge, groups=groups
    )


def _require_room(rows: int, itemsize: int = 0) -> None:
    remedy = "Take fewer examples or outputs."
    built = float(itemsize) * rows**2
    require_room_to_factor(rows, rows, kernel=built, more=MORE, device=jax.local_devices()[0], remedy=remedy)
