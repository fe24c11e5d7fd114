"""What a Dataset is made of: labels, classes, columns and indices in all the forms that people have."""

import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from infojax.data import Dataset, asymmetric_noise, symmetric_noise
from infojax.errors import InvalidInput

X = np.random.default_rng(0).random((6, 2))
Y = np.array([0, 1, 2, 0, 1, 2])
CLASSES = ("cat", "dog", "owl")
WORDS = np.array(CLASSES)[Y]


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "f2", ">f4", np.longdouble, object, "?", "i1", "int4"])
def test_inputs_of_every_real_dtype(dtype):
    jnp.zeros(())  # registers bfloat16 and the like
    x = np.array([[0, 1], [1, 0], [1, 1]]).astype(dtype)
    made = Dataset(x, [0, 1, 0], classes="ab").x
    np.testing.assert_array_equal(made, np.array([[0, 1], [1, 0], [1, 1]], np.float32))
    assert made.dtype == np.float32


def test_inputs_from_elsewhere():
    for x in (jnp.asarray(X, "bfloat16"), pl.DataFrame(X), (row for row in X), list(X), np.ma.masked_array(X)):
        assert Dataset(x, Y, CLASSES).x.shape == (6, 2)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ma.masked_array(X, mask=X > 0.9), r"x has 2 masked of 12 entries, the first at \[2, 1\]"),
        (scipy.sparse.csr_array(X), r"x\.toarray\(\)"),
        (pl.DataFrame({"a": [1, None] * 3, "b": [1] * 6}), r"x\[1, 0\] is nan"),
        (pl.DataFrame({"a": ["u"] * 6, "b": [1] * 6}), r"x holds 'u' \(str\)"),
        (np.full((6, 1), "2020-01-01", "M8[D]"), "datetime64"),
        (X * 1e39, r"x\[0, 0\] is inf in float32, and was .*; scale them down"),
        (3.0, r"x has shape \(\)"),
        ([[1.0, 2.0], [3.0]], "rows differ in shape"),
        (np.zeros((0, 2)), "0 example"),
    ],
)
def test_refuses_inputs(x, message):
    with pytest.raises(InvalidInput, match=message):
        Dataset(x, Y, CLASSES)


@pytest.mark.parametrize(
    "y",
    [
        Y[:, None],
        Y[:, None].astype(np.uint8),
        jnp.asarray(Y),
        iter(Y.tolist()),
        Y.astype(object),
        pl.Series(Y),
        np.ma.masked_array(Y),
        WORDS,
        WORDS[:, None],
        WORDS.astype("S"),
        WORDS.astype(object),
        WORDS.tolist(),
        pl.Series(WORDS.tolist(), dtype=pl.Categorical),
        pl.Series(WORDS.tolist(), dtype=pl.Enum(list(CLASSES))),
    ],
)
def test_labels(y):
    made = Dataset(X, y, CLASSES, clean_y=Y[:, None])
    np.testing.assert_array_equal(made.y, Y)
    np.testing.assert_array_equal(made.clean_y, Y)
    assert made.y.dtype == np.int64


def test_truth_values_are_labels():
    for y in (Y > 0, (Y > 0)[:, None], (Y > 0).tolist(), (Y > 0).astype(object)):
        assert Dataset(X, y, ("no", "yes")).y.tolist() == [0, 1, 1, 0, 1, 1]


@pytest.mark.filterwarnings("ignore:.* differ in blanks:infojax.errors.DataWarning")
@pytest.mark.filterwarnings("ignore:.* a class is called:infojax.errors.DataWarning")
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), min_size=2, max_size=8))
def test_text_names_its_own_classes(words):
    for y in (words, np.array(words)[:, None], np.array([word.encode() for word in words], object)):
        made = Dataset(np.arange(len(words))[:, None], y)
        assert [made.classes[i] for i in made.y] == [str(word) for word in np.array(words)]
        assert list(made.classes) == sorted(set(np.array(words).tolist()))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y * 1.0, r"y\.astype\(int\) where floats number the classes; .* y\[:, None\]"),
        (jnp.asarray(Y, "bfloat16"), r"y\.astype\(int\)"),
        ([0, 1, np.nan, 0, 1, 2], r"The one at \[2\] is nan, which is no label"),
        (Y[:, None] * 1.0, r"y\[:, 0\]\.astype\(int\)"),
        (np.eye(3, dtype=int)[Y], r"y\.argmax\(1\)"),
        (np.eye(3, dtype=bool)[Y], r"y\.argmax\(1\)"),
        (np.ones((6, 3), int), r"targets are floats: y\.astype\(float\)"),
        (Y[:, None, None], "labels; or floats"),
        (np.ma.masked_array(Y, mask=Y == 2), "y has 2 masked of 6"),
        ([*WORDS[:-1], None], r"y has a missing value at \[5\], None"),
        ([*WORDS[:-1], np.nan], r"y has a missing value at \[5\], nan"),
        (pl.Series([0, 1, None, 0, 1, 2]), r"The one at \[2\] is nan"),
        (["cat", "dgo"] * 3, "'dgo' of example 1 .* not among the classes"),
        (Y + 1, "label 3 of example 2 .* return_inverse=True"),
        (np.uint64(2**64 - 1) - Y.astype(np.uint64), "label 18446744073709551615"),
        (["cat", 1] * 3, "among others"),
        (np.full(6, "2020", "M8[Y]"), "datetime64"),
        (None, "y is a NoneType"),
    ],
)
def test_refuses_labels(y, message):
    with pytest.raises(InvalidInput, match=message):
        Dataset(X, y, CLASSES)


