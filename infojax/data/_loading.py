"""`load`: a data set by name, or the user's own by path."""

import difflib
import os
from pathlib import Path
from typing import Any

import numpy as np

from infojax.data._dataset import Dataset
from infojax.data._splits import split_named
from infojax.data.fetching.registry import SETS
from infojax.data.fetching.searching import search, search_weights
from infojax.data.fetching.weights import WEIGHTS
from infojax.data.formats.npz import load_npz
from infojax.errors import DataNotFound, InvalidInput


def load(
    name_or_path: Any,
    *,
    split: Any = "train",
    root: Any = None,
    size: Any = None,
    background: Any = 1.0,
) -> Dataset:
    """A data set by name, or the user's own by path. Never downloads: `infojax data fetch NAME` does.

    Args:
        name_or_path: "digits", "mnist", "fashion-mnist", "cifar10" or "quickdraw"; or the path of an .npz
            (`load_npz`) or of a folder of images (`load_image_folder`). A name wins over a path; "./mnist" is a path.
        split: "train", "test", "validation" (also "dev") or "eval"; for a folder of images also as its sub-folder is
            called.
        root: searched first for a named set; fetching/searching.py lists the other places.
        size: (height, width) to which the images of a folder are resized.
        background: what transparent parts of the images of a folder show, from 0 (black) to 1 (white).

    Returns:
        Images (n, h, w, c) float32 in [0, 1] with labels; the whole set in its canonical order.

    Raises:
        DataNotFound: when it is nowhere; says where it was looked for and which command brings it.
        CorruptData: when a file is truncated, has another format, or another checksum than is pinned.
        InvalidInput: for a split that the set does not have, and for own data that is no `Dataset`.

    >>> load("digits")
    Dataset('digits', n=1797, shape=(8, 8, 1), classes=('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'))
    """
    named_split = split_named(split)
    if isinstance(name_or_path, bytes) or not isinstance(name_or_path, str | os.PathLike) or name_or_path == "":
        raise InvalidInput(
            f"load({name_or_path!r:.60}): give the name of a set ({', '.join(SETS)}), or a path as text or a Path."
        )
    if root is not None and not isinstance(root, str | os.PathLike):
        raise InvalidInput(f"root is {root!r:.60}; give a path as text or a Path.")
    if name_or_path in SETS and named_split not in ("train", "test"):
        others = "'train' nor 'test'" if split.startswith("val") else "'train', 'test' nor 'validation'"
        raise InvalidInput(
            f"split {split!r} is neither {others}, and {name_or_path} has no other; use "
            f"load({name_or_path!r}).split(…)."
        )
    if name_or_path == "digits":
        return _digits(named_split)
    if name_or_path in SETS:
        entry = SETS[str(name_or_path)]
        if named_split not in entry.pins:
            raise InvalidInput(f"{name_or_path} has no {split} set of its own; use load({name_or_path!r}).split(…).")
        _, (images, labels) = search(entry, named_split, None if root is None else Path(root))
        return Dataset(x=images, y=labels, classes=entry.classes, name=entry.name)
    path = _path(name_or_path)
    if path.is_dir():
        from infojax.data.pictures.image_folder import load_image_folder  # imports Pillow

        return load_image_folder(path, split, size, background)
    if not path.exists():
        close = difflib.get_close_matches(str(name_or_path).lower(), SETS, n=1)
        raise DataNotFound(
            f"{str(name_or_path)!r} is neither a file or folder nor a named set ({', '.join(SETS)})."
            + (f" Did you mean {close[0]!r}?" if close else "")
        )
    if path.suffix != ".npz" or not path.is_file():
        raise InvalidInput(f"{path} is neither an .npz file nor a folder of images. Save it with np.savez.")
    return load_npz(path, split)


def _path(given: Any) -> Path:
    try:
        path = Path(given).expanduser()
        path.exists()
        path.is_dir()
    except (OSError, RuntimeError, TypeError) as error:  # too long, not to be looked at, of an unknown user
        raise DataNotFound(f"{str(given)[:200]!r} is no path that can be read ({error!s:.200}).") from error
    return path


def load_weights(name: str, *, root: str | Path | None = None) -> dict[str, np.ndarray]:
    """The arrays of named weights ("resnet50", "efficientnet-lite0"), under the names that their file gives them.

    `infojax.models.pretrained` makes networks of them. Never downloads: `infojax data fetch NAME` does.

    Raises:
        DataNotFound: when they are nowhere; says where they were looked for and which command brings them.
        CorruptData: when what is stored is damaged, or not what is pinned.
        InvalidInput: for a name that is none.
    """
    if not isinstance(name, str) or name not in WEIGHTS:
        raise InvalidInput(f"There are no named weights {name!r:.60}. Known: {', '.join(WEIGHTS)}.")
    return search_weights(WEIGHTS[name], None if root is None else Path(root))[1]


def _digits(split: str) -> Dataset:
    """Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), as scikit-learn carries it."""
    from sklearn.datasets import load_digits

    if split != "train":
        raise InvalidInput("digits has no test set of its own; use load('digits').split(n_train, n_validation).")
    images, labels = load_digits(return_X_y=True)
    x = images.reshape(-1, 8, 8, 1).astype(np.float32) / np.float32(16)
    return Dataset(x=x, y=labels, classes=SETS["digits"].classes, name="digits")
