"""Unique information of a network's training examples where its kernel is too large to factor."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from infojax.data import Dataset
from infojax.information._settings import check_settings, require_room_for
from infojax.information.products.bounded_information import BoundedInformation, from_products
from infojax.kernels import accelerator_with_room, empirical_ntk
from infojax.linearized import Groups, Scalar, Training, initial_residual, say_if_constant
from infojax.models import Network, Params, check_network_and_params, require_dataset

if TYPE_CHECKING:
    from rich.progress import Progress


def unique_information_by_products(
    network: Network,
    params: Params,
    train: Dataset,
    validation: Dataset,
    *,
    training: Training,
    sigma: Scalar = 1.0,
    groups: Groups | None = None,
    examples: Sequence[int] | Int[np.ndarray, " _"] | None = None,
    tolerance: float = 1e-6,
    checkpoint: str | Path | None = None,
    budget: int = 2**31,
    progress: "Progress | None" = None,
) -> BoundedInformation:
    """What `unique_information` gives, from products with the kernel: less memory, more time, and errors beside the
    scores. `infojax plan`, or `ij.planning.plan`, says which of the two fits.

    Args:
        network, params, train, validation, training, sigma, groups, budget, progress: as for `unique_information`.
        examples, tolerance, checkpoint: as for `from_products`, which takes kernels on disk, too.

    Kernels are made in the precision of the parameters.

    Raises:
        InvalidInput: as `unique_information` and `from_products`.
        OverBudget: the kernels cannot be built within `budget`, or the work does not fit into free memory. It is said
            before anything is built.
    """
    check_network_and_params(network, params)
    require_dataset("train", train)
    require_dataset("validation", validation)
    check_settings(training, sigma)
    require_room_for("products", params, train, validation, groups)
    say_if_constant(train)
    build = partial(empirical_ntk, network, params, budget=budget, progress=progress)
    residual = initial_residual(network, params, train)
    return from_products(
        build(train.x, out=accelerator_with_room(residual.size)),
        build(validation.x, train.x),
        residual,
        outputs=residual.shape[1],
        training=training,
        sigma=sigma,
        groups=groups,
        examples=examples,
        tolerance=tolerance,
        progress=progress,
        checkpoint=checkpoint,
    )
