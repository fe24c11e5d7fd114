"""Dataset: what it holds, how it is cut, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.data import Dataset, load, symmetric_noise
from infojax.errors import DataWarning, InvalidInput, PrecisionWarning


def numbered(n: int, k: int = 3) -> Dataset:
    """Example i has the input i and the class i mod k, so that an example can be recognised."""
    x = np.arange(n, dtype=np.float32)[:, None]
    return Dataset(x=x, y=np.arange(n) % k, classes=tuple(str(c) for c in range(k)), name="numbered")


@given(st.integers(2, 20), st.integers(2, 20), st.integers(0, 10), st.integers(0, 2**32))
def test_split_is_disjoint_seeded_and_keeps_labels_beside_inputs(a, b, rest, seed):
    whole = numbered(a + b + rest)
    train, validation = whole.split(a, b, seed=seed)
    ids = np.concatenate([train.x, validation.x])[:, 0].astype(int)
    assert (len(train), len(validation)) == (a, b)
    assert len(set(ids)) == a + b
    np.testing.assert_array_equal(np.concatenate([train.y, validation.y]), ids % 3)
    again, _ = whole.split(a, b, seed=seed)
    np.testing.assert_array_equal(train.x, again.x)
    np.testing.assert_array_equal(whole.take(a, seed=seed).x, train.x)


def test_another_seed_is_another_split():
    whole = numbered(100)
    assert not np.array_equal(whole.take(50, seed=0).x, whole.take(50, seed=1).x)


@given(st.permutations(range(5)), st.integers(1, 5))
def test_only_relabels_in_the_order_given(order, count):
    chosen = tuple(order[:count])
    whole = numbered(40, k=5)
    part = whole.only(*chosen)
    ids = part.x[:, 0].astype(int)
    assert part.classes == tuple(str(c) for c in chosen)
    assert len(part) == 8 * count
    np.testing.assert_array_equal(np.array(chosen)[part.y], ids % 5)


def test_numbers_are_names_where_classes_are_numbered_and_positions_otherwise():
    nines = numbered(40, k=10).only(4, 9)
    assert nines.class_index(9) == 1
    with pytest.raises(InvalidInput, match=r"no class 1\. Its classes: 4, 9"):
        nines.class_index(1)
    animals = Dataset(x=np.zeros((4, 1)), y=[0, 1, 1, 0], classes=("cat", "dog"))
    assert animals.class_index(1) == animals.class_index("dog") == 1


def test_targets():
    two = numbered(4, k=2).targets
    np.testing.assert_array_equal(two, np.array([[0], [1], [0], [1]], np.float32))
    three = numbered(4, k=3).targets
    np.testing.assert_array_equal(three, np.eye(3, dtype=np.float32)[[0, 1, 2, 0]])
    assert two.dtype == three.dtype == np.float32
    y = np.array([[0.5], [1.5]])
    np.testing.assert_array_equal(Dataset(x=np.zeros((2, 1)), y=y).targets, y)


def test_pixels_become_fractions_and_other_numbers_are_cast():
    pixels = Dataset(x=np.array([[0], [51], [255]], np.uint8), y=[0, 0, 0], classes=("a",))
    np.testing.assert_array_equal(pixels.x, np.array([[0], [0.2], [1]], np.float32))
    plain = Dataset(x=np.array([[0], [51], [255]], np.int32), y=[0, 0, 0], classes=("a",))
    np.testing.assert_array_equal(plain.x, np.array([[0], [51], [255]], np.float32))
    assert pixels.x.dtype == plain.x.dtype == np.float32


def test_columns_stay_beside_their_examples():
    columns = {"number": np.arange(20), "source": [f"s{i}" for i in range(20)]}
    whole = Dataset(x=np.arange(20.0)[:, None], y=np.arange(20) % 2, classes=("a", "b"), columns=columns)
    for part in (whole.only("b"), whole.only("b", "a"), whole.take(7, seed=3), *whole.split(5, 4)):
        numbers = part.x[:, 0].astype(int)
        np.testing.assert_array_equal(part.columns["number"], numbers)
        assert part.columns["source"].tolist() == [f"s{i}" for i in numbers]
    for same in (whole.normalised(1.0, 2.0), symmetric_noise(whole, 0.5, seed=0)):
        np.testing.assert_array_equal(same.columns["number"], np.arange(20))


def test_normalised():
    x = np.random.default_rng(0).uniform(size=(6, 2, 2, 3)).astype(np.float32)
    images = Dataset(x=x, y=np.zeros(6, int), classes=("a",))
    by_channel = images.normalised(x.mean((0, 1, 2)), [0.1, 0.2, 0.3])
    np.testing.assert_allclose(by_channel.x.mean((0, 1, 2)), 0, atol=1e-5)
    expected = (x[..., 2] - x[..., 2].mean()) / 0.3
    np.testing.assert_allclose(by_channel.x[..., 2], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(images.normalised(0.5, 2.0).x, (x - 0.5) / 2, rtol=1e-6)
    for mean, std in ((0.0, 0.0), (np.nan, 1.0), ([0.0, 0.0], 1.0), (0.0, [1.0, 1.0, -1.0])):
        with pytest.raises(InvalidInput, match="normalised"):
            images.normalised(mean, std)


def test_digits_as_in_the_plan():
    train, validation = load("digits").only(4, 9).split(200, 100, seed=42)
    assert train.x.shape[1:] == (8, 8, 1)
    assert train.targets.shape == (200, 1)
    assert 0 <= validation.x.min() < validation.x.max() <= 1


X = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": [[0.0], [np.nan], [1.0]]}, r"x\[1, 0\] is nan .* repair example 1"),
        ({"x": [[0.0], [1.0], [np.inf]]}, r"x\[2, 0\] is inf"),
        ({"x": [[0.0], [1.0], [1e300]]}, "inf in float32"),
        ({"x": [["a"], ["b"], ["c"]]}, "real numbers"),
        ({"x": np.zeros(3)}, "reshape"),
        ({"x": np.zeros((3, 0))}, r"\(3, 0\)"),
        ({"x": np.zeros((1, 2)), "y": [0]}, "1 example.* at least 2"),
        ({"y": [0, 1]}, r"\(3, 2\).*\(2,\)"),
        ({"y": 0}, "same number of examples"),
        ({"y": [0, 1, 2]}, "label 2 of example 2 is outside the 2 classes"),
        ({"y": [0, -1, 1]}, "label -1 of example 1"),
        ({"y": [0.0, 1.0, 1.0]}, r"y\[:, None\]"),
        ({"y": [[0, 1], [1, 0], [0, 1]]}, "argmax"),
        ({"y": [[0.0], [1.0], [np.nan]], "classes": ()}, r"y\[2, 0\] is nan"),
        ({"y": np.zeros((3, 3))}, "2 classes"),
        ({"classes": ("a", "a")}, "same name"),
        ({"clean_y": [0, 1]}, "clean_y"),
        ({"clean_y": [0, 1, 5]}, "label 5"),
        ({"columns": {"who": ["a", "b"]}}, r"column 'who' has shape \(2,\) .* each of the 3 examples"),
        ({"columns": {"who": ["a", None, "b"]}}, "column 'who' .* dtype object"),
    ],
)
def test_refuses(given, message):
    with pytest.raises(InvalidInput, match=message):
        Dataset(**{"x": X, "y": [0, 1, 1], "classes": ("a", "b"), **given})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.only(), "at least one"),
        (lambda d: d.only(1, 1), "once"),
        (lambda d: d.only(7), "no class 7. Its classes: 0, 1, 2"),
        (lambda d: d.only("cat"), "'cat'"),
        (lambda d: d.take(11), "asks for 11 examples; numbered has 10"),
        (lambda d: d.take(1), "at least 2"),
        (lambda d: d.split(8, 3), "asks for 11 examples"),
        (lambda d: d.split(5, 0), "at least 2"),
        (lambda d: d.split(5, 5, seed=-1), "seed -1"),
    ],
)
def test_refuses_calls(call, message):
    with pytest.raises(InvalidInput, match=message):
        call(numbered(10))


def test_regression_has_no_classes():
    regression = Dataset(x=X, y=np.zeros((3, 2)), name="line")
    assert repr(regression) == "Dataset('line', n=3, shape=(2,), targets=2)"
    assert regression.flipped is None
    with pytest.raises(InvalidInput, match="regression targets"):
        regression.only(0)


@pytest.mark.parametrize("y", [["u", "u ", "v"], ["u", "u\u200b", "v"], ["u\xa0", "u", "v"], [" ", "u", "v"]])
def test_labels_that_look_alike_are_said(y):
    with pytest.warns(DataWarning, match=r"(differ in blanks|a class is called).*np\.char\.strip\(y\)"):
        made = Dataset(np.eye(3), y)
    assert len(made.classes) == 3
    assert Dataset(np.eye(3), y, classes=sorted(y)).classes == made.classes
    assert made.take(2).classes == made.classes  # said once


def test_normalised_does_not_merge_examples():
    lamps = Dataset(np.linspace(0, 1, 40)[:, None], np.arange(40) % 2, ("a", "b"))
    for mean, std in ((-1e9, 1), (1e9, 1e9), (3e7, 2.0)):
        with pytest.raises(InvalidInput, match=r"normalised x: examples .* differ, and are the same in float32"):
            lamps.normalised(mean, std)
    with pytest.warns(PrecisionWarning, match="keeps few of its digits"):
        lamps.normalised(1e5, 1)
    lamps.normalised(0.5, 1e-3)
    lamps.normalised(-20, 7)
