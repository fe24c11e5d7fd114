"""Float32 cannot hold everything apart: what is refused, what is said, and what is no matter."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.arrays._float32_digits import check_float32
from infojax.data import Dataset
from infojax.errors import InvalidInput, PrecisionWarning

A = np.arange(40)
RANDOM = np.random.default_rng(0)


def check(x, **options):
    x = np.asarray(x)
    x = x[:, None] if x.ndim == 1 else x
    check_float32(x, x.astype(np.float32), "data: x", stacklevel=1, **options)


@pytest.mark.parametrize(
    "x",
    [
        1.7e9 + A,
        1.7e9 + A / 10,
        2**53 + A,
        (2**53 + 2 * A).astype(float),
        2**24 + A,
        (2**24 + A).astype(np.int32),
        (2**24 + A).astype(np.uint32),
        -(2**60) - A,
        np.uint64(2**64 - 100) + A.astype(np.uint64),
        1_700_000_000_000_000_000 + A,
        np.longdouble(1.7e18) + A,
        1e-50 * (1 + A),
        np.stack([1.7e9 + A, A % 2], 1),
        np.concatenate([np.zeros((40, 30)), (1.7e9 + A)[:, None]], 1),
        (1.7e9 + A.reshape(40, 1, 1)) * np.ones((2, 3)),
    ],
)
def test_rows_that_would_become_one_are_refused_with_the_remedy(x):
    with pytest.raises(InvalidInput, match=r"examples \d+ and \d+ differ.*x - x\.min\(0\).*scale"):
        check(x)
    given = np.asarray(x).reshape(40, -1)
    given = given - given.min(0)
    given = given / np.maximum(given.max(0), np.finfo(float).tiny)
    check(given)
    assert len(np.unique(given.astype(np.float32), axis=0)) == 40


def test_the_way_into_a_data_set_is_guarded_and_a_remedy_passes():
    with pytest.raises(InvalidInput, match="the same in float32"):
        Dataset(1.7e9 + A[:, None], A % 2, classes="ab")
    with pytest.raises(InvalidInput, match=r"y - y\.min\(0\)"):
        Dataset(A[:, None], 1.7e9 + A[:, None])
    assert len(np.unique(Dataset(A[:, None], A % 2, classes="ab").x)) == 40


@pytest.mark.parametrize(
    "x",
    [
        [0, 2**24, 2**24 + 1],  # no centering tells them apart
        np.r_[0.0, 1.7e9 + A],
        np.r_[RANDOM.normal(size=60), 0.25, 0.25 + 1e-9],
        1.7e9 + 1e-5 * A,
    ],
)
def test_a_few_that_hardly_differ_become_duplicates_and_it_is_said(x):
    with pytest.warns(PrecisionWarning, match="count as duplicates"):
        check(x)


def test_near_duplicates_of_whole_rows_are_said():
    x = RANDOM.normal(size=(66, 5))
    x[60:] = x[:6] + 1e-9
    with pytest.warns(PrecisionWarning, match=r"of 66 examples, \d such pairs"):
        check(x)


@pytest.mark.parametrize(
    "column", [1.7e9 + np.arange(66), 1e3 + 1e-3 * RANDOM.normal(size=66), 2**40 + np.arange(66.0)]
)
def test_a_column_that_keeps_few_digits_is_named(column):
    x = RANDOM.normal(size=(66, 2, 3))
    x[:, 1, 2] = column
    with pytest.warns(PrecisionWarning, match=r"x: column \[:, 1, 2\] goes from .*few of its digits\. Subtract"):
        check(x)
    with pytest.warns(PrecisionWarning, match=r"column \[:, 0\]"):
        Dataset(np.c_[1.7e9 + np.arange(66), RANDOM.normal(size=66)], np.arange(66) % 2, classes="ab")
    with pytest.warns(PrecisionWarning, match=r"column \[:, 0\] .* as do 1 more"):
        check(np.stack([2**40 + np.arange(66), 2**50 - np.arange(66), np.arange(66)], 1))


def quiet(x, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(x, **options)


@pytest.mark.parametrize(
    "x",
    [
        RANDOM.normal(size=10_000),  # a few pairs collide by chance
        RANDOM.random(10_000),
        RANDOM.normal(size=(1000, 20)),
        RANDOM.integers(0, 256, (500, 28, 28)) / 255,
        np.stack([RANDOM.integers(0, 2, 10_000), RANDOM.random(10_000)], 1),
        np.exp(5 * RANDOM.normal(size=5000)),
        np.linspace(0, 1, 5000),
        np.linspace(1990, 2030, 400),
        1 / (1 + np.exp(-20 * RANDOM.random((100, 3)))),
        np.zeros((50, 3)),
        np.repeat(RANDOM.random((5, 3)), 10, 0),
        np.stack([A % 3, 0.1 + 2e-17 * (A % 2)], 1),  # rounding of a computation
        np.repeat(RANDOM.normal(size=(20, 3)), 2, 0) * (1 + 2e-16 * (A % 2)[:, None]),
        (1.7e9 + A).astype(np.float32),  # lost before it came
        2**24 - A,
        [0.0, -0.0],
        np.ones((2, 0)),
    ],
)
def test_ordinary_numbers_raise_no_alarm(x):
    quiet(x)


def test_targets_may_repeat():
    quiet([-1.0, -1.0 + 1e-9, 1.0], rows=False)
    with pytest.warns(PrecisionWarning, match="few of its digits"):
        Dataset(np.eye(3), [[1e6 + 0.1], [1e6 + 0.2], [1e6 + 0.4]])


@given(st.integers(2, 30), st.integers(1, 40), st.integers(0, 2**32), st.integers(-20, 60))
def test_nothing_is_lost_in_silence(n, d, seed, exponent):
    """Where whole rows coincide in float32 alone, and differ by more than rounding of float64, there is a word."""
    random = np.random.default_rng(seed)
    x = 2.0**exponent * (1 + 2.0 ** -random.integers(0, 30) * random.integers(0, 3, (n, d)))
    before, after = (len(np.unique(a, axis=0)) for a in (x, x.astype(np.float32)))
    said = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            check(x)
        except (InvalidInput, PrecisionWarning):
            said = True
    assert said or before == after


@given(st.integers(0, 2**32), st.integers(2, 40))
def test_long_rows_are_compared_as_a_whole(seed, n):
    """Of many columns a few are looked at first; what differs in others alone is found."""
    random = np.random.default_rng(seed)
    x = np.zeros((n, 100))
    x[:, random.integers(100)] = 2.0**40 + random.permutation(n)
    with pytest.raises(InvalidInput, match="the same in float32"):
        check(x)
    quiet(np.c_[np.zeros((n, 50)), np.arange(n) / 3.0])
    # The same in the columns looked at first, and different after.
    quiet(np.c_[np.zeros(n), np.arange(n) / 3.0, np.zeros((n, 50))])
    quiet(np.c_[random.integers(0, 2, (n, 40)), np.arange(n), np.zeros((n, 20))] * 0.1)
