"""Examples in: inputs beside their labels, with the names of the classes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int, Int64, Shaped

from infojax.arrays import check_float32, is_number, plain_array, real_array, seed_of, whole_number
from infojax.data._given import class_names, columns_of, index_of, inputs, labels_or_targets
from infojax.errors import InvalidInput

Index = Int[np.ndarray, " m"]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Dataset:
    """n examples: inputs, and either class labels or real-valued targets. n is at least 2.

    Attributes:
        x: (n, ...) float32; images are (n, height, width, channels) in [0, 1] unless normalised.
            Given as uint8 it is read as pixels, and becomes x / 255; other numbers are only cast.
        y: (n,) int64 class indices, or (n, k) float32 targets of a regression. Labels may be given as integers,
            booleans or text (the names of their classes), (n,) or (n, 1).
        classes: the name of each class; empty for a regression. Without it, labels that are text name their classes.
        name: what the set is called in tables and figures.
        clean_y: (n,) int64, the labels before label noise was put in; None where there is none.
        columns: what else is known of each example, such as its source or its file: (n,) numbers or strings
            under each name, carried along by `only`, `take`, `split`, `normalised` and label noise.

    Raises:
        InvalidInput: for NaN, infinite, masked or missing values, labels outside the classes, n < 2, shapes that don't
            fit, and examples that float32 cannot hold apart (times in seconds since 1970, large numbers of records).

    Warns:
        PrecisionWarning: for columns of x and y that keep few of their digits in float32, and for examples that
            become equal and hardly differ.
        DataWarning: for labels that differ in blanks or characters that are not seen, and for empty ones, where the
            classes are taken from the labels.

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
        classes: Any = (),
        name: str = "data",
        clean_y: Any = None,
        columns: Any = None,
    ) -> None:
        x, classes = inputs(x, name), class_names(classes, name)
        if len(x) < 2:
            raise InvalidInput(f"{name}: {len(x)} example(s) given, at least 2 are needed.")
        y = plain_array(f"{name}: y", y)
        if y.ndim == 0 or len(y) != len(x):
            raise InvalidInput(
                f"{name}: x has shape {x.shape} and y has shape {y.shape}; "
                "both need the same number of examples along the first axis."
            )
        y, clean_y, classes = labels_or_targets(y, clean_y, classes, name)
        further = columns_of(columns, len(x), name)
        fields = {"x": x, "y": y, "classes": classes, "name": name, "clean_y": clean_y, "columns": further}
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, which: Any) -> "Dataset":
        """The examples of a slice, of a mask (n,) of booleans or of a list of positions, in that order.

        >>> from infojax.data import load
        >>> digits = load("digits")
        >>> len(digits[:100]), len(digits[digits.y > 7]), len(digits[[5, -1]])
        (100, 354, 2)

        Raises:
            InvalidInput: for one example alone, an index that is none, and fewer than 2 examples left.
        """
        return self._at(index_of(which, len(self), self.name))

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

    def class_index(self, which: Any) -> int:
        """The position of a class given by its name or number.

        Where the names are numbers ("4", "9") a number is a name; otherwise it is a position.
        """
        name = which.decode("utf-8", "replace") if isinstance(which, bytes) else str(which)
        if name in self.classes:
            return self.classes.index(name)
        shown = repr(name) if isinstance(which, str | bytes) else name  # np.int64(3) is shown as 3
        if not self.classes:
            raise InvalidInput(f"{self.name} holds regression targets, so there is no class {shown:.60}.")
        numbered = all(c.lstrip("-").isdigit() for c in self.classes)
        if is_number(which) and float(which).is_integer():
            number = int(which)
            if numbered and str(number) in self.classes:
                return self.classes.index(str(number))
            if not numbered and 0 <= number < len(self.classes):
                return number
        several = np.ndim(which) > 0
        hint = " Give several one by one: only(4, 9), or only(*classes)." if several else ""
        raise InvalidInput(f"{self.name} has no class {shown:.60}. Its classes: {', '.join(self.classes)}.{hint}")

    def only(self, *classes: Any) -> "Dataset":
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
            raise InvalidInput(
                f"only({', '.join(map(str, classes))}): name each wanted class of {self.name} once, at least one."
            )
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

    def take(self, n: Any, seed: Any = 0) -> "Dataset":
        """n examples drawn without replacement: the first n of a permutation seeded with `seed`; whole numbers."""
        order, (n,) = self._permutation(seed, "take", n)
        return self._at(order[:n])

    def split(self, n_train: Any, n_validation: Any, seed: Any = 0) -> tuple["Dataset", "Dataset"]:
        """Two disjoint draws, the first n_train and the next n_validation of a seeded permutation; whole numbers.

        >>> from infojax.data import load
        >>> train, validation = load("digits").only(4, 9).split(200, 100, seed=42)
        >>> len(train), len(validation), train.x.shape[1:]
        (200, 100, (8, 8, 1))

        Raises:
            InvalidInput: for fractions, parts of fewer than 2 examples, and more examples than there are.
        """
        order, (n, m) = self._permutation(seed, "split", n_train, n_validation)
        return self._at(order[:n]), self._at(order[n : n + m])

    def normalised(self, mean: Any, std: Any) -> "Dataset":
        """Inputs (x − mean) / std, with one number, or one for each channel (the last axis).

        Raises:
            InvalidInput: unless std > 0, all are finite, and there is one number or one for each channel; and where
                examples become equal in float32, as of x in [0, 1] with a mean of 1e9.

        Warns:
            PrecisionWarning: for columns that keep few of their digits.
        """
        exact = [real_array(*of) for of in (("mean", mean), ("std", std))]
        with np.errstate(over="ignore"):
            mean_, std_ = (array.astype(np.float32) for array in exact)
        channels = self.x.shape[-1]
        if any(a.shape not in ((), (1,), (channels,)) for a in (mean_, std_)):
            raise InvalidInput(f"normalised: mean and std need one number, or one for each of {channels} channels.")
        if not (np.isfinite(mean_).all() and np.isfinite(std_).all() and (std_ > 0).all()):
            raise InvalidInput(f"normalised: mean {mean} must be finite, and std {std} finite and positive.")
        with np.errstate(over="ignore"):
            part = replace(self, x=(self.x - mean_) / std_)  # refused where that is not finite
        # Nothing is lost by a mean among the inputs, so the common case costs no second array.
        spread = np.ptp(self.x.reshape(-1, channels), axis=0)
        if (np.abs(mean_) > 8 * spread).any() or (std_ > 1e30 * spread).any():
            given = (self.x.astype(np.float64) - exact[0]) / exact[1]
            check_float32(given, part.x, f"{self.name}: normalised x", stacklevel=2)
        return part

    def _at(self, index: Index) -> "Dataset":
        clean_y = None if self.clean_y is None else self.clean_y[index]
        columns = {column: values[index] for column, values in self.columns.items()}
        return replace(self, x=self.x[index], y=self.y[index], clean_y=clean_y, columns=columns)

    def _permutation(self, seed: Any, what: str, *given: Any) -> tuple[Index, list[int]]:
        """All positions, shuffled, and the sizes of the parts as integers."""
        call = f"{what}({', '.join(map(str, given))})"
        if all(isinstance(size, float | np.floating) and 0 < size < 1 for size in given):
            counts = ", ".join(str(int(size * len(self))) for size in given)
            raise InvalidInput(
                f"{call}: numbers of examples are asked for, no fractions; of the {len(self)} of {self.name} those are "
                f"{what}({counts})."
            )
        sizes = [whole_number(f"{call}: a number of examples", size) for size in given]
        if min(sizes) < 2:
            raise InvalidInput(f"{call}: each part needs at least 2 examples.")
        if sum(sizes) > len(self):
            raise InvalidInput(f"{call} asks for {sum(sizes)} examples; {self.name} has {len(self)}. Ask for fewer.")
        return np.random.default_rng(seed_of(call, seed)).permutation(len(self)), sizes
