"""IDX, the format of MNIST: 0, 0, type, rank, the sizes as big-endian 32-bit integers, then the values."""

import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from infojax.data.formats.bounded import gunzipped
from infojax.errors import CorruptData, DataNotFound

_PREFIX = {"train": "train", "test": "t10k"}
_UINT8 = 0x08


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """The uint8 array of an IDX file, gzipped or not.

    Raises:
        CorruptData: when the header is not that of a uint8 IDX file, or the length is not what it promises.
    """
    with path.open("rb") as stream:
        try:
            data = gunzipped(stream) if path.suffix == ".gz" else stream.read()
        except (EOFError, OSError, ValueError, zlib.error) as error:
            raise CorruptData(f"{path} is truncated, or no gzip file ({error}); fetch it again.") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UINT8 or data[3] == 0:
        raise CorruptData(f"{path} is no IDX file of bytes: it begins with {data[:4].hex(' ')}, not 00 00 08.")
    rank = data[3]
    header = 4 + 4 * rank
    if len(data) < header:
        raise CorruptData(f"{path} is truncated: {len(data)} bytes, its header alone has {header}.")
    shape = struct.unpack(f">{rank}I", data[4:header])
    if len(data) != header + prod(shape):
        raise CorruptData(
            f"{path} has {len(data)} bytes, its header {str(shape)[:100]} promises {str(header + prod(shape))[:30]}: "
            "it is truncated or was overwritten; fetch it again."
        )
    try:
        return np.frombuffer(data, np.uint8, offset=header).reshape(shape)
    except ValueError as error:  # more axes than an array can have, or sizes beyond it beside a size of 0
        raise CorruptData(f"{path} has an impossible shape in its header ({error}); fetch it again.") from error


def read_idx_folder(folder: Path, split: str) -> tuple[UInt8[np.ndarray, "n ..."], UInt8[np.ndarray, " n"]]:
    """Images and labels from files named as MNIST's: train-images-idx3-ubyte, t10k-labels-idx1-ubyte.gz, …"""
    prefix = _PREFIX[split]
    images = read_idx(_existing(folder, f"{prefix}-images-idx3-ubyte"))
    labels = read_idx(_existing(folder, f"{prefix}-labels-idx1-ubyte"))
    return images, labels


def _existing(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise DataNotFound(f"{folder} has no {name}, gzipped or not")
