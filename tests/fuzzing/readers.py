"""The readers of files, each with small good files that it reads."""

import functools
import gzip
import hashlib
import io
import json
import pickle
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
from PIL import Image

from infojax.data import Dataset, load
from infojax.data.fetching.packages import contents
from infojax.data.fetching.searching import read_stored
from infojax.data.fetching.trained import stored
from infojax.data.fetching.weights import read_weights, write_weights
from infojax.data.formats import quickdraw
from infojax.data.formats.cifar import read_binary, read_png_rows
from infojax.data.formats.idx import read_idx
from infojax.data.formats.npz import read_keras_npz
from infojax.data.formats.tfjs import read_tfjs
from infojax.data.formats.torch_file import read_torch_file
from infojax.errors import CorruptData
from infojax.files import checkpoint as checkpoint
from infojax.generation.denoisers.orbax_checkpoint import OrbaxCheckpoint
from infojax.kernels import OnDisk, empirical_ntk, open_kernel
from infojax.sweeps import Store
from infojax.sweeps.store.record import digest, sealed
from infojax.sweeps.store.result_store import Result, read_result

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(size=(6, 3)).astype(np.float32)
IMAGES = RANDOM.integers(0, 256, (6, 4, 4), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2], np.uint8)


@dataclass(frozen=True)
class Reader:
    """Good files by name, what reads a folder of them, and whether an answer keeps the promise."""

    files: Mapping[str, bytes]
    read: Callable[[Path], Any]
    keeps: Callable[[Any], bool]


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def picture(array: np.ndarray, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind)
    return out.getvalue()


