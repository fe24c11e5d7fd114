"""Several data sets as one, with the source of every example beside it."""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Int64

from infojax.data._dataset import Dataset
from infojax.errors import DataWarning, InvalidInput


def pooled(*datasets: Any) -> tuple[Dataset, Int64[np.ndarray, " n"]]:
    """The examples of all sets, one set after the other, for a single task.

    Args:
        datasets: two or more, with examples of one shape and the same classes in the same order (or regressions with
            as many targets). Where the classes of different sets are to be taken for the same, say so first, with
            `dataclasses.replace(other, classes=first.classes)`.

    Returns:
        The pooled set, with the columns that all sets have; and for each of its examples the position of its source
        among the sets given, which `unique_information(…, groups=source)` takes as it is.

    Raises:
        InvalidInput: fewer than two sets, different shapes, classes or numbers of targets, or label noise in some of
            the sets only.

    >>> from infojax.data import load
    >>> a, b = load("digits").split(3, 2)
    >>> pooled(a, b)[1]
    array([0, 0, 0, 1, 1])
    """
    for dataset in datasets:
        if not isinstance(dataset, Dataset):
            raise InvalidInput(
                f"pooled: {type(dataset).__name__} is no Dataset; give them one by one, pooled(*datasets)."
            )
    if len(datasets) < 2:
        raise InvalidInput(f"pooled: {len(datasets)} set(s) given; give at least two.")
    first = datasets[0]
    for other in datasets[1:]:
        if other.x.shape[1:] != first.x.shape[1:]:
            raise InvalidInput(
                f"pooled: examples of {first.name} have shape {first.x.shape[1:]}, those of {other.name} "
                f"{other.x.shape[1:]}; resize them, or repeat a gray channel, to one shape."
            )
        if other.classes != first.classes or other.y.shape[1:] != first.y.shape[1:]:
            raise InvalidInput(
                f"pooled: {first.name} has the {_task(first)}, {other.name} the {_task(other)}. Where they are to be "
                "taken for the same, rename with dataclasses.replace(dataset, classes=…)."
            )
        if (other.clean_y is None) != (first.clean_y is None):
            raise InvalidInput(f"pooled: only one of {first.name} and {other.name} has label noise; pool, then add it.")
    clean = [dataset.clean_y for dataset in datasets if dataset.clean_y is not None]
    whole = Dataset(
        x=np.concatenate([dataset.x for dataset in datasets]),
        y=np.concatenate([dataset.y for dataset in datasets]),
        classes=first.classes,
        name=" + ".join(dataset.name for dataset in datasets),
        clean_y=np.concatenate(clean) if clean else None,
        columns=_columns(datasets),
    )
    return whole, np.repeat(np.arange(len(datasets)), [len(dataset) for dataset in datasets])


def _columns(datasets: tuple[Dataset, ...]) -> dict[str, np.ndarray]:
    """The columns that all sets have, as numbers or as text in all."""
    names = {name: [name in dataset.columns for dataset in datasets] for each in datasets for name in each.columns}
    columns = {}
    for name, there in names.items():
        parts = [dataset.columns[name] for dataset in datasets if name in dataset.columns]
        if all(there) and len({part.dtype.kind == "U" for part in parts}) == 1:
            columns[name] = np.concatenate(parts)
    if len(columns) < len(names):
        warnings.warn(
            f"pooled: left out the columns {', '.join(sorted(names.keys() - columns.keys()))}: not all sets have them, "
            "or some as text and others as numbers.",
            DataWarning,
            stacklevel=3,
        )
    return columns


def _task(dataset: Dataset) -> str:
    return f"classes {dataset.classes}" if dataset.classes else f"{dataset.y.shape[1]} target(s) of a regression"