def test_refuses_clean_labels_as_labels():
    with pytest.raises(InvalidInput, match="clean_y has 2 masked"):
        Dataset(X, Y, CLASSES, clean_y=np.ma.masked_array(Y, mask=Y == 2))
    with pytest.raises(InvalidInput, match=r"'mouse' of example 0 \(clean_y\)"):
        Dataset(X, Y, CLASSES, clean_y=["mouse"] * 6)


@pytest.mark.parametrize(
    "classes",
    [
        iter(CLASSES),
        map(str, CLASSES),
        np.array(CLASSES),
        pl.Series(CLASSES),
        [b"cat", b"dog", b"owl"],
        {"owl": 2, "cat": 0, "dog": 1},
        {2: "owl", 0: "cat", 1: "dog"},
    ],
)
def test_classes(classes):
    assert Dataset(X, Y, classes).classes == CLASSES


@pytest.mark.parametrize(
    "classes", [{"cat", "dog", "owl"}, 3, {"cat": 1, "dog": 2, "owl": 3}, ["cat", None, "owl"], [["cat"]], b"abc"]
)
def test_refuses_classes(classes):
    with pytest.raises(InvalidInput, match="classes"):
        Dataset(X, Y, classes)


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (X[:, 0].astype(np.longdouble), np.float64),
        (X[:, 0].astype(">f8"), np.float64),
        (jnp.asarray(X[:, 0], "bfloat16"), np.float32),
        (X[:, :1], np.float64),
        (WORDS.astype("S"), WORDS.dtype),
        (WORDS.astype(object), WORDS.dtype),
        (map(str, WORDS), WORDS.dtype),
        (pl.Series(WORDS.tolist()), WORDS.dtype),
        ([1.0, np.nan] * 3, np.float64),
    ],
)
def test_columns(values, kept):
    column = Dataset(X, Y, CLASSES, columns={"who": values}).columns["who"]
    assert (column.dtype, column.shape) == (kept, (6,))
    pl.DataFrame({"who": column})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"who": ["a", None] * 3}, r"column 'who' has a missing value at \[1\]"),
        ({"who": np.ma.masked_array(Y, mask=Y == 1)}, "column 'who' has 2 masked of 6"),
        ({"who": np.full(6, "2020", "M8[Y]")}, r"datetime64.*\.astype\(str\)"),
        ({"who": X[:, 0] * 1j}, "complex128"),
        ({"who": np.zeros(6, [("a", "f8")])}, "one number or string"),
        ({1: Y, "1": Y}, "two columns have the name '1'"),
        ([Y], "columns is a list"),
    ],
)
def test_refuses_columns(columns, message):
    with pytest.raises(InvalidInput, match=message):
        Dataset(X, Y, CLASSES, columns=columns)


def test_data_frames_are_columns():
    columns = Dataset(X, Y, CLASSES, columns=pl.DataFrame({"a": Y, "b": WORDS})).columns
    assert (columns["a"].tolist(), columns["b"].tolist()) == (Y.tolist(), WORDS.tolist())


LARGE = Dataset(np.arange(30)[:, None], np.arange(30) % 3, CLASSES, columns={"at": np.arange(30)})
slices = st.slices(30)


@given(slices | st.lists(st.booleans(), min_size=30, max_size=30) | st.lists(st.integers(-30, 29), max_size=9))
def test_data_sets_are_cut_like_arrays(which):
    array = np.arange(30)
    expected = array[which if isinstance(which, slice) else np.array(which, None if which else int)]
    if len(expected) < 2:
        with pytest.raises(InvalidInput, match="at least 2"):
            LARGE[which]
        return
    part = LARGE[which]
    np.testing.assert_array_equal(part.x[:, 0], expected)
    np.testing.assert_array_equal(part.y, expected % 3)
    np.testing.assert_array_equal(part.columns["at"], expected)


