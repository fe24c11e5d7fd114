"""Means over repetitions: those of ratios are geometric, so inverses have the inverse mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.plots import mean_of, mean_ratio


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=8))
def test_inverses_swap_the_ends(ratios):
    found, inverse = mean_ratio(np.array(ratios)), mean_ratio(1 / np.array(ratios))
    assert found.mean == pytest.approx(np.prod(np.array(ratios)) ** (1 / len(ratios)))
    np.testing.assert_allclose(inverse, [1 / found.mean, 1 / found.high, 1 / found.low], rtol=1e-9)
    if len(ratios) == 1:
        assert found.low == pytest.approx(found.mean, rel=1e-15)
        assert found.high == pytest.approx(found.mean, rel=1e-15)


def test_the_error_is_that_of_the_mean():
    values = np.array([0.0, 1.0, 5.0])
    error = np.sqrt(7 / 3)  # of the three squared deviations 4, 1 and 9, over 2, over 3
    np.testing.assert_allclose(mean_of(values), [2, 2 - error, 2 + error])
    np.testing.assert_allclose(np.log(mean_ratio(np.exp(values))), [2, 2 - error, 2 + error])
    np.testing.assert_allclose(mean_of(values).bar, [[error], [error]])


@pytest.mark.parametrize("values", [[], [np.nan], [[1.0]]])
def test_refuses(values):
    for mean in (mean_of, mean_ratio):
        with pytest.raises(InvalidInput, match="finite"):
            mean(values)
    with pytest.raises(InvalidInput, match="positive"):
        mean_ratio([1.0, 0.0])
