"""The user's own .npz: what it may hold, and what is refused."""

import numpy as np
import pytest

from infojax.data import load
from infojax.errors import CorruptData, DataNotFound, InvalidInput

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
