"""Examples in: inputs beside their labels, with the names of the classes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int, Int64, Shaped

from infojax.errors import InvalidInput
from infojax.settings_checked import real_array

Index = Int[np.ndarray, " m"]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Dataset:
    """n examples: inputs, and either class labels or real-valued targets. n is at least 2.

    Attributes:
        x: (n, ...) float32; images are (n, height, width, channels) in [0, 1] unless normalised.
            Given as uint8 it is read as pixels, and becomes x / 255; other numbers are only cast.
        y: (n,) int64 class indices, or (n, k) float32 targets of a regression.
        classes: the name of each class; empty for a regression.
        name: what the set is called in tables and figures.
        clean_y: (n,) int64, the labels before label noise was put in; None where there is none.
        columns: what else is known of each example, such as its source or its file: (n,) numbers or strings
            under each name, carried along by `only`, `take`, `split`, `normalised` and label noise.

    Raises:
        InvalidInput: for NaN or infinite values, labels outside the classes, n < 2, shapes that don't fit.

    >>> Dataset(x=[[0.0], [0.5], [1.0]], y=[0, 1, 1], classes=("dark", "light"), name="lamps")
    Dataset('lamps', n=3, shape=(1,), classes=('dark', 'light'))
    """

    x: Float32[np.ndarray, "n ..."]
    y: Int64[np.ndarray, " n"] | Float32[np.ndarray, "n k"]
    classes: tuple[str, ...]
    name: str
    clean_y: Int64[np.ndarray, " n"] | None
    columns: Mapping[str, Shaped[np.ndarray, " n"]]

    def __init__(
        self,
        x: Any,
        y: Any,
        classes: Iterable[str] = (),
        name: str = "data",
        clean_y: Any = None,
        columns: Mapping[str, Any] | None = None,
    ) -> None:
        x, y = _inputs(x, name), np.asarray(y)
        classes = tuple(str(c) for c in classes)
        if len(x) < 2:
            raise InvalidInput(f"{name}: {len(x)} example(s) given, at least 2 are needed.")
        if y.ndim == 0 or len(y) != len(x):
            raise InvalidInput(
                f"{name}: x has shape {x.shape} and y has shape {y.shape}; "
                "both need the same number of examples along the first axis."
            )
        if len(set(classes)) < len(classes):
            raise InvalidInput(f"{name}: two classes have the same name in {classes}; rename one.")
        y = _labels(y, classes, name) if y.ndim == 1 else _targets(y, classes, name)
        if clean_y is not None:
            clean_y = _labels(np.asarray(clean_y), classes, name)
            if clean_y.shape != y.shape:
                raise InvalidInput(f"{name}: clean_y has shape {clean_y.shape}, y has shape {y.shape}.")
        further = _columns(columns or {}, len(x), name)
        fields = {"x": x, "y": y, "classes": classes, "name": name, "clean_y": clean_y, "columns": further}
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        kind = f"classes={self.classes}" if self.classes else f"targets={self.y.shape[-1]}"
        return f"Dataset({self.name!r}, n={len(self)}, shape={self.x.shape[1:]}, {kind})"

    @property
    def targets(self) -> Float32[np.ndarray, "n k"]:
        """What a network with squared loss learns: for two classes their index 0 or 1, (n, 1); for k classes
        one-hot rows, (n, k); for a regression y itself."""
        if self.y.ndim == 2:
            return self.y
        if len(self.classes) == 2:
            return self.y[:, None].astype(np.float32)
        return np.eye(len(self.classes), dtype=np.float32)[self.y]

    @property
    def flipped(self) -> Bool[np.ndarray, " n"] | None:
        """(n,) whether label noise changed the example's label; None where no noise was put in."""
        return None if self.clean_y is None else self.clean_y != self.y

    def class_index(self, which: str | int) -> int:
        """The position of a class given by its name or number.

        Where the names are numbers ("4", "9") a number is a name; otherwise it is a position.
        """
        numbered = all(c.lstrip("-").isdigit() for c in self.classes)
        if isinstance(which, int) and not numbered and 0 <= which < len(self.classes):
            return which
        if str(which) in self.classes:
            return self.classes.index(str(which))
        if not self.classes:
            raise InvalidInput(f"{self.name} holds regression targets, so there is no class {which!r}.")
        raise InvalidInput(f"{self.name} has no class {which!r}. Its classes: {', '.join(self.classes)}.")

    def only(self, *classes: str | int) -> "Dataset":
        """The examples of these classes (names or numbers), relabelled 0, 1, … in the order given.

        >>> from infojax.data import load
        >>> load("digits").only(4, 9)
        Dataset('digits', n=361, shape=(8, 8, 1), classes=('4', '9'))

        Raises:
            InvalidInput: for no class, an unknown one, one given twice, or fewer than 2 examples left; and
                where label noise moved an example into these classes (select first, then add noise).
        """
        indices = [self.class_index(c) for c in classes]
        if not indices or len(set(indices)) < len(indices):
            raise InvalidInput(f"only{classes}: name each wanted class of {self.name} once, at least one.")
        relabel = np.full(len(self.classes), -1)
        relabel[indices] = np.arange(len(indices))
        part = self._at(np.flatnonzero(relabel[self.y] >= 0))
        clean_y = None if part.clean_y is None else relabel[part.clean_y]
        if clean_y is not None and (clean_y < 0).any():
            raise InvalidInput(
                f"only{classes}: {(clean_y < 0).sum()} noisy examples have clean labels outside "
                "these classes. Select classes before putting in label noise."
            )
        names = tuple(self.classes[i] for i in indices)
        return replace(part, y=relabel[part.y], classes=names, clean_y=clean_y)

    def take(self, n: int, seed: int = 0) -> "Dataset":
        """n examples drawn without replacement: the first n of a permutation seeded with `seed`."""
        return self._at(self._permutation(seed, f"take({n})", n)[:n])

    def split(self, n_train: int, n_validation: int, seed: int = 0) -> tuple["Dataset", "Dataset"]:
        """Two disjoint draws, the first n_train and the next n_validation of a seeded permutation.

        >>> from infojax.data import load
        >>> train, validation = load("digits").only(4, 9).split(200, 100, seed=42)
        >>> len(train), len(validation), train.x.shape[1:]
        (200, 100, (8, 8, 1))
        """
        order = self._permutation(seed, f"split({n_train}, {n_validation})", n_train, n_validation)
        return self._at(order[:n_train]), self._at(order[n_train : n_train + n_validation])

    def normalised(self, mean: Any, std: Any) -> "Dataset":
        """Inputs (x − mean) / std, with one number, or one for each channel (the last axis).

        Raises:
            InvalidInput: unless std > 0, all are finite, and there is one number or one for each channel.
        """
        with np.errstate(over="ignore"):
            mean_, std_ = (real_array(*of).astype(np.float32) for of in (("mean", mean), ("std", std)))
        channels = self.x.shape[-1]
        if any(a.shape not in ((), (1,), (channels,)) for a in (mean_, std_)):
            raise InvalidInput(f"normalised: mean and std need one number, or one for each of {channels} channels.")
        if not (np.isfinite(mean_).all() and np.isfinite(std_).all() and (std_ > 0).all()):
            raise InvalidInput(f"normalised: mean {mean} must be finite, and std {std} finite and positive.")
        with np.errstate(over="ignore"):
            return replace(self, x=(self.x - mean_) / std_)  # refused where that is not finite

    def _at(self, index: Index) -> "Dataset":
        clean_y = None if self.clean_y is None else self.clean_y[index]
        columns = {column: values[index] for column, values in self.columns.items()}
        return replace(self, x=self.x[index], y=self.y[index], clean_y=clean_y, columns=columns)

    def _permutation(self, seed: int, call: str, *sizes: int) -> Index:
        if min(sizes) < 2:
            raise InvalidInput(f"{call}: each part needs at least 2 examples.")
        if sum(sizes) > len(self):
            raise InvalidInput(f"{call} asks for {sum(sizes)} examples; {self.name} has {len(self)}. Ask for fewer.")
        if seed < 0:
            raise InvalidInput(f"{call}: seed {seed} is negative; give 0 or more.")
        return np.random.default_rng(seed).permutation(len(self))


