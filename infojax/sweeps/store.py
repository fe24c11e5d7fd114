"""The result store: a folder per result, found by what was computed and written whole or not at all.

    results/EXPERIMENT/CONFIG-CODE/record.json     config, seed, versions, device, git revision, time,
    checksums
                                   TABLE.parquet   one file per table
    results/EXPERIMENT/unfinished/CONFIG-CODE/     what an interrupted run keeps (`Store.scratch`)

CONFIG is a digest of the configuration, CODE that of the code behind it (code_version.py). A result is
written into
a hidden folder, synced to disk and renamed: whoever finds it finds all of it.
"""

import dataclasses
import hashlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from infojax.errors import CorruptData, InvalidInput
from infojax.sweeps.address import address, plain
from infojax.sweeps.code_version import code_version
from infojax.sweeps.conditions import conditions

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Result:
    """The tables of one run, the record of how they were made, and the folder that both lie in."""

    tables: dict[str, pl.DataFrame]
    record: dict[str, Any]
    folder: Path


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
        folder = self.folder(name, config)
        if (folder / "record.json").is_file():
            return _read(folder)
        earlier = self.earlier(name, config) if any_code else []
        return _read(earlier[0]) if earlier else None

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
        """Store tables, a dict of polars data frames, as the result of `config`, replacing one that was
        there.

        `seconds` is the wall time of the run, after an interruption (`resumed`) of its last part only. Raises
        InvalidInput for anything but a dict of named data frames.
        """
        _check_tables(name, tables)
        final = self.folder(name, config)
        final.parent.mkdir(parents=True, exist_ok=True)
        module = sys.modules[type(config).__module__]
        contents = {f"{table}.parquet": _parquet(frame) for table, frame in tables.items()}
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
            "files": {file: hashlib.sha256(data).hexdigest() for file, data in contents.items()},
        }
        contents["record.json"] = json.dumps(record, indent=1, ensure_ascii=False).encode()
        _write_whole(final, contents)
        return Result(tables, record, final)

    def folder(self, name: str, config: Any) -> Path:
        """Where the result of `config` and the present code stands, or would stand."""
        return self.root / name / address(config)

    def scratch(self, name: str, config: Any) -> Path:
        """Where a run of `config` keeps its partial work until it has succeeded."""
        return self.root / name / "unfinished" / address(config)

    def earlier(self, name: str, config: Any) -> list[Path]:
        """Folders of results for the same config by other versions of the code, the latest first."""
        present = self.folder(name, config)
        same_config = present.parent.glob(present.name.partition("-")[0] + "-*/record.json")
        others = [record for record in same_config if record.parent != present]
        others.sort(key=lambda record: record.stat().st_mtime, reverse=True)
        return [record.parent for record in others]


def _check_tables(name: str, tables: Any) -> None:
    well_named = isinstance(tables, dict) and all(re.fullmatch(r"\w+", str(key)) for key in tables)
    if not well_named or not tables or not all(isinstance(frame, pl.DataFrame) for frame in tables.values()):
        raise InvalidInput(
            f"run() of experiment {name!r} must return a dict of polars data frames under names of letters, "
            f"digits and underscores; it returned {tables!r:.200}"
        )


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def _write_whole(final: Path, contents: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=final.parent) as temporary:
        new = Path(temporary) / "new"
        new.mkdir()
        for file, data in contents.items():
            with open(new / file, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        _sync_folder(new)
        if final.exists():
            final.rename(Path(temporary) / "replaced")
        try:
            new.rename(final)
        except OSError:
            # Another process stored the same result between the two lines above: equal by its address.
            if not (final / "record.json").is_file():
                raise
        _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(folder: Path) -> Result:
    try:
        record = json.loads((folder / "record.json").read_bytes())
        format_, files = record["format"], dict(record["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, "record.json", error) from error
    if format_ != FORMAT:
        raise CorruptData(
            f"the result in {folder} is of format {format_}, this infojax reads format {FORMAT}; read it "
            "with "
            f"the infojax that wrote it ({record.get('versions', {}).get('infojax')}), or delete the folder"
        )
    tables = {}
    for file, checksum in files.items():
        try:
            data = (folder / file).read_bytes()
            if hashlib.sha256(data).hexdigest() != checksum:
                raise ValueError("its checksum is not the recorded one")
            tables[file.removesuffix(".parquet")] = pl.read_parquet(io.BytesIO(data))
        except (OSError, ValueError, TypeError, pl.exceptions.PolarsError) as error:
            raise _damaged(folder, file, error) from error
    return Result(tables, record, folder)


def _damaged(folder: Path, file: str, error: Exception) -> CorruptData:
    return CorruptData(f"{folder / file} is damaged ({error}); delete the folder {folder} and run the experiment again")


def remove_scratch(folder: Path) -> None:
    """Remove the scratch folder of a run that has succeeded, and the folder above it when that leaves it
    empty.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()
