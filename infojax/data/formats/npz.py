"""NumPy archives: the user's own data, and the copies that Keras keeps. Pickled objects are never loaded."""

import warnings
from pathlib import Path

import numpy as np

from infojax.arrays import is_real, text
from infojax.data._dataset import Dataset
from infojax.data._given import MEND_LABELS
from infojax.data._names import look_alike, readable
from infojax.errors import CorruptData, DataWarning, InvalidInput
from infojax.files import read_npz

# How a file may name the arrays of a split, x and y; its further arrays carry the same mark.
_LAYOUTS = (("x_{}", "y_{}"), ("{}_images", "{}_labels"), ("{}_x", "{}_y"), ("X_{}", "y_{}"))
# One split has several names.
_SPLITS = (("train", "training"), ("test", "testing"), ("val", "valid", "validation", "dev"))


def load_npz(path: Path, split: str) -> Dataset:
    """A data set from an .npz with x (n, ...), y, perhaps `classes`; or with a pair of them for each split, named as
    x_train, y_train (Keras), or train_images, train_labels (MedMNIST).

    y holds class labels (n,) or (n, 1), integers or text, or float targets (n, k). Without `classes`, they are the
    sorted labels of the training set, and then those that this split has beside; with it, y holds positions in
    `classes`, or names from it. uint8 inputs are pixels and are divided by 255; (n, h, w) of uint8 gets a channel axis.
    Further arrays of n numbers or strings (`source`; `source_train` beside x_train) become `columns`.

    Raises:
        CorruptData: when the file is truncated or no archive of arrays.
        InvalidInput: when arrays are missing, pickled, or not a `Dataset`.
        OverBudget: when they are larger than the memory that is free.

    Warns:
        DataWarning: for further arrays of n entries that are left out, as they are neither numbers nor strings;
            and for labels that differ in blanks or characters that are not seen, where the file has no `classes`.
    """
    objects: set[str] = set()
    arrays = read_npz(path, left_out=objects)
    inputs, targets = _names(arrays.keys() | objects, split, path)
    for name in (inputs, targets, "classes"):
        if name in objects:
            raise InvalidInput(
                f"{path}: {name} has the dtype object. Pickled objects can run code and are never loaded: save plain "
                "arrays of numbers or strings."
            )
    x, y = arrays[inputs], _flat(text(f"{path}: {targets}", arrays[targets]))
    if x.dtype == np.uint8 and x.ndim == 3:
        x = x[..., None]
    trained = _trained_labels(arrays) if targets != "y" else None
    y, classes = _classes(y, trained, arrays.get("classes"), path)
    if "classes" not in arrays and classes and arrays[targets].dtype.kind in "US":
        for said in look_alike(classes):
            warnings.warn(f"{readable(str(path))}: {said}. {MEND_LABELS}", DataWarning, stacklevel=3)
    columns, odd = {}, sorted(name for name in objects if _column_name(name, inputs) is not None)
    for key, values in arrays.items():
        name = _column_name(key, inputs)
        if name is None or key in (inputs, targets, "classes") or values.shape[:1] != x.shape[:1]:
            continue
        if values.ndim == 1 and _is_column(values):
            columns[name] = values
        elif values.ndim == 1:
            odd.append(key)
    if odd:
        warnings.warn(
            f"{path}: left out {', '.join(odd)}, which hold neither numbers nor text. Save dates and objects as text, "
            "array.astype(str).",
            DataWarning,
            stacklevel=3,
        )
    return Dataset(x=x, y=y, classes=classes, name=readable(path.stem), columns=columns)


def read_keras_npz(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """x_train and y_train, or x_test and y_test, of a file in Keras's cache."""
    arrays = read_npz(path)
    missing = [key for key in (f"x_{split}", f"y_{split}") if key not in arrays]
    if missing:
        raise CorruptData(f"{path} has no array {missing[0]!r}, only {sorted(arrays)}.")
    return arrays[f"x_{split}"], arrays[f"y_{split}"]


def _names(there: set[str], split: str, path: Path) -> tuple[str, str]:
    """What the inputs and the labels of the split are called in the file."""
    if "x" in there or "y" in there:
        if split not in _SPLITS[0]:
            raise InvalidInput(f"{path} holds one set, x and y, not a {split} set; load it, and use `.split`.")
        pairs = [("x", "y")]
    else:
        names = next((names for names in _SPLITS if split in names), (split,))
        pairs = [(x.format(name), y.format(name)) for name in names for x, y in _LAYOUTS]
    # The pair that is there; where none is, the one of which most is.
    x, y = max(pairs, key=lambda pair: sum(name in there for name in pair))
    for name in (x, y):
        if name not in there:
            raise InvalidInput(f"{path} has no array {name!r}, only {sorted(there)}. Save np.savez(path, x=…, y=…).")
    return x, y


def _trained_labels(arrays: dict[str, np.ndarray]) -> np.ndarray | None:
    """The labels of the training set in the file; their classes come first in the other splits too."""
    names = [y.format(name) for name in _SPLITS[0] for _, y in _LAYOUTS]
    found = [arrays[name] for name in names if name in arrays]
    return _flat(text("labels", found[0])) if found else None


def _column_name(key: str, inputs: str) -> str | None:
    """What a further array of the split is called without the mark of the split; None for another split's."""
    before, mark, after = inputs.partition("_")
    if not mark:
        return key
    if after in ("images", "x"):
        return key.removeprefix(f"{before}_") if key.startswith(f"{before}_") else None
    return key.removesuffix(f"_{after}") if key.endswith(f"_{after}") else None


def _is_column(values: np.ndarray) -> bool:
    try:
        return is_real(values) or text("", values).dtype.kind == "U"
    except InvalidInput:  # bytes that spell no text
        return False


def _flat(y: np.ndarray) -> np.ndarray:
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind in "buiU" else y


def _classes(
    y: np.ndarray, trained: np.ndarray | None, given: np.ndarray | None, path: Path
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as positions among the classes; targets of a regression as they are."""
    names = () if given is None else tuple(text(f"{path}: classes", given).astype(str).ravel().tolist())
    if y.ndim != 1 or y.dtype.kind not in "buiU":
        return y, names
    if given is None:
        found = np.unique(y) if trained is None or trained.ndim != 1 else np.unique(trained)
        found = np.concatenate([found, np.setdiff1d(y, found)])
        order = np.argsort(found, kind="stable")
        return order[np.searchsorted(found, y, sorter=order)], tuple(found.astype(str).tolist())
    unknown = sorted(set(y.tolist()) - set(names)) if y.dtype.kind == "U" else ()
    if unknown:
        raise InvalidInput(f"{path}: label {unknown[0]!r} is not among the classes {names}.")
    return y, names
