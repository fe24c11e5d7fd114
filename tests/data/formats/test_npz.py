"""The user's own .npz: what it may hold, and what is refused."""

import io
import os
import zipfile

import numpy as np
import polars as pl
import pytest

from infojax.data import load
from infojax.data.formats.npz import load_npz
from infojax.errors import CorruptData, DataNotFound, DataWarning, InvalidInput

X = np.random.default_rng(0).uniform(size=(4, 3)).astype(np.float32)


def save(path, **arrays):
    np.savez(path / "own.npz", **arrays)
    return path / "own.npz"


@pytest.mark.parametrize(
    ("arrays", "y", "classes"),
    [
        ({"y": np.array([9, 4, 9, 7], np.uint8)}, [2, 0, 2, 1], ("4", "7", "9")),
        ({"y": np.array(["cat", "dog", "cat", "ant"])}, [1, 2, 1, 0], ("ant", "cat", "dog")),
        ({"y": [1, 0, 1, 1], "classes": ["no", "yes", "maybe"]}, [1, 0, 1, 1], ("no", "yes", "maybe")),
        ({"y": ["b", "a", "b", "b"], "classes": ["b", "a"]}, [0, 1, 0, 0], ("b", "a")),
        ({"y": [True, False, True, True]}, [1, 0, 1, 1], ("False", "True")),
        ({"y": np.array([[9], [4], [9], [7]], np.uint8)}, [2, 0, 2, 1], ("4", "7", "9")),
        ({"y": np.array([["b"], ["a"], ["b"], ["b"]])}, [1, 0, 1, 1], ("a", "b")),
        ({"y": [[True], [False], [True], [True]]}, [1, 0, 1, 1], ("False", "True")),
        ({"y": np.array([b"cat", b"dog", b"cat", b"ant"])}, [1, 2, 1, 0], ("ant", "cat", "dog")),
        ({"y": [b"b", b"a", b"b", b"b"], "classes": [b"b", b"a"]}, [0, 1, 0, 0], ("b", "a")),
        ({"y": [[1], [0], [1], [1]], "classes": ["no", "yes"]}, [1, 0, 1, 1], ("no", "yes")),
        ({"y": [[0.5], [1.0], [2.0], [3.0]]}, [[0.5], [1.0], [2.0], [3.0]], ()),
    ],
)
def test_labels(tmp_path, arrays, y, classes):
    own = load(save(tmp_path, x=X, **arrays))
    np.testing.assert_array_equal(own.x, X)
    np.testing.assert_array_equal(own.y, y)
    assert (own.classes, own.name) == (classes, "own")


def test_gray_pixels_get_a_channel_and_lie_in_the_unit_interval(tmp_path):
    pixels = np.arange(4 * 6, dtype=np.uint8).reshape(4, 2, 3) * 10
    own = load(str(save(tmp_path, x=pixels, y=[0, 1, 0, 1])))
    np.testing.assert_array_equal(own.x, pixels[..., None] / np.float32(255))


def test_further_arrays_are_columns(tmp_path):
    further = {"source": ["a", "b", "a", "c"], "grid": np.eye(4), "short": [1, 2], "rate": np.arange(4.0)}
    own = load(save(tmp_path, x=X, y=[0, 1, 0, 1], classes=["a", "b"], **further))
    assert {name: values.tolist() for name, values in own.columns.items()} == {
        "source": ["a", "b", "a", "c"],
        "rate": [0.0, 1.0, 2.0, 3.0],
    }
    path = save(tmp_path, x_train=X, y_train=[0, 1, 0, 1], who_train=[4, 5, 6, 7], who_test=[1, 2, 3, 4])
    assert {name: values.tolist() for name, values in load(path).columns.items()} == {"who": [4, 5, 6, 7]}


def test_columns_that_are_none_are_left_out_and_named(tmp_path):
    odd = {
        "long": np.arange(4).astype(np.longdouble),
        "half": np.arange(4).astype("f2"),
        "big": np.arange(4).astype(">i4"),
        "bytes": np.array([b"a", b"b", b"a", b"c"]),
        "when": np.array(["2020-01-01"] * 4, "M8[D]"),
        "lasted": np.arange(4).astype("m8[s]"),
        "phase": np.arange(4) * 1j,
        "record": np.zeros(4, [("a", "f8")]),
        "latin": np.array([b"\xff"] * 4),
        "notes": np.array([None, "a", 1, []], object),
    }
    with pytest.warns(
        DataWarning, match=r"own\.npz: left out notes, when, lasted, phase, record, latin, which hold nei"
    ):
        own = load(save(tmp_path, x=X, y=[0, 1, 0, 1], **odd))
    assert {name: values.tolist() for name, values in own.columns.items()} == {
        "long": [0, 1, 2, 3],
        "half": [0, 1, 2, 3],
        "big": [0, 1, 2, 3],
        "bytes": ["a", "b", "a", "c"],
    }
    pl.DataFrame(own.columns)  # as tables take them


def test_objects_are_refused_where_they_are_needed(tmp_path):
    for name in ("x", "y", "classes"):
        arrays = {"x": X, "y": [0, 1, 0, 1]} | {name: np.array([None, 1, 2, 3], object)}
        with pytest.raises(
            InvalidInput, match=rf"own\.npz: {name} has the dtype object\. Pickled objects can run code"
        ):
            load(save(tmp_path, **arrays))


def test_two_arrays_of_one_name_are_refused(tmp_path):
    path = save(tmp_path, x=X, y=[0, 1, 0, 1])
    x = io.BytesIO()
    np.save(x, X + 1)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", x.getvalue())
    with pytest.raises(CorruptData, match="two arrays 'x'"):
        load(path)


