"""Unique information of every example, by exact leave-one-out of the linearised network.

    SI_i   = ½ ‖w − w_−i‖²                                        what example i adds to the weights
    F-SI_i = 1/(2σ²m) Σ_{x in validation} ‖f_w(x) − f_{w_−i}(x)‖²     … and to the predictions

(Harutyunyan et al. 2021, with unit isotropic smoothing of the weights.) Both are exact for the linearised network at
any training time; one eigendecomposition of the kernel serves all examples.
"""

import contextlib
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float, Num

from infojax.arrays import array_of_reals, float64, real_array, refuse_tracers, require_moderate
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.files import factoring_bytes, require_room_to_factor, room
from infojax.information._inputs import check_network_and_params, require_dataset
from infojax.information._settings import check_settings, check_shapes, say_if_constant
from infojax.kernels import accelerator_with_room, empirical_ntk, is_floating, kernel_dtype
from infojax.linearized import (
    LOST,
    Groups,
    Scalar,
    Spectrum,
    Training,
    blurred,
    check_training,
    leave_each_out,
    relative_error,
    rounding_of,
    rows_of_groups,
    spectrum_of,
    warn_of_lost_digits,
)
from infojax.models import Network, Params, check_network

if TYPE_CHECKING:
    from rich.progress import Progress

    from infojax.information.products.bounded_information import BoundedInformation


class _Scores(NamedTuple):
    weights: Float[np.ndarray, " n"]
    functional: Float[np.ndarray, " n"]


class Information(_Scores):
    """Unique information, one entry per example (or per group), in nats for unit smoothing: a pair, and beside it what
    the rounding of the kernels makes of it (docs/unique-information.md, "How many digits are right").

    Attributes:
        weights: SI (n,).
        functional: F-SI (n,).
        weights_error, functional_error: (n,) by how much they may be off.
        condition: by which training amplifies the rounding of the kernel; at t = ∞ its condition number.
        rounding: of the kernel's entries, relative: 1.2e-7 for float32, 2.2e-16 for float64.
    """

    weights_error: Any = None
    functional_error: Any = None
    condition: float = np.nan
    rounding: float = np.nan

    def __new__(
        cls,
        weights: Any,
        functional: Any,
        weights_error: Any = None,
        functional_error: Any = None,
        condition: float = np.nan,
        rounding: float = np.nan,
    ) -> "Information":
        made = super().__new__(cls, weights, functional)
        unknown = np.full(np.shape(weights), np.nan)
        made.weights_error = unknown if weights_error is None else weights_error
        made.functional_error = unknown if functional_error is None else functional_error
        made.condition, made.rounding = condition, rounding
        return made

    @property
    def error(self) -> float:
        """By what part of itself the worst of the scores may be off; those far below the median count as larger."""
        pairs = ((self.weights, self.weights_error), (self.functional, self.functional_error))
        return max(relative_error(*pair) for pair in pairs)


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
    """Unique information from neural tangent kernels, in float64.

    Args:
        train_kernel: Θ (N, N) on the training set, N = n·outputs, example-major; or its `spectrum`, which serves any
            number of calls with other times, decays, conventions and groups.
        validation_kernel: K* (M, N), validation × training, M = m·outputs.
        residual: targets minus initial outputs, (N,) or (n, outputs).
        outputs: k, outputs per example.
        training: GradientDescent, GradientFlow or Converged.
        sigma: standard deviation of the noise that smooths the predictions; a pure scale, 1/σ², of F-SI.
        groups: leave out groups instead of single examples: integer labels (n,), or lists of example numbers.
        block: how many examples are worked on at once; by default as many as keep the work space below a kernel.

    Returns:
        Information, NumPy float64 arrays with one entry for each example or group.

    Warns:
        PrecisionWarning: rounding of the kernels, in their own dtype, leaves the scores too few digits.

    Raises:
        InvalidInput: shapes that do not fit, NaN, a kernel that is not positive semi-definite, a step size at which
            gradient descent diverges (η s_max ≥ 2), scores beyond the numbers of float64, and arguments that are
            traced.
        OverBudget: there is not enough free memory.

    >>> from infojax import Converged
    >>> kernel = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> scores = from_kernels(kernel, kernel[:1], np.array([1.0, 0.0]), training=Converged())
    >>> scores.weights.round(6)
    array([0.333333, 0.083333])
    """
    made = _from_kernels(
        train_kernel,
        validation_kernel,
        residual,
        outputs=outputs,
        training=training,
        sigma=sigma,
        groups=groups,
        block=block,
    )
    warn_of_lost_digits("Unique information", made.error, made.rounding, made.condition)
    return made


