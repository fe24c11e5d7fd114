"""Named sets in the layouts that other tools leave: found, checked, and told apart from what is not whole."""

import gzip
from dataclasses import replace

import numpy as np
import pytest

from infojax.data import SETS, load, where
from infojax.errors import CorruptData, DataNotFound, InvalidInput

SPLITS = pytest.mark.parametrize("split", ["train", "test"])


def write(folder, tiny, zipped=False):
    folder.mkdir(parents=True)
    for name, data in tiny.files.items():
        (folder / f"{name}{'.gz' * zipped}").write_bytes(gzip.compress(data) if zipped else data)


def same(found, tiny, split):
    images, labels = tiny.arrays[split]
    np.testing.assert_array_equal(found.x, images.reshape(found.x.shape) / np.float32(255))
    np.testing.assert_array_equal(found.y, labels)
    assert found.classes == SETS[tiny.name].classes
    assert found.x.ndim == 4


@SPLITS
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("folder", ["data", "own"])
def test_torchvision_mnist(machine, tiny_mnist, split, zipped, folder):
    write(machine / folder / "MNIST" / "raw", tiny_mnist, zipped)
    same(load("mnist", split=split, root=machine / "own"), tiny_mnist, split)
    assert where("mnist", machine / "own").name == "raw"


@SPLITS
def test_keras_mnist(machine, tiny_mnist, split, monkeypatch):
    keras = machine / "keras" / "datasets"
    keras.mkdir(parents=True)
    parts = {f"{a}_{s}": array for s, pair in tiny_mnist.arrays.items() for a, array in zip("xy", pair, strict=True)}
    np.savez(keras / "mnist.npz", **parts)
    monkeypatch.setenv("KERAS_HOME", str(machine / "keras"))
    same(load("mnist", split=split), tiny_mnist, split)
    np.savez(keras / "mnist.npz", x_train=parts["x_train"])
    with pytest.raises(CorruptData, match="no array"):
        load("mnist", split=split)


@SPLITS
@pytest.mark.parametrize("layout", ["FashionMNIST/raw", "fashion-mnist"])
def test_fashion_mnist(machine, tiny_fashion, split, layout, monkeypatch):
    monkeypatch.setenv("INFOJAX_DATA", str(machine / "sets"))
    write(machine / "sets" / layout, tiny_fashion)
    same(load("fashion-mnist", split=split), tiny_fashion, split)


@SPLITS
def test_cifar_binary_beside_pickles(machine, tiny_cifar, split):
    pickles = machine / "data" / "cifar-10-batches-py"
    pickles.mkdir(parents=True)
    (pickles / "data_batch_1").write_bytes(b"\x80\x04.")
    with pytest.raises(DataNotFound, match=r"Python pickles, .* not read.*cifar-10-batches-bin"):
        load("cifar10", split=split)
    binary = machine / "data" / "cifar-10-batches-bin"
    binary.mkdir()
    for s, names in (("train", [f"data_batch_{i}" for i in range(1, 6)]), ("test", ["test_batch"])):
        images, labels = tiny_cifar.arrays[s]
        rows = np.hstack([labels[:, None], images.transpose(0, 3, 1, 2).reshape(len(images), -1)])
        for name, part in zip(names, np.array_split(rows, len(names)), strict=True):
            (binary / f"{name}.bin").write_bytes(part.tobytes())
    same(load("cifar10", split=split), tiny_cifar, split)


def test_missing_says_where_it_looked_and_what_brings_it(machine, tiny_mnist, monkeypatch):
    monkeypatch.setenv("INFOJAX_DATA", str(machine / "env"))
    with pytest.raises(DataNotFound) as raised:
        load("mnist", root=machine / "given")
    message = str(raised.value)
    places = [machine / "given", machine / "env", machine / ".cache" / "infojax" / "data", machine / "data"]
    assert [line.strip() for line in message.splitlines()[1:5]][:3] == [str(p) for p in places[:3]]
    assert str(machine / ".keras" / "datasets") in message
    assert "infojax data fetch mnist" in message
    assert where("mnist") is None


def test_a_wrong_checksum_is_an_error_that_names_it(machine, tiny_mnist):
    write(machine / "data" / "MNIST" / "raw", tiny_mnist)
    path = machine / "data" / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    expected = SETS["mnist"].pins["train"][0].split(":")[1]
    message = rf"raw \(train images\).*expected sha256 {expected}, found [0-9a-f]{{64}}.*infojax data fetch mnist"
    for call in (load, where):
        with pytest.raises(CorruptData, match=message):
            call("mnist")
    assert len(load("mnist", split="test")) == 5


def test_a_truncated_copy_is_an_error(machine, tiny_mnist):
    write(machine / "data" / "MNIST" / "raw", tiny_mnist, zipped=True)
    path = machine / "data" / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(CorruptData, match=r"train-images-idx3-ubyte\.gz is truncated"):
        load("mnist")


def test_an_incomplete_copy_is_passed_over_and_mentioned(machine, tiny_mnist):
    write(machine / "given" / "MNIST" / "raw", tiny_mnist)
    (machine / "given" / "MNIST" / "raw" / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataNotFound, match=r"Not complete: .*no train-labels-idx1-ubyte"):
        load("mnist", root=machine / "given")
    write(machine / "data" / "MNIST" / "raw", tiny_mnist)
    same(load("mnist", root=machine / "given"), tiny_mnist, "train")


def test_the_first_place_wins(machine, tiny_mnist, monkeypatch):
    for folder in ("given", "env", "data"):
        write(machine / folder / "MNIST" / "raw", tiny_mnist)
    monkeypatch.setenv("INFOJAX_DATA", str(machine / "env"))
    assert where("mnist", machine / "given") == machine / "given" / "MNIST" / "raw"
    assert where("mnist") == machine / "env" / "MNIST" / "raw"


def test_splits_that_do_not_exist(machine):
    with pytest.raises(InvalidInput, match="'validation' is neither"):
        load("mnist", split="validation")
    with pytest.raises(InvalidInput, match="digits has no test set"):
        load("digits", split="test")
    with pytest.raises(InvalidInput, match="no named set 'svhn'"):
        where("svhn")


def test_registry_is_consistent():
    for name, entry in SETS.items():
        assert name == entry.name
        assert len(set(entry.classes)) == len(entry.classes) >= 10
        if entry.package is not None:
            assert "train" in entry.pins
            assert entry.package.archive or all(entry.package.files.values())
            digests = [*filter(None, entry.package.files.values()), *sum(entry.pins.values(), ())]
            lengths = {"md5": 32, "sha256": 64}
            assert all(len(d.split(":")[1]) == lengths[d.split(":")[0]] for d in digests)
            assert len(set(digests)) == len(digests)
    assert replace(SETS["mnist"]) == SETS["mnist"]


SIZES = {"mnist": (60_000, 10_000, (28, 28, 1)), "fashion-mnist": (60_000, 10_000, (28, 28, 1))}
SIZES["cifar10"] = (50_000, 10_000, (32, 32, 3))


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.fetched(n)) for n in SIZES])
def test_the_real_sets(name):
    train, test, shape = SIZES[name]
    for split, n in (("train", train), ("test", test)):
        found = load(name, split=split)
        assert found.x.shape == (n, *shape)
        assert set(found.y.tolist()) == set(range(10))
        assert (found.x.min(), found.x.max()) == (0, 1)
