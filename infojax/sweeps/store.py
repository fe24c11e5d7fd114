"""The result store: a folder per result, found by what was computed and written whole or not at all.

    results/EXPERIMENT/CONFIG-CODE/record.json     config, seed, versions, device, git revision, time, checksums
                                   TABLE.parquet   one file per table
                                   ARRAY.npy       one file per array
    results/EXPERIMENT/unfinished/CONFIG-CODE/     what an interrupted run keeps (`Store.scratch`)

CONFIG is a digest of the configuration, CODE that of the code behind it (code_version.py). The record names the other
files of its result (those of a result that was replaced have a token in their names); other files don't count.
"""

import contextlib
import dataclasses
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from infojax.errors import CorruptData, InvalidInput
from infojax.sweeps.address import address, plain
from infojax.sweeps.code_version import code_version
from infojax.sweeps.conditions import conditions
from infojax.sweeps.contents import contents_of, load
from infojax.sweeps.record import FORMAT, damaged, is_table, read_record, table_of
from infojax.sweeps.writing import write_whole


@dataclasses.dataclass(frozen=True)
class Result:
    """The tables and arrays of one run, the record of how they were made, and the folder that all lie in."""

    tables: dict[str, pl.DataFrame]
    record: dict[str, Any]
    folder: Path
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Store:
    """Results below the folder `root`, which need not exist yet."""

    root: Path

    def tables(self, name: str, config: Any) -> dict[str, pl.DataFrame] | None:
        """The tables of experiment `name` for `config` (see `read`)."""
        result = self.read(name, config)
        return None if result is None else result.tables

    def read(self, name: str, config: Any, *, any_code: bool = False) -> Result | None:
        """The stored result of this config and the present code; None where there is none.

        With `any_code`, failing that, the latest result of the same config by another version of the code.
        Raises CorruptData for a result whose files are not what was written.
        """
        for folder in self._candidates(name, config, any_code):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                return read_result(folder)
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
        final = self.folder(name, config)
        module = sys.modules[type(config).__module__]
        record = {
            "format": FORMAT,
            "experiment": name,
            "config": plain(config),
            "seed": getattr(config, "seed", None),
            "code": code_version(module.__name__),
            "started": (started or datetime.now(UTC)).isoformat(timespec="seconds"),
            "seconds": seconds,
            "resumed": resumed,
            **conditions(Path(str(module.__file__)).parent),
        }
        return _result(tables, write_whole(final, contents, record), final)

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
        """Folders of results for the same config by other versions of the code, the latest first."""
        present = self.folder(name, config)
        same_config = present.parent.glob(present.name.partition("-")[0] + "-*/record.json")
        others = []
        for record in same_config:
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                others += [(record.stat().st_mtime, record.parent)] * (record.parent != present)
        return [folder for _, folder in sorted(others, reverse=True)]

    def _candidates(self, name: str, config: Any, any_code: bool) -> Iterator[Path]:
        yield self.folder(name, config)
        if any_code:
            yield from self.earlier(name, config)


def read_result(folder: Path) -> Result:
    """The result in a folder, every file held against its checksum.

    Raises CorruptData for one whose files are not what was written, and FileNotFoundError where there is none.
    """
    return _read(folder, read_record(folder), lambda _: True)


def read_table(folder: Path, record: dict[str, Any], name: str) -> pl.DataFrame | None:
    """One table of a result whose record was read, None where it has none of that name. Raises as `read_result`."""
    return _read(folder, record, lambda file: is_table(file) and table_of(file) == name).tables.get(name)


def _read(folder: Path, record: dict[str, Any], wanted: Callable[[str], bool]) -> Result:
    while True:
        try:
            files = {file: checksum for file, checksum in record["files"].items() if wanted(file)}
            return _result(_load(folder, files), record, folder)
        except CorruptData:
            present = read_record(folder)
            if present["files"] == record["files"]:
                raise
            record = present  # it was replaced while it was read


def _load(folder: Path, files: dict[str, str]) -> dict[str, pl.DataFrame | np.ndarray]:
    held = {}
    for file, checksum in files.items():
        try:
            held[table_of(file)] = load(folder / file, checksum)
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