def tar(members: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as file:  # pyright: ignore[reportCallIssue, reportArgumentType]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


def wheel(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def torch_file() -> bytes:
    """Two tensors as PyTorch before 1.6 writes them; the pickles are put together by hand."""
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00%bX\x03\x00"
        b"\x00\x00cpuK\x06NtQK\x00K\x02K\x03\x86K\x03K\x01\x86\x89}tR"
    )
    state = b"\x80\x02}(X\x01\x00\x00\x00a" + tensor % b"0" + b"X\x01\x00\x00\x00b" + tensor % b"1" + b"u."
    heads = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    storage = struct.pack("<q6f", 6, *range(6))
    return b"".join([*heads, state, pickle.dumps(["0", "1"], 2), storage, storage])


def written_files(write: Callable[[Path], None]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write(folder)
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def is_arrays(found: Any) -> bool:
    return isinstance(found, dict) and all(
        isinstance(name, str) and isinstance(array, np.ndarray) and not array.dtype.hasobject
        for name, array in found.items()
    )


def is_pair(*dtypes: Any) -> Callable[[Any], bool]:
    return lambda found: (
        all(isinstance(a, np.ndarray) and a.dtype in dtypes for a in found) and len(found[0]) == len(found[1])
    )


def trained_arrays(folder: Path) -> Any:
    with patch.dict("os.environ", {"INFOJAX_DATA": str(folder)}):
        return stored("small", {"steps": 3}) or {}


def _drawings(folder: Path) -> Any:
    with patch.object(quickdraw, "CATEGORIES", ("apple", "swing set")):
        return quickdraw.read_ndjson(folder, "train")


@dataclass(frozen=True)
class Config:
    rate: float = 0.5


TABLE = pl.DataFrame({"x": [0.5, None, -1.0], "name": ["α", "", None], "image": [[1], [], [2, 3]]})


def is_result(found: Any) -> bool:
    """That which was written, and no other."""
    return found.tables["t"].equals(TABLE) and bool(np.array_equal(found.arrays["a"], X))


def _with_right_checksums(folder: Path) -> Result:
    """The files as a result whose record says that just these were written."""
    with tempfile.TemporaryDirectory() as temporary:
        code = 12 * "0"
        result = Path(temporary) / f"{digest({})}-{code}"
        result.mkdir()
        files = {}
        for file in folder.iterdir():
            data = file.read_bytes()
            (result / file.name).write_bytes(data)
            files[file.name] = hashlib.sha256(data).hexdigest()
        record = {"format": 2, "experiment": "e", "config": {}, "code": code, "files": files}
        (result / "record.json").write_bytes(sealed(record))
        return read_result(result)


def _parquet() -> bytes:
    out = io.BytesIO()
    TABLE.write_parquet(out)
    return out.getvalue()


def _kernel(**options: Any) -> Reader:
    """A kernel of two tiles a side."""
    weights = np.ones((3, 1), np.float32)
    whole = X @ X.T

    def write(folder: Path) -> None:
        empirical_ntk(lambda weights, x: x @ weights, weights, X, tile=3, out=OnDisk(folder / "kernel", **options))

    def read(folder: Path) -> np.ndarray:
        kernel = open_kernel(folder / "kernel")
        wrong = kernel.verify()
        try:
            return np.asarray(kernel)
        except CorruptData:
            assert wrong
            raise

    return Reader(written_files(write), read, lambda found: np.allclose(found, whole, atol=1e-5))


ROW = json.dumps([0, 0.5, 1.0, 0.25] * 196).encode()
WEIGHTS = {"dense/kernel": X, "dense/bias": X[0]}
MANIFEST = {
    "weightsManifest": [
        {
            "paths": ["group1-shard1of2.bin", "group1-shard2of2.bin"],
            "weights": [
                {"name": "a", "shape": [2, 3], "dtype": "float32"},
                {"name": "b", "shape": [], "dtype": "int32"},
            ],
        }
    ]
}
PACKAGE = {"package/data/a": b"one", "package/data/b.gz": gzip.compress(b"two"), "package/other": b"three"}
OWN = npz(x=X, y=LABELS, classes=["a", "b", "c"], source=["p", "q"] * 3, rate=X[:, 0])
PNG_ROW = picture(RANDOM.integers(0, 256, (1, 1024, 3), np.uint8))


def unpacked(name: str) -> Callable[[Path], Any]:
    return lambda folder: dict(contents(folder / name, "package/data/", ["a", "b.gz"]))


READERS = {
    "own npz": Reader(
        {"own.npz": OWN},
        lambda folder: load(folder / "own.npz"),
        lambda found: isinstance(found, Dataset) and bool(np.isfinite(found.x).all()),
    ),
    "keras npz": Reader(
        {"k.npz": npz(x_train=IMAGES, y_train=LABELS)},
        lambda folder: read_keras_npz(folder / "k.npz", "train"),
        lambda found: not any(a.dtype.hasobject for a in found),
    ),
    "idx": Reader({"i": idx(IMAGES)}, lambda folder: read_idx(folder / "i"), lambda found: found.dtype == np.uint8),
    "idx.gz": Reader(
        {"i.gz": gzip.compress(idx(IMAGES))},
        lambda folder: read_idx(folder / "i.gz"),
        lambda found: found.dtype == np.uint8,
    ),
    "cifar rows": Reader(
        {"test_batch.png": PNG_ROW, "test_lables.json": b"[3]"},
        lambda folder: read_png_rows(folder, "test"),
        is_pair(np.uint8),
    ),
    "cifar binary": Reader(
        {"test_batch.bin": bytes(range(256)) * 12 + b"\0"},
        lambda folder: read_binary(folder, "test"),
        is_pair(np.uint8),
    ),
    "quickdraw": Reader(
        {"apple.ndjson": ROW + b"\n" + ROW + b"\n", "swing set.ndjson": ROW + b"\r\n"},
        _drawings,
        is_pair(np.uint8, np.uint16),
    ),
    "tfjs": Reader(
        {
            "model.json": json.dumps(MANIFEST).encode(),
            "group1-shard1of2.bin": bytes(20),
            "group1-shard2of2.bin": bytes(8),
        },
        read_tfjs,
        is_arrays,
    ),
    "torch": Reader({"w.pth": torch_file()}, lambda folder: read_torch_file(folder / "w.pth"), is_arrays),
    "tar.gz": Reader({"p.tgz": tar(PACKAGE)}, unpacked("p.tgz"), lambda found: found == {"a": b"one", "b.gz": b"two"}),
    "tar": Reader({"p.tar": tar(PACKAGE, "w")}, unpacked("p.tar"), lambda found: set(found) == {"a", "b.gz"}),
    "wheel": Reader({"p.whl": wheel(PACKAGE)}, unpacked("p.whl"), lambda found: found == {"a": b"one", "b.gz": b"two"}),
    "images": Reader(
        {
            "labels.csv": b"file,label,who\na.png,cat,me\nb.png,dog,you\nc.gif,cat,\n",
            "a.png": picture(IMAGES[0]),
            "b.png": picture(IMAGES[1]),
            "c.gif": picture(IMAGES[2], "GIF"),
        },
        lambda folder: load(folder, size=(4, 4)),
        lambda found: isinstance(found, Dataset) and found.x.shape[1:3] == (4, 4),
    ),
    "image folders": Reader(
        {
            f"{name}/x.{kind}": picture(IMAGES[0], kind.upper())
            for name, kind in (("a", "jpeg"), ("b", "webp"), ("c", "bmp"), ("d", "tiff"), ("e", "ppm"))
        },
        lambda folder: load(folder),
        lambda found: isinstance(found, Dataset) and found.x.min() >= 0,
    ),
    "stored set": Reader(
        {"manifest.json": b"{}", "train-images.npy": npy(IMAGES), "train-labels.npy": npy(LABELS)},
        lambda folder: read_stored(folder, "train"),
        lambda found: not any(a.dtype.hasobject for a in found),
    ),
    "checkpoint": Reader(
        {"c.npz": npz(fingerprint=np.array("mark"), a=X, step=np.array(3))},
        lambda folder: checkpoint.read(folder / "c.npz", "mark"),
        lambda found: is_arrays(found),
    ),
    "behind checksums": Reader(
        {"t.parquet": _parquet(), "a.npy": npy(X)},
        _with_right_checksums,
        lambda found: isinstance(found.tables["t"], pl.DataFrame) and not found.arrays["a"].dtype.hasobject,
    ),
}


@functools.cache
def readers() -> dict[str, Reader]:
    """All of them, with those of what infojax itself writes."""

    def small(folder: Path) -> None:
        (folder / "small").mkdir()
        write_weights(folder / "small", WEIGHTS, {"recipe": {"steps": 3}})

    weights = written_files(small)
    state = {"a": X, "step": np.array(3)}
    orbax = written_files(lambda folder: OrbaxCheckpoint(folder, "mark").write(3, state))
    results = written_files(lambda folder: Store(folder).write("e", Config(), {"t": TABLE, "a": X}) and None)
    address = sorted(results)[0].rpartition("/")[0]
    return READERS | {
        "result": Reader(results, lambda folder: read_result(folder / address), is_result),
        "kernel": _kernel(),
        "compressed kernel": _kernel(zstd=3),
        "weights": Reader(weights, lambda folder: read_weights(folder / "small"), is_arrays),
        "trained": Reader(weights, trained_arrays, is_arrays),
        "orbax": Reader(
            orbax,
            lambda folder: OrbaxCheckpoint(folder, "mark").read(state) or (3, state),
            lambda found: found[0] == 3 and np.array_equal(found[1]["a"], X),
        ),
    }
