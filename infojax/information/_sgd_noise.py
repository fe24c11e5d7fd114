"""Unique information in weights that are smoothed by the noise of stochastic gradient descent itself.

    SI_i = ½ (w − w_−i)ᵀ Σ⁻¹ (w − w_−i)

with Σ the stationary covariance of SGD around w (linearized/sgd_noise.py): what example i adds to the weights, in
units of how far they wander anyway (Harutyunyan et al. 2021, section 3). One Cholesky factor serves all examples.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
import scipy.linalg
from jaxtyping import ArrayLike, Float, Num

from infojax.arrays import real_array, refuse_tracers, require_moderate, require_not_negative, require_positive
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.files import require_room_to_factor
from infojax.information._inputs import check_network_and_params, require_dataset
from infojax.information._settings import say_if_constant
from infojax.information._unique import initial_residual
from infojax.kernels import empirical_ntk, kernel_dtype
from infojax.linearized import (
    HARMLESS,
    Groups,
    Scalar,
    Spectrum,
    Training,
    amplification,
    as_sum,
    check_training,
    errors,
    leave_each_out,
    lost_in_zeros,
    relative_error,
    rows_of,
    rows_of_groups,
    sgd_noise,
    spectrum_of,
    warn_of_lost_digits,
)
from infojax.models import Network, Params

if TYPE_CHECKING:
    from rich.progress import Progress

# Scores of a covariance that is conditioned worse than this have no correct digit.
CONDITION = 1e14
# What the covariance and its factor hold beside what leaving out holds, in float64 squares of the kernel's rows.
MORE = 6.0


class _Scores(NamedTuple):
    weights: Float[np.ndarray, " n"]
    condition: float


class SgdInformation(_Scores):
    """Information in weights that SGD smooths: a pair, and beside it what the rounding of the kernel makes of it.

    Attributes:
        weights: SI (n,), in nats, one entry for each example or group.
        condition: largest over smallest eigenvalue of the covariance that was factored, ridge included, in the span of
            the data. Scores have at least about 16 − log₁₀(condition) correct digits, those of a float32 kernel
            7 − log₁₀.
        weights_error: (n,) by how much they may be off.
    """

    weights_error: Any = None

    def __new__(cls, weights: Any, condition: float, weights_error: Any = None) -> "SgdInformation":
        made = super().__new__(cls, weights, condition)
        made.weights_error = weights_error
        return made


def sgd_from_kernel(
    train_kernel: Num[ArrayLike, "..."] | Spectrum,
    residual: Num[ArrayLike, "..."],
    *,
    batch: int,
    outputs: int = 1,
    training: Training,
    learning_rate: Scalar | None = None,
    ridge: Scalar = 0.0,
    groups: Groups | None = None,
    block: int | None = None,
) -> SgdInformation:
    """Information in weights smoothed by SGD noise, from the neural tangent kernel, in float64.

    Args:
        train_kernel: Θ (N, N) on the training set, N = n·outputs, example-major; or its `spectrum`.
        residual: targets minus initial outputs, (N,) or (n, outputs).
        batch: examples in a batch, drawn with replacement. Scores are proportional to batch/learning_rate.
        outputs: k, outputs per example.
        training: GradientDescent, GradientFlow or Converged: where the weights are.
        learning_rate: of the noisy steps around them, in the convention of `training`; by default that of `training`,
            which Converged() has not.
        ridge: variance of isotropic noise that is added, in units of the mean variance of SGD's over the span of the
            data, tr Σ / rank Θ. Scales with Σ, so that batch and learning rate remain pure factors.
        groups: leave out groups instead of single examples: integer labels (n,), or lists of example numbers.
        block: how many examples are worked on at once.

    Warns:
        PrecisionWarning: rounding of the kernel, in its own dtype, leaves the scores too few digits.

    Raises:
        InvalidInput: shapes that do not fit, NaN, arguments out of range, a network that interpolates its targets
            (no noise: t = ∞ without decay) or whose gradients are all equal, and a noise covariance that is singular
            without a ridge.
        OverBudget: there is not enough free memory.

    >>> from infojax import Converged
    >>> kernel = np.array([[2.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]])
    >>> settings = {"training": Converged(decay=0.3), "learning_rate": 0.1, "ridge": 0.01}
    >>> few, many = (sgd_from_kernel(kernel, np.array([1.0, 0.0, 2.0]), batch=b, **settings) for b in (1, 10))
    >>> (many.weights / few.weights).round(6)
    array([10., 10., 10.])
    """
    refuse_tracers("An argument", train_kernel, residual, training)
    r = real_array("residual", residual).reshape(-1)
    size = rows_of(train_kernel)
    check_training(training)
    _check(r, size, outputs, {"batch": batch, "learning_rate": learning_rate}, ridge)
    ridge, batch = float(ridge), int(batch) if batch == int(batch) else batch
    learning_rate = None if learning_rate is None else float(learning_rate)
    n = len(r) // outputs
    rows = rows_of_groups(groups, n, outputs)
    _require_room(size)
    theta = spectrum_of(train_kernel)

    def scores(theta: Spectrum) -> tuple[np.ndarray, float, float]:
        noise = sgd_noise(theta, r, examples=n, batch=batch, training=training, learning_rate=learning_rate)
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
        left_out = leave_each_out(theta, whitened, r, rows, examples=n, training=training, block=block)
        return left_out.predictions / 2, float(values[-1] / values[0]), noise.cancelled

    made, condition, cancelled = scores(theta)
    run = as_sum(training, n)
    amplified = max(condition * cancelled**2, amplification(theta, run))
    off = made * theta.rounding * amplified
    if theta.rounding * amplified > HARMLESS or theta.zeros.hidden > 0:
        off = errors(theta, lambda other: scores(other)[0])
    off = off + made * lost_in_zeros(theta, run)
    warn_of_lost_digits("Information under SGD's noise", relative_error(made, off), theta.rounding, amplified)
    return SgdInformation(made, condition, off)


def sgd_information(
    network: Network,
    params: Params,
    train: Dataset,
    *,
    batch: int,
    training: Training,
    learning_rate: Scalar | None = None,
    ridge: Scalar = 0.0,
    groups: Groups | None = None,
    budget: int = 2**31,
    progress: "Progress | None" = None,
) -> SgdInformation:
    """Information of every training example in the weights of a network linearised at `params`, smoothed by SGD noise.

    Args:
        network: its `apply` gives (b, k).
        params: where the network is linearised, usually its initialisation.
        train: n examples.
        budget: bytes that building the kernel may use beside the kernel itself.
        progress: a `rich.progress.Progress` that shows the building of the kernel.

    The other arguments are those of `sgd_from_kernel`.

    Raises:
        InvalidInput: as `sgd_from_kernel`, and when targets and outputs differ in number.
        OverBudget: the kernel cannot be built within `budget`, or the work does not fit into free memory, which is said
            before anything is built.
    """
    check_network_and_params(network, params)
    require_dataset("train", train)
    check_training(training)
    _require_room(train.targets.size, kernel_dtype(params).itemsize)
    say_if_constant(train)
    residual = initial_residual(network, params, train)
    return sgd_from_kernel(
        empirical_ntk(network, params, train.x, budget=budget, progress=progress),
        residual,
        batch=batch,
        outputs=residual.shape[1],
        training=training,
        learning_rate=learning_rate,
        ridge=ridge,
        groups=groups,
    )


def _require_room(rows: int, itemsize: int = 0) -> None:
    remedy = "Take fewer examples or outputs."
    built = float(itemsize) * rows**2
    require_room_to_factor(rows, rows, kernel=built, more=MORE, device=jax.local_devices()[0], remedy=remedy)


def _check(residual, size, outputs, positive, ridge) -> None:
    require_not_negative("ridge", ridge)
    for name, value in positive.items():
        if value is not None:
            require_positive(name, value)
    if outputs < 1 or size != len(residual) or len(residual) % outputs:
        raise InvalidInput(
            f"Shapes do not fit: train_kernel {size} rows, residual {len(residual)} entries, outputs {outputs}. With n "
            "examples and k outputs they are (nk, nk) and nk."
        )
    if len(residual) < 2 * outputs:
        raise InvalidInput(f"There is {len(residual) // outputs} training example; leaving one out needs at least 2.")
    require_moderate("residual", residual)
