"""What a result holds, as files: tables in Parquet, arrays in NumPy's format, each with its checksum."""

import hashlib
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from infojax.errors import InvalidInput
from infojax.numpy_files import FAULTS, array_from

LONGEST = 100


@dataclass(frozen=True)
class Content:
    """One file to be written: its name and ending, about how many bytes it takes, and what writes it."""

    name: str
    ending: str
    size: int
    save: Callable[[Any], object]

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
        if value.dtype.hasobject:
            raise InvalidInput(
                f"run() of experiment {experiment!r} returned the array {name!r} of Python objects, which only pickle "
                "could store, and pickle is never read; return numbers or text, or a data frame"
            )
        return Content(name, ".npy", value.nbytes + 128, lambda stream: np.save(stream, value, allow_pickle=False))
    buffer = io.BytesIO()
    try:
        value.write_parquet(buffer)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError) as error:
        raise InvalidInput(
            f"run() of experiment {experiment!r} returned the table {name!r}, which Parquet cannot hold ({error}); "
            "use columns of numbers, text, times or lists of these"
        ) from error
    data = buffer.getvalue()
    return Content(name, ".parquet", len(data), lambda stream: stream.write(data))


def load(file: Path, checksum: str) -> pl.DataFrame | np.ndarray:
    """A table or an array, read again. Raises ValueError where the file is not what was written, and OSError."""
    with open(file, "rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != checksum:
            raise ValueError("its checksum is not the recorded one")
        stream.seek(0)
        if file.suffix == ".npy":
            try:
                return array_from(stream, os.fstat(stream.fileno()).st_size, str(file))
            except FAULTS as error:
                raise ValueError(str(error)) from error
        try:
            return pl.read_parquet(io.BytesIO(stream.read()))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:  # a panic is no Exception
            raise ValueError(str(error)) from error
