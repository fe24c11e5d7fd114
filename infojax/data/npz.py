"""NumPy archives: the user's own data, and the copies that Keras keeps. Pickled objects are never loaded."""

from pathlib import Path

import numpy as np

from infojax.data.dataset import Dataset
from infojax.errors import CorruptData, InvalidInput
from infojax.numpy_files import read_npz


def load_npz(path: Path, split: str) -> Dataset:
    """A data set from an .npz with x (n, ...), y, perhaps `classes`; or x_train, y_train, x_test, y_test.

    y holds class labels (n,), integers or strings, or float targets (n, k). Without `classes`, they are
    the sorted labels that occur; with it, y holds positions in `classes`, or names from it. uint8 inputs are
    pixels and are divided by 255; (n, h, w) of uint8 gets a channel axis. Further arrays of n numbers or strings
    (`source`; `source_train` beside x_train) become `columns`.

    Raises:
        CorruptData: when the file is truncated or no archive of arrays.
        InvalidInput: when arrays are missing, pickled, or not a `Dataset`.
        OverBudget: when they are larger than the memory that is free.
    """
    arrays = read_npz(path)
    suffix = "" if "x" in arrays or "y" in arrays else f"_{split}"
    if not suffix and split != "train":
        raise InvalidInput(f"{path} holds one set, x and y, not a {split} set; load it, and use `.split`.")
    missing = [key for key in (f"x{suffix}", f"y{suffix}") if key not in arrays]
    if missing:
        raise InvalidInput(f"{path} has no array {missing[0]!r}, only {sorted(arrays)}. Save np.savez(path, x=…, y=…).")
    x, y = arrays[f"x{suffix}"], arrays[f"y{suffix}"]
    if x.dtype == np.uint8 and x.ndim == 3:
        x = x[..., None]
    y, classes = _classes(y, arrays.get("classes"), path)
    columns = {
        key.removesuffix(suffix): values
        for key, values in arrays.items()
        if key.endswith(suffix) and key not in (f"x{suffix}", f"y{suffix}", "classes")
        if values.shape == x.shape[:1] and values.dtype.kind in "buifU"
    }
    return Dataset(x=x, y=y, classes=classes, name=path.stem, columns=columns)


def read_keras_npz(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """x_train and y_train, or x_test and y_test, of a file in Keras's cache."""
    arrays = read_npz(path)
    missing = [key for key in (f"x_{split}", f"y_{split}") if key not in arrays]
    if missing:
        raise CorruptData(f"{path} has no array {missing[0]!r}, only {sorted(arrays)}.")
    return arrays[f"x_{split}"], arrays[f"y_{split}"]


def _classes(y: np.ndarray, given: np.ndarray | None, path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as positions among the classes; targets of a regression as they are."""
    if y.ndim != 1 or y.dtype.kind not in "buiU":
        return y, () if given is None else tuple(given.astype(str).ravel().tolist())
    if given is None:
        names, positions = np.unique(y, return_inverse=True)
        return positions, tuple(names.astype(str).tolist())
    names = tuple(given.astype(str).ravel().tolist())
    if y.dtype.kind == "U":
        unknown = sorted(set(y.tolist()) - set(names))
        if unknown:
            raise InvalidInput(f"{path}: label {unknown[0]!r} is not among the classes {names}.")
        y = np.array([names.index(label) for label in y.tolist()])
    return y, names
