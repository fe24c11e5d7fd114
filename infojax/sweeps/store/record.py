"""The record of a result: what it holds, and whether it still says what was written.

`record.json` ends with the SHA-256 of every byte before that entry, so a flipped bit is found wherever it is. Records
of format 1 lack it: their files, config and code are checked, their times and versions cannot be.

A result's folder is named by the digest of its config, 128 bits of it; until November 2026 it was 48, which do not
suffice where a store holds millions. Results under such a short name are found as before, by who compares configs.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from infojax.errors import CorruptData
from infojax.files import parse_json
from infojax.sweeps.store.plain_files import read_file

FORMAT = 2
READABLE = (1, 2)
FILE = re.compile(r"\w+(\.[0-9a-f]{8})?\.(parquet|npy)")
SEAL = b',\n "sha256": "'
LENGTH = 32 + 1 + 12  # letters of a result's name, but for short ones
LONG = 1e18  # seconds, more than any run takes


def sealed(record: dict[str, Any]) -> bytes:
    """The bytes of record.json, with their checksum as the last entry.

    >>> opened(sealed({"format": 2}), {"format"})["format"]
    2
    """
    text = json.dumps(record, indent=1, ensure_ascii=False).encode().removesuffix(b"\n}")
    return text + _seal(text)


def opened(data: bytes, needs: set[str]) -> dict[str, Any]:
    """The record that bytes of a record.json hold. Raises ValueError where they are not what was written."""
    record = parse_json(data)
    if not isinstance(record, dict) or not needs <= set(record):
        raise ValueError(
            f"it lacks {', '.join(sorted(needs - set(record)))}" if isinstance(record, dict) else "no record"
        )
    text, mark, _ = data.rpartition(SEAL)
    if (mark or record.get("format") != 1) and data != text + _seal(text):
        raise ValueError("its checksum is not that of what it says")
    return record


def read_record(folder: Path) -> dict[str, Any]:
    """The record of the result in `folder`, checked as far as can be without reading its tables.

    Raises CorruptData where it is not what was written, is of a format that this infojax does not read, or
    belongs to another folder, and FileNotFoundError where there is none.
    """
    try:
        data = read_file(folder / "record.json")
        refuse_format(folder, parse_json(data))
        record = opened(data, {"format", "experiment", "config", "code", "files"})
        _check_files(record["files"])
        _check_name(folder.name, record)
    except (CorruptData, FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise damaged(folder, "record.json", error) from error
    return record


def refuse_format(folder: Path, record: Any) -> None:
    """Raises CorruptData for a record of a format that this infojax does not read."""
    if not isinstance(record, dict) or record.get("format", FORMAT) in READABLE:
        return
    versions = record.get("versions")
    writer = versions.get("infojax") if isinstance(versions, dict) else None
    raise CorruptData(
        f"the result in {folder} is of format {record['format']}, this infojax reads formats "
        f"{' and '.join(map(str, READABLE))}; read it with the infojax that wrote it ({writer}), or delete the folder"
    )


def digest(config: Any, types: dict[str, str] | None = None) -> str:
    """32 hexadecimal digits of a config as plain values, and of its types (plain.py): the first half of its address."""
    what = [config, types] if types else config
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]


def short_digest(config: Any) -> str:
    """The twelve digits that results were named by until November 2026."""
    return digest(config)[:12]


def is_of(record: dict[str, Any], config: Any, types: dict[str, str]) -> bool:
    """Whether a record is that of a config, given as plain values and its types, and not of one with the same digest.

    >>> is_of({"config": {"x": 1}}, {"x": 1}, {}), is_of({"config": {"x": 1}}, {"x": 1.0}, {})
    (True, False)
    """
    # As text, which tells 1 from 1.0 and from true, and finds NaN equal to itself.
    same = json.dumps(record["config"], sort_keys=True) == json.dumps(config, sort_keys=True)
    return same and record.get("types", types) == types


def table_of(file: str) -> str:
    """The name of the table or array that a file of a result holds.

    >>> table_of("errors.parquet"), table_of("errors.00ff00ff.parquet")
    ('errors', 'errors')
    """
    return file.partition(".")[0]


def is_table(file: str) -> bool:
    """Whether a file of a result holds a table, and not an array."""
    return file.endswith(".parquet")


def damaged(folder: Path, file: str, error: Exception) -> CorruptData:
    """The error for a file of a result that is not what was written."""
    return CorruptData(f"{folder / file} is damaged ({error}); delete the folder {folder} and run the experiment again")


def _check_name(name: str, record: dict[str, Any]) -> None:
    """Raises ValueError for a record that belongs into another folder, or says what none says."""
    config, code, types = record["config"], record["code"], record.get("types", {})
    objects = isinstance(config, dict) and isinstance(types, dict) and isinstance(record.get("dtypes", {}), dict)
    if not objects or not isinstance(code, str):
        raise ValueError("its config, its types or its code are something else")
    if name != f"{digest(config, types) if len(name) >= LENGTH else short_digest(config)}-{code}":
        raise ValueError("it is the record of another config or of other code")
    seconds = record.get("seconds")
    if seconds is not None and (not isinstance(seconds, int | float) or abs(seconds) > LONG):
        raise ValueError("its seconds are no number")


def _check_files(files: Any) -> None:
    if not isinstance(files, dict):
        raise ValueError("its files are no object")
    for file, checksum in files.items():
        if not FILE.fullmatch(file):
            raise ValueError(f"it names the file {file!r}, which no result has")
        if not isinstance(checksum, str):
            raise ValueError(f"it has no checksum of {file}")


def _seal(text: bytes) -> bytes:
    return SEAL + hashlib.sha256(text).hexdigest().encode() + b'"\n}\n'


def is_sealed(folder: Path) -> bool:
    """Whether the record in `folder` is what was written, by its own checksum, of whatever format it is."""
    try:
        return "sha256" in opened(read_file(folder / "record.json"), {"format"})
    except (OSError, ValueError):
        return False
