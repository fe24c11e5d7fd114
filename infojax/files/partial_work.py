"""Partial work: what long computations keep, to resume from after an interruption.

A file of it is a line that says what it belongs to and what its bytes must be, and then the bytes:

    infojax partial work 1 KIND MARK SHA256

Partial work can always be computed again. So a file that is torn, damaged, of other work, or not of this form at all
counts as absent, and is replaced.
"""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from infojax.errors import CorruptData, InvalidInput
from infojax.files._json import parse_json
from infojax.files._numpy import FAULTS, array_from
from infojax.files._whole_files import write_whole
from infojax.files.checkpoint import OtherWork

_FORM = "infojax partial work 1"
T = TypeVar("T")


def kept(file: Path | None, what: str, compute: Callable[..., T], *arguments: Any) -> T:
    """What `compute(*arguments)` returns: found in `file`, or computed now and kept there.

    Args:
        file: None keeps nothing. Its folder is made where it is not there.
        what: all that decides the result, such as `f"{config!r}, repeat 3"`: a file that was kept for anything else
            is not taken.
        compute: makes a data frame of polars, a NumPy array, a dictionary of either by name, or values of JSON, which
            are returned as JSON gives them back (tuples as lists).

    Raises:
        InvalidInput: an array that NumPy's format does not give back, such as a masked one or one of bfloat16.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [kept(Path(folder) / "sum", "1 + 1", lambda: {"sum": 1 + 1}) for _ in range(2)]
    [{'sum': 2}, {'sum': 2}]
    """
    if file is None:
        return compute(*arguments)
    mark = hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    found = _read(file, mark)
    if found is not None:
        return cast(T, found[0])
    value = compute(*arguments)
    _refuse_changing(value)
    kind, payload = _packed(value)
    head = f"{_FORM} {kind} {mark} {_digest(kind, mark, payload)}\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and not file.is_file():  # a folder, or a pipe, which would be written to and waited for
        shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink()
    write_whole(file, head.encode() + payload)
    return cast(T, parse_json(payload)) if kind == "json" else value


def gone_on(checkpoint: Path | None, compute: Callable[[], T]) -> T:
    """What `compute()` returns, which goes on from a checkpoint: a file or folder, removed if it is damaged or foreign.

    For checkpoints in a scratch folder, which nobody but the program looks after.
    """
    try:
        return compute()
    except (CorruptData, OtherWork):
        if checkpoint is None or not checkpoint.exists():
            raise
        if checkpoint.is_dir():
            shutil.rmtree(checkpoint)
        else:
            checkpoint.unlink()
        return compute()


def _read(file: Path, mark: str) -> tuple[object] | None:
    if not file.is_file():  # what is no file, as a pipe, may not answer
        return None
    try:
        head, _, payload = file.read_bytes().partition(b"\n")
        form, kind, found, digest = head.decode().rsplit(" ", 3)
        if (form, found, digest) != (_FORM, mark, _digest(kind, mark, payload)):
            return None
        return (_unpacked(kind, payload),)
    except FAULTS:
        return None


def _refuse_changing(value: Any) -> None:
    """Raises `InvalidInput` for arrays that would come back as others."""
    for array in value.values() if isinstance(value, dict) else [value]:
        if isinstance(array, np.ma.MaskedArray) or (isinstance(array, np.ndarray) and array.dtype.isbuiltin == 2):
            kind = "masked" if isinstance(array, np.ma.MaskedArray) else str(array.dtype)
            raise InvalidInput(f"partial work holds a {kind} array, which no file gives back: make it a plain one")


def _packed(value: Any) -> tuple[str, bytes]:
    stream = io.BytesIO()
    if hasattr(value, "write_parquet"):  # not by its type, as importing polars takes a while
        value.write_parquet(stream)
        return "parquet", stream.getvalue()
    if isinstance(value, dict) and value and all(hasattr(table, "write_parquet") for table in value.values()):
        with zipfile.ZipFile(stream, "w") as archive:
            for name, table in value.items():
                archive.writestr(zipfile.ZipInfo(name), _packed(table)[1])  # without the time
        return "tables", stream.getvalue()
    if isinstance(value, np.ndarray):
        np.save(stream, value, allow_pickle=False)
        return "npy", stream.getvalue()
    if isinstance(value, dict) and value and all(isinstance(array, np.ndarray) for array in value.values()):
        np.savez(stream, allow_pickle=False, **value)
        return "npz", stream.getvalue()
    return "json", json.dumps(value).encode()


def _unpacked(kind: str, payload: bytes) -> object:
    stream = io.BytesIO(payload)
    match kind:
        case "parquet":
            import polars as pl

            return pl.read_parquet(stream)
        case "tables":
            with zipfile.ZipFile(stream) as archive:
                return {name: _unpacked("parquet", archive.read(name)) for name in archive.namelist()}
        case "npy":
            return array_from(stream, len(payload), "partial work")
        case "npz":
            with np.load(stream, allow_pickle=False) as arrays:
                return dict(arrays)
        case "json":
            return parse_json(payload)
    raise ValueError(f"partial work of the kind {kind!r}")


def _digest(kind: str, mark: str, payload: bytes) -> str:
    digest = hashlib.sha256(f"{kind} {mark} ".encode())
    digest.update(payload)
    return digest.hexdigest()
