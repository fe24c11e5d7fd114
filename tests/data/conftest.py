"""An empty machine, and tiny sets that stand in the registry under real names, with their own checksums."""

import gzip
import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infojax.data import SETS

Arrays = tuple[np.ndarray, np.ndarray]


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def tar_bytes(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@dataclass(frozen=True)
class Tiny:
    """A tiny set: its arrays, the files of its package by name, and the package's tarball."""

    name: str
    arrays: dict[str, Arrays]
    files: dict[str, bytes]

    def tarball(self, **changed: bytes) -> bytes:
        package = SETS[self.name].package
        assert package is not None
        members = {**self.files, **{key.replace("_", "-"): value for key, value in changed.items()}}
        return tar_bytes({package.folder + name: data for name, data in members.items()})


def _arrays(shape: tuple[int, ...]) -> dict[str, Arrays]:
    random = np.random.default_rng(0)
    sizes = {"train": 10, "test": 5}
    return {
        split: (random.integers(0, 256, (n, *shape), np.uint8), random.integers(0, 10, n).astype(np.uint8))
        for split, n in sizes.items()
    }


def _register(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    entry = SETS[tiny.name]
    assert entry.package is not None
    files = {
        name: "md5:" + hashlib.md5(gzip.decompress(data) if name.endswith(".gz") else data).hexdigest()
        for name, data in tiny.files.items()
    }
    pins = {
        split: ("sha256:" + hashlib.sha256(x).hexdigest(), "sha256:" + hashlib.sha256(y).hexdigest())
        for split, (x, y) in tiny.arrays.items()
    }
    package = replace(entry.package, files=files)
    monkeypatch.setitem(SETS, tiny.name, replace(entry, pins=pins, package=package))
    return tiny


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home and working folder of a machine that has no data at all."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("INFOJAX_DATA", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def tiny_mnist(monkeypatch: pytest.MonkeyPatch) -> Tiny:
    arrays = _arrays((4, 4))
    files = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        files[f"{prefix}-images-idx3-ubyte"] = idx(arrays[split][0])
        files[f"{prefix}-labels-idx1-ubyte"] = idx(arrays[split][1])
    return _register(Tiny("mnist", arrays, files), monkeypatch)


@pytest.fixture
def tiny_fashion(monkeypatch: pytest.MonkeyPatch, tiny_mnist: Tiny) -> Tiny:
    files = {f"{name}.gz": gzip.compress(data) for name, data in tiny_mnist.files.items()}
    return _register(Tiny("fashion-mnist", tiny_mnist.arrays, files), monkeypatch)


@pytest.fixture
def tiny_cifar(monkeypatch: pytest.MonkeyPatch) -> Tiny:
    arrays = _arrays((32, 32, 3))
    files = {}
    batches = [(f"data_batch_{i + 1}", arrays["train"][0][2 * i : 2 * i + 2]) for i in range(5)]
    for name, images in [*batches, ("test_batch", arrays["test"][0])]:
        out = io.BytesIO()
        Image.fromarray(images.reshape(len(images), 1024, 3)).save(out, "PNG")
        files[f"{name}.png"] = out.getvalue()
    for split, (_, labels) in arrays.items():
        files[f"{split}_lables.json"] = json.dumps(labels.tolist()).encode()
    return _register(Tiny("cifar10", arrays, files), monkeypatch)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a shell script under a name first on PATH: a package client that is really run."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def install(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return install