def _from_kernels(
    train_kernel: Any,
    validation_kernel: Any,
    residual: Any,
    *,
    outputs: int,
    training: Training,
    sigma: Scalar,
    groups: Groups | None,
    block: int | None = None,
) -> Information:
    """`from_kernels` without its warning."""
    refuse_tracers("An argument", train_kernel, validation_kernel, residual, training, sigma)
    r = real_array("residual", residual).reshape(-1)
    cross = array_of_reals("validation_kernel", validation_kernel)
    check_settings(r, outputs, training, sigma)
    sigma = float(sigma)  # products of float32 numbers would be rounded to it
    shape = np.shape(train_kernel.vectors if isinstance(train_kernel, Spectrum) else train_kernel)
    n = check_shapes(shape[:1], cross.shape, r, outputs)
    require_moderate("validation_kernel", cross)
    rows = rows_of_groups(groups, n, outputs)
    if not isinstance(train_kernel, Spectrum):
        group = rows.indices.shape[1] if groups is not None else 1
        require_room_to_factor(len(r), len(cross), group=group, device=jax.local_devices()[0])
    theta = spectrum_of(train_kernel)

    made = leave_each_out(theta, cross, r, rows, examples=n, training=training, block=block)
    scale = 2 * sigma**2 * (len(cross) // outputs)
    return Information(
        made.weights / 2,
        made.predictions / scale,
        made.weights_error / 2,
        made.predictions_error / scale,
        made.condition,
        max(theta.rounding, rounding_of(cross)),
    )


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
    method: str = "factor",
) -> "Information | BoundedInformation":
    """Unique information of every training example for a network linearised at `params`.

    The loss is squared, for classification too: targets are 0 and 1 for two classes, one-hot for more.

    Args:
        network: its `apply` gives (b, k).
        params: where the network is linearised, usually its initialisation.
        train: n examples.
        validation: m examples, on which predictions are compared.
        training: GradientDescent, GradientFlow or Converged.
        sigma: standard deviation of the smoothing noise in F-SI.
        groups: leave out groups instead of single examples, see `from_kernels`.
        budget: bytes that building the kernels may use beside the kernels themselves.
        progress: a `rich.progress.Progress` that shows the building of the kernels.
        method: "factor" the kernel; "products" with it, which need less memory and more time (`from_products`, with its
            tolerance, and errors beside the scores); or "auto", which factors where memory allows.

    Kernels are made in the precision of the parameters. Where that leaves the scores too few digits, and memory
    allows, they are made anew in float64: `rounding` of the result says which it was.

    Warns:
        PrecisionWarning: as `from_kernels`, where float64 does not help or does not fit.

    Raises:
        InvalidInput: as `from_kernels`, what is no Network, weights or Dataset, and
            when targets and outputs differ in number.
        OverBudget: the kernels cannot be built within `budget`, or the work does not fit into free memory; with
            "auto", neither way fits, or only products that take days. It is said before anything is built.
    """
    from infojax.information.products.bounded_information import from_products
    from infojax.planning import choose_method

    check_network_and_params(network, params)
    require_dataset("train", train)
    require_dataset("validation", validation)
    check_training(training)
    n, outputs = train.targets.shape
    largest = 1 if groups is None else int(rows_of_groups(groups, n, outputs).sizes.max())
    method = choose_method(method, n, len(validation), outputs, kernel_dtype(params).itemsize, group=largest)
    say_if_constant(train)

    settings: dict[str, Any] = {"training": training, "groups": groups}
    build = partial(empirical_ntk, network, budget=budget, progress=progress)

    blurs: list[bool] = []
    wider_fits = cache(partial(in_float64_if_it_fits, network, params, train, validation))

    def made(score: Any, params: Params) -> Any:
        residual = initial_residual(network, params, train)
        kernel = build(params, train.x, out=accelerator_with_room(residual.size))
        blurs.append(kernel_dtype(params) != np.float64 and blurred(kernel, train.x))
        if blurs == [True] and method != "products" and wider_fits() is not None:
            return None
        cross = build(params, validation.x, train.x)
        return score(kernel, cross, residual, outputs=residual.shape[1], sigma=sigma, **settings)

    if method == "products":
        return made(from_products, params)
    scores = made(_from_kernels, params)
    if (not scores or scores.error > LOST) and (wider := wider_fits()) is not None:
        scores = made(_from_kernels, wider)
    error = np.inf if blurs[-1] else scores.error
    warn_of_lost_digits("Unique information", error, scores.rounding, scores.condition)
    return scores


def in_float64_if_it_fits(network: Network, params: Params, train: Dataset, validation: Dataset) -> Params | None:
    """The parameters in float64, for more digits; None where they are so already, where the network computes in less
    whatever its parameters are, or where kernels in float64 do not fit into the memory that is free.
    """
    if kernel_dtype(params) == np.float64:
        return None
    rows, others = train.targets.size, len(validation) * train.targets.shape[1]
    free = room()
    if free is not None and max(factoring_bytes(rows, others, kernel=8 * rows**2, cross=8 * rows * others)) > free.free:
        return None
    with float64():
        wider = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64) if is_floating(leaf) else leaf, params)
    try:
        with float64():
            program = jax.make_jaxpr(network.apply)(wider, np.asarray(train.x[:2], np.float64))
    except Exception:  # a network of others that insists on its precision: there are no more digits to be had
        return None
    return wider if computes_in_float64(program) else None


def computes_in_float64(program: Any) -> bool:
    """Whether no number of a traced program is of less precision."""
    return not any(f"{short}[" in str(program) for short in ("f32", "f16", "bf16"))


def initial_residual(network: Network, params: Params, train: Dataset) -> Float[np.ndarray, "n k"]:
    """Targets minus outputs at `params`, in their precision. Raises InvalidInput when they differ in number."""
    targets = train.targets
    with float64() if kernel_dtype(params) == np.float64 else contextlib.nullcontext():
        x = jnp.asarray(train.x, kernel_dtype(params))
        check_network(network.apply, params, x)
        outputs = jax.jit(network.apply)(params, x)
    if outputs.shape != targets.shape:
        raise InvalidInput(
            f"The network has outputs of shape {outputs.shape}, the training targets have {targets.shape}; build it "
            f"with outputs={targets.shape[-1]}."
        )
    return np.asarray(targets, np.float64) - np.asarray(outputs, np.float64)
