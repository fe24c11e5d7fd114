"""Splits and classes, and the levels that they lie at."""

import re

import pytest

from infojax.data import load
from infojax.errors import DataWarning, InvalidInput

KINDS: dict[str, tuple[str, ...]] = {"train": ("train", "training", "Train"), "test": ("test", "testing", "TEST")}
KINDS["validation"] = ("val", "valid", "validation", "Val")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in KINDS.items() for name in names])
def test_folders_of_splits(folder, kind, name):
    others = [names[0] for other, names in KINDS.items() if other != kind]
    root = folder(*(f"{split}/{c}/{i}.png" for split in (name, *others) for c in "01" for i in range(len(split))))
    for asked in {kind, name} & {"train", "training", "test", "testing", "val", "valid", "validation"}:
        own = load(root, split=asked)
        assert (len(own), own.classes, own.name) == (2 * len(name), ("0", "1"), "photos")


def test_train_is_the_default(folder):
    root = folder("training/0/a.png", "training/1/a.png", "testing/0/a.png", "testing/1/a.png", "testing/1/b.png")
    assert (len(load(root)), len(load(root, split="test"))) == (2, 3)


def test_splits_with_tables(folder):
    root = folder("val/a.png", "val/b.png", **{"val/labels.csv": "file,label\na.png,x\nb.png,y\n"})
    assert load(root, split="val").classes == ("x", "y")


@pytest.mark.parametrize("split", ["val", "test", "training", "train"])
def test_named_sets_have_their_own_splits(split):
    if split.startswith("train"):
        assert len(load("digits", split=split)) == 1797
    else:
        with pytest.raises(InvalidInput, match="digits has no"):
            load("digits", split=split)
    with pytest.raises(InvalidInput, match="neither 'train', 'test' nor 'validation'"):
        load("digits", split="dev")


@pytest.mark.parametrize(
    ("names", "split", "says"),
    [
        (("val/a/0.png", "val/b/0.png"), "train", "has the splits val, and no train: give split='val'"),
        (("val/a/0.png", "val/b/0.png"), "test", "no sub-folder 'test' .* It has val"),
        (("a/0.png", "b/0.png"), "val", "no sub-folder 'val' .* use `.split`"),
        (("train/a/0.png", "training/a/0.png"), "train", "train and training, which are the same split"),
        (("train/0.png", "test/0.png"), "train", "test, train have the names of splits, and no sub-folders of classes"),
        (("train/a/0.png", "test/0.png"), "test", "no sub-folder 'test' with sub-folders of classes"),
        (("val/a/0.png", "val/b/0.png", "a/0.png", "b/0.png"), "train", "has the splits val, and no train"),
    ],
)
def test_splits_that_are_not_there(folder, names, split, says):
    with pytest.raises(InvalidInput, match=says):
        load(folder(*names), split=split)


def test_trains_among_vehicles(folder):
    """A folder with a split's name that holds pictures is a class."""
    root = folder("train/0.png", "car/0.png", "bus/0.png")
    assert load(root).classes == ("bus", "car", "train")
    (root / "train" / "0.png").unlink()
    folder("train/steam/1.png", "train/diesel/1.png")
    with pytest.warns(DataWarning, match="bus, car beside the split train are not read"):
        assert load(root).classes == ("diesel", "steam")


def test_splits_with_other_classes(folder):
    root = folder("train/a/0.png", "train/b/0.png", "test/a/0.png", "test/c/0.png", "test/c/1.png")
    with pytest.warns(DataWarning, match=r"train and test do not have the same classes \(b, c in one alone\)"):
        load(root)


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (("photos/cats/a.png", "photos/dogs/a.png"), "photos"),
        (("x/y/cats/a.png", "x/y/dogs/deeper/a.png"), "x/y"),
        (("x/train/cats/a.png", "x/train/dogs/a.png", "x/test/cats/a.png"), "x"),
        (("train/photos/cats/a.png", "train/photos/dogs/a.png"), "train/photos"),
        (("cats/phone/a.png", "cats/camera/a.png"), "cats"),
        ((".git/a.png", "__MACOSX/cats/a.png", "photos/cats/a.png", "photos/dogs/a.png"), "photos"),
    ],
)
def test_classes_that_lie_lower(folder, names, path):
    root = folder(*names)
    with pytest.raises(InvalidInput, match=rf"the classes lie lower: give {re.escape(str(root / path))}\."):
        load(root)


