"""The contrast of two kinds of scores, against its definition pair by pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.information import contrast

SCORES = st.lists(st.integers(1, 6).map(float), min_size=1, max_size=12)


@given(SCORES, SCORES)
def test_auc_counts_pairs(first, second):
    a, b = np.array(first), np.array(second)
    found = contrast(a, b)
    by_pairs = ((a[:, None] > b[None]) + 0.5 * (a[:, None] == b[None])).mean()
    assert found.auc == pytest.approx(by_pairs)
    assert found.median_ratio == pytest.approx(np.median(a) / np.median(b))
    assert contrast(b, a).auc == pytest.approx(1 - found.auc)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [([], [1.0], "first"), ([1.0], [np.nan], "second"), ([-1.0], [1.0], "≥ 0"), ([1.0], [0.0], "no ratio")],
)
def test_refuses(first, second, message):
    with pytest.raises(InvalidInput, match=message):
        contrast(np.array(first), np.array(second))
