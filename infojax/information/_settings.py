"""What every way to unique information is given, checked at the door: how it is trained, and whether it fits."""

from infojax.arrays import require_positive
from infojax.data import Dataset
from infojax.kernels import kernel_dtype
from infojax.linearized import Groups, Scalar, Training, check_training, rows_of_groups
from infojax.models import Params
from infojax.planning import choose_method


def check_settings(training: Training, sigma: Scalar) -> None:
    """Raises InvalidInput for settings that mean nothing."""
    check_training(training)
    require_positive("sigma", sigma, "the smoothing noise must have a positive, finite standard deviation")


def require_room_for(method: str, params: Params, train: Dataset, validation: Dataset, groups: Groups | None) -> None:
    """Raises `OverBudget` where leaving out by this method, "factor" or "products", does not fit into memory."""
    n, outputs = train.targets.shape
    largest = 1 if groups is None else int(rows_of_groups(groups, n, outputs).sizes.max())
    choose_method(method, n, len(validation), outputs, kernel_dtype(params).itemsize, group=largest)
