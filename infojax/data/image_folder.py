"""The user's own pictures: a folder of classes, or a flat one beside labels.csv."""

import csv
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path, PurePath

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from infojax.data.dataset import Dataset
from infojax.errors import CorruptData, InvalidInput
from infojax.numpy_files import check_memory

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
_GRAY = {"1", "L", "LA"}
_COLOUR = {"P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB"}


def load_image_folder(folder: Path, split: str, size: tuple[int, int] | None) -> Dataset:
    """Pictures as a data set, sorted by path: (n, h, w, 1) when all are gray, otherwise (n, h, w, 3).

    Its `columns` are `file` and `folder`, relative to the folder of pictures, and what else labels.csv has.

    Args:
        folder: one sub-folder of pictures for each class; or pictures and a labels.csv with the columns
            `file` (relative to the folder) and `label`. Where it has a sub-folder named as the split, that.
        split: "train" or "test".
        size: (height, width) to which the pictures are resized (bilinear); None when all have one size.

    Raises:
        CorruptData: when a file with a picture's suffix is truncated, or none.
        InvalidInput: without pictures, for more than 8 bits a channel, several sizes and no `size`, or a
            labels.csv that names no file and label in each row.
    """
    name = folder.resolve().name
    if (folder / split).is_dir():
        folder = folder / split
    elif split != "train":
        raise InvalidInput(f"{folder} has no sub-folder {split!r}; load it without split=, and use `.split`.")
    labelled, columns = _from_csv(folder) if (folder / "labels.csv").is_file() else _from_folders(folder)
    if size is not None and min(size) < 1:
        raise InvalidInput(f"size {size} (height, width) has no pixels; give 1 or more of each.")
    if not labelled:
        raise InvalidInput(
            f"{folder} holds no labelled pictures ({', '.join(sorted(_SUFFIXES))}): "
            "put them into one sub-folder for each class, or write a labels.csv with the columns file,label."
        )
    classes = tuple(sorted({label for _, label in labelled}))
    y = np.array([classes.index(label) for _, label in labelled])
    columns = {"folder": [PurePath(file).parent.as_posix() for file in columns["file"]]} | columns
    return Dataset(x=_stack([path for path, _ in labelled], size), y=y, classes=classes, name=name, columns=columns)


def _from_folders(folder: Path) -> tuple[list[tuple[Path, str]], dict[str, list[str]]]:
    labelled = [
        (path, path.relative_to(folder).parts[0])
        for path in sorted(folder.glob("*/**/*"))
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]
    # Names that are no valid UTF-8 could not be written to a table.
    files = [path.relative_to(folder).as_posix().encode("utf-8", "replace").decode() for path, _ in labelled]
    return labelled, {"file": files}


def _from_csv(folder: Path) -> tuple[list[tuple[Path, str]], dict[str, list[str]]]:
    table = folder / "labels.csv"
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, strict=True)
            names = list(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise CorruptData(f"{table} is no table in CSV and UTF-8 ({error}). Save it as that.") from error
    if not {"file", "label"} <= set(names) or len(set(names)) < len(names):
        raise InvalidInput(f"{table} has the columns {names!s:.200}; it needs `file` and `label`, each name once.")
    labelled = [(folder / (row["file"] or ""), row["label"]) for row in rows]
    for line, (path, label) in enumerate(labelled, start=2):
        if not path.is_file() or not label:
            raise InvalidInput(f"{table}, line {line}: {path} with label {label!r}: no such file, or no label.")
    return labelled, {name: [row[name] or "" for row in rows] for name in names if name != "label"}


def _stack(paths: list[Path], size: tuple[int, int] | None) -> UInt8[np.ndarray, "n h w c"]:
    # Two passes, so that of large pictures only one at a time is in memory: opening reads the header alone.
    gray = True
    for path in paths:
        with _opened(path) as picture:
            gray = gray and picture.mode in _GRAY
    shape = (*size, 1 if gray else 3) if size is not None else _pixels(paths[0], gray, None).shape
    check_memory(len(paths) * prod(shape) * (1 + 4), paths[0].parent)  # as bytes, and then in float32
    first = _pixels(paths[0], gray, size)
    pixels = np.empty((len(paths), *first.shape), np.uint8)
    for i, path in enumerate(paths):
        one = _pixels(path, gray, size)
        if one.shape != first.shape:
            raise InvalidInput(
                f"{path} is {one.shape[:2]}, {paths[0]} is {first.shape[:2]} (height, width): "
                "pictures of several sizes need size=(height, width)."
            )
        pixels[i] = one
    return pixels


def _pixels(path: Path, gray: bool, size: tuple[int, int] | None) -> UInt8[np.ndarray, "h w c"]:
    with _opened(path) as picture:
        upright = ImageOps.exif_transpose(picture).convert("L" if gray else "RGB")
    if size is not None:
        upright = upright.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(upright).reshape(upright.height, upright.width, -1)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tags that are damaged, or sizes that are suspect
            with Image.open(path) as picture:
                _check_mode(path, picture)
                yield picture
    except InvalidInput:
        raise
    except Exception as error:  # a damaged picture can raise anything at all in one of Pillow's many decoders
        raise CorruptData(f"{path} is truncated, or no picture ({error}). Repair or remove it.") from error


def _check_mode(path: Path, picture: Image.Image) -> None:
    if picture.mode not in _GRAY | _COLOUR:
        raise InvalidInput(f"{path} has pixels of mode {picture.mode}; convert it to 8 bits a channel.")
