"""The user's own pictures."""

import numpy as np
import pytest
from PIL import Image

from infojax.data import load
from infojax.errors import CorruptData, DataWarning, InvalidInput

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 4, 3), np.uint8)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def pictures(tmp_path):
    """Three cats, then three dogs, in the order of PIXELS."""
    for i, pixels in enumerate(PIXELS):
        save(tmp_path / "pets" / ("cat" if i < 3 else "dog") / f"{i}.png", pixels)
    (tmp_path / "pets" / "cat" / "Thumbs.db").write_bytes(b"not a picture")
    (tmp_path / "pets" / "cat" / "._0.png").write_bytes(b"not a picture either")
    return tmp_path / "pets"


def test_a_folder_of_classes(pictures):
    own = load(pictures)
    np.testing.assert_array_equal(own.x, PIXELS / np.float32(255))
    np.testing.assert_array_equal(own.y, [0, 0, 0, 1, 1, 1])
    assert (own.classes, own.name) == (("cat", "dog"), "pets")
    assert own.columns["file"].tolist() == [f"{kind}/{i}.png" for i, kind in enumerate(["cat"] * 3 + ["dog"] * 3)]
    assert own.columns["folder"].tolist() == ["cat"] * 3 + ["dog"] * 3


def test_gray_pictures_have_one_channel_until_one_has_colour(tmp_path):
    for i, pixels in enumerate(PIXELS):
        save(tmp_path / "a" / f"{i}.png", pixels[..., 0])
    np.testing.assert_array_equal(load(tmp_path).x, PIXELS[..., :1] / np.float32(255))
    save(tmp_path / "b" / "6.png", PIXELS[0])
    assert load(tmp_path).x.shape == (7, 5, 4, 3)


def test_a_flat_folder_with_labels(pictures):
    rows = ["file,label,camera", "cat/0.png,b,phone", "cat/1.png,a", "dog/3.png,b,phone"]
    (pictures / "labels.csv").write_text("\n".join(rows))
    with pytest.warns(DataWarning, match=r"left out 3 picture\(s\) that it does not name, such as cat/2\.png"):
        own = load(pictures)
    np.testing.assert_array_equal(own.x, PIXELS[[0, 1, 3]] / np.float32(255))
    assert own.classes == ("a", "b")
    np.testing.assert_array_equal(own.y, [1, 0, 1])
    assert {name: values.tolist() for name, values in own.columns.items()} == {
        "file": ["cat/0.png", "cat/1.png", "dog/3.png"],
        "folder": ["cat", "cat", "dog"],
        "camera": ["phone", "", "phone"],
    }
    for text, message in (
        ("name,label\n", "it needs `file` and `label`"),
        ("file,label\ncat/9.png,a\n", "line 2: .*9.png"),
        ("file,label\ncat/0.png,\n", "no label"),
        ("label,file\na\n", "line 2: .*no such file"),
        ("file,label\n", "no labelled pictures"),
    ):
        (pictures / "labels.csv").write_text(text)
        with pytest.raises(InvalidInput, match=message):
            load(pictures)


def test_train_and_test_sub_folders(tmp_path):
    for split, part in (("train", PIXELS[:4]), ("test", PIXELS[4:])):
        for i, pixels in enumerate(part):
            save(tmp_path / split / "a" / f"{i}.png", pixels)
    assert len(load(tmp_path)) == 4
    np.testing.assert_array_equal(load(tmp_path, split="test").x, PIXELS[4:] / np.float32(255))


def test_sizes(pictures):
    save(pictures / "dog" / "9.png", np.full((8, 8, 3), 51, np.uint8))
    with pytest.raises(InvalidInput, match=r"9\.png is \(8, 8\), .* \(5, 4\) .* size=\(height, width\)"):
        load(pictures)
    own = load(pictures, size=(3, 2))
    assert own.x.shape == (7, 3, 2, 3)
    np.testing.assert_allclose(own.x[-1], 0.2)


def test_rotation_by_exif(tmp_path):
    for i, pixels in enumerate(PIXELS[:2]):
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was turned: show it 90° clockwise
        save(tmp_path / "a" / f"{i}.png", pixels, exif=exif)
    np.testing.assert_array_equal(load(tmp_path).x[0], np.rot90(PIXELS[0], -1) / np.float32(255))


def test_refuses(pictures):
    whole = (pictures / "cat" / "1.png").read_bytes()
    for broken in (b"", b"<html>", whole[: len(whole) // 2]):
        (pictures / "cat" / "1.png").write_bytes(broken)
        with pytest.raises(CorruptData, match=r"1\.png is truncated, or no picture"):
            load(pictures)
    save(pictures / "cat" / "1.png", np.full((5, 4), 40_000, np.uint16))
    with pytest.raises(InvalidInput, match=r"mode I;16; convert it to 8 bits"):
        load(pictures)
    with pytest.raises(InvalidInput, match="no sub-folder 'test'"):
        load(pictures, split="test")
    (pictures / "empty").mkdir()
    with pytest.raises(InvalidInput, match="no labelled pictures"):
        load(pictures / "empty")
