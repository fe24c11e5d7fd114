"""What a result holds, as files: tables in Parquet, arrays in NumPy's format, each with its checksum.

What comes back is what was given, or it is refused before anything is written. Types that NumPy's format has no word
for, bfloat16 and its like, are noted in the record (`dtypes`), and the bits are read as they were written.
"""

import hashlib
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np
import polars as pl

from infojax.errors import InvalidInput
from infojax.files import FAULTS, array_from
from infojax.sweeps.store.plain_files import open_file

LONGEST = 100
PLAIN = np.memmap | np.matrix | np.recarray | np.char.chararray | np.ma.MaskedArray  # no more than their numbers
KEPT = (pl.Float64, pl.Float32, pl.Boolean, pl.String)


@dataclass(frozen=True)
class Content:
    """One file to be written: its name and ending, about how many bytes it takes, and what writes it."""

    name: str
    ending: str
    size: int
    save: Callable[[Any], object]
    dtype: str | None = None
    """Of an array whose file does not say it."""

    def file(self, token: str) -> str:
        """The file's name, with a token that tells it from the file of another writer."""
        return f"{self.name}{token}{self.ending}"

    def write(self, stream: BinaryIO) -> str:
        """Write to `stream`; returns the SHA-256 of what was written."""
        hashed = _Hashed(stream)
        self.save(hashed)
        return hashed.sum.hexdigest()


class _Hashed:
    """A stream that keeps the checksum of what passes, so that arrays need not be held twice."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.sum = stream, hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sum.update(data)
        return self.stream.write(data)


def contents_of(experiment: str, returned: Any) -> list[Content]:
    """What an experiment returned, as files to be written.

    Raises InvalidInput for anything but a dict of polars data frames and NumPy arrays, of numbers or text, under
    names of at most 100 letters, digits and underscores.
    """
    named = isinstance(returned, dict) and all(
        isinstance(key, str) and re.fullmatch(r"\w+", key) and len(key.encode()) <= LONGEST for key in returned
    )
    if (
        not named
        or not returned
        or not all(isinstance(value, pl.DataFrame | np.ndarray) for value in returned.values())
    ):
        raise InvalidInput(
            f"run() of experiment {experiment!r} must return a dict of polars data frames and NumPy arrays under names "
            f"of letters, digits and underscores; it returned {returned!r:.200}"
        )
    if len({key.casefold() for key in returned}) < len(returned):
        raise InvalidInput(f"run() of experiment {experiment!r} returned names that differ by case only: {[*returned]}")
    return [_content(experiment, name, value) for name, value in returned.items()]


def _content(experiment: str, name: str, value: pl.DataFrame | np.ndarray) -> Content:
    if isinstance(value, np.ndarray):
        dtype = _checked(experiment, name, value)
        size = value.nbytes + 128
        return Content(name, ".npy", size, lambda stream: np.save(stream, value, allow_pickle=False), dtype)
    buffer = io.BytesIO()
    try:
        value.write_parquet(buffer)
        if not _keeps(value, buffer):
            raise TypeError("it would come back with other types or values")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError) as error:
        raise InvalidInput(
            f"run() of experiment {experiment!r} returned the table {name!r}, which Parquet cannot hold ({error}); "
            "use columns of numbers, text, times or lists of these"
        ) from error
    data = buffer.getvalue()
    return Content(name, ".parquet", len(data), lambda stream: stream.write(data))


def _checked(experiment: str, name: str, array: np.ndarray) -> str | None:
    """The name of a type that NumPy's format lacks, None for others. Raises InvalidInput for what would be changed."""
    here, dtype = f"run() of experiment {experiment!r} returned the array {name!r}", array.dtype
    if dtype.hasobject:
        raise InvalidInput(
            f"{here} of Python objects, which only pickle could store, and pickle is never read; "
            "return numbers or text (`.astype(str)`), or a data frame"
        )
    if isinstance(array, np.ma.MaskedArray) and np.ascontiguousarray(np.ma.getmaskarray(array)).view(bool).any():
        raise InvalidInput(
            f"{here}, some of it masked, and the mask would be lost; return array.filled(…), or its data and its mask"
        )
    if not isinstance(array, PLAIN) and type(array) is not np.ndarray:
        raise InvalidInput(
            f"{here} as {type(array).__name__}, and what that knows beside its numbers would be lost; "
            "return np.asarray(array)"
        )
    if dtype.itemsize == 0:
        raise InvalidInput(f"{here} of type {dtype}, whose entries have no bytes; leave it out")
    try:
        if np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype)) == dtype:
            return None
        if _named(dtype.name) == dtype:
            return dtype.name
    except (TypeError, ValueError):  # no description, or no such name
        pass
    raise InvalidInput(f"{here} of type {dtype}, which NumPy's format would change; return its fields as arrays")


def _named(name: Any) -> np.dtype[Any]:
    """A type of ml_dtypes, such as bfloat16, by its name. Raises ValueError where there is none."""
    found = getattr(ml_dtypes, str(name), None)
    if not isinstance(found, type) or not issubclass(found, np.generic):
        raise ValueError(f"there is no type {name!r}")
    return np.dtype(found)


def _keeps(frame: pl.DataFrame, written: io.BytesIO) -> bool:
    """Whether a table will come back as it is. Numbers and text are known to."""
    if all(dtype.is_integer() or dtype in KEPT for dtype in frame.dtypes):
        return True
    written.seek(0)
    back = pl.read_parquet(written)
    return back.schema == frame.schema and back.equals(frame, null_equal=True)


def load(file: Path, checksum: str, dtype: Any = None) -> pl.DataFrame | np.ndarray:
    """A table or an array, of a type that its file does not say, read again. Raises ValueError where the file is not
    what was written, and OSError.
    """
    with open_file(file) as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != checksum:
            raise ValueError("its checksum is not the recorded one")
        stream.seek(0)
        if file.suffix == ".npy":
            try:
                array = array_from(stream, os.fstat(stream.fileno()).st_size, str(file))
                return array if dtype is None else _as(array, _named(dtype))
            except FAULTS as error:
                raise ValueError(str(error)) from error
        try:
            return pl.read_parquet(io.BytesIO(stream.read()))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:  # a panic is no Exception
            raise ValueError(str(error)) from error


def _as(array: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    if array.dtype != np.dtype(f"V{dtype.itemsize}"):
        raise ValueError(f"its entries are {array.dtype}, not the bits of {dtype}")
    return array.view(dtype)
