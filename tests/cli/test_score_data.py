"""What `infojax score` says of the data that it is given, and keeps in its record."""

import json
import os
import re

import numpy as np
import pytest
from PIL import Image

from infojax.cli import main

QUICK = ("--train", "12", "--validation", "8", "--hidden", "8", "--steps", "50")


@pytest.fixture
def score(tmp_path, monkeypatch, capsys):
    """score(*args) → (exit code, record or None, stderr), in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*args, out="scores"):
        with pytest.raises(SystemExit) as left:
            main(["score", *QUICK, *args, "--out", out])
        record = tmp_path / out / "record.json"
        return left.value.code, json.loads(record.read_text()) if record.is_file() else None, capsys.readouterr().err

    return call


@pytest.fixture
def photos(tmp_path):
    """Twelve pictures of each of two classes."""
    rng = np.random.default_rng(0)
    for i in range(24):
        path = tmp_path / "photos" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (4, 4), np.uint8)).save(path)
    return tmp_path / "photos"


@pytest.mark.slow
def test_twice_in_the_same_folder(score, photos, monkeypatch):
    monkeypatch.chdir(photos)
    for i, out in enumerate(("scores", "scores", "a/mine", "third")):
        code, _, said = score(".", out=out)
        record = json.loads((photos / out / "record.json").read_text())
        assert (code, record["asked"]["of"]) == (0, 24)
        assert ("left out what infojax wrote (scores" in said) == (i > 0)
        assert len(record["warnings"]) == (i > 0)


def test_what_was_left_out_is_said_and_recorded(score, photos, tmp_path):
    (photos / ".ipynb_checkpoints").mkdir()
    Image.new("L", (4, 4)).save(photos / ".ipynb_checkpoints" / "0.png")
    (photos / "a" / "x.heic").touch()
    Image.fromarray(np.dstack([np.zeros((4, 4, 3)), np.arange(16).reshape(4, 4)]).astype(np.uint8)).save(
        photos / "a" / "0.png"
    )
    code, record, said = score("photos", "--background", "0.5")
    assert code == 0
    lines = [line.removeprefix("warning: ") for line in said.splitlines() if line.startswith("warning: ")]
    assert record["warnings"] == lines
    assert "1 picture in hidden and tool-made places (.ipynb_checkpoints); 1 file that is not read: .heic" in lines[0]
    assert (
        "1 of 24 pictures (photos/a/0.png) has transparent parts; they were laid on gray (background=0.5)" in lines[1]
    )
    assert "transparent parts" in (tmp_path / "scores" / "report.html").read_text("utf-8")


def test_nothing_is_said_where_nothing_is_wrong(score, photos):
    code, record, said = score("photos")
    assert (code, record["warnings"], said) == (0, [], "")


def test_not_among_the_pictures(score, photos):
    before = sorted(photos.rglob("*"))
    code, _, said = score("photos", out="photos/a")
    assert code == 2
    assert "--out photos/a holds pictures of the data" in said
    assert sorted(photos.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", [b"\xff\xfe", b"caf\xe9"])
def test_names_that_are_no_utf8(score, photos, name, tmp_path):
    os.rename(photos / "b", os.path.join(os.fsencode(photos), name))
    os.rename(photos, os.path.join(os.fsencode(tmp_path), name))
    code, record, said = score(os.fsdecode(name), "--group-by", "folder")
    assert (code, said) == (0, "")
    assert record["asked"]["data"] == name.decode("utf-8", "backslashreplace")
    code, _, said = score(os.fsdecode(name), out=os.fsdecode(b"out" + name))
    assert (code, "has bytes that are no UTF-8; give another" in said) == (2, True)


ORDER = np.random.default_rng(0).permutation(24)  # in which --seed 0 draws
ONE_CLASS = "all 12 examples to score are of one class"


@pytest.mark.parametrize(
    ("arrays", "args", "code", "says"),
    [
        ({"y": np.zeros(24, int)}, (), 2, f"{ONE_CLASS}, 0: .* Give data of two or more classes"),
        ({"y": np.zeros(24, int), "classes": ["p", "q"]}, (), 2, f"{ONE_CLASS}, p: .* Give data of two or more"),
        ({"y": np.arange(24) % 3}, ("--classes", "1"), 2, "all .* Give --classes two or more of 0, 1, 2"),
        ({"y": (np.arange(24) == ORDER[-1]).astype(int)}, (), 2, f"{ONE_CLASS}, 0: .* Score more of them"),
        ({"y": np.ones((24, 1))}, (), 2, r"have the same target, \[1\.0\]: there is nothing to learn"),
        (
            {"y": np.stack([np.ones(24), np.arange(24.0)], 1)},
            (),
            0,
            r"1 of 2 targets \(column 0 of y first\) are the same",
        ),
        ({"y": np.arange(24.0)[:, None]}, (), 0, None),
    ],
)
def test_targets_that_are_all_the_same(score, tmp_path, arrays, args, code, says):
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(0).random((24, 5)), **arrays)
    args += ("--train", "4", "--validation", "4") if args else ()
    got, _, said = score("d.npz", *args)
    assert got == code
    assert said == "" if says is None else re.search(says, said)
    assert (tmp_path / "scores").exists() == (code == 0)


def test_validation_data_of_one_class(score, tmp_path):
    y = np.zeros(24, int)
    y[ORDER[:6]] = 1
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(0).random((24, 5)), y=y)
    code, record, said = score("d.npz")
    assert code == 0
    assert "warning: all 8 validation examples are of one class, 0, so F-SI" in said
    assert len(record["warnings"]) == 1


def test_one_class_of_a_named_set(score):
    code, _, said = score("digits", "--classes", "4")
    assert code == 2
    assert "all 12 examples to score are of one class, 4" in said
    assert "Give --classes two or more of 0, 1" in said
