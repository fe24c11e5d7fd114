"""Unique information of every example, by exact leave-one-out of the linearized network.

    SI_i   = ½ ‖w − w_−i‖²                                        what example i adds to the weights
    F-SI_i = 1/(2σ²m) Σ_{x in validation} ‖f_w(x) − f_{w_−i}(x)‖²     … and to the predictions

(Harutyunyan et al. 2021, with unit isotropic smoothing of the weights.) Both are exact for the linearized network at
any training time; one eigendecomposition of the kernel serves all examples.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jaxtyping import ArrayLike, Float, Num

from infojax.arrays import refuse_tracers
from infojax.data import Dataset
from infojax.files import require_room_to_factor
from infojax.information._settings import check_settings, require_room_for
from infojax.linearized import (
    LOST,
    Groups,
    LinearizedNetwork,
    Scalar,
    Spectrum,
    Training,
    leave_each_out,
    linearize,
    linearize_kernels,
    relative_error,
    rounding_of,
    rows_of,
    rows_of_groups,
    warn_of_lost_digits,
)
from infojax.models import Network, Params, check_network_and_params, require_dataset

if TYPE_CHECKING:
    from rich.progress import Progress


class _Scores(NamedTuple):
    si: Float[np.ndarray, " n"]
    f_si: Float[np.ndarray, " n"]


class Information(_Scores):
    """Unique information, one entry per example (or per group), in nats for unit smoothing: a pair, and beside it what
    the rounding of the kernels makes of it (docs/unique-information.md, "How many digits are right").

    Attributes:
        si: SI (n,), of the weights.
        f_si: F-SI (n,), of the predictions.
        si_error, f_si_error: (n,) by how much they may be off.
        condition: by which training amplifies the rounding of the kernel; at t = ∞ its condition number.
        rounding: of the kernel's entries, relative: 1.2e-7 for float32, 2.2e-16 for float64.
    """

    si_error: Any = None
    f_si_error: Any = None
    condition: float = np.nan
    rounding: float = np.nan

    def __new__(
        cls,
        si: Any,
        f_si: Any,
        si_error: Any = None,
        f_si_error: Any = None,
        condition: float = np.nan,
        rounding: float = np.nan,
    ) -> "Information":
        made = super().__new__(cls, si, f_si)
        unknown = np.full(np.shape(si), np.nan)
        made.si_error = unknown if si_error is None else si_error
        made.f_si_error = unknown if f_si_error is None else f_si_error
        made.condition, made.rounding = condition, rounding
        return made

    @property
    def error(self) -> float:
        """By what part of itself the worst of the scores may be off; those far below the median count as larger."""
        return max(relative_error(*pair) for pair in ((self.si, self.si_error), (self.f_si, self.f_si_error)))


def from_linearized(
    linearized: LinearizedNetwork,
    training: Training,
    *,
    sigma: Scalar = 1.0,
    groups: Groups | None = None,
    block: int | None = None,
) -> Information:
    """Unique information of every training example of a linearized network, in float64.

    Args:
        linearized: network with training and validation examples; it serves any number of calls.
        training: GradientDescent, GradientFlow or Converged.
        sigma: standard deviation of the noise that smooths the predictions; a pure scale, 1/σ², of F-SI.
        groups: leave out groups instead of single examples: integer labels (n,), or lists of example numbers.
        block: how many examples are worked on at once; by default as many as keep the work space below a kernel.

    Warns:
        PrecisionWarning: rounding of the kernels, in their own dtype, leaves the scores too few digits.

    Raises:
        InvalidInput: no validation examples, numbers that mean nothing, a step size at which gradient descent diverges
            (η s_max ≥ 2), scores beyond the numbers of float64, and arguments that are traced.

    >>> from infojax import Converged
    >>> kernel = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> from_linearized(linearize_kernels(kernel, kernel[:1], np.array([1.0, 0.0])), Converged()).f_si.round(6)
    array([0.5, 0. ])
    """
    scores = _information(linearized, training, sigma, groups, block)
    error = np.inf if linearized.blurred else scores.error
    warn_of_lost_digits("Unique information", error, scores.rounding, scores.condition)
    return scores


def _information(
    linearized: LinearizedNetwork, training: Training, sigma: Scalar, groups: Groups | None, block: int | None = None
) -> Information:
    """`from_linearized` without its warning."""
    refuse_tracers("An argument", training, sigma)
    check_settings(training, sigma)
    rows = rows_of_groups(groups, linearized.examples, linearized.outputs)
    left_out = leave_each_out(linearized, rows, training, block=block)
    # ½ ‖w − w_−i‖² and 1/(2σ²m) Σ_x ‖f_w(x) − f_{w_−i}(x)‖²; products with a float32 σ would be rounded to it.
    cross = linearized.validation_kernel
    scale = 2 * float(sigma) ** 2 * (len(cross) // linearized.outputs)
    return Information(
        left_out.weights / 2,
        left_out.predictions / scale,
        left_out.weights_error / 2,
        left_out.predictions_error / scale,
        left_out.condition,
        max(linearized.spectrum.rounding, rounding_of(cross)),
    )


def from_kernels(
    train_kernel: Num[ArrayLike, "..."] | Spectrum,
    validation_kernel: Num[ArrayLike, "..."],
    residual: Num[ArrayLike, "..."],
    *,
    outputs: int = 1,
    training: Training,
    sigma: Scalar = 1.0,
    groups: Groups | None = None,
    block: int | None = None,
) -> Information:
    """Unique information from neural tangent kernels: `linearize_kernels`, then `from_linearized`.

    Args:
        train_kernel: Θ (N, N) on the training set, N = n·outputs, example-major; or its `spectrum`, which serves any
            number of calls with other times, decays, conventions and groups.
        validation_kernel: K* (M, N), validation × training, M = m·outputs.
        residual: targets minus initial outputs, (N,) or (n, outputs).
        outputs: k, outputs per example.

    The other arguments, and what it warns of, are those of `from_linearized`.

    Raises:
        InvalidInput: as `linearize_kernels` and `from_linearized`.
        OverBudget: there is not enough free memory.

    >>> from infojax import Converged
    >>> kernel = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> scores = from_kernels(kernel, kernel[:1], np.array([1.0, 0.0]), training=Converged())
    >>> scores.si.round(6)
    array([0.333333, 0.083333])
    """
    refuse_tracers("An argument", train_kernel, validation_kernel, residual, training, sigma)
    check_settings(training, sigma)
    if groups is not None and not isinstance(train_kernel, Spectrum):
        rows, each = rows_of(train_kernel), max(outputs, 1)
        largest = rows_of_groups(groups, rows // each, each).indices.shape[1]
        require_room_to_factor(rows, max(np.shape(validation_kernel)), group=largest, device=jax.local_devices()[0])
    linearized = linearize_kernels(train_kernel, validation_kernel, residual, outputs=outputs)
    return from_linearized(linearized, training, sigma=sigma, groups=groups, block=block)


def unique_information(
    network: Network,
    params: Params,
    train: Dataset,
    validation: Dataset,
    *,
    training: Training,
    sigma: Scalar = 1.0,
    groups: Groups | None = None,
    budget: int = 2**31,
    progress: "Progress | None" = None,
) -> Information:
    """Unique information of every training example for a network linearized at `params`: `linearize`, then
    `from_linearized`. Where the kernel is too large to factor, `unique_information_by_products` takes the same.

    The loss is squared, for classification too: targets are 0 and 1 for two classes, one-hot for more.

    Args:
        network: its `apply` gives (b, k).
        params: where the network is linearized, usually its initialization.
        train: n examples.
        validation: m examples, on which predictions are compared.
        training: GradientDescent, GradientFlow or Converged.
        sigma: standard deviation of the smoothing noise in F-SI.
        groups: leave out groups instead of single examples, see `from_linearized`.
        budget: bytes that building the kernels may use beside the kernels themselves.
        progress: a `rich.progress.Progress` that shows the building of the kernels.

    Kernels are made in the precision of the parameters. Where that leaves the scores too few digits, and memory
    allows, they are made anew in float64: `rounding` of the result says which it was.

    Warns:
        PrecisionWarning: as `from_linearized`, where float64 does not help or does not fit.

    Raises:
        InvalidInput: as `linearize` and `from_linearized`.
        OverBudget: the kernels cannot be built within `budget`, or the work does not fit into free memory. It is said
            before anything is built.
    """
    check_network_and_params(network, params)
    require_dataset("train", train)
    require_dataset("validation", validation)
    check_settings(training, sigma)
    require_room_for("factor", params, train, validation, groups)
    linearized = linearize(network, params, train, validation, budget=budget, progress=progress)
    scores, blurred, finer = _information(linearized, training, sigma, groups), linearized.blurred, linearized.finer
    if (blurred or scores.error > LOST) and finer is not None:
        del linearized  # memory for another
        if (wider := finer()) is not None:
            scores, blurred = _information(wider, training, sigma, groups), False
    warn_of_lost_digits("Unique information", np.inf if blurred else scores.error, scores.rounding, scores.condition)
    return scores
