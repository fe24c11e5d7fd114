"""What a `Dataset` is made of, from what people have: inputs, labels or targets, names of classes, columns."""

import warnings
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64, Shaped

from infojax.arrays import check_float32, is_real, missing, plain_array, require_real, text
from infojax.data._names import look_alike
from infojax.errors import DataWarning, InvalidInput

MEND_LABELS = "Mend the labels, such as np.char.strip(y), or give `classes`."

# From the check up to who called Dataset(…).
_TO_CALLER = 4


def inputs(given: Any, name: str) -> Float32[np.ndarray, "n ..."]:
    """Examples as float32: bytes as pixels, over 255; other numbers as they are.

    Raises InvalidInput for what is no array of finite real numbers (n, ...), and for examples that float32 cannot hold
    apart.
    """
    x = plain_array(f"{name}: x", given)
    require_real(f"{name}: x", x)
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise InvalidInput(f"{name}: x has shape {x.shape}; it needs (n, ...), e.g. x.reshape(n, -1).")
    if x.dtype == np.uint8:
        return x / np.float32(255)
    return _in_float32(x, f"{name}: x", rows=True)


def class_names(given: Any, name: str) -> tuple[str, ...]:
    """Names in their order; those of a dictionary {name: index} or {index: name} in the order of the indices."""
    if given is None or isinstance(given, str):
        return tuple(given or ())
    if isinstance(given, Mapping):
        given = _by_index(given, name)
    if not isinstance(given, Iterable) or isinstance(given, Set | bytes) or getattr(given, "ndim", 1) != 1:
        raise InvalidInput(f"{name}: classes is {given!r:.80}; give the names in the order of the labels, in a list.")
    names = [each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in given]
    for each in names:
        if np.ndim(each) or missing(each):
            raise InvalidInput(f"{name}: classes holds {each!r:.40}, which is no name; give one for each class.")
    names = tuple(str(each) for each in names)
    if len(set(names)) < len(names):
        raise InvalidInput(f"{name}: two classes have the same name in {names}; rename one.")
    return names


def labels_or_targets(
    y: np.ndarray, clean: Any, classes: tuple[str, ...], name: str
) -> tuple[Int64[np.ndarray, " n"] | Float32[np.ndarray, "n k"], Int64[np.ndarray, " n"] | None, tuple[str, ...]]:
    """y and clean_y as positions among the classes, or y as targets of a regression; and the classes.

    Labels may be integers, booleans or text, (n,) or (n, 1). Text is looked up among the classes; without classes they
    are the sorted texts that occur.
    """
    y = _flat_labels(y, f"{name}: y")
    was = None if clean is None else _flat_labels(plain_array(f"{name}: clean_y", clean), f"{name}: clean_y")
    if not classes and y.dtype.kind == "U" and y.ndim == 1:
        words = [each for each in (y, was) if each is not None and each.dtype.kind == "U"]
        classes = tuple(np.unique(np.concatenate(words)).tolist())
        for said in look_alike(classes):
            warnings.warn(f"{name}: {said}. {MEND_LABELS}", DataWarning, stacklevel=_TO_CALLER - 1)
    y = _labels(y, classes, name, "y") if y.ndim == 1 else _targets(y, classes, name)
    if was is None:
        return y, None, classes
    was = _labels(was, classes, name, "clean_y")
    if was.shape != y.shape:
        raise InvalidInput(f"{name}: clean_y has shape {was.shape}, y has shape {y.shape}.")
    return y, was, classes


def columns_of(given: Any, n: int, name: str) -> dict[str, Shaped[np.ndarray, " n"]]:
    """Numbers or text, one for each example under each name."""
    if given is None:
        return {}
    if hasattr(given, "iter_columns"):  # a data frame of polars
        given = {column.name: column for column in given.iter_columns()}
    if not hasattr(given, "items"):
        raise InvalidInput(f"{name}: columns is a {type(given).__name__}; give a dictionary of arrays by name.")
    found: dict[str, np.ndarray] = {}
    for key, values in given.items():
        if str(key) in found:
            raise InvalidInput(f"{name}: two columns have the name {str(key)!r}; rename one.")
        found[str(key)] = _column(values, n, f"{name}: column {str(key)!r}")
    return found


def _in_float32(values: np.ndarray, name: str, *, rows: bool) -> Float32[np.ndarray, "..."]:
    with np.errstate(over="ignore"):
        kept = values.astype(np.float32, copy=False)
    finite = np.isfinite(kept)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        given = f", and was {values[where]}; scale them down" if np.isfinite(values[where]) else ""
        raise InvalidInput(
            f"{name}{list(where)} is {kept[where]} in float32{given}; all values must be finite. "
            f"Drop or repair example {where[0]}."
        )
    check_float32(values, kept, name, rows=rows, stacklevel=_TO_CALLER)
    return kept


def _by_index(given: Mapping[Any, Any], name: str) -> list[Any]:
    indices = list(range(len(given)))
    if sorted(given, key=str) == sorted(indices, key=str):
        return [given[i] for i in indices]
    if sorted(given.values(), key=str) == sorted(indices, key=str):
        return sorted(given, key=lambda each: given[each])
    raise InvalidInput(f"{name}: classes is {given!r:.80}; give the names in the order of the labels, in a list.")


def _flat_labels(y: np.ndarray, what: str) -> np.ndarray:
    """A single column (n, 1) of what can be labels alone as (n,); floats are left, as targets of a regression."""
    y = text(what, y)
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind in "buiU" else y


