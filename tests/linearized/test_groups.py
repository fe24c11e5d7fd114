import jax.numpy as jnp
import jaxtyping
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.linearized._groups import rows_of_groups


def test_examples_one_by_one_are_blocks_of_outputs():
    rows = rows_of_groups(None, examples=3, outputs=2)
    np.testing.assert_array_equal(rows.indices, [[0, 1], [2, 3], [4, 5]])
    assert rows.present.all()
    np.testing.assert_array_equal(rows.sizes, 1)


def test_groups_of_different_sizes_are_padded():
    rows = rows_of_groups([[2], [0, 1]], examples=4, outputs=2)
    np.testing.assert_array_equal(rows.indices, [[4, 5, 0, 0], [0, 1, 2, 3]])
    np.testing.assert_array_equal(rows.present, [[True, True, False, False], [True] * 4])


LABELS = np.array([2, 0, 2, 1, 0])
MEMBERS = [[1, 4], [3], [0, 2]]


def members(groups, examples=5):
    rows = rows_of_groups(groups, examples, 1)
    return [index[here].tolist() for index, here in zip(rows.indices, rows.present, strict=True)]


@pytest.mark.parametrize(
    "groups",
    [
        LABELS,
        LABELS.astype(np.uint8),
        LABELS.astype(">i8"),
        LABELS.astype(object),
        jnp.asarray(LABELS),
        LABELS.tolist(),
        tuple(LABELS.tolist()),
        iter(LABELS.tolist()),
        list(jnp.asarray(LABELS)),
        pl.Series(LABELS),
        np.ma.masked_array(LABELS),
        np.array(["c", "a", "c", "b", "a"]),
        ["c", "a", "c", "b", "a"],
        [b"c", b"a", b"c", b"b", b"a"],
        pl.Series(["c", "a", "c", "b", "a"], dtype=pl.Categorical),
        MEMBERS,
        tuple(map(tuple, MEMBERS)),
        (iter(each) for each in MEMBERS),
        [np.array(each) for each in MEMBERS],
        [jnp.array(each) for each in MEMBERS],
        [set(each) for each in MEMBERS],
        [range(1, 5, 3), [3], {0, 2}],
        [np.isin(np.arange(5), each) for each in MEMBERS],
        np.stack([np.isin(np.arange(5), each) for each in MEMBERS]),
        jnp.stack([jnp.isin(jnp.arange(5), jnp.array(each)) for each in MEMBERS]),
        {"a": MEMBERS[0], "b": MEMBERS[1], "c": MEMBERS[2]}.values(),
        pl.Series(MEMBERS),
    ],
)
def test_labels_and_members_in_all_their_forms(groups):
    assert members(groups) == MEMBERS


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=20).filter(lambda labels: len(set(labels)) > 1))
def test_every_example_is_in_the_group_of_its_label(labels):
    names = sorted(set(labels))
    expected = [[i for i, label in enumerate(labels) if label == name] for name in names]
    assert members(np.array(labels), len(labels)) == members(labels, len(labels)) == expected


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (LABELS == 0, r"mask of booleans.*\[mask\]"),
        ((LABELS == 0).tolist(), "mask of booleans"),
        ([np.array([True, False])], "group 0 is a mask of 2 booleans; there are 5 examples"),
        (LABELS * 1.0, "one integer for each of the 5 examples"),
        ([[0.5, 1.7], [2]], "group 0 is of dtype float64"),
        ([["a"], [2]], "group 0 is of dtype <U1"),
        (LABELS[:, None], r"shape \(5, 1\).* give groups\[:, 0\]"),
        (np.ma.masked_array(LABELS, mask=LABELS == 1), "groups has 1 masked of 5"),
        ([np.ma.masked_array([0, 1], mask=[0, 1])], "group 0 has 1 masked of 2"),
        (["a", None, "a", "b", "b"], r"missing value at \[1\], None"),
        ("class", "groups is 'class'; give labels"),
        ({"a": [0]}, r"list\(groups\.values\(\)\)"),
        (3, "groups is 3"),
        ({0, 1}, "groups is {0, 1}"),
        ([0, [1, 2]], r"group 0 is of dtype int64 and shape \(\)"),
        (iter(()), "groups is empty"),
        (np.array([], int), "groups is empty"),
        ([0, 1], "one integer for each of the 5 examples"),
        (LABELS[:2], "one integer for each of the 5 examples"),
        (np.zeros((2, 2, 2), int), r"shape \(2, 2\)"),
    ],
)
def test_refuses(groups, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # users run without type checks
    with pytest.raises(InvalidInput, match=message):
        rows_of_groups(groups, 5, 1)
