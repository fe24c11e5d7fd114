"""At which level of a folder the splits lie, and at which the classes."""

import re
from collections import defaultdict
from pathlib import Path
from typing import NoReturn

from infojax.data._names import readable
from infojax.data._splits import SPLITS, split_named
from infojax.data.pictures.walking import SHOWN, LeftOut, is_own_output, pictures_below, visible_folders
from infojax.errors import InvalidInput

# Words beside these in names such as `training_set`, `seg_test`, `val_images`, `test2017`.
_BESIDE_SPLITS = {"set", "sets", "images", "image", "imgs", "img", "pictures", "photos", "data", "seg", "split", ""}
TABLE = "labels.csv"


def folder_of_split(folder: Path, split: str) -> tuple[Path, list[str]]:
    """The folder of a split, or the folder itself where it has no splits and train is asked for.

    A sub-folder with a split's name is one where it holds classes (sub-folders, or labels.csv) and not pictures alone;
    otherwise it is a class, such as the trains among vehicles.

    Returns:
        The folder, and what to say of it.

    Raises:
        InvalidInput: the split is not there, is there twice, or the sub-folders are splits without classes.
    """
    wanted = split_named(split)
    visible = visible_folders(folder)
    splits: dict[str, list[Path]] = defaultdict(list)
    others = []
    for path in visible:
        name = SPLITS.get(path.name.casefold())
        if name is None:
            others.append(path)
        elif table_in(path) or visible_folders(path):
            splits[name].append(path)
    shown = readable(str(folder))
    if len(splits[wanted]) > 1:
        names = " and ".join(path.name for path in splits[wanted])
        raise InvalidInput(f"{shown} has {names}, which are the same split. Give the path of one, or merge them.")
    if splits[wanted]:
        (chosen,) = splits[wanted]
        return chosen, _said(folder, chosen, others, splits)
    there = [path.name for paths in splits.values() for path in paths]
    classes = [path for path in others if _holds_pictures(path)] or table_in(folder)
    if split != "train":
        has = f" It has {', '.join(there)}." if there else " Load it without split=, and use `.split`."
        raise InvalidInput(f"{shown} has no sub-folder {split!r} with sub-folders of classes.{has}")
    inside = {each.name for paths in splits.values() for path in paths for each in visible_folders(path)}
    if (there and not classes) or inside & {path.name for path in others}:
        raise InvalidInput(f"{shown} has the splits {', '.join(there)}, and no train: give split={there[0].lower()!r}.")
    if not there and not classes and visible and all(path.name.casefold() in SPLITS for path in visible):
        names = ", ".join(path.name for path in visible)
        raise InvalidInput(
            f"{shown}: the sub-folders {names} have the names of splits, and no sub-folders of classes in them. Put "
            f"the pictures into one sub-folder for each class, or a {TABLE} beside them."
        )
    return folder, []


def check_levels(folder: Path, pictures: list[Path]) -> list[str]:
    """What to say of classes that may lie lower.

    Raises InvalidInput where they lie above or below the folder's sub-folders; says which path to give.
    """
    parts = [path.relative_to(folder).parts for path in pictures]
    below = [each[:-1] for each in parts if len(each) > 1]
    shown = readable(str(folder))
    if parts and not below:
        _refuse_flat(folder, len(parts))
    if not below:
        return []
    common = below[0]
    for each in below:
        while each[: len(common)] != common:
            common = common[:-1]
    for depth in range(1, len(common) + 1):
        if table_in(folder.joinpath(*common[:depth])):
            lower = readable(str(folder.joinpath(*common[:depth])))
            raise InvalidInput(f"{shown} has no {TABLE}; one lies lower: give {lower}.")
    if common and common not in below:
        lower = readable(str(folder.joinpath(*common)))
        raise InvalidInput(
            f"{shown} has one sub-folder with pictures, {readable(common[0])}, and the classes lie lower: give {lower}."
        )
    _check_names_of_splits(folder, below)
    return _same_below(folder, below)


def _same_below(folder: Path, below: list[tuple[str, ...]]) -> list[str]:
    """What to say where all sub-folders hold sub-folders of the same names: of places or folds, these are the classes;
    of classes, they are where the pictures come from."""
    second = defaultdict(set)
    for each in below:
        second[each[0]].add(each[1] if len(each) > 1 else "")
    same = sorted(set.intersection(*second.values()) - {""} - set(SPLITS))
    if len(second) < 2 or len(same) < 2 or any("" in names for names in second.values()):
        return []
    first = sorted(second)
    return [
        f"{readable(str(folder))}: the classes are the {len(first)} sub-folders {_some(first)}, and each of them holds "
        f"{_some(same)}. If those are the classes, give the path of one, such as {readable(str(folder / first[0]))}."
    ]


