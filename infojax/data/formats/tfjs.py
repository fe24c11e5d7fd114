"""Weights in TensorFlow.js' format: model.json, whose manifest names arrays one after another in binary shards."""

from math import prod
from pathlib import Path

import numpy as np

from infojax.errors import CorruptData, DataNotFound
from infojax.files import parse_json

_DTYPES = {"float32": "<f4", "int32": "<i4"}


def read_tfjs(folder: Path) -> dict[str, np.ndarray]:
    """The arrays that `model.json` names, read from the shards beside it. The model's program is not looked at.

    Raises:
        CorruptData: when the manifest is none, an array is quantised or of another dtype, or the shards are shorter
            or longer than their arrays.
        DataNotFound: when a file is missing.
    """
    path = folder / "model.json"
    try:
        groups = parse_json(_bytes(path))["weightsManifest"]
        listed = [
            (
                b"".join(_bytes(folder / Path(shard).name) for shard in group["paths"]),
                [(str(entry["name"]), _shape(entry), _dtype(entry)) for entry in group["weights"]],
            )
            for group in groups
        ]
    except (OSError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, DataNotFound):
            raise
        raise CorruptData(
            f"{path} has no manifest of weights that can be read ({error!r:.500}); fetch it again."
        ) from error
    arrays = {}
    for data, entries in listed:
        expected = sum(dtype.itemsize * prod(shape) for _, shape, dtype in entries)
        if len(data) != expected:
            raise CorruptData(
                f"the shards of {path} have {len(data):,} bytes, their arrays {expected:,}: fetch them again."
            )
        start = 0
        for name, shape, dtype in entries:
            count = prod(shape)
            arrays[name] = np.frombuffer(data, dtype, count, start).reshape(shape)
            start += count * dtype.itemsize
    return arrays


def _shape(entry: dict) -> tuple[int, ...]:
    shape = entry["shape"]
    whole = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    # NumPy counts no more axes, and no more elements were an axis of 0 not among them.
    if not whole or len(shape) > 32 or prod(max(size, 1) for size in shape) > 2**40:
        raise ValueError(f"{entry['name']} has the shape {shape}")
    return tuple(shape)


def _dtype(entry: dict) -> np.dtype:
    if "quantization" in entry:
        raise ValueError(f"{entry['name']} is quantised")
    return np.dtype(_DTYPES[entry["dtype"]])


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise DataNotFound(f"{path} is missing")
    return path.read_bytes()
