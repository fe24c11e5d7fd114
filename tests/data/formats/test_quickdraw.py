import json

import numpy as np
import pytest

from infojax.data import SETS, load
from infojax.data.formats import quickdraw
from infojax.errors import CorruptData, DataNotFound, InvalidInput


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(quickdraw, "CATEGORIES", ("apple", "swing set"))
    for name, value in (("apple", 1), ("swing set", 0.251)):
        lines = [json.dumps([0] * i + [value] + [0] * (783 - i)) for i in (0, 29, 783)]
        (tmp_path / f"{name}.ndjson").write_text("\r\n".join(lines) + "\r\n")
    return tmp_path


def test_reader(folder):
    images, labels = quickdraw.read_ndjson(folder, "train")
    assert images.shape == (6, 28, 28)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert (images[1, 1, 1], images[5, 27, 27], images.sum()) == (255, 64, 3 * 255 + 3 * 64)


@pytest.mark.parametrize("damage", ["[0, 1]\n", "[" + "2," * 783 + "2]\n", "[0, 1", "", '{"a": 1}\n'])
def test_damage(folder, damage):
    (folder / "apple.ndjson").write_text(damage)
    with pytest.raises(CorruptData, match=r"apple\.ndjson is truncated, or no drawings"):
        quickdraw.read_ndjson(folder, "train")
    (folder / "apple.ndjson").unlink()
    with pytest.raises(DataNotFound, match="missing"):
        quickdraw.read_ndjson(folder, "train")


def test_categories():
    """The real list: names that stand on two of its lines have one blank, as in the package's files."""
    assert len(set(quickdraw.CATEGORIES)) == 345
    assert all(name and name == " ".join(name.split()) for name in quickdraw.CATEGORIES)
    assert {"coffee cup", "frying pan", "soccer ball", "The Eiffel Tower"} < set(quickdraw.CATEGORIES)
    package = SETS["quickdraw"].package
    assert package is not None
    assert "The Eiffel Tower.ndjson.gz" in package.files
    assert not any("  " in name for name in (*package.files, *SETS["quickdraw"].classes))


def test_has_no_test_set():
    with pytest.raises(InvalidInput, match="quickdraw has no test set of its own"):
        load("quickdraw", split="test")


@pytest.mark.fetched("quickdraw")
def test_the_real_set():
    found = load("quickdraw")
    assert found.x.shape == (34_500, 28, 28, 1)
    np.testing.assert_array_equal(np.bincount(found.y), 100)
    assert found.only("apple", "zigzag").classes == ("apple", "zigzag")
