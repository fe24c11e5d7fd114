"""What lies in a store: every result with its record, and runs that are unfinished, going on, or have failed."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from infojax.errors import CorruptData, InfojaxError, InvalidInput
from infojax.sweeps.store import failures
from infojax.sweeps.store.addresses.code_version import code_version
from infojax.sweeps.store.addresses.experiments import module_named
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.record import read_record

ADDRESS = re.compile(r"[0-9a-f]{12}([0-9a-f]{20})?-[0-9a-f]{12}")  # of 128 bits of the config, or of 48, as was
State = Literal["stored", "damaged", "running", "failed", "unfinished"]


@dataclass(frozen=True)
class Entry:
    """One address of a store."""

    experiment: str
    address: str
    state: State
    folder: Path
    """Of the result; of the scratch folder where there is none."""
    record: dict[str, Any]
    """Of the result or of the failure; empty where there is neither, or it is damaged."""
    words: str = ""
    """What is wrong with it, or who computes it."""

    @property
    def config(self) -> dict[str, Any]:
        """The config as it was recorded; empty where nothing recorded it."""
        config = self.record.get("config")
        return config if isinstance(config, dict) else {}


def experiments(root: Path, only: str | None = None) -> list[str]:
    """The experiments that a store at `root` has something of, or the one that is asked for.

    Raises InvalidInput where there is no store, or nothing of that experiment.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and re.fullmatch(r"\w+", entry.name))
    except OSError as error:
        raise InvalidInput(
            f"there are no results in {root} ({error.strerror}); --results names another folder"
        ) from None
    if only is None:
        return names
    if only not in names:
        raise InvalidInput(f"{root} has no results of {only!r}; it has {', '.join(names) or 'none at all'}")
    return [only]


def folders(root: Path, experiment: str) -> list[Path]:
    """The folders of an experiment's results, whatever state they are in."""
    found = [entry.path for entry in _scan(root / experiment) if ADDRESS.fullmatch(entry.name)]
    return [Path(path) for path in sorted(found)]


def entries(root: Path, experiment: str | None = None) -> Iterator[Entry]:
    """Everything that a store has an address for. Tables are not read: `verify` does."""
    for name in experiments(root, experiment):
        done = set()
        for folder in folders(root, name):
            entry = _result(name, folder)
            if entry is not None:
                done.add(folder.name)
                yield entry
        yield from _others(root, name, done)


def present_code(experiment: str, package: str) -> str | None:
    """The version of an experiment's code as it is here; None where `package` does not have it."""
    try:
        module = module_named(experiment, package)
        return module and code_version(module)
    except (InfojaxError, ImportError, SyntaxError):
        return None


def _result(experiment: str, folder: Path) -> Entry | None:
    try:
        return Entry(experiment, folder.name, "stored", folder, read_record(folder))
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.lexists(folder):
            return None  # removed meanwhile
        words = "record.json is missing" if folder.is_dir() else "it is no folder"
        return Entry(experiment, folder.name, "damaged", folder, {}, words)
    except CorruptData as error:
        return Entry(experiment, folder.name, "damaged", folder, {}, str(error))


def _others(root: Path, experiment: str, done: set[str]) -> Iterator[Entry]:
    """Addresses without a result: claimed by somebody, failed, or interrupted."""
    where = claims.folder(root, experiment)
    claimed = {entry.name.partition(".")[0] for entry in _scan(where)}
    failed = {entry.name.removesuffix(".json") for entry in _scan(root / experiment / ".failed")}
    scratch = root / experiment / "unfinished"
    unfinished = {entry.name for entry in _scan(scratch)}
    watch = claims.Watch()
    for address in sorted(filter(ADDRESS.fullmatch, (claimed | failed | unfinished) - done)):
        record = failures.read(failures.path(root, experiment, address)) or {}
        who = claims.holder(where, address, watch) if address in claimed else None
        if who is not None:
            words = f"process {who.get('pid', '?')} on {str(who.get('host', '?')).partition('/')[0]}"
            yield Entry(experiment, address, "running", scratch / address, record, words)
        elif record:
            yield Entry(experiment, address, "failed", scratch / address, record, str(record["error"]))
        elif address in unfinished:
            yield Entry(experiment, address, "unfinished", scratch / address, {})


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except OSError:
        return []
