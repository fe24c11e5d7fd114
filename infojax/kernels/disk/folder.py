"""The folder of a kernel on disk: a zarr array whose chunks are tiles, and what it says about itself.

`zarr.json` is the metadata of the Zarr v3 specification; what infojax adds stands under `attributes.infojax`, with a
digest of everything in the file, for chunks are checksummed by their codec and metadata are not.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from infojax.errors import CorruptData, DataNotFound, InvalidInput, StorageFailed
from infojax.files import write_beside
from infojax.kernels.disk.places import FOLDER

FORMAT = 1
_ORDER = "example-major: row i * outputs + c belongs to output c of example i; columns likewise"
_OWN = ("zarr.json", "c", FOLDER)
_PRECISIONS = ("float64", "float32", "float16", "bfloat16")


def describe(
    shape: tuple[int, int],
    dtype: np.dtype,
    chunks: tuple[int, int],
    *,
    outputs: int,
    symmetric: bool,
    inputs: dict[str, str],
    zstd: int | None,
) -> dict[str, Any]:
    """The contents of zarr.json for a kernel of `shape` in chunks of so many entries."""
    codecs: list[dict[str, Any]] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    if zstd is not None:
        codecs.append({"name": "zstd", "configuration": {"level": zstd, "checksum": False}})
    about = {"format": FORMAT, "order": _ORDER, "outputs": outputs, "symmetric": symmetric, "inputs": inputs}
    about |= {"places": FOLDER}  # an earlier infojax neither wrote nor reads it, and does as well without
    metadata = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": str(dtype),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunks)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": "NaN",
        "codecs": [*codecs, {"name": "crc32c"}],
        "attributes": {"infojax": about},
    }
    return metadata | {"attributes": {"infojax": about | {"digest": _digest(metadata)}}}


def begin(folder: Path, metadata: dict[str, Any]) -> None:
    """Write zarr.json, whole and only where there is none; of two processes that do so at once, one wins.

    Raises:
        InvalidInput: the folder has other files.
        StorageFailed: it cannot be written.
    """
    target = folder / "zarr.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strangers = [name for name in os.listdir(folder) if not name.startswith(".") and name not in _OWN]
        if strangers:
            raise InvalidInput(
                f"{folder} has other files ({strangers[0]}, say): give a new or an empty folder for the kernel"
            )
        temporary = write_beside(target, json.dumps(metadata, indent=1).encode())
        try:
            os.link(temporary, target)
        except FileExistsError:
            pass
        finally:
            os.unlink(temporary)
    except OSError as error:
        if isinstance(error, InvalidInput | StorageFailed):
            raise
        raise StorageFailed(f"the folder {folder} for the kernel cannot be written: {error}") from error


def read_metadata(folder: Path) -> dict[str, Any]:
    """What `begin` wrote, with its digest as `digest`.

    Raises:
        DataNotFound: there is no kernel.
        CorruptData: zarr.json is not what was written.
        InvalidInput: it was written by a newer infojax.
    """
    path = folder / "zarr.json"
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise DataNotFound(
            f"{folder} holds no kernel (it has no zarr.json): empirical_ntk(..., out=folder) makes one"
        ) from None
    except OSError as error:
        raise DataNotFound(f"{path} cannot be read: {error}") from error
    try:
        metadata = json.loads(text)
        about = metadata["attributes"]["infojax"]
        digest, version = about.pop("digest"), about["format"]
        if digest != _digest(metadata):
            raise ValueError("its digest is another")
        if version != FORMAT:
            raise InvalidInput(f"{folder} has a kernel of format {version}, this infojax reads {FORMAT}: upgrade it")
        if metadata["data_type"] not in _PRECISIONS:
            raise ValueError(f"its data type is {metadata['data_type']!r}")
    except InvalidInput:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptData(
            f"{path} is not what infojax wrote ({type(error).__name__}: {error}): put back a copy of it, or delete the "
            "folder and compute the kernel again"
        ) from error
    return metadata | {"digest": digest}


def _digest(metadata: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()
