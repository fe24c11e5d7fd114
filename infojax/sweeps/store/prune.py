"""What a store could do without, and removing it."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infojax.errors import CorruptData
from infojax.files import idle
from infojax.sweeps.store import failures
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.inventory import ADDRESS, experiments, folders, present_code
from infojax.sweeps.store.record import read_record
from infojax.sweeps.store.writing import DAY, WRITING

WasteKind = Literal["code", "leftovers", "claims", "failures", "damaged"]
WASTE: tuple[WasteKind, ...] = ("code", "leftovers", "claims", "failures")
"""What is removed unless told otherwise; damaged results that were set aside are kept."""

HOUR, MONTH = 3600.0, 30 * DAY
REMOVING = ".removing-"


@dataclass(frozen=True)
class Waste:
    """A file or folder that a store could do without, and why."""

    kind: WasteKind
    path: Path
    why: str
    size: int


def find_waste(
    root: Path, experiment: str | None, package: str, kinds: tuple[WasteKind, ...] = WASTE
) -> Iterator[Waste]:
    """What could be removed. Nothing that a living process is at work on is named.

    Args:
        package: where the experiments' code lies; results of an experiment that is not there are kept.
        kinds: `code`: results and unfinished runs of other versions of the code than the present one; `leftovers`: what
            killed processes left while they wrote or removed, an hour ago or longer, and logs of Slurm's jobs, of a
            month ago; `claims`: of processes that are
            gone, or gave no sign of life for a day; `failures`: records of those that have succeeded since, or that
            other code had; `damaged`: what `infojax results verify --remove` has set aside.
    """
    for name in experiments(root, experiment):
        code = present_code(name, package)
        for kind, find in (("code", _code), ("leftovers", _leftovers), ("claims", _claims), ("failures", _failures)):
            if kind in kinds:
                for path, why in find(root, name, code):
                    yield Waste(kind, path, why, _size(path))
        aside = root / ".damaged" / name
        if "damaged" in kinds and aside.is_dir():
            yield Waste("damaged", aside, "damaged results that were set aside", _size(aside))


def remove_waste(path: Path) -> None:
    """Remove a file or a folder, the latter at once for whoever looks for it by its name."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    if path.name.startswith((WRITING, REMOVING)):
        shutil.rmtree(path, ignore_errors=True)
        return
    going = path.with_name(f"{REMOVING}{secrets.token_hex(8)}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(going)
    shutil.rmtree(going, ignore_errors=True)


def _code(root: Path, name: str, code: str | None) -> Iterator[tuple[Path, str]]:
    if code is None:
        return
    watch = claims.Watch()
    found = [
        *folders(root, name),
        *(path for path in _listed(root / name / "unfinished") if ADDRESS.fullmatch(path.name)),
    ]
    for folder in found:
        if not folder.name.endswith(code) and claims.holder(claims.folder(root, name), folder.name, watch) is None:
            yield folder, ("result" if folder.parent.name == name else "unfinished run") + " of other code"


def _leftovers(root: Path, name: str, _: str | None) -> Iterator[tuple[Path, str]]:
    for path in [*_listed(root / name), *_listed(root / name / ".failed")]:
        unfinished = path.name.startswith((WRITING, REMOVING)) or (path.name[0] == "." and path.suffix == ".part")
        if unfinished and idle(path) > HOUR:
            yield path, "left by a process that was killed"
    for path in _listed(root / name / ".jobs"):
        if idle(path) > MONTH:
            yield path, "log of a job of Slurm, a month old"
    for folder in folders(root, name):
        try:
            files = read_record(folder)["files"]
        except (OSError, CorruptData):
            continue  # damaged, which is for verify to say
        for path in _listed(folder):
            if path.name not in files and path.name != "record.json" and idle(path) > HOUR:
                yield path, "no file of the result that it lies in"


def _claims(root: Path, name: str, _: str | None) -> Iterator[tuple[Path, str]]:
    watch = claims.Watch()
    for path in _listed(claims.folder(root, name)):
        found = claims.look(path)
        if found is not None and (watch.stale(path, found) or idle(path) > DAY):
            yield (
                path,
                "claim of a process that is gone" if idle(path) <= DAY else "claim without a sign of life for a day",
            )


def _failures(root: Path, name: str, code: str | None) -> Iterator[tuple[Path, str]]:
    for path in _listed(root / name / ".failed"):
        address = path.name.removesuffix(".json")
        if not ADDRESS.fullmatch(address) or path != failures.path(root, name, address):
            continue
        if (root / name / address / "record.json").is_file():
            yield path, "failure of what has succeeded since"
        elif code is not None and not address.endswith(code):
            yield path, "failure of other code"


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(Path(entry.path) for entry in os.scandir(folder))
    except OSError:
        return []


def _size(path: Path) -> int:
    total = 0
    for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
        with contextlib.suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total
