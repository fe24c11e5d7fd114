"""Unique information of every example, by exact leave-one-out of the linearised network.

    SI_i   = ½ ‖w − w_−i‖²                                        what example i adds to the weights
    F-SI_i = 1/(2σ²m) Σ_{x in validation} ‖f_w(x) − f_{w_−i}(x)‖²     … and to the predictions

(Harutyunyan et al. 2021, with unit isotropic smoothing of the weights.) Both are exact for the linearised network at
any training time; one eigendecomposition of the kernel serves all examples.
"""

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float, Num

from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.information.settings import check_settings, check_shapes, say_if_constant
from infojax.kernels import empirical_ntk
from infojax.kernels.layers import kernel_dtype
from infojax.kernels.on_device import accelerator_with_room
from infojax.linearized.each_out import leave_each_out
from infojax.linearized.groups import Groups, rows_of_groups
from infojax.linearized.spectrum import Spectrum, spectrum
from infojax.linearized.training import Convention, Training
from infojax.memory import require_room_to_factor
from infojax.models.first_use import check_network
from infojax.models.network import Network, Params
from infojax.settings_checked import array_of_reals, real_array, require_moderate

if TYPE_CHECKING:
    from rich.progress import Progress

    from infojax.information.from_products import BoundedInformation


class Information(NamedTuple):
    """Unique information, one entry per example (or per group), in nats for unit smoothing.

    Attributes:
        weights: SI (n,).
        functional: F-SI (n,).
    """

    weights: Float[np.ndarray, " n"]
    functional: Float[np.ndarray, " n"]


def from_kernels(
    train_kernel: Num[ArrayLike, "..."] | Spectrum,
    validation_kernel: Num[ArrayLike, "..."],
    residual: Num[ArrayLike, "..."],
    *,
    outputs: int = 1,
    training: Training,
    decay: float = 0.0,
    convention: Convention | str = "mean",
    sigma: float = 1.0,
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
        decay: towards the initialisation, ≥ 0; of the mean loss in convention "mean", of the sum in "sum".
        convention: whether the loss is a mean or a sum over the training examples.
        sigma: standard deviation of the noise that smooths the predictions; a pure scale, 1/σ², of F-SI.
        groups: leave out groups instead of single examples: integer labels (n,), or lists of example numbers.
        block: how many examples are worked on at once; by default as many as keep the work space below a kernel.

    Returns:
        Information, NumPy float64 arrays with one entry for each example or group.

    Raises:
        InvalidInput: shapes that do not fit, NaN, a kernel that is not positive semi-definite, negative decay, or a
            step size at which gradient descent diverges (η s_max ≥ 2).
        OverBudget: there is not enough free memory.

    >>> from infojax import Converged
    >>> kernel = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> scores = from_kernels(kernel, kernel[:1], np.array([1.0, 0.0]), training=Converged())
    >>> scores.weights.round(6)
    array([0.333333, 0.083333])
    """
    r = real_array("residual", residual).reshape(-1)
    cross = array_of_reals("validation_kernel", validation_kernel)
    check_settings(r, outputs, decay, convention, sigma)
    shape = np.shape(train_kernel.vectors if isinstance(train_kernel, Spectrum) else train_kernel)
    n = check_shapes(shape[:1], cross.shape, r, outputs)
    require_moderate("validation_kernel", cross)
    rows = rows_of_groups(groups, n, outputs)
    if not isinstance(train_kernel, Spectrum):
        group = rows.indices.shape[1] if groups is not None else 1
        require_room_to_factor(len(r), len(cross), group=group, device=jax.local_devices()[0])
    theta = train_kernel if isinstance(train_kernel, Spectrum) else spectrum(train_kernel)

    weights, squares = leave_each_out(
        theta, cross, r, rows, examples=n, training=training, decay=decay, convention=convention, block=block
    )
    points = len(cross) // outputs
    return Information(weights / 2, squares / (2 * sigma**2 * points))


def unique_information(
    network: Network,
    params: Params,
    train: Dataset,
    validation: Dataset,
    *,
    training: Training,
    decay: float = 0.0,
    convention: Convention | str = "mean",
    sigma: float = 1.0,
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
        decay: strength of decay towards `params`, see `infojax.linearized.training`.
        convention: whether the loss is a mean or a sum over the training examples.
        sigma: standard deviation of the smoothing noise in F-SI.
        groups: leave out groups instead of single examples, see `from_kernels`.
        budget: bytes that building the kernels may use beside the kernels themselves.
        progress: a `rich.progress.Progress` that shows the building of the kernels.
        method: "factor" the kernel; "products" with it, which need less memory and more time (`from_products`, with its
            tolerance, and errors beside the scores); or "auto", which factors where memory allows.

    Raises:
        InvalidInput: as `from_kernels`, and when targets and outputs differ in number.
        OverBudget: the kernels cannot be built within `budget`, or the work does not fit into free memory; with
            "auto", neither way fits, or only products that take days. It is said before anything is built.
    """
    from infojax.information.from_products import from_products
    from infojax.planning.choice import choose_method

    n, outputs = train.targets.shape
    largest = 1 if groups is None else int(rows_of_groups(groups, n, outputs).sizes.max())
    method = choose_method(method, n, len(validation), outputs, kernel_dtype(params).itemsize, group=largest)
    residual = initial_residual(network, params, train)
    where = accelerator_with_room(residual.size)
    kernel = empirical_ntk(network, params, train.x, budget=budget, out=where, progress=progress)
    cross = empirical_ntk(network, params, validation.x, train.x, budget=budget, progress=progress)
    return (from_products if method == "products" else from_kernels)(
        kernel,
        cross,
        residual,
        outputs=residual.shape[1],
        training=training,
        decay=decay,
        convention=convention,
        sigma=sigma,
        groups=groups,
    )


def initial_residual(network: Network, params: Params, train: Dataset) -> Float[np.ndarray, "n k"]:
    """Targets minus outputs at `params`, in float64. Raises InvalidInput when they differ in number.

    Gives a `DataWarning` where all examples have the same target, as those of one class have.
    """
    say_if_constant(train)
    targets = jnp.asarray(train.targets)
    check_network(network.apply, params, train.x)
    outputs = jax.jit(network.apply)(params, jnp.asarray(train.x))
    if outputs.shape != targets.shape:
        raise InvalidInput(
            f"The network has outputs of shape {outputs.shape}, the training targets have {targets.shape}; build it "
            f"with outputs={targets.shape[-1]}."
        )
    return np.asarray(targets, np.float64) - np.asarray(outputs, np.float64)