def _labels(y: np.ndarray, classes: tuple[str, ...], name: str, field: str) -> Int64[np.ndarray, " n"]:
    if y.ndim == 1 and y.dtype.kind == "U":
        return _positions(y, classes, name, field)
    if y.ndim != 1 or y.dtype.kind not in "bui":
        raise InvalidInput(
            f"{name}: labels of shape {y.shape} and dtype {y.dtype} given as {field}. {_why_no_labels(y)}Class labels "
            "are integers or text (n,), so y.astype(int) where floats number the classes; targets of a regression are "
            "floats (n, k), so for k = 1 use y[:, None]."
        )
    outside = np.flatnonzero((y < 0) | (y >= len(classes)))
    if len(outside):
        known = f"; labels are 0 to {len(classes) - 1}" if classes else ""
        raise InvalidInput(
            f"{name}: label {y[outside[0]]} of example {outside[0]} is outside the {len(classes)} classes "
            f"{classes}{known}. Name every class in `classes`; labels that do not count from 0 become positions by "
            "names, y = np.unique(y, return_inverse=True)."
        )
    return y.astype(np.int64, copy=False)


def _why_no_labels(y: np.ndarray) -> str:
    if y.dtype.kind != "f" or not np.isnan(y).any():
        return ""
    return f"The one at {np.argwhere(np.isnan(y))[0].tolist()} is nan, which is no label: leave that example out. "


def _positions(y: np.ndarray, classes: tuple[str, ...], name: str, field: str) -> Int64[np.ndarray, " n"]:
    found = {each: i for i, each in enumerate(classes)}
    unknown = next((i for i, each in enumerate(y.tolist()) if each not in found), None)
    if unknown is not None:
        raise InvalidInput(
            f"{name}: label {str(y[unknown])!r} of example {unknown} ({field}) is not among the classes {classes}; "
            "name every class, or leave `classes` out to take the texts that occur."
        )
    return np.array([found[each] for each in y.tolist()], np.int64)


def _targets(y: np.ndarray, classes: tuple[str, ...], name: str) -> Float32[np.ndarray, "n k"]:
    what = f"{name}: y of shape {y.shape} and dtype {y.dtype} with {len(classes)} classes given. "
    if y.ndim == 2 and y.dtype.kind in "bui":
        one_hot = bool(((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all())
        remedy = "y.argmax(1) makes labels of these one-hot rows" if one_hot else "targets are floats: y.astype(float)"
        raise InvalidInput(f"{what}Labels are integers or text (n,); {remedy}.")
    if y.ndim != 2 or not is_real(y) or y.shape[1] == 0 or len(classes) not in (0, y.shape[1]):
        whole = y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind == "f" and bool((y == np.round(y)).all())
        remedy = "For labels: y[:, 0].astype(int). " if whole else ""
        raise InvalidInput(
            f"{what}{remedy}y is integers or text (n,), labels; or floats (n, k), targets, with no class names or k."
        )
    return _in_float32(y, f"{name}: y", rows=False)


def _column(given: Any, n: int, what: str) -> Shaped[np.ndarray, " n"]:
    values = text(what, plain_array(what, given))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape != (n,) or not (is_real(values) or values.dtype.kind == "U"):
        remedy = "; dates become text by .astype(str)" if values.dtype.kind in "mM" else ""
        raise InvalidInput(
            f"{what} has shape {values.shape} and dtype {values.dtype}; it needs one number or string for each of the "
            f"{n} examples{remedy}."
        )
    # Tables hold none of the wider and narrower floats.
    wide = {np.dtype(np.longdouble): np.float64}
    kept = np.float32 if values.dtype.isbuiltin == 2 else wide.get(values.dtype, values.dtype)
    return values.astype(kept, copy=False)


def index_of(which: Any, n: int, name: str) -> Shaped[np.ndarray, " m"]:
    """Positions of the examples that a slice, a mask or a list of positions stands for, as of an array."""
    what = f"{name}[…]"
    if isinstance(which, slice):
        try:
            return np.arange(n)[which]
        except TypeError as error:
            raise InvalidInput(f"{what}: {which} has an end that is no whole number.") from error
    if which is None or which is Ellipsis or isinstance(which, tuple):
        raise InvalidInput(
            f"{what} takes a slice, a mask or a list of examples, not {which!r:.60}. Features are in .x."
        )
    index = plain_array(f"{what}: the index", which)
    if index.ndim == 0 and index.dtype.kind in "iu":
        i = int(index)
        raise InvalidInput(
            f"{name}[{i}] is one example, and a data set has at least 2. Its parts are .x[{i}] and .y[{i}]; "
            f"{name}[{i}:{i + 2}] or {name}[[{i}, {i + 1}]] are sets."
        )
    if index.ndim == 1 and index.dtype.kind == "b":
        _check_mask(index, n, what)
        return np.flatnonzero(index)
    if index.ndim != 1 or (index.dtype.kind not in "iu" and index.size):
        raise InvalidInput(
            f"{what} takes a slice, a mask (n,) or whole numbers (m,), not dtype {index.dtype} of shape {index.shape}."
        )
    outside = index[(index < -n) | (index >= n)]
    if len(outside):
        raise InvalidInput(f"{what}: there is no example {outside[0]}; {name} has examples 0 to {n - 1}.")
    return np.arange(n)[index.astype(np.int64)]


def _check_mask(mask: Bool[np.ndarray, " m"], n: int, what: str) -> None:
    if len(mask) != n:
        raise InvalidInput(f"{what}: the mask has {len(mask)} entries, the data set {n} examples; give one for each.")
