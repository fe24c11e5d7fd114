"""Compressed files of the named sets, read up to a bound: a few kilobytes can be made to unpack to terabytes."""

import gzip
from collections.abc import Callable
from io import BufferedIOBase

# The largest file of a named set, some of CIFAR-10's images or ResNet-50's weights, has a tenth of it.
LARGEST = 2**30
_PIECE = 2**20


def read_bounded(read: Callable[[int], bytes]) -> bytes:
    """All that the `read` of a stream gives; ValueError when that is more than `LARGEST` bytes."""
    pieces, size = [], 0
    while piece := read(_PIECE):  # streams reserve as much as they are asked for
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST:
            raise ValueError(f"it unpacks to more than {LARGEST:,} bytes")
    return b"".join(pieces)


def gunzipped(stream: BufferedIOBase) -> bytes:
    """What a gzip stream unpacks to. Raises as `read_bounded` and `gzip` do."""
    with gzip.GzipFile(fileobj=stream) as unpacked:
        return read_bounded(unpacked.read)
