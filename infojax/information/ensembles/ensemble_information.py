"""Unique information of examples in the predictions of an infinitely wide ensemble: exact, with nothing to smooth.

    KL( p(f(X*) | S) ‖ p(f(X*) | S_−i) )

Trained from random initialisations, the predictions f of an infinitely wide network on validation points X* are a
Gaussian process at every time (linearized/ensemble.py), with the example and without. So the functional information
of Harutyunyan et al. (2021, section 2) needs neither a linearisation nor the noise N(0, σ²) that smooths it there.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jaxtyping import ArrayLike, Float, Num
from threadpoolctl import threadpool_limits

from infojax.arrays import float64, real_array, refuse_tracers, require_moderate, require_not_negative
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.files import require_room
from infojax.information.ensembles.divergences import block_size, divergences_each_out
from infojax.linearized import (
    HARMLESS,
    Groups,
    Scalar,
    Spectrum,
    Training,
    amplification,
    as_float64,
    as_sum,
    check_training,
    choose_method,
    ensemble,
    errors,
    lost_in_zeros,
    relative_error,
    rounded,
    rounding_of,
    rows_of,
    rows_of_groups,
    same_without,
    say_if_constant,
    spectrum_of,
    trained,
    warn_of_lost_digits,
)
from infojax.models import Network, require_dataset, require_ensemble

if TYPE_CHECKING:
    from rich.progress import Progress

# Of the mean prior variance: below, a covariance's smallest eigenvalues are those of its rounding.
RESOLVED = 1e-10
# What is held at once beside the kernels given, in float64 arrays (n, n), (n, m) and (m, m).
SQUARES = (8.0, 12.0, 12.0)


class _Scores(NamedTuple):
    joint: Float[np.ndarray, " n"] | None
    joint_means: Float[np.ndarray, " n"] | None
    pointwise: Float[np.ndarray, " n"]
    pointwise_means: Float[np.ndarray, " n"]


class EnsembleInformation(_Scores):
    """Exact functional information, one entry for each example (or group), in nats, summed over the k outputs.

    Attributes:
        joint: of the predictions on all validation points together; None where it was not asked for.
        joint_means: the part of it that means make; the rest is of the covariances.
        pointwise: of the prediction at one validation point, averaged over the points.
        pointwise_means: the part of it that means make.
        condition: by which rounding of the kernels is amplified: by training, or by the inverse of the predictions'
            covariance, whichever is more.
        error: by what part of itself the worst score may be off for that rounding.
    """

    condition: float = np.nan
    error: float = np.nan

    def __new__(cls, *scores: Any, condition: float = np.nan, error: float = np.nan) -> "EnsembleInformation":
        made = super().__new__(cls, *scores)
        made.condition, made.error = condition, error
        return made


def ensemble_from_kernels(
    train_kernel: Num[ArrayLike, "..."] | Spectrum,
    validation_kernel: Num[ArrayLike, "..."],
    targets: Num[ArrayLike, "..."],
    *,
    nngp: Num[ArrayLike, "..."],
    cross_nngp: Num[ArrayLike, "..."],
    validation_nngp: Num[ArrayLike, "..."],
    training: Training,
    jitter: Scalar = 0.0,
    joint: bool = True,
    groups: Groups | None = None,
    block: int | None = None,
) -> EnsembleInformation:
    """Exact information of an infinitely wide ensemble from its kernels, in float64.

    The k outputs are independent with the same kernels, so kernels are of examples, not of rows.

    Args:
        train_kernel: NTK Θ (n, n) on the training set; or its `spectrum`, which serves any number of calls.
        validation_kernel: NTK K* (m, n), validation × training.
        targets: (n,) or (n, k); the outputs at initialisation have mean zero.
        nngp: NNGP kernel N (n, n) on the training set.
        cross_nngp: N* (m, n), validation × training.
        validation_nngp: N** (m, m), on the validation set.
        training: GradientDescent, GradientFlow or Converged; decay is of each network towards its own initialisation.
        jitter: variance of independent noise on each prediction, in units of the mean prior variance, tr N**/m.
            Needed where validation points determine one another (duplicates), or are training points at t = ∞; then
            scores depend on it: docs/ensembles.md.
        joint: False leaves out the divergence on all validation points together, which needs Σ to be regular.
        groups: leave out groups instead of single examples: integer labels (n,), or lists of example numbers.
        block: how many examples are worked on at once; by default as many as keep the work space below a kernel.

    Warns:
        PrecisionWarning: rounding of the kernels leaves the scores too few digits.

    Raises:
        InvalidInput: shapes that do not fit, NaN, negative jitter, a step size at which gradient descent
            diverges, a kernel that is not positive semi-definite, and a singular covariance of the predictions.
        OverBudget: there is not enough free memory.

    >>> from infojax import Converged
    >>> kernel = np.array([[2.0, 1.0, 0.5], [1.0, 2.0, 1.0], [0.5, 1.0, 2.0]])  # the NTK; the NNGP kernel: half of it
    >>> scores = ensemble_from_kernels(
    ...     kernel[:2, :2], kernel[2:, :2], np.array([1.0, 0.0]),
    ...     nngp=kernel[:2, :2] / 2, cross_nngp=kernel[2:, :2] / 2, validation_nngp=kernel[2:, 2:] / 2,
    ...     training=Converged())
    >>> scores.joint.round(4)
    array([0.    , 0.0449])
    """
    refuse_tracers("An argument", train_kernel, targets, training)
    y = real_array("targets", targets)
    y = y.reshape(len(y), -1) if y.size else y
    cross, n_train, n_cross, n_validation = (
        real_array("a kernel", a) for a in (validation_kernel, nngp, cross_nngp, validation_nngp)
    )
    size = rows_of(train_kernel)
    rounding = max(map(rounding_of, (validation_kernel, nngp, cross_nngp, validation_nngp)))
    check_training(training)
    _check(size, y, cross, n_train, n_cross, n_validation, jitter)
    jitter = float(jitter)
    examples = len(y)
    rows = rows_of_groups(groups, examples, 1)
    _require_room(examples, len(cross), 0.0)
    theta = spectrum_of(train_kernel)
    rounding = max(rounding, theta.rounding)

    def divergences(
        theta: Spectrum, cross: np.ndarray, n_train: np.ndarray, n_cross: np.ndarray, n_validation: np.ndarray
    ) -> tuple[np.ndarray, float]:
        kernels = ensemble(theta, cross, n_train, n_cross, n_validation, y)
        scores, condition = np.empty((4, len(rows.sizes))), amplification(theta, full)
        # Groups of one size share rates, decay and resolvents, and with them the factorisation.
        for kept in np.unique(rows.sizes):
            chosen = np.flatnonzero(rows.sizes == kept)
            reduced = as_sum(training, float(examples - kept))
            method = choose_method(float(theta.values[-1]), training, full, reduced)
            # Many small factorisations: on several threads each, they wait for one another longer than they work.
            with float64(), threadpool_limits(1, user_api="blas"):
                before, after = (trained(kernels, as_float64(each)) for each in (full, reduced))
                for made in (after,) if same else (after, before):
                    covariance = np.asarray(made.covariance)
                    smallest = _require_regular(covariance, noise, float(np.trace(n_validation)), joint)
                    condition = max(condition, float(np.trace(n_validation)) / len(n_validation) / smallest)
                scores[:, chosen] = divergences_each_out(
                    kernels,
                    (None if same else before, after),
                    as_float64(reduced),
                    rows.indices[chosen, :kept],
                    noise,
                    method=method,
                    joint=joint,
                    block=block_size(method, int(kept), *cross.shape) if block is None else block,
                )
        kept_scores = scores if joint else scores[2:]
        if not np.isfinite(kept_scores).all():
            raise InvalidInput(
                f"Without example or group {int(np.argmin(np.isfinite(kept_scores).all(0)))} the covariance of the "
                "predictions is not positive definite: kernels of different networks, or rounding. Compute the kernels "
                f"in float64, or give a jitter above {jitter:.1g}."
            )
        return kept_scores, condition

    same, full = same_without(training), as_sum(training, examples)
    noise = jitter * float(np.trace(n_validation)) / len(n_validation)
    others = (cross, n_train, n_cross, n_validation)
    scores, condition = divergences(theta, *others)
    off = scores * rounding * condition
    if rounding * condition > HARMLESS or theta.zeros.hidden > 0:
        rng = np.random.default_rng(1)
        off = errors(theta, lambda other: divergences(other, *(rounded(a, rounding, rng) for a in others))[0])
    off = off + np.abs(scores) * lost_in_zeros(theta, full)
    error = max(relative_error(*pair) for pair in zip(scores, off, strict=True))
    warn_of_lost_digits("Information of an ensemble", error, rounding, condition)
    together = (scores[0], scores[1]) if joint else (None, None)
    return EnsembleInformation(*together, scores[-2], scores[-1], condition=condition, error=error)


def ensemble_information(
    network: Network,
    train: Dataset,
    validation: Dataset,
    *,
    training: Training,
    jitter: Scalar = 0.0,
    joint: bool = True,
    groups: Groups | None = None,
    budget: int = 2**31,
    progress: "Progress | None" = None,
) -> EnsembleInformation:
    """Exact information of every training example in the predictions of an infinitely wide ensemble.

    Args:
        network: made by `infojax.models.from_stax`; only its infinite-width limit is used.
        train: n examples; the k columns of its targets are what the outputs are trained on.
        validation: m examples, on which predictions are compared.
        budget: bytes that building the kernels may use beside the kernels themselves.
        progress: a `rich.progress.Progress` that shows the building of the kernels.

    The other arguments are those of `ensemble_from_kernels`.

    Raises:
        InvalidInput: as `ensemble_from_kernels`, and when the network was not made from stax.
        OverBudget: the kernels cannot be built within `budget`, or the work does not fit into free memory, which is
            said before anything is built.
    """
    from infojax.kernels import infinite_width  # brings neural-tangents, a second of imports

    require_ensemble(network)
    require_dataset("train", train)
    require_dataset("validation", validation)
    check_training(training)
    n, m = len(train), len(validation)
    _require_room(n, m, 8.0 * (2 * n**2 + 2 * n * m + m**2))
    say_if_constant(train)
    settings: dict[str, Any] = {"budget": budget, "progress": progress}
    own: Any = infinite_width(network, train.x, kind="both", **settings)
    across: Any = infinite_width(network, validation.x, train.x, kind="both", **settings)
    beyond: Any = infinite_width(network, validation.x, kind="nngp", **settings)
    return ensemble_from_kernels(
        own.ntk,
        across.ntk,
        train.targets,
        nngp=own.nngp,
        cross_nngp=across.nngp,
        validation_nngp=beyond,
        training=training,
        jitter=jitter,
        joint=joint,
        groups=groups,
    )


def _require_room(n: int, m: int, kernels: float) -> None:
    """Refuse what does not fit into main memory, with `kernels` bytes of kernels that are not there yet."""
    needed = 8.0 * (SQUARES[0] * n**2 + SQUARES[1] * n * m + SQUARES[2] * m**2)
    remedy = "Take fewer examples or validation points."
    if jax.default_backend() == "cpu":
        require_room(needed + kernels, f"An ensemble of {n:,} examples and {m:,} validation points needs", remedy)


def _require_regular(covariance: np.ndarray, noise: float, prior: float, joint: bool) -> float:
    """The smallest eigenvalue, or variance; InvalidInput where it is that of rounding."""
    prior /= len(covariance)
    values = np.linalg.eigvalsh(covariance) if joint else np.diag(covariance)
    smallest = float(values.min()) + noise
    if not smallest > RESOLVED * prior:
        what = "eigenvalue of the covariance" if joint else "variance"
        also = ", or joint=False for the divergence at single points" if joint else ""
        raise InvalidInput(
            f"The smallest {what} of the predictions is {smallest:.3g}, where the mean prior variance is {prior:.3g}: "
            "validation points repeat one another, or are training points that every network interpolates. Drop "
            f"them, or give a jitter (scores then depend on it), at least {2 * RESOLVED:.0e} and rather 1e-4{also}."
        )
    return smallest


def _check(size, y, cross, nngp, cross_nngp, validation_nngp, jitter) -> None:
    require_not_negative("jitter", jitter)
    n, m = (len(y), len(cross)) if y.ndim == 2 and cross.ndim == 2 else (0, 0)
    given = (cross.shape, nngp.shape, cross_nngp.shape, validation_nngp.shape)
    if size != n or not n or not m or given != ((m, n), (n, n), (m, n), (m, m)):
        raise InvalidInput(
            f"Shapes do not fit: train_kernel {size} rows, validation_kernel {given[0]}, targets {y.shape}, nngp "
            f"{given[1]}, cross_nngp {given[2]}, validation_nngp {given[3]}. With n examples, m validation points and "
            "k outputs they are (n, n), (m, n), (n, k), (n, n), (m, n), (m, m): kernels of examples, not of rows."
        )
    if n < 2:
        raise InvalidInput(f"There is {n} training example; leaving one out needs at least 2.")
    names = ("targets", "validation_kernel", "nngp", "cross_nngp", "validation_nngp")
    for name, array in zip(names, (y, cross, nngp, cross_nngp, validation_nngp), strict=True):
        require_moderate(name, array)
