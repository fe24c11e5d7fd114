"""Leaving out groups of a linear head: against refits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax.data import ArrayTiles
from infojax.errors import InvalidInput, OverBudget
from infojax.files import allowing
from infojax.linearized import (
    Converged,
    leave_each_out_of_head,
    leave_groups_out_of_head,
    linear_head,
    validation_of,
)

from .refits import without
from .test_each import TRAININGS, problem

# Pairs by the block's formula, and five of nine by a refit of what is left; they overlap.
GROUPS = [[0, 1], [1, 4], [2, 3, 4, 5, 6], [7, 8]]


def found(given_, training, groups):
    features, residual, others, targets = given_
    tiles = ArrayTiles(features)
    head = linear_head(tiles, residual)
    return leave_groups_out_of_head(
        head, tiles, residual, validation_of(head, ArrayTiles(others), targets), training, groups
    )


@settings(max_examples=24, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from([(9, 5, 3, 4), (9, 9, 1, 12), (9, 12, 3, 4)]),
    st.sampled_from(sorted(TRAININGS)),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from(["sum", "mean"]),
    st.booleans(),
)
def test_groups_against_refits(seed, shape, name, decay, convention, twice):
    given_ = problem(seed, *shape, twice=twice)
    training = TRAININGS[name](decay, convention)
    made = found(given_, training, GROUPS)
    for number, group in enumerate(GROUPS):
        expected = without(*given_, training, group)
        assert made.weights[number] == pytest.approx(expected.weights, rel=1e-6, abs=1e-8)
        assert made.predictions[number] == pytest.approx(expected.predictions, rel=1e-6, abs=1e-8)
        assert made.loss[number] == pytest.approx(expected.loss, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", sorted(TRAININGS))
def test_groups_of_one_are_single_examples(name):
    given_ = problem(1, 7, 3, 3, 9)
    features, residual, others, targets = given_
    tiles, training = ArrayTiles(features), TRAININGS[name](0.3, "mean")
    head = linear_head(tiles, residual)
    each = leave_each_out_of_head(head, tiles, residual, validation_of(head, ArrayTiles(others), targets), training)
    for part, expected in zip(found(given_, training, np.arange(7)), each[:3], strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-9)


def test_what_cannot_be_left_out_is_refused():
    given_ = problem(1, 7, 3, 3, 9)
    with pytest.raises(InvalidInput, match="Group 1 has 7 of 7 examples"):
        found(given_, Converged(), [[0], list(range(7))])
    wide = (np.broadcast_to(1.0, (500, 40)) + np.eye(500, 40), np.ones((500, 1)), np.ones((1, 40)), np.ones((1, 1)))
    with allowing(4e6), pytest.raises(OverBudget, match="rows of 500 groups of up to 499 examples"):
        found(wide, Converged(), ~np.eye(500, dtype=bool))
