"""The result store: a folder per result, found by what was computed and written whole or not at all.

    results/EXPERIMENT/CONFIG-CODE/record.json     config, seed, versions, device, git revision, time, checksums
                                   TABLE.parquet   one file per table
                                   ARRAY.npy       one file per array
    results/EXPERIMENT/unfinished/CONFIG-CODE/     what an interrupted run keeps (`Store.scratch`)

CONFIG is a digest of the configuration, CODE that of the code behind it (code_version.py). The record names the other
files of its result (those of a result that was replaced have a token in their names); other files don't count. It holds
the configuration too, and that is compared with the one that is asked for whenever a result is read.
"""

import contextlib
import dataclasses
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from infojax.errors import CorruptData, InvalidInput, StorageFailed
from infojax.sweeps.store.addresses.address import address
from infojax.sweeps.store.addresses.code_version import code_version
from infojax.sweeps.store.addresses.plain import plain, types
from infojax.sweeps.store.conditions import conditions
from infojax.sweeps.store.contents import contents_of, load
from infojax.sweeps.store.record import FORMAT, LENGTH, damaged, is_of, is_table, read_record, short_digest, table_of
from infojax.sweeps.store.writing import write_whole


@dataclasses.dataclass(frozen=True)
class Result:
    """The tables and arrays of one run, the record of how they were made, and the folder that all lie in."""

    tables: dict[str, pl.DataFrame]
    record: dict[str, Any]
    folder: Path
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, init=False)
class Store:
    """Results below the folder `root`, a path or text, which need not exist yet."""

    root: Path

    def __init__(self, root: Any) -> None:
        if not isinstance(root, str | os.PathLike) or not isinstance(text := os.fspath(root), str) or "\0" in text:
            raise InvalidInput(f"a store is a folder, not {root!r:.200}; give its path")
        # Path.expanduser raises where ~name is no user, and then it may be a folder.
        object.__setattr__(self, "root", Path(os.path.expanduser(text)))

    def tables(self, name: str, config: Any) -> dict[str, pl.DataFrame] | None:
        """The tables of experiment `name` for `config` (see `read`)."""
        result = self.read(name, config)
        return None if result is None else result.tables

    def read(self, name: str, config: Any, *, any_code: bool = False) -> Result | None:
        """The stored result of this config and the present code; None where there is none.

        With `any_code`, failing that, the latest result of the same config by another version of the code.
        Raises CorruptData for a result whose files are not what was written, or that is of another config.
        """
        asked = Asked.of(config)
        for folder in self._candidates(name, config, asked, any_code):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                record = read_record(folder)
                if asked.answered_by(record):
                    result = _read(folder, record)
                    if result.record is record or asked.answered_by(result.record):  # else it was replaced meanwhile
                        return result
                if len(folder.name) == LENGTH:
                    raise damaged(folder, "record.json", ValueError("it is of another config of the same digest"))
        return None

    def write(
        self,
        name: str,
        config: Any,
        tables: Any,
        *,
        started: datetime | None = None,
        seconds: float | None = None,
        resumed: bool = False,
    ) -> Result:
        """Store tables and arrays, a dict of polars data frames and NumPy arrays, as the result of `config`.

        A result that was there is replaced; readers find one or the other at every moment. `seconds` is the wall
        time of the run, after an interruption (`resumed`) of its last part only. Raises InvalidInput for anything
        but a dict of named data frames and arrays of numbers or text, and for a folder that cannot be written to;
        StorageFailed for a full disk.
        """
        contents = contents_of(name, tables)
        dtypes = {content.name: content.dtype for content in contents if content.dtype}
        final, asked = self.folder(name, config), Asked.of(config)
        module = sys.modules[type(config).__module__]
        record = {
            "format": FORMAT,
            "experiment": name,
            "config": asked.config,
            **({"types": asked.types} if asked.types else {}),
            **({"dtypes": dtypes} if dtypes else {}),
            "seed": asked.config.get("seed"),
            "code": code_version(module.__name__),
            "started": (started or datetime.now(UTC)).isoformat(timespec="seconds"),
            "seconds": seconds,
            "resumed": resumed,
            **conditions(Path(str(module.__file__)).parent),
        }
        result = _result(tables, write_whole(final, contents, record), final)
        if asked.answered_in(short := asked.short(final)):
            shutil.rmtree(short, ignore_errors=True)  # else there were two
        return result

    def folder(self, name: str, config: Any) -> Path:
        """Where the result of `config` and the present code stands, or would stand."""
        if not re.fullmatch(r"\w+", name):
            raise InvalidInput(f"an experiment is named by letters, digits and underscores, not {name!r}")
        return self.root / name / address(config)

    def scratch(self, name: str, config: Any) -> Path:
        """Where a run of `config` keeps its partial work until it has succeeded."""
        final = self.folder(name, config)
        return final.parent / "unfinished" / final.name

    def earlier(self, name: str, config: Any) -> list[Path]:
        """Folders of results for the same config by other versions of the code, the latest first.

        Raises StorageFailed where the store cannot be listed.
        """
        present, asked = self.folder(name, config), Asked.of(config)
        short, others = asked.short(present), []
        try:
            for digest in {path.name.partition("-")[0] for path in (present, short)}:
                for record in present.parent.glob(f"{digest}-*/record.json"):
                    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                        if record.parent not in (present, short) and asked.answered_in(record.parent, surely=False):
                            others.append((record.stat().st_mtime, record.parent))
        except OSError as error:
            raise StorageFailed(f"the results in {present.parent} cannot be listed ({error}); try again") from error
        return [folder for _, folder in sorted(others, reverse=True)]

    def _candidates(self, name: str, config: Any, asked: "Asked", any_code: bool) -> Iterator[Path]:
        present = self.folder(name, config)
        yield present
        yield asked.short(present)
        if any_code:
            yield from self.earlier(name, config)


