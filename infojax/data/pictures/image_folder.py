"""The user's own pictures: a folder of classes, or a flat one beside labels.csv."""

import warnings
from collections import defaultdict
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from infojax.data._dataset import Dataset
from infojax.data._names import bare, readable
from infojax.data.pictures.asked import background_of, size_of
from infojax.data.pictures.levels import check_levels, folder_of_split, table_in
from infojax.data.pictures.opening import names_of_formats
from infojax.data.pictures.pixels import stack
from infojax.data.pictures.table import not_named, read_table
from infojax.data.pictures.walking import LeftOut, pictures_below, visible_folders
from infojax.errors import DataWarning, InvalidInput


def load_image_folder(folder: Path, split: str = "train", size: Any = None, background: Any = 1.0) -> Dataset:
    """Pictures as a data set, sorted by path: (n, h, w, 1) when all are gray, otherwise (n, h, w, 3).

    Its `columns` are `file` and `folder`, relative to the folder of pictures, and what else labels.csv has.
    A `DataWarning` says what was left out (hidden folders and those that tools or infojax made, files that are not
    read, by suffix) or changed (transparent parts, the first of several frames, 16 bits a channel).

    Args:
        folder: one sub-folder of pictures for each class; or pictures and a labels.csv with the columns
            `file` (relative to the folder, and inside it) and `label`. Where it has a sub-folder named as the split,
            that.
        split: "train", "test" or "validation", or as the sub-folder is called: training, testing, val, valid.
        size: (height, width) to which the pictures are resized (bilinear); None when all have one size.
        background: what transparent parts show, from 0 (black) to 1 (white).

    Raises:
        CorruptData: when a file with a picture's suffix is truncated, none, or of another format than the suffix says.
        InvalidInput: without pictures, for more than 8 bits a channel, several sizes and no `size`, classes that lie
            higher or lower, folders that may not be read, or a labels.csv that names no file and label in each row.
        OverBudget: when the pictures are larger than the memory that is free.
    """
    size, background, name = size_of(size), background_of(background), readable(folder.resolve().name)
    folder, said = folder_of_split(folder, split)
    table = table_in(folder)
    labelled, columns, more = read_table(table) if table else _from_folders(folder)
    more += not_named(table, [path for path, _ in labelled]) if table and labelled else []
    if not labelled:
        raise InvalidInput(
            f"{readable(str(folder))} holds no labelled pictures ({names_of_formats()}): "
            f"put them into one sub-folder for each class, or write a labels.csv with the columns file,label."
            f"{''.join(f' {message}' for message in more)}"
        )
    if len(labelled) < 2:
        raise InvalidInput(f"{readable(str(labelled[0][0]))} is the only labelled picture; at least 2 are needed.")
    classes = tuple(sorted({label for _, label in labelled}))
    y = np.array([classes.index(label) for _, label in labelled])
    shown = tuple(readable(label) for label in classes)
    columns = {"folder": [PurePath(file).parent.as_posix() for file in columns["file"]]} | columns
    x, changed = stack([path for path, _ in labelled], size, background)
    changes = changed.messages(len(labelled), background)
    if (x == x[:1, :1, :1]).all():
        changes.append(f"{readable(str(folder))}: all {len(x):,} pictures are of one and the same color.")
    for message in (*said, *more, *_alike(shown), *changes):
        warnings.warn(message, DataWarning, stacklevel=3)
    return Dataset(x=x, y=y, classes=shown, name=name, columns=columns)


def _from_folders(folder: Path) -> tuple[list[tuple[Path, str]], dict[str, list[str]], list[str]]:
    left = LeftOut()
    pictures = pictures_below(folder, left)
    said = check_levels(folder, pictures)
    relative = [(path, path.relative_to(folder)) for path in pictures]
    labelled = [(path, inside.parts[0]) for path, inside in relative if len(inside.parts) > 1]
    left.beside = len(relative) - len(labelled)
    with_pictures = {label for _, label in labelled} | {PurePath(own).parts[0] for own in left.own}
    empty = [path for path in visible_folders(folder) if path.name not in with_pictures]
    left.empty = [readable(path.name) for path in empty if not (left.back and path.is_symlink())]
    files = [readable(inside.as_posix()) for _, inside in relative if len(inside.parts) > 1]
    return labelled, {"file": files}, said + left.messages(folder)


def _alike(classes: tuple[str, ...]) -> list[str]:
    """What to say of classes whose names differ in case, blanks or accents' spelling alone; not of letters a and A."""
    alike = defaultdict(list)
    for name in classes:
        alike[bare(name).casefold()].append(name)
    pairs = [
        names
        for key, names in alike.items()
        if len(names) > 1 and (len(key) > 1 or len({bare(name) for name in names}) < len(names))
    ]
    return [
        f"the classes {' and '.join(map(_shown, names))} differ in case or blanks alone; they are kept apart."
        for names in pairs
    ]


def _shown(name: str) -> str:
    """In quotes; with codes for characters that are not seen."""
    return repr(name) if name.isprintable() else ascii(name)
