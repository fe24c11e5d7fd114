"""What every way to unique information is given, checked at the door: how it is trained, and shapes that fit."""

import warnings

import numpy as np

from infojax.arrays import require_matrix, require_moderate, require_positive
from infojax.data import Dataset
from infojax.errors import DataWarning, InvalidInput
from infojax.linearized import Scalar, Training, check_training


def check_settings(residual: np.ndarray, outputs: int, training: Training, sigma: Scalar) -> None:
    """Raises InvalidInput for settings that mean nothing, and for a residual with NaN."""
    check_training(training)
    require_positive("sigma", sigma, "the smoothing noise must have a positive, finite standard deviation")
    if outputs < 1:
        raise InvalidInput(f"outputs is {outputs}; a network has at least one output.")
    require_moderate("residual", residual)


def check_shapes(train: tuple[int, ...] | None, cross: tuple[int, ...], residual: np.ndarray, outputs: int) -> int:
    """The number n of examples; InvalidInput where kernels of these shapes (None: not known) are not of so many."""
    require_matrix("validation_kernel", cross, "(M, N) with M ≥ 1")
    if cross[0] == 0:
        raise InvalidInput(f"validation_kernel has shape {cross}; it must be (M, N) with M ≥ 1.")
    rows = len(residual)
    fit = train is None or all(size == rows for size in train)
    if not fit or cross[1] != rows or rows % outputs or cross[0] % outputs:
        one = train is not None and all(size * outputs == rows for size in train) and cross[1] * outputs == rows
        remedy = (
            " Kernels of examples, the same for all outputs, become that by np.kron(kernel, np.eye(k))." if one else ""
        )
        raise InvalidInput(
            f"Shapes do not fit: train_kernel {train or 'any'}, validation_kernel {cross}, residual {rows} entries, "
            f"outputs {outputs}. With n examples, m validation points and k outputs they are (nk, nk), (mk, nk), nk."
            f"{remedy}"
        )
    if rows // outputs < 2:
        raise InvalidInput(f"There is {rows // outputs} training example; leaving one out needs at least 2.")
    return rows // outputs


def say_if_constant(train: Dataset) -> None:
    """Gives a `DataWarning` where all examples have the same target, as those of one class have."""
    if (train.targets == train.targets[0]).all():
        warnings.warn(
            f"All {len(train):,} training examples have one target, {train.targets[0].tolist()!s:.100}: the network "
            "learns that constant. Give examples of two or more classes, or targets that vary.",
            DataWarning,
            stacklevel=4,
        )