def test_a_table_that_lies_lower(folder):
    root = folder("x/images/a.png", "x/images/b.png", **{"x/labels.csv": "file,label\n"})
    with pytest.raises(InvalidInput, match=rf"one lies lower: give {root}/x\."):
        load(root)


def test_classes_that_lie_higher(folder):
    root = folder("cats/a.png", "cats/b.png", "dogs/a.png")
    with pytest.raises(InvalidInput, match=rf"its 2 lie in no sub-folder\. .* give the folder above, {root}"):
        load(root / "cats")
    (root / "labels.csv").touch()
    with pytest.raises(InvalidInput, match=rf"The folder above has a labels\.csv: give {root}\."):
        load(root / "cats")


@pytest.mark.parametrize(
    "names",
    [("training_set", "test_set"), ("seg_train", "seg_test"), ("train2017", "val2017"), ("train_images", "Val")],
)
def test_folders_that_look_like_splits(folder, names):
    root = folder(*(f"{name}/{name}/{c}/0.png" for name in names for c in "ab"))
    with pytest.raises(InvalidInput, match=r"look like splits, not classes|has the splits"):
        load(root)


def test_splits_below_the_classes(folder):
    root = folder("cats/train/0.png", "cats/test/0.png", "dogs/train/0.png", "dogs/test/0.png")
    with pytest.raises(InvalidInput, match="the splits test, train lie below its sub-folders"):
        load(root)
    assert load(folder("cats/train/1.png", "dogs/other/1.png")).classes == ("cats", "dogs")


def test_a_tree_below_the_classes(folder):
    """Classes are the sub-folders; what lies below them is a column."""
    own = load(folder("pets/cats/0.png", "pets/dogs/0.png", "tools/saws/0.png", "tools/0.png", "test tube/0.png"))
    assert own.classes == ("pets", "test tube", "tools")
    assert own.columns["folder"].tolist() == ["pets/cats", "pets/dogs", "test tube", "tools", "tools/saws"]


def test_one_class_is_loaded(folder):
    """Refused where it would be scored (tests/cli), as pools of one class are pooled in Python."""
    assert load(folder("cats/0.png", "cats/1.png")).classes == ("cats",)


@pytest.mark.parametrize("names", [("siteA", "siteB"), ("fold1", "fold2", "fold3"), ("cats", "dogs")])
def test_the_same_folders_in_each_class_are_said(folder, names):
    root = folder(*(f"{name}/{below}/0.png" for name in names for below in ("phone", "camera")))
    says = rf"the classes are the {len(names)} sub-folders {', '.join(names)}, and each of them holds camera, phone"
    with pytest.warns(DataWarning, match=says):
        own = load(root)
    assert own.classes == names


@pytest.mark.parametrize(
    ("first", "second"),
    [("x_train", "x_test"), ("mnist_train", "mnist_test"), ("dev", "eval"), ("cells-train-v2", "cells-val-v2")],
)
def test_splits_under_names_of_the_set(folder, first, second):
    root = folder(*(f"{name}/{c}/0.png" for name in (first, second) for c in "ab"))
    with pytest.raises(InvalidInput, match=r"look like splits, not classes|has the splits"):
        load(root)
    assert load(root / first).classes == ("a", "b")


def test_dev_and_eval_are_splits(folder):
    root = folder(*(f"{split}/{c}/{i}.png" for i, split in enumerate(("train", "dev", "eval")) for c in "ab"))
    for i, split in enumerate(("train", "dev", "eval")):
        assert load(root, split=split).columns["file"].tolist() == [f"a/{i}.png", f"b/{i}.png"]
    assert load(root, split="validation").columns["file"][0] == "a/1.png"
