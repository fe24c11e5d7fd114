"""CIFAR-10 as PNG rows and as binary records: the same images, and broken files."""

import numpy as np
import pytest
from PIL import Image

from infojax.data.formats.cifar import read_binary, read_png_rows
from infojax.errors import CorruptData, DataNotFound


def write_binary(folder, arrays):
    folder.mkdir(parents=True)
    for split, names in (("train", [f"data_batch_{i}" for i in range(1, 6)]), ("test", ["test_batch"])):
        images, labels = arrays[split]
        for name, part in zip(names, np.array_split(np.arange(len(labels)), len(names)), strict=True):
            channels_first = images[part].transpose(0, 3, 1, 2).reshape(len(part), -1)
            (folder / f"{name}.bin").write_bytes(np.hstack([labels[part][:, None], channels_first]).tobytes())


def write_png_rows(folder, tiny):
    folder.mkdir()
    for name, data in tiny.files.items():
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("split", ["train", "test"])
def test_both_formats_give_the_arrays(tmp_path, tiny_cifar, split):
    write_png_rows(tmp_path / "rows", tiny_cifar)
    write_binary(tmp_path / "bin", tiny_cifar.arrays)
    for images, labels in (read_png_rows(tmp_path / "rows", split), read_binary(tmp_path / "bin", split)):
        np.testing.assert_array_equal(images, tiny_cifar.arrays[split][0])
        np.testing.assert_array_equal(labels, tiny_cifar.arrays[split][1])


def test_broken_png_rows(tmp_path, tiny_cifar):
    folder = tmp_path / "rows"
    write_png_rows(folder, tiny_cifar)
    whole = tiny_cifar.files["test_batch.png"]
    (folder / "test_batch.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptData, match=r"test_batch\.png is truncated"):
        read_png_rows(folder, "test")
    Image.new("L", (1024, 5)).save(folder / "test_batch.png")
    with pytest.raises(CorruptData, match="L picture 1024 wide; expected RGB"):
        read_png_rows(folder, "test")
    (folder / "test_batch.png").write_bytes(whole)
    for text, message in (
        ("[1, 2", "no JSON list"),
        ("[1, 2]", r"\(2,\) for 5 images"),
        ("[300, 1, 1, 1, 1]", "255"),
    ):
        (folder / "test_lables.json").write_text(text)
        with pytest.raises(CorruptData, match=message):
            read_png_rows(folder, "test")
    (folder / "test_lables.json").unlink()
    with pytest.raises(DataNotFound, match="test_lables"):
        read_png_rows(folder, "test")


def test_broken_binary(tmp_path, tiny_cifar):
    write_binary(tmp_path / "bin", tiny_cifar.arrays)
    path = tmp_path / "bin" / "data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptData, match=r"data_batch_3\.bin has 6145 bytes, no multiple of 3073"):
        read_binary(tmp_path / "bin", "train")
    path.unlink()
    with pytest.raises(DataNotFound, match="data_batch_3"):
        read_binary(tmp_path / "bin", "train")
