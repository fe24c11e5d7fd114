"""labels.csv: which picture has which label. Paths in it stay inside its folder."""

import csv
import io
import os
import string
from collections import defaultdict
from pathlib import Path

from infojax.data._names import readable
from infojax.data.pictures.walking import LeftOut, pictures_below
from infojax.errors import CorruptData, InvalidInput

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# Blanks, and characters without width that spreadsheets and web pages leave.
_BLANKS = string.whitespace + "\xa0\u2003\u2009\u202f\u3000\u200b\u200c\u200d\u2060\ufeff"
_OTHERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_table(table: Path) -> tuple[list[tuple[Path, str]], dict[str, list[str]], list[str]]:
    """(picture, label) of each row, the further columns by name, and what to say of them.

    Names and cells are stripped of blanks at their ends. `File` and `Label` may be written in any case.

    Raises:
        CorruptData: no CSV, or not in UTF-8.
        InvalidInput: no columns `file` and `label`, rows of another length, no such file, a path that leads out of the
            folder, or no label.
    """
    names, rows = _cells(table)
    shown = readable(str(table))
    keys = [name.casefold() if name.casefold() in ("file", "label") else name for name in names]
    if not {"file", "label"} <= set(keys) or len(set(keys) - {""}) < len([key for key in keys if key]):
        raise InvalidInput(
            f"{shown} has the columns {names!s:.200}; it needs `file` and `label`, each name once.{_hint(names)}"
        )
    for line, cells in rows:
        if any(cells[len(keys) :]):
            raise InvalidInput(
                f"{shown}, line {line} has {len(cells)} cells, and there are {len(keys)} columns: put text with commas "
                "into quotes."
            )
    # csv gives short rows as they are.
    filled = [(line, [*cells[: len(keys)], *[""] * (len(keys) - len(cells))]) for line, cells in rows]
    columns = {i: [cells[i] for _, cells in filled] for i in range(len(keys))}
    index = {i for i in columns if _is_index(names[i], columns[i])}
    unnamed = [i for i in columns if not keys[i] and i not in index and any(columns[i])]
    said = [f"{shown}: left out {len(unnamed)} column(s) without a name."] if unnamed else []
    kept = {keys[i]: columns[i] for i in columns if keys[i] and i not in index}
    root = table.parent.resolve()
    labelled = [
        (_picture(table, root, line, file, label), label)
        for (line, _), file, label in zip(filled, kept["file"], kept["label"], strict=True)
    ]
    said += _repeated(shown, [path for path, _ in labelled], filled, kept["label"])
    files = [readable(path.relative_to(table.parent).as_posix()) for path, _ in labelled]
    return labelled, {"file": files} | {key: kept[key] for key in kept if key not in ("file", "label")}, said


def not_named(table: Path, named: list[Path]) -> list[str]:
    """What to say of pictures beside and below a table that it does not name."""
    known = {path.resolve() for path in named}
    try:
        below = pictures_below(table.parent, LeftOut())
    except InvalidInput:  # a folder that may not be read, of which nothing is asked
        return []
    others = [path for path in below if path.resolve() not in known]
    if not others:
        return []
    first = readable(others[0].relative_to(table.parent).as_posix())
    return [f"{readable(str(table))}: left out {len(others):,} picture(s) that it does not name, such as {first}."]


def _cells(table: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each row that is not empty with the number of its line; cells are stripped."""
    shown = readable(str(table))
    try:
        data = table.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{shown} cannot be read ({error.strerror}). Change its permissions.") from error
    if data.startswith(_UTF16) or b"\0" in data[:100]:
        raise CorruptData(f"{shown} is no table in CSV and UTF-8, but perhaps in UTF-16. Save it as CSV UTF-8.")
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True, skipinitialspace=True)
        rows = [(reader.line_num, [cell.strip(_BLANKS) for cell in cells]) for cells in reader]
    except (ValueError, csv.Error) as error:
        raise CorruptData(f"{shown} is no table in CSV and UTF-8 ({error}). Save it as that.") from error
    rows = [(line, cells) for line, cells in rows if any(cells)]
    return (rows[0][1], rows[1:]) if rows else ([], [])


def _hint(names: list[str]) -> str:
    if len(names) == 1:
        for delimiter, what in _OTHERS.items():
            if delimiter in names[0]:
                return f" Its columns are parted by {what}: save it with commas."
    return " Rename those that hold them."


def _is_index(name: str, cells: list[str]) -> bool:
    """Whether a column is the row numbers that pandas writes, or empty."""
    if name and not name.startswith("Unnamed: "):
        return False
    return not any(cells) or cells in ([str(i + start) for i in range(len(cells))] for start in (0, 1))


def _picture(table: Path, root: Path, line: int, file: str, label: str) -> Path:
    """The picture that a row names. Raises InvalidInput where it leads out of the folder, or is not there."""
    where = f"{readable(str(table))}, line {line}: {file!r:.300} with label {label!r:.100}"
    for name in dict.fromkeys((file, file.replace("\\", "/"))):
        # Nothing outside is looked at, not even whether it is there.
        if os.path.isabs(name) or not _inside(root, name):
            raise InvalidInput(f"{where}: the path leads out of the folder. Copy the picture into it.")
        path = table.parent / name
        if name and path.is_file():
            if not label:
                break
            return path
    lower = (
        next((path for path in sorted(table.parent.glob("*/")) if _found(path / Path(file).name)), None)
        if file
        else None
    )
    hint = f" It is in {readable(lower.name)}/: write {readable(lower.name)}/{Path(file).name}." if lower else ""
    raise InvalidInput(f"{where}: no such file, or no label.{hint}")


def _inside(root: Path, name: str) -> bool:
    try:
        # Of the name alone first, so that no link is read on a way that leads out by `..`.
        return Path(os.path.normpath(root / name)).is_relative_to(root) and (root / name).resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):  # a link to itself, a NUL
        return False


def _found(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _repeated(shown: str, paths: list[Path], rows: list[tuple[int, list[str]]], labels: list[str]) -> list[str]:
    """What to say of pictures that several rows name."""
    named = defaultdict(list)
    for i, path in enumerate(paths):
        named[path.resolve()].append(i)
    twice = [where for where in named.values() if len(where) > 1]
    if not twice:
        return []
    lines = " and ".join(str(rows[i][0]) for i in twice[0][:4])
    unlike = sum(len({labels[i] for i in where}) > 1 for where in twice)
    return [
        f"{shown}: {len(twice):,} picture(s) named more than once, such as {readable(paths[twice[0][0]].name)} in "
        f"lines {lines}{f'; {unlike:,} with different labels' if unlike else ''}. Each row is an example of its own."
    ]
