"""NumPy's files (.npy, .npz), read without believing them: no pickles, and no memory for what is not there.

`np.load` reserves what a header promises before it looks whether the file holds as much, and leaves the file open
where it fails.
"""

import lzma
import struct
import tokenize
import warnings
import zipfile
import zlib
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from infojax.errors import CorruptData, InvalidInput, OverBudget
from infojax.files._memory import memory

# What zipfile, its decompressors and NumPy raise for damaged files; RuntimeError is for encrypted members.
FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tokenize.TokenError,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class PickledObjects(InvalidInput):
    """An array of objects, which only a pickle holds."""


def read_npz(path: Path, *, left_out: set[str] | None = None) -> dict[str, np.ndarray]:
    """All arrays of an .npz by name. Members that are no .npy are left alone.

    Args:
        path: the file.
        left_out: gets the names of arrays of objects, which are not read then; None refuses a file with any.

    Raises:
        CorruptData: truncated, damaged, no archive of arrays, or with two arrays of one name.
        InvalidInput: it holds pickled objects.
        OverBudget: its arrays are larger than the memory that is free.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            check_memory(sum(member.file_size for member in members), path)
            arrays = {}
            for member in members:
                with archive.open(member) as stream:
                    name = member.filename.removesuffix(".npy")
                    if name in arrays or name in (left_out or ()):
                        raise CorruptData(
                            f"{path} has two arrays {name!r}, and no telling which counts. Write it again."
                        )
                    try:
                        arrays[name] = _without_odd_text(stream, member.file_size, f"{path}: {name}")
                    except PickledObjects:
                        if left_out is None:
                            raise
                        left_out.add(name)
            return arrays
    except (CorruptData, InvalidInput):
        raise
    except FAULTS as error:
        kind = "truncated, or no .npz file (a zip archive)" if _no_archive(path) else f"damaged ({error})"
        raise CorruptData(f"{path} is {kind}. Write or copy it again.") from error


def read_npy(path: Path) -> np.ndarray:
    """The array of an .npy. Raises as `read_npz` does."""
    try:
        with path.open("rb") as stream:
            return _without_odd_text(stream, path.stat().st_size, str(path))
    except (CorruptData, InvalidInput):
        raise
    except FAULTS as error:
        raise CorruptData(f"{path} is damaged ({error}). Write or copy it again.") from error


class NpyHeader(NamedTuple):
    """What the head of an .npy says: of what shape and dtype the array is, in which order, and where it begins."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran_order: bool
    offset: int


def npy_header(path: Path) -> NpyHeader:
    """The header of an .npy, for whoever reads the array in parts.

    Raises:
        CorruptData: it is no .npy, or holds more or less than its header promises.
        InvalidInput: it holds pickled objects, or there is no such file.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    try:
        with path.open("rb") as stream:
            return _header_from(stream, path.stat().st_size, str(path))
    except (CorruptData, InvalidInput):
        raise
    except FAULTS as error:
        raise CorruptData(f"{path} is damaged ({error}). Write or copy it again.") from error


def check_memory(needed: int, path: Path) -> None:
    """Raises `OverBudget` where so many bytes are more than what is free."""
    found = memory()
    if found is not None and needed > found[0]:
        raise OverBudget(
            f"{path} holds {needed:,} bytes once unpacked, and {found[0]:,} bytes of memory are free. Take "
            "fewer or smaller examples, or free memory."
        )


def array_from(stream: IO[bytes] | BufferedIOBase, size: int, what: str) -> np.ndarray:
    """The array of an .npy of `size` bytes. Raises `FAULTS` where it is damaged, InvalidInput for pickled objects."""
    _header_from(stream, size, what)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream.seek(0)
        return np.lib.format.read_array(stream, allow_pickle=False)


def _header_from(stream: IO[bytes] | BufferedIOBase, size: int, what: str) -> NpyHeader:
    with warnings.catch_warnings():
        # NumPy's of headers from Python 2, and Python's of odd literals in a damaged one.
        warnings.simplefilter("ignore")
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"version {version} of the format is not read")
        try:
            shape, fortran_order, dtype = _HEADERS[version](stream)
        except (MemoryError, RecursionError) as error:  # of Python's parser, for deeply nested headers
            raise ValueError("its header cannot be parsed") from error
        if dtype.hasobject:
            raise PickledObjects(
                f"{what} has the dtype {dtype}. Pickled objects can run code and are never loaded: "
                "save plain arrays of numbers or strings."
            )
        there, promised = size - stream.tell(), prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or promised != there or dtype.itemsize == 0:
            raise ValueError(f"its header promises {shape} of {dtype.str}, {promised:,} bytes; {there:,} are there")
        return NpyHeader(shape, dtype, fortran_order, stream.tell())


def _without_odd_text(stream: IO[bytes] | BufferedIOBase, size: int, what: str) -> np.ndarray:
    array = array_from(stream, size, what)
    if array.dtype.kind == "U" and not _is_text(array):
        raise ValueError(f"the text in {what} is no Unicode")
    return array


def _is_text(array: np.ndarray) -> bool:
    codes = np.ascontiguousarray(array).reshape(-1).view(array.dtype.str[0] + "u4")
    return not ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes <= 0xDFFF))).any()


def _no_archive(path: Path) -> bool:
    try:
        return not zipfile.is_zipfile(path)
    except FAULTS:
        return True