PIXELS = np.arange(4 * 6, dtype=np.uint8).reshape(4, 2, 3)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("x_{}", "y_{}"),
        ("X_{}", "y_{}"),
        ("{}_images", "{}_labels"),
        ("{}_x", "{}_y"),
    ],
)
@pytest.mark.parametrize(
    ("split", "mark"),
    [("train", "train"), ("test", "test"), ("val", "val"), ("validation", "val"), ("training", "train")],
)
def test_layouts_of_splits(tmp_path, x, y, split, mark):
    """MedMNIST's among them: its labels are a column."""
    labels = np.array([[7], [2], [7], [9]], np.uint8)
    arrays = {x.format("train"): PIXELS, y.format("train"): labels}
    arrays |= {x.format(mark): PIXELS, y.format(mark): labels}
    own = load_npz(save(tmp_path, **arrays), split)
    assert own.classes == ("2", "7", "9")
    np.testing.assert_array_equal(own.y, [1, 0, 1, 2])
    assert own.x.shape == (4, 2, 3, 1)


def test_columns_of_a_split_named_in_front(tmp_path):
    arrays = {
        "train_images": PIXELS,
        "train_labels": [0, 1, 0, 1],
        "train_site": list("abab"),
        "test_site": list("cccc"),
    }
    assert load(save(tmp_path, **arrays)).columns["site"].tolist() == list("abab")


def test_a_class_has_one_position_in_all_splits(tmp_path):
    labels = {"y_train": ["b", "d", "b", "d"], "y_test": ["d", "d", "c", "d"]}
    path = save(tmp_path, x_train=X, x_test=X, **labels)
    train, test = load(path), load(path, split="test")
    assert (train.classes, test.classes) == (("b", "d"), ("b", "d", "c"))
    assert [test.classes[i] for i in test.y] == labels["y_test"]
    assert train.y.tolist() == [0, 1, 0, 1]


def test_train_and_test_in_one_file(tmp_path):
    path = save(tmp_path, x_train=X, y_train=[0, 1, 0, 1], x_test=X[:2] + 1, y_test=[1, 0])
    assert len(load(path)) == 4
    np.testing.assert_array_equal(load(path, split="test").x, X[:2] + 1)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "no array 'y', only"),
        ({"images": X, "y": [0] * 4}, "no array 'x'"),
        ({"x": X, "y": [0.0, 1.0, 0.0, 1.0]}, r"own: .* y\[:, None\]"),
        ({"x": X, "y": [0.0, 1.0, 0.0, 1.0], "classes": ["a", "b"]}, r"y\.astype\(int\)"),
        ({"x": X, "y": [[0, 1], [1, 0], [0, 1], [0, 1]]}, r"y\.argmax\(1\)"),
        ({"x": X, "y": [[1, 1], [1, 0], [0, 0], [0, 1]]}, r"targets are floats: y\.astype\(float\)"),
        ({"x": X, "y": [b"\xff", b"a", b"a", b"a"]}, r"y holds bytes that are no UTF-8"),
        ({"x": X, "y": 1}, "same number of examples"),
        ({"x": 1.0, "y": [0, 1]}, "reshape"),
        ({"train_images": X, "train_label": [0] * 4}, "no array 'train_labels', only"),
        ({"x": X, "y": [0, 1, 2, 3], "classes": ["a", "b"]}, "label 2 of example 2 is outside the 2 classes"),
        ({"x": X, "y": ["a", "b", "c", "a"], "classes": ["a", "b"]}, "label 'c' is not among"),
        ({"x": X * np.nan, "y": [0, 1, 0, 1]}, r"x\[0, 0\] is nan"),
        ({"x": X[:1], "y": [0]}, "at least 2"),
        ({"x": X, "y": [0, 1]}, r"\(4, 3\).*\(2,\)"),
        ({"x": np.array([X, None], object), "y": [0, 1]}, "Pickled objects can run code"),
    ],
)
def test_refuses(tmp_path, arrays, message):
    with pytest.raises(InvalidInput, match=message):
        load(save(tmp_path, **arrays))


def test_one_set_has_no_test_set(tmp_path):
    with pytest.raises(InvalidInput, match=r"not a test set; load it, and use `\.split`"):
        load(save(tmp_path, x=X, y=[0, 1, 0, 1]), split="test")


def test_files_that_are_no_data(tmp_path):
    path = save(tmp_path, x=X, y=[0, 1, 0, 1])
    whole = path.read_bytes()
    for broken in (b"", b"hello", whole[:-30], whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(CorruptData, match=r"own\.npz is truncated"):
            load(path)
    at = whole.index(X.tobytes()) + 5
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(CorruptData, match="damaged"):
        load(path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InvalidInput, match=r"neither an \.npz file nor a folder"):
        load(tmp_path / "a.txt")
    with pytest.raises(DataNotFound, match=r"'minst' is neither .* Did you mean 'mnist'\?"):
        load("minst")
    with pytest.raises(DataNotFound, match="named set"):
        load(tmp_path / "absent.npz")


def test_labels_that_look_alike_are_said(tmp_path):
    for y, says in ((["p", "p ", "q"], r"'p' and 'p ' differ in blanks"), (["p", "", "q"], "a class is called ''")):
        np.savez(tmp_path / "a.npz", x=np.eye(3), y=y)
        with pytest.warns(DataWarning, match=says):
            assert len(load(tmp_path / "a.npz").classes) == 3
    np.savez(tmp_path / "a.npz", x=np.eye(3), y=["p", "p ", "q"], classes=["p", "p ", "q"])
    assert load(tmp_path / "a.npz").classes == ("p", "p ", "q")


def test_a_name_that_is_no_utf8(tmp_path):
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"\xff.npz"))
    np.savez(path, x=np.eye(3), y=[0, 1, 1])
    assert load(path).name == "\\xff"
