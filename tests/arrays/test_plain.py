"""What people have where an array is asked for: read as what it is, or refused with what to do."""

from collections import deque
from decimal import Decimal
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from infojax.arrays._checked import array_of_reals, real_array, seed_of, whole_number
from infojax.arrays._plain import plain_array, text
from infojax.arrays._precision import in_float64
from infojax.errors import InvalidInput

MASKED = np.ma.masked_array([[1.0], [2.0], [-9999.0]], mask=[[0], [0], [1]])


@pytest.mark.parametrize(
    "values",
    [
        MASKED,
        list(MASKED),
        [[1.0], [np.ma.masked], [3.0]],
        (MASKED[0], MASKED[2]),
        np.ma.masked_array(np.zeros(1, [("a", "f8"), ("b", "i8")]), mask=[(False, True)]),
        np.ma.masked_values([[1.0, -9999.0]], -9999.0),
        np.ma.masked,
    ],
)
def test_what_lies_under_a_mask_is_never_read(values):
    with pytest.raises(InvalidInput, match=r"x has \d+ masked of .* under a mask is no value.*\.filled"):
        plain_array("x", values)


def test_a_mask_that_hides_nothing_is_no_matter():
    np.testing.assert_array_equal(plain_array("x", np.ma.masked_array([1.0, 2.0], mask=False)), [1.0, 2.0])
    np.testing.assert_array_equal(plain_array("x", [np.ma.masked_array([1.0])]), [[1.0]])


class NAType:
    """As pandas.NA, which is neither equal nor unequal to anything."""

    def __eq__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([1, NAType()], object), r"missing value at \[1\]"),
        (np.array(["a", NAType()], object), r"missing value at \[1\]"),
        ([[1.0, None]], r"missing value at \[0, 1\], None"),
        (np.array([1.0, np.nan, "a"], object), r"missing value at \[1\], nan"),
        (["a", None], r"missing value at \[1\], None"),
        (["a", float("nan")], r"missing value at \[1\], nan"),
        (pl.Series([True, None]), r"missing value at \[1\], None"),
        (pl.Series(["a", None], dtype=pl.Categorical), r"missing value at \[1\], None"),
        (["a", 1], r"holds 'a' \(str\) among others"),
        ([[1.0, 2.0], [3.0]], "rows differ in shape"),
        ([np.ones(2), np.ones(3)], "rows differ in shape"),
        (scipy.sparse.csr_array(np.eye(2)), r"x is sparse .* x\.toarray\(\)"),
        (scipy.sparse.coo_matrix(np.eye(2)), r"x\.toarray\(\)"),
        ({"a": [1.0]}, "dict, which has no order"),
        ({1, 2}, "set, which has no order"),
        (frozenset((1, 2)), "frozenset, which has no order"),
        (None, "NoneType"),
        (object(), "a object"),
        (jax.random.key(0), r"key_data|NumPy can read"),
        ([2**70, 2**70 + 1], "more than 64 bits"),
    ],
)
def test_refuses(values, message):
    with pytest.raises(InvalidInput, match=message):
        plain_array("x", values)


class OnDevice:
    """As a tensor that has a gradient, or lies on a GPU."""

    def detach(self):
        raise NotImplementedError

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


def test_tensors_that_numpy_cannot_read_are_told_how():
    with pytest.raises(InvalidInput, match=r"requires grad\.\); give tensor\.detach\(\)\.cpu\(\)"):
        plain_array("x", OnDevice())


def test_tracers_are_refused():
    for transform in (jax.jit, jax.grad, jax.vmap):
        with pytest.raises(InvalidInput, match=r"traced by jax\.jit"):
            transform(lambda x: plain_array("x", x).sum())(jnp.ones(()) if transform is jax.grad else jnp.ones(2))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((i / 2 for i in range(3)), [0.0, 0.5, 1.0]),
        (map(str, range(2)), ["0", "1"]),
        ({"a": 1, "b": 2}.values(), [1, 2]),
        ({"a": 1, "b": 2}.keys(), ["a", "b"]),
        (deque([1, 2]), [1, 2]),
        (range(3), [0, 1, 2]),
        (np.array([[1, 2.5]], object), [[1, 2.5]]),
        (np.array([True, False], object), [True, False]),
        (np.array([1, 2**63], object), np.array([1, 2**63], np.uint64)),
        (np.array([Decimal("1.5"), Fraction(1, 4)], object), [1.5, 0.25]),
        (np.array(["a", "bc"], object), ["a", "bc"]),
        (np.array([b"a", b"bc"], object), [b"a", b"bc"]),
        (pl.Series([1, 2, 3]), [1, 2, 3]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
        (pl.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}), [[1, 0.5], [2, 1.5]]),
        (memoryview(np.arange(3.0)), [0.0, 1.0, 2.0]),
        (np.array([1.0, 2.0], ">f8"), [1.0, 2.0]),
        (jnp.arange(3), [0, 1, 2]),
    ],
)
def test_reads(values, expected):
    read, expected = plain_array("x", values), np.asarray(expected)
    np.testing.assert_array_equal(read, expected)
    assert read.dtype.kind == expected.dtype.kind
    assert read.dtype.isnative


@given(
    arrays.arrays(st.sampled_from(["f2", "f4", ">f8", "i1", ">i8", "u4", "?", "U3"]), arrays.array_shapes(min_dims=0))
)
def test_arrays_are_read_as_they_are(array):
    read = plain_array("x", array)
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype.newbyteorder("=")
    if array.ndim and array.size:
        np.testing.assert_array_equal(plain_array("x", iter(array)), array)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones(2) + 1j, "complex128.*real part"),
        (np.array(["2020-01-01"], "M8[D]"), r"datetime64.*a\.min\(\)"),
        (np.arange(2).astype("m8[s]"), "timedelta64.*unit"),
        (np.zeros(2, [("a", "f8"), ("b", "f4")]), "side by side"),
        (["1.0", "2.0"], r"astype\(float\)"),
        ([b"1.0"], r"astype\(float\)"),
    ],
)
def test_what_is_no_real_number_is_told_what_to_become(values, message):
    for door in (real_array, array_of_reals):
        with pytest.raises(InvalidInput, match=message):
            door("x", values)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8", "i4", "u1", "?", np.longdouble, object, "bfloat16"])
def test_real_numbers_of_every_dtype(dtype):
    given = np.ones((2, 2), dtype)
    assert real_array("x", given).dtype == np.float64
    # JAX takes what comes out.
    np.testing.assert_array_equal(jnp.asarray(array_of_reals("x", given)).astype(float), np.ones((2, 2)))


def test_functions_in_float64_refuse_masks():
    doubled = in_float64(lambda x: 2 * x)
    with pytest.raises(InvalidInput, match="masked"):
        doubled(MASKED)
    np.testing.assert_array_equal(doubled(MASKED[:2]), 2 * MASKED.data[:2])


def test_text_of_bytes():
    np.testing.assert_array_equal(text("y", np.array([["é".encode()], [b"b"]])), [["é"], ["b"]])
    with pytest.raises(InvalidInput, match="no UTF-8"):
        text("y", np.array([b"\xff"]))


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), np.uint8(3), jnp.int32(3), np.array(3)])
def test_whole_numbers(value):
    assert whole_number("n", value) == 3
    assert type(whole_number("n", value)) is int


@pytest.mark.parametrize("value", [3.5, np.nan, np.inf, "3", None, True, [3], np.ones(1), 1j, jax.random.key(0)])
def test_what_is_no_whole_number(value):
    with pytest.raises(InvalidInput, match=r"n: seed is .* whole number"):
        seed_of("n", value)
