"""Whether every byte of a store is what was written, and moving away what is not."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infojax.errors import CorruptData
from infojax.sweeps.store import writing
from infojax.sweeps.store.inventory import experiments, folders
from infojax.sweeps.store.plain_files import open_file
from infojax.sweeps.store.record import is_sealed, read_record


@dataclass(frozen=True)
class Checked:
    """A result whose every file was read.

    Attributes:
        experiment, folder: which result.
        damaged: file → what is wrong with it; empty where all is as it was written.
        readable: False for a whole result of a format that this infojax does not read: it is of no use here, but it
            is not damaged.
        extra: files that do not belong to it; they do no harm.
        unsealed: its record is of format 1, which has no checksum of its own.
        size: bytes that were read.
    """

    experiment: str
    folder: Path
    damaged: dict[str, str]
    readable: bool = True
    extra: tuple[str, ...] = ()
    unsealed: bool = False
    size: int = 0


def verify(root: Path, experiment: str | None = None) -> Iterator[Checked]:
    """Read every file of every result and hold it against its checksum.

    Records of format 1 have no checksum of their own: of them the config, the code, and the names and checksums of
    files are checked. A result whose folder is gone altogether is not missed; it is computed when asked for.
    """
    for name in experiments(root, experiment):
        for folder in folders(root, name):
            checked = check(name, folder)
            if checked is not None:
                yield checked


def check(experiment: str, folder: Path) -> Checked | None:
    """See `verify`; None where the result was removed meanwhile."""
    while True:
        try:
            record = read_record(folder)
        except (FileNotFoundError, NotADirectoryError):
            words = "it is missing" if folder.is_dir() else "there is no folder around it"
            return Checked(experiment, folder, {"record.json": words}) if os.path.lexists(folder) else None
        except CorruptData as error:
            whole = is_sealed(folder)
            return Checked(experiment, folder, {} if whole else {"record.json": str(error)}, readable=False)
        files = record["files"]
        found = {file: _problem(folder / file, checksum) for file, checksum in files.items()}
        damaged = {file: problem for file, problem in found.items() if problem is not None}
        if damaged and _replaced(folder, files):
            continue
        size, extra = 0, []
        with contextlib.suppress(FileNotFoundError):
            for path in folder.iterdir():
                size += path.stat().st_size
                if path.name not in files and path.name != "record.json" and not path.name.startswith(".nfs"):
                    extra.append(path.name)
        return Checked(experiment, folder, damaged, True, tuple(sorted(extra)), "sha256" not in record, size)


def set_aside(root: Path, checked: Checked) -> Path | None:
    """Move a damaged result to `root/.damaged/`, so that it is computed again; returns where it lies now.

    None where it is gone or whole by now, as another process has replaced it.
    """
    again = check(checked.experiment, checked.folder)
    if again is None or not again.damaged:
        return None
    try:
        return writing.set_aside(checked.folder)
    except FileNotFoundError:
        return None


def _problem(file: Path, checksum: str) -> str | None:
    try:
        with open_file(file) as stream:
            same = hashlib.file_digest(stream, "sha256").hexdigest() == checksum
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read ({error})"
    return None if same else "its checksum is not the recorded one"


def _replaced(folder: Path, files: dict[str, str]) -> bool:
    try:
        return read_record(folder)["files"] != files
    except (OSError, CorruptData):
        return True
