"""PyTorch's state dicts (.pth) without PyTorch, and without running what is in them.

The format before PyTorch 1.6: five pickles (a magic number, a version, the machine, the tensors as strided views of
storages, the storages' keys), then each storage as its number of elements (8 bytes) and its bytes.
"""

import struct
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from infojax.data.formats.pickle_opcodes import Call, Name, Persistent, read_pickle
from infojax.errors import CorruptData, DataNotFound

_MAGIC = 0x1950A86A20F9469CFC6C
_REBUILD = Name("torch._utils _rebuild_tensor_v2")
_DTYPES = {
    "torch FloatStorage": "<f4",
    "torch DoubleStorage": "<f8",
    "torch HalfStorage": "<f2",
    "torch LongStorage": "<i8",
    "torch IntStorage": "<i4",
}


def read_torch_file(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a state dict, by name, as arrays of the same dtype and layout.

    Raises:
        CorruptData: when the file is truncated, of another format (the zip format of newer versions too), or holds
            anything but a dictionary of tensors.
        DataNotFound: when there is no such file.
    """
    if not path.is_file():
        raise DataNotFound(f"{path} is missing")
    file = BytesIO(path.read_bytes())
    try:
        if read_pickle(file) != _MAGIC:
            raise CorruptData("it does not begin as one")
        version, machine, state, keys = (read_pickle(file) for _ in range(4))
        if version != 1001 or not machine["little_endian"]:
            raise CorruptData("another version of the format than 1001, or big-endian numbers, are not read")
        views = {str(name): _view(value) for name, value in state.items()}
        dtypes = {view.key: view.dtype for view in views.values()}
        storages = {key: _storage(file, np.dtype(dtypes[key])) for key in keys}
        return {name: _strided(view, storages[view.key]) for name, view in views.items()}
    except (
        CorruptData,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        OverflowError,
        struct.error,
    ) as error:
        raise CorruptData(f"{path} is truncated, or no state dict of PyTorch that can be read: {error}") from error


class _View(NamedTuple):
    dtype: str
    key: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _view(value: Any) -> _View:
    if not isinstance(value, Call) or value.function != _REBUILD or not isinstance(value.arguments[0], Persistent):
        # Not a container in full: a small pickle can say one whose text has no end.
        shown = value if isinstance(value, int | float | str) else type(value).__name__
        raise CorruptData(f"it holds {shown!s:.80}, which is no tensor")
    storage, offset, shape, strides, *_ = value.arguments
    kind, name, key, _, _, view = storage.identity
    if kind != "storage" or name.name not in _DTYPES or view is not None:
        raise CorruptData("it has storages of a kind that is not read")
    return _View(_DTYPES[name.name], key, offset, shape, strides)


def _storage(file: BytesIO, dtype: np.dtype) -> np.ndarray:
    (count,) = struct.unpack("<Q", file.read(8))
    return np.frombuffer(file.read(count * dtype.itemsize), dtype, count)


def _strided(view: _View, storage: np.ndarray) -> np.ndarray:
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    outside = last >= len(storage) or prod(view.shape) > len(storage)
    if min(view.offset, *view.shape, *view.strides, 0) < 0 or outside:
        raise CorruptData(f"a tensor of shape {view.shape} reaches out of its storage of {len(storage)} elements")
    strides = [stride * storage.itemsize for stride in view.strides]
    return np.array(np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides))
