"""What lies among pictures and is none of them."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infojax.data import load
from infojax.errors import CorruptData, DataWarning, InvalidInput

TWO = ("cats/0.png", "dogs/0.png")


@pytest.mark.parametrize(
    "name",
    [".ipynb_checkpoints", "__MACOSX", ".git", "@eaDir", ".thumbnails", "__pycache__", "$RECYCLE.BIN", "wandb"],
)
@pytest.mark.parametrize("where", ["", "cats/", "cats/phone/deeper/"])
def test_hidden_and_tool_made_folders(folder, name, where):
    root = folder(*TWO, f"{where}{name}/0.png", f"{where}{name}/below/1.jpg", f"{where}{name}/notes.txt")
    with pytest.warns(DataWarning, match="left out 2 pictures in hidden and tool-made places") as said:
        own = load(root)
    assert name in str(said[0].message)
    assert (len(said), len(own), own.classes) == (1, 2, ("cats", "dogs"))


def test_hidden_pictures_are_counted_and_litter_is_not(folder):
    root = folder(*TWO, "cats/.0.png.png", **{"cats/.DS_Store": b"x", "dogs/desktop.ini": b"x", "dogs/._0.png": b"x"})
    with pytest.warns(DataWarning, match=r"left out 1 picture in hidden and tool-made places \(\.0\.png\.png\)"):
        assert len(load(root)) == 2
    (root / "cats" / ".0.png.png").unlink()
    (root / ".git" / "objects").mkdir(parents=True)
    assert len(load(root)) == 2  # nothing is missed, so nothing is said


def test_files_that_are_not_read_are_counted_by_suffix_in_one_line(folder):
    root = folder(*TWO, "cats/0.heic", "cats/1.HEIC", **{"cats/d/a.svg": "<svg/>", "dogs/README": "no picture"})
    (root / "notes.txt").write_text("beside the classes")
    with pytest.warns(DataWarning) as said:
        assert len(load(root)) == 2
    (message,) = (str(each.message) for each in said)
    assert "left out 4 files that are not read: .heic (2), .svg (1), no suffix (1); read are PNG, JPEG," in message


@pytest.mark.parametrize("name", ["1.jfif", "1.JPE", "1.Jpeg", "1.jpg ", "noname", "IMG.001"])
def test_jpegs_have_many_names(folder, name):
    own = load(folder(*TWO, f"cats/{name}"))
    assert len(own) == 3


@pytest.mark.parametrize(
    ("suffix", "form"), [("apng", "PNG"), ("dib", "BMP"), ("pbm", "PPM"), ("pnm", "PPM"), ("TIFF", "TIFF")]
)
def test_other_suffixes(folder, suffix, form):
    root = folder(*TWO)
    Image.new("1", (4, 4), 1).save(root / "cats" / f"1.{suffix}", format=form)
    assert load(root).x[1].min() == 1


def test_other_formats_where_pillow_has_them(folder):
    from infojax.data.pictures.opening import formats

    for suffix in {".jp2", ".avif"} & set(formats()):
        root = folder(*TWO)
        Image.new("RGB", (4, 4), (255, 0, 0)).save(root / "cats" / f"1{suffix}")
        assert load(root).x.shape[-1] == 3


def test_what_infojax_wrote(folder):
    root = folder(*TWO, "scores/most.png", "cats/mine/least.png", "figures/a.png", "plain/0.png")
    record = json.dumps({"asked": {}, "versions": {"infojax": "1"}}, indent=1)
    (root / "scores" / "record.json").write_text(record)
    (root / "cats" / "mine" / "record.json").write_text(record)
    (root / "figures" / "index.html").write_text("<!doctype html>\n<title>infojax: figures</title>")
    (root / "plain" / "record.json").write_text('{"camera": "phone"}')
    stored = root / "results" / "coin" / "0-1"
    stored.mkdir(parents=True)
    (stored / "record.json").write_text(record)
    (stored / "table.parquet").write_bytes(b"PAR1")
    with pytest.warns(DataWarning, match=r"1 file that is not read: \.json .*; what infojax wrote") as said:
        own = load(root)
    assert own.classes == ("cats", "dogs", "plain")
    assert all(name in str(said[0].message) for name in ("cats/mine", "figures", "results/coin/0-1", "scores"))
    with pytest.raises(InvalidInput, match="but what infojax wrote"):
        load(root / "scores")


def test_pictures_without_a_class_and_classes_without_pictures(folder):
    root = folder(*TWO, "0.png", "1.png")
    (root / "birds").mkdir()
    says = "left out 2 pictures beside the classes' sub-folders, .*; 1 sub-folder without pictures .birds., so no class"
    with pytest.warns(DataWarning, match=says):
        assert load(root).classes == ("cats", "dogs")


def test_links(folder, tmp_path):
    root = folder(*TWO, "../elsewhere/birds/0.png", "../elsewhere/far/1.png")
    (root / "birds").symlink_to(tmp_path / "elsewhere" / "birds")
    (root / "cats" / "far").symlink_to(tmp_path / "elsewhere" / "far")
    (root / "dogs" / "2.png").symlink_to(root / "cats" / "0.png")
    own = load(root)
    assert own.columns["file"].tolist() == ["birds/0.png", "cats/0.png", "cats/far/1.png", "dogs/0.png", "dogs/2.png"]
    (tmp_path / "elsewhere" / "far" / "back").symlink_to(root)
    (root / "cats" / "self").symlink_to("self")
    (root / "cats" / "up").symlink_to("..")
    (root / "latest").symlink_to("cats")
    (root / "dogs" / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(root / "dogs" / "pipe.png")
    with pytest.warns(DataWarning) as said:
        again = load(root)
    assert again.columns["file"].tolist() == own.columns["file"].tolist()
    (message,) = (str(each.message) for each in said)
    assert "left out 3 links to folders that are read by their own names; 3 entries that lead to no file." in message


@pytest.fixture
def nobody():
    """Runs the test as a user who may not read everything."""
    load("digits")
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_folders_and_files_that_may_not_be_read(nobody):
    with tempfile.TemporaryDirectory() as temporary:
        for name in TWO:
            (Path(temporary) / name).parent.mkdir()
            Image.new("L", (4, 4)).save(Path(temporary) / name)
        (Path(temporary) / "cats").chmod(0)
        try:
            with pytest.raises(InvalidInput, match=r"cats cannot be read .*Permission denied"):
                load(temporary)
        finally:
            (Path(temporary) / "cats").chmod(0o755)
        (Path(temporary) / "cats" / "0.png").chmod(0)
        with pytest.raises(InvalidInput, match=r"0\.png cannot be read .*Permission denied"):
            load(temporary)


@pytest.mark.parametrize("name", [b"\xff\xfe", b"caf\xe9"])
def test_names_that_are_no_utf8(folder, name):
    root = folder(*TWO)
    os.rename(root / "dogs", os.path.join(os.fsencode(root), name))
    own, shown = load(root), name.decode("utf-8", "backslashreplace")
    assert set(own.classes) == {"cats", shown}
    assert f"{shown}/0.png" in own.columns["file"]
    os.rename(os.path.join(os.fsencode(root), name), root / "dogs")
    os.rename(root / "dogs" / "0.png", os.path.join(os.fsencode(root), b"dogs", name + b".png"))
    assert load(root).columns["file"][1].startswith("dogs/")
    os.rename(root, os.path.join(os.fsencode(root.parent), name))
    assert load(os.fsdecode(os.path.join(os.fsencode(root.parent), name))).name == shown


def test_two_names_that_are_no_utf8_stay_two(folder):
    root = folder("a/0.png")
    for name in (b"\xff", b"\xfe"):
        os.mkdir(os.path.join(os.fsencode(root), name))
        Image.new("L", (4, 4)).save(os.fsdecode(os.path.join(os.fsencode(root), name, b"0.png")))
    assert load(root).classes == ("a", "\\xfe", "\\xff")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Cat", "cat"), True),
        (("cat", "cat "), True),
        (("x", "x "), True),
        (("x", "x\u200b"), True),
        (("a", "A"), False),
    ],
)
def test_classes_of_like_names(folder, names, said):
    root = folder(*(f"{name}/0.png" for name in names))
    if not said:
        assert len(load(root).classes) == 2
        return
    with pytest.warns(DataWarning, match="differ in case or blanks alone; they are kept apart"):
        assert len(load(root).classes) == 2


class TestOpening:
    """B 6: no decoder but the one that the suffix promises."""

    def test_no_program_is_started_for_postscript_under_another_name(self, folder, tmp_path, monkeypatch):
        ran = tmp_path / "ran"
        (tmp_path / "bin").mkdir()
        for program in ("gs", "gswin32c", "gswin64c"):
            (tmp_path / "bin" / program).write_text(f"#!/bin/sh\ntouch {ran}\n")
            (tmp_path / "bin" / program).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
        eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
        for name in ("a/0.png", "a/0.jpg", "a/0.tif", "a/0.gif", "a/0.ppm", "a/0.webp", "a/0.bmp", "a/0.avif"):
            root = folder("a/x.png", "b/0.png", **{name: eps})
            with pytest.raises(CorruptData, match="no picture: it holds PostScript"):
                load(root, size=(8, 8))
            (root / name).unlink()
        root = folder("a/0.png", "b/0.png", **{"a/1": eps, "a/1.eps": eps, "a/1.ps": eps})
        with pytest.warns(DataWarning, match="3 files that are not read"):
            assert len(load(root, size=(8, 8))) == 3
        assert not ran.exists()

    @pytest.mark.parametrize(
        ("name", "holds"), [("1.png", "JPEG"), ("1.jpg", "PNG"), ("1.gif", "WEBP"), ("1.bmp", "TIFF")]
    )
    def test_a_picture_of_another_format_is_named(self, folder, name, holds):
        root = folder(*TWO)
        Image.new("RGB", (4, 4)).save(root / "cats" / name, format=holds)
        Image.new("RGB", (4, 4)).save(root / "dogs" / name, format=holds)
        message = rf"cats/{name} holds {holds}, and its name says \w+\. Rename it to 1\.\w+\. 1 more"
        with pytest.raises(CorruptData, match=message):
            load(root)

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "it is empty"),
            (b"<html><body>404", "it holds HTML"),
            (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "it holds HEIC"),
            (b"\x89PNG\r\n\x1a\n", "cannot identify|no picture"),
        ],
    )
    def test_what_is_no_picture(self, folder, content, says):
        with pytest.raises(CorruptData, match=rf"cats/1\.png is truncated, or no picture.*({says})"):
            load(folder(*TWO, **{"cats/1.png": content}))

    def test_arrays_are_as_they_were(self, folder):
        pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
        root = folder("a/0.png", "b/0.bmp", "b/1.tif", make=lambda: Image.fromarray(pixels))
        np.testing.assert_array_equal(load(root).x, np.stack([pixels] * 3) / np.float32(255))


def test_figures_of_a_curve_are_no_pictures(folder):
    figures = {
        f"{where}c{suffix}": "0" for where in ("curves/", "cats/", "") for suffix in (".csv", ".parquet", ".pdf")
    }
    figures |= {"cats/of paper.csv": "0", "cats/of paper.pdf": "0"}
    root = folder(*TWO, "curves/c.png", "cats/c.png", "cats/of paper.png", "c.png", **figures)
    with pytest.warns(DataWarning, match=r"left out what infojax wrote \(.*curves/c\.png.*\)\."):
        own = load(root)
    assert own.classes == ("cats", "dogs")
    assert own.columns["file"].tolist() == list(TWO)