def _some(names: list[str]) -> str:
    return readable(", ".join(names[:SHOWN])) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _refuse_flat(folder: Path, number: int) -> NoReturn:
    shown, above = readable(str(folder)), folder.resolve().parent
    if is_own_output(folder):
        raise InvalidInput(f"{shown} holds no labelled pictures, but what infojax wrote. Give the folder of your data.")
    if table_in(above):
        remedy = f"The folder above has a {TABLE}: give {readable(str(above))}."
    else:
        remedy = (
            f"If they are one class of several, give the folder above, {readable(str(above))}; or write a {TABLE} with "
            "the columns file,label."
        )
    raise InvalidInput(f"{shown} holds no labelled pictures: its {number:,} lie in no sub-folder. {remedy}")


def table_in(folder: Path) -> Path | None:
    """The folder's labels.csv, in whatever case its name is written."""
    if (folder / TABLE).is_file():
        return folder / TABLE
    try:
        return next(
            (path for path in sorted(folder.iterdir()) if path.name.casefold() == TABLE and path.is_file()), None
        )
    except OSError:
        return None


def _check_names_of_splits(folder: Path, below: list[tuple[str, ...]]) -> None:
    shown = readable(str(folder))
    first = sorted({each[0] for each in below})
    kinds = {kind for name in first for kind in _splits_in(name)}
    parted = [_parted(name) for name in first]
    alike = len({tuple(sorted(rest)) for _, rest in parted}) == 1 and all(len(found) == 1 for found, _ in parted)
    several = len({kind for found, _ in parted for kind in found}) > 1
    if (len(kinds) > 1 and all(_splits_in(name) for name in first)) or (alike and several):
        names = ", ".join(readable(name) for name in first)
        raise InvalidInput(
            f"{shown}: the sub-folders {names} look like splits, not classes. Give the path of one, such as "
            f"{readable(str(folder / first[-1]))}, or name them train, validation and test."
        )
    second = {each[1] for each in below if len(each) > 1}
    kinds = {SPLITS.get(name.casefold()) for name in second}
    if len(kinds) > 1 and None not in kinds and all(len(each) > 1 for each in below):
        names = ", ".join(sorted(readable(name) for name in second))
        raise InvalidInput(
            f"{shown}: the splits {names} lie below its sub-folders ({readable(first[0])}, …), so training and test "
            f"pictures would be mixed. Put the splits above the classes, or give {readable(str(folder / first[0]))}."
        )


def _splits_in(name: str) -> set[str]:
    """The splits that a name speaks of, where it speaks of nothing else."""
    found, rest = _parted(name)
    return found if rest <= _BESIDE_SPLITS else set()


def _parted(name: str) -> tuple[set[str], set[str]]:
    """The splits that a name speaks of, and its other words: of mnist_train, the train and mnist."""
    words = set(re.split(r"[\W\d_]+", name.casefold()))
    return {SPLITS[word] for word in words if word in SPLITS}, words - set(SPLITS)


def _said(folder: Path, chosen: Path, others: list[Path], splits: dict[str, list[Path]]) -> list[str]:
    """What a user should know who reads one split of the folder."""
    said = []
    beside = [path.name for path in others if _holds_pictures(path)] + ([TABLE] if table_in(folder) else [])
    if beside:
        said.append(
            f"{readable(str(folder))}: {readable(', '.join(beside))} beside the split {readable(chosen.name)} "
            f"{'is' if len(beside) == 1 else 'are'} not read. If these are classes, rename {readable(chosen.name)}."
        )
    classes = {path.name for path in visible_folders(chosen)} if not table_in(chosen) else set()
    for paths in splits.values():
        for path in paths:
            there = {each.name for each in visible_folders(path)}
            if path != chosen and classes and not table_in(path) and there != classes:
                odd = readable(", ".join(sorted(classes ^ there)[:8]))
                said.append(
                    f"{readable(str(folder))}: {readable(chosen.name)} and {readable(path.name)} do not have the same "
                    f"classes ({odd} in one alone), so their labels are not numbered alike."
                )
    return said


def _holds_pictures(folder: Path) -> bool:
    return bool(pictures_below(folder, LeftOut()))