@dataclasses.dataclass(frozen=True)
class Asked:
    """A config as a record holds it, to be held against records."""

    config: dict[str, Any]
    types: dict[str, str]

    @classmethod
    def of(cls, config: Any) -> "Asked":
        """Those of an instance of a dataclass."""
        return cls(plain(config), types(config))

    def answered_by(self, record: dict[str, Any]) -> bool:
        """Whether a record is of this config, and not of another of the same digest."""
        return is_of(record, self.config, self.types)

    def answered_in(self, folder: Path, surely: bool = True) -> bool:
        """Whether the record in `folder` is of this config. One that is not there, or damaged, is not; with
        surely=False it may be.
        """
        try:
            return self.answered_by(read_record(folder))
        except (OSError, CorruptData):
            return not surely

    def short(self, folder: Path) -> Path:
        """Where a result that belongs into `folder` stood until November 2026."""
        return folder.with_name(f"{short_digest(self.config)}-{folder.name.partition('-')[2]}")


def read_result(folder: Path) -> Result:
    """The result in a folder, every file held against its checksum.

    Raises CorruptData for one whose files are not what was written, and FileNotFoundError where there is none.
    """
    return _read(folder, read_record(folder))


def read_table(folder: Path, record: dict[str, Any], name: str) -> pl.DataFrame | None:
    """One table of a result whose record was read, None where it has none of that name. Raises as `read_result`."""
    return _read(folder, record, lambda file: is_table(file) and table_of(file) == name).tables.get(name)


def _read(folder: Path, record: dict[str, Any], wanted: Callable[[str], bool] = lambda _: True) -> Result:
    while True:
        try:
            files = {file: checksum for file, checksum in record["files"].items() if wanted(file)}
            return _result(_load(folder, files, record.get("dtypes", {})), record, folder)
        except CorruptData:
            present = read_record(folder)
            if present["files"] == record["files"]:
                raise
            record = present  # it was replaced while it was read


def _load(folder: Path, files: dict[str, str], dtypes: dict[str, Any]) -> dict[str, pl.DataFrame | np.ndarray]:
    held = {}
    for file, checksum in files.items():
        try:
            held[table_of(file)] = load(folder / file, checksum, dtypes.get(table_of(file)))
        except (OSError, ValueError, TypeError) as error:
            raise damaged(folder, file, error) from error
    return held


def _result(held: dict[str, Any], record: dict[str, Any], folder: Path) -> Result:
    tables = {name: value for name, value in held.items() if isinstance(value, pl.DataFrame)}
    return Result(tables, record, folder, {name: value for name, value in held.items() if name not in tables})


def make_scratch(folder: Path) -> bool:
    """Make the scratch folder of a run; returns whether an interrupted run left something in it."""
    while not folder.is_dir():
        with contextlib.suppress(FileNotFoundError):  # another run has removed the empty folder above it
            folder.mkdir(parents=True, exist_ok=True)
    return any(folder.iterdir())


def remove_scratch(folder: Path) -> None:
    """Remove the scratch folder of a run that has succeeded, and the folder above it when that leaves it empty."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # the scratch folders of other runs are in it
        folder.parent.rmdir()
