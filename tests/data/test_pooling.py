"""Pooling: every example once, beside its source, and only sets of one task."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.data import Dataset, pooled, symmetric_noise
from infojax.errors import DataWarning, InvalidInput


def part(n: int, start: int, k: int = 3) -> Dataset:
    """Examples start, start + 1, …; number i has the input i and the class i mod k."""
    ids = np.arange(start, start + n)
    return Dataset(x=ids[:, None], y=ids % k, classes=tuple(str(c) for c in range(k)), name=f"from {start}")


@given(st.lists(st.integers(2, 9), min_size=2, max_size=4))
def test_holds_every_example_once_with_its_label_and_source(sizes):
    starts = np.cumsum([0, *sizes])[:-1]
    whole, source = pooled(*(part(n, int(start)) for n, start in zip(sizes, starts, strict=True)))
    ids = whole.x[:, 0].astype(int)
    np.testing.assert_array_equal(ids, np.arange(sum(sizes)))
    np.testing.assert_array_equal(whole.y, ids % 3)
    np.testing.assert_array_equal(source, np.searchsorted(starts, ids, side="right") - 1)


def test_clean_labels_and_targets_of_regressions_are_kept():
    a, b = (symmetric_noise(part(20, start), 0.5, seed=start) for start in (0, 20))
    whole, _ = pooled(a, b)
    assert whole.flipped is not None
    np.testing.assert_array_equal(whole.clean_y, np.arange(40) % 3)
    assert whole.flipped.sum() == 20
    line = Dataset(x=np.ones((4, 1)), y=np.arange(8.0).reshape(4, 2))
    np.testing.assert_array_equal(pooled(line, line)[0].y[4:], line.y)


def test_columns_that_all_have_are_kept_and_the_others_named():
    a = replace(part(3, 0), columns={"file": list("abc"), "age": [1, 2, 3], "site": list("xyz")})
    b = replace(part(2, 3), columns={"file": list("de"), "age": ["4", "5"]})
    with pytest.warns(DataWarning, match="left out the columns age, site: not all sets have them"):
        whole, _ = pooled(a, b)
    assert {name: values.tolist() for name, values in whole.columns.items()} == {"file": list("abcde")}
    assert pooled(a, a)[0].columns["age"].tolist() == [1, 2, 3] * 2


def test_sets_in_a_list_are_told_to_come_one_by_one():
    with pytest.raises(InvalidInput, match=r"list is no Dataset; .* pooled\(\*datasets\)"):
        pooled([part(2, 0), part(2, 2)])


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ((), "at least two"),
        ((Dataset(x=np.ones((3, 2)), y=[0, 1, 2], classes=("0", "1", "2"), name="wide"),), r"from 0 .*\(1,\).*wide"),
        ((replace(part(3, 5), classes=("a", "b", "c")),), "replace"),
        ((Dataset(x=np.ones((3, 1)), y=np.ones((3, 3))),), "3 target"),
        ((symmetric_noise(part(9, 5), 0.5, seed=0),), "only one of"),
    ],
)
def test_refuses(others, message):
    with pytest.raises(InvalidInput, match=message):
        pooled(part(4, 0), *others)