def test_indices_from_elsewhere():
    for which in (jnp.asarray(LARGE.y == 1), pl.Series(LARGE.y == 1), np.flatnonzero(LARGE.y == 1).astype(np.uint8)):
        np.testing.assert_array_equal(LARGE[which].x[:, 0], np.arange(1, 30, 3))
    assert len(LARGE[range(4)]) == len(LARGE[(i for i in range(4))]) == 4


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (3, r"data\[3\] is one example.*\.x\[3\].*data\[\[3, 4\]\]"),
        (np.int64(-1), r"data\[-1\] is one example"),
        ([True, False], "the mask has 2 entries, the data set 30"),
        ([0, 99], "no example 99; data has examples 0 to 29"),
        ([1.0, 2.0], "dtype float64"),
        ((1, 2), r"not \(1, 2\)"),
        (..., "not Ellipsis"),
        (None, "not None"),
        ("cat", "dtype <U3"),
        ([[1, 2]], r"shape \(1, 2\)"),
        (slice(2.0), "no whole number"),
        (np.ma.masked_array([1, 2], mask=[0, 1]), "masked"),
    ],
)
def test_refuses_indices(which, message):
    with pytest.raises(InvalidInput, match=message):
        LARGE[which]


def test_a_data_set_is_not_looped_over():
    with pytest.raises(InvalidInput, match="one example"):
        list(LARGE)


def test_numbers_of_examples():
    for sizes in ((20.0, 10.0), (np.int64(20), jnp.int32(10)), (np.float32(20), 10)):
        for got, whole in zip(LARGE.split(*sizes, seed=np.int64(3)), LARGE.split(20, 10, seed=3), strict=True):
            np.testing.assert_array_equal(got.x, whole.x)
    assert len(LARGE.take(3.0, seed=jnp.int32(1))) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LARGE.split(0.8, 0.2), r"no fractions; of the 30 of data those are split\(24, 6\)"),
        (lambda: LARGE.take(0.5), r"take\(15\)"),
        (lambda: LARGE.split(0.8, 10), "whole number"),
        (lambda: LARGE.split("20", 10), "is '20'; it must be a whole number"),
        (lambda: LARGE.split(None, 10), "whole number"),
        (lambda: LARGE.split(np.nan, 10), "whole number"),
        (lambda: LARGE.split(-5, 10), "at least 2"),
        (lambda: LARGE.take([3]), "whole number"),
        (lambda: LARGE.take(3, seed=None), "seed is None"),
        (lambda: LARGE.take(3, seed=1.5), "seed is 1.5"),
        (lambda: LARGE.only([0, 1]), r"no class \[0, 1\].* one by one"),
        (lambda: LARGE.only(np.nan), "no class nan"),
        (lambda: LARGE.only(-1), "no class -1"),
        (lambda: LARGE.only(np.int64(3)), "no class 3"),
        (lambda: LARGE.normalised(np.ma.masked_array([1.0], mask=[True]), 1.0), "masked"),
        (lambda: symmetric_noise(LARGE, "a", seed=0), "rate"),
        (lambda: symmetric_noise(LARGE, [0.2], seed=0), "not a fraction"),
        (lambda: symmetric_noise(LARGE, 0.2, seed=None), "seed is None"),
        (lambda: asymmetric_noise(LARGE, [("cat", "dog")], 0.2, seed=0), "dictionary"),
    ],
)
def test_refuses_calls(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


def test_classes_by_number_or_name():
    for which in (np.unique(LARGE.y)[[0, 2]], (0.0, jnp.int32(2)), (b"cat", "owl"), (each for each in ("cat", "owl"))):
        assert LARGE.only(*which).classes == ("cat", "owl")
    numbered = Dataset(X, Y, (4, 9, 7))
    assert numbered.only(np.int64(9), 4.0).classes == ("9", "4")
    # Truth values are the names, before they are positions.
    assert Dataset(X, Y > 0, ("True", "False")).class_index(True) == 0


def test_noise_with_numbers_of_jax_and_numpy():
    for rate, seed in ((jnp.float32(0.5), jnp.int32(1)), (np.float64(0.5), np.int64(1))):
        np.testing.assert_array_equal(symmetric_noise(LARGE, rate, seed=seed).y, symmetric_noise(LARGE, 0.5, seed=1).y)
    assert asymmetric_noise(LARGE, {np.int64(0): "dog"}, 0.5, seed=0).flipped.sum() == 5