def _inputs(given: Any, name: str) -> Float32[np.ndarray, "n ..."]:
    x = np.asarray(given)
    if x.dtype.kind not in "buif":
        raise InvalidInput(f"{name}: x has dtype {x.dtype}; inputs need to be real numbers.")
    if x.ndim < 2 or 0 in x.shape[1:]:
        raise InvalidInput(f"{name}: x has shape {x.shape}; it needs (n, ...), e.g. x.reshape(n, -1).")
    if x.dtype == np.uint8:
        return x / np.float32(255)
    with np.errstate(over="ignore"):
        x = x.astype(np.float32, copy=False)
    _finite(x, "x", name)
    return x


def _labels(y: np.ndarray, classes: tuple[str, ...], name: str) -> Int64[np.ndarray, " n"]:
    if y.ndim != 1 or y.dtype.kind not in "bui":
        raise InvalidInput(
            f"{name}: labels of shape {y.shape} and dtype {y.dtype} given. Class labels are integers (n,); "
            "targets of a regression are floats (n, k), so for k = 1 use y[:, None]."
        )
    outside = np.flatnonzero((y < 0) | (y >= len(classes)))
    if len(outside):
        raise InvalidInput(
            f"{name}: label {y[outside[0]]} of example {outside[0]} is outside the {len(classes)} classes "
            f"{classes}; labels are 0 to {len(classes) - 1}. Name every class in `classes`."
        )
    return y.astype(np.int64, copy=False)


def _targets(y: np.ndarray, classes: tuple[str, ...], name: str) -> Float32[np.ndarray, "n k"]:
    if y.ndim != 2 or y.dtype.kind != "f" or y.shape[1] == 0 or len(classes) not in (0, y.shape[1]):
        raise InvalidInput(
            f"{name}: y of shape {y.shape} and dtype {y.dtype} with {len(classes)} classes given. y is "
            "integers (n,), so y.argmax(1) of one-hot rows; or floats (n, k), with no class names or k."
        )
    with np.errstate(over="ignore"):
        y = y.astype(np.float32, copy=False)
    _finite(y, "y", name)
    return y


def _columns(given: Mapping[str, Any], n: int, name: str) -> dict[str, Shaped[np.ndarray, " n"]]:
    columns = {str(column): np.asarray(values) for column, values in given.items()}
    for column, values in columns.items():
        if values.shape != (n,) or values.dtype.kind not in "buifU":
            raise InvalidInput(
                f"{name}: column {column!r} has shape {values.shape} and dtype {values.dtype}; it needs one number or "
                f"string for each of the {n} examples."
            )
    return columns


def _finite(values: np.ndarray, field: str, name: str) -> None:
    if not np.isfinite(values).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise InvalidInput(
            f"{name}: {field}{list(where)} is {values[where]} in float32; all values must be finite. "
            f"Drop or repair example {where[0]}."
        )
