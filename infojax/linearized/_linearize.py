"""From a network, its parameters and data to the linearized network: kernels, one factorization, and the residual."""

import contextlib
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.arrays import float64
from infojax.data import Dataset
from infojax.errors import DataWarning, InvalidInput
from infojax.files import factoring_bytes, require_room_to_factor, room
from infojax.kernels import accelerator_with_room, empirical_ntk, is_floating, kernel_dtype
from infojax.linearized._linearized_network import LinearizedNetwork
from infojax.linearized._spectrum import spectrum
from infojax.linearized.digits.hidden_zeros import blurred
from infojax.models import Network, Params, check_network, check_network_and_params, require_dataset

if TYPE_CHECKING:
    from rich.progress import Progress


def linearize(
    network: Network,
    params: Params,
    train: Dataset,
    validation: Dataset | None = None,
    *,
    budget: int = 2**31,
    progress: "Progress | None" = None,
) -> LinearizedNetwork:
    """A network linearized at `params`, with the kernel of its training examples factored.

    The loss is squared, for classification too: targets are 0 and 1 for two classes, one-hot for more. Kernels are
    made in the precision of the parameters; where that makes examples equal that differ, and memory allows, in float64.

    Args:
        network: its `apply` gives (b, k).
        params: where the network is linearized, usually its initialization.
        train: n examples.
        validation: m examples, on which predictions are compared.
        budget: bytes that building the kernels may use beside the kernels themselves.
        progress: a `rich.progress.Progress` that shows the building of the kernels.

    Raises:
        InvalidInput: what is no Network, weights or Dataset, and targets and outputs that differ in number.
        OverBudget: the kernels cannot be built within `budget`, or the work does not fit into free memory.

    >>> import infojax as ij
    >>> train, validation = ij.data.load("digits").only(4, 9).split(20, 10, seed=0)
    >>> network = ij.models.mlp(hidden=(16,), outputs=1)
    >>> linearized = linearize(network, network.init(jax.random.key(0), train.x.shape[1:]), train, validation)
    >>> linearized.residual.shape, linearized.validation_kernel.shape
    ((20, 1), (10, 20))
    """
    check_network_and_params(network, params)
    require_dataset("train", train)
    if validation is not None:
        require_dataset("validation", validation)
    say_if_constant(train)
    rows, others = train.targets.size, 0 if validation is None else len(validation) * train.targets.shape[1]
    itemsize, device = kernel_dtype(params).itemsize, jax.local_devices()[0]
    built = {"kernel": float(itemsize) * rows**2, "cross": float(itemsize) * rows * others}
    require_room_to_factor(rows, others, **built, device=device, remedy="Take fewer examples or outputs.")
    made = partial(_linearized, network, train=train, validation=validation, budget=budget, progress=progress)
    if kernel_dtype(params) == np.float64:
        return made(params)
    return made(params, finer=lambda: _finer(network, params, train, validation, made))


def _linearized(
    network: Network,
    params: Params,
    *,
    train: Dataset,
    validation: Dataset | None,
    budget: int,
    progress: "Progress | None",
    finer: Callable[[], LinearizedNetwork | None] | None = None,
) -> LinearizedNetwork:
    build = partial(empirical_ntk, network, params, budget=budget, progress=progress)
    residual = initial_residual(network, params, train)
    kernel = build(train.x, out=accelerator_with_room(residual.size))
    is_blurred = kernel_dtype(params) != np.float64 and blurred(kernel, train.x)
    if is_blurred and finer is not None and (made := finer()) is not None:
        return made
    cross = outputs = None
    if validation is not None:
        cross = np.asarray(build(validation.x, train.x))
        outputs = np.asarray(initial_outputs(network, params, validation.x), np.float64)
    task = None if progress is None else progress.add_task("eigendecomposition", total=None)
    made = LinearizedNetwork(spectrum(kernel), residual, cross, train.targets, outputs, is_blurred, finer)
    if progress is not None and task is not None:
        progress.remove_task(task)
    return made


def initial_residual(network: Network, params: Params, data: Dataset) -> Float[np.ndarray, "n k"]:
    """Targets minus outputs at `params`, in float64; the outputs are computed in the precision of the parameters.

    Raises:
        InvalidInput: targets and outputs differ in number.
    """
    outputs, targets = initial_outputs(network, params, data.x), data.targets
    if outputs.shape != targets.shape:
        raise InvalidInput(
            f"The network has outputs of shape {outputs.shape}, the training targets have {targets.shape}; build it "
            f"with outputs={targets.shape[-1]}."
        )
    return np.asarray(targets, np.float64) - np.asarray(outputs, np.float64)


def initial_outputs(network: Network, params: Params, x: np.ndarray) -> Float[Array, "n k"]:
    """f₀(x), in the precision of the parameters."""
    with float64() if kernel_dtype(params) == np.float64 else contextlib.nullcontext():
        inputs = jnp.asarray(x, kernel_dtype(params))
        check_network(network.apply, params, inputs)
        return jax.jit(network.apply)(params, inputs)


def _finer(
    network: Network,
    params: Params,
    train: Dataset,
    validation: Dataset | None,
    made: Callable[[Params], LinearizedNetwork],
) -> LinearizedNetwork | None:
    """With parameters and kernels in float64; None where the network computes in less whatever its parameters are, or
    where kernels in float64 do not fit into the memory that is free.
    """
    rows, others = train.targets.size, 0 if validation is None else len(validation) * train.targets.shape[1]
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
    return made(wider) if computes_in_float64(program) else None


def computes_in_float64(program: object) -> bool:
    """Whether no number of a traced program is of less precision."""
    return not any(f"{short}[" in str(program) for short in ("f32", "f16", "bf16"))


def say_if_constant(train: Dataset) -> None:
    """Gives a `DataWarning` where all examples have the same target, as those of one class have."""
    if (train.targets == train.targets[0]).all():
        warnings.warn(
            f"All {len(train):,} training examples have one target, {train.targets[0].tolist()!s:.100}: the network "
            "learns that constant. Give examples of two or more classes, or targets that vary.",
            DataWarning,
            stacklevel=3,
        )
