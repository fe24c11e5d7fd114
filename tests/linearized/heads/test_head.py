"""The factor of a linear head: what it is made of, and what is refused."""

import numpy as np
import pytest

from infojax.data import ArrayTiles
from infojax.errors import InvalidInput, OverBudget
from infojax.files import allowing
from infojax.linearized import linear_head, validation_of


def test_the_factor_is_that_of_the_features():
    rng = np.random.default_rng(0)
    features, residual = rng.normal(size=(9, 4)).astype(np.float32), rng.normal(size=(9, 2))
    head = linear_head(ArrayTiles(features), residual)
    wide = features.astype(np.float64)
    np.testing.assert_allclose((head.vectors * head.values) @ head.vectors.T, wide.T @ wide, rtol=1e-12)
    np.testing.assert_allclose(head.vectors @ head.pulled, wide.T @ residual, rtol=1e-12)
    assert head.condition == pytest.approx(np.linalg.cond(wide) ** 2)


def test_directions_without_features_are_left_out():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(9, 4))
    features[:, 3] = features[:, 0]
    features[:, 2] = 0.0
    assert len(linear_head(ArrayTiles(features), np.ones((9, 1))).values) == 2
    assert len(linear_head(ArrayTiles(features[:1]), np.ones((1, 1))).values) == 1


@pytest.mark.parametrize("m", [2, 30])
def test_validation_keeps_lengths_of_predictions(m):
    rng = np.random.default_rng(0)
    features, others, targets = rng.normal(size=(9, 4)), rng.normal(size=(m, 4)), rng.normal(size=(m, 2))
    head = linear_head(ArrayTiles(features), np.ones((9, 2)))
    kept = validation_of(head, ArrayTiles(others), targets)
    direction = rng.normal(size=4)
    assert len(kept.root) == min(m, 4)
    assert np.linalg.norm(kept.root @ direction) == pytest.approx(np.linalg.norm(others @ head.vectors @ direction))
    np.testing.assert_allclose(kept.pulled, head.vectors.T @ others.T @ targets, rtol=1e-10)


def test_bad_input_is_refused():
    tiles = ArrayTiles(np.ones((3, 2)))
    with pytest.raises(InvalidInput, match="all features of all 3 examples are zero"):
        linear_head(ArrayTiles(np.zeros((3, 2))), np.ones((3, 1)))
    with pytest.raises(InvalidInput, match="has 3 rows, the residual has shape"):
        linear_head(tiles, np.ones((4, 1)))
    with pytest.raises(InvalidInput, match="row 1 "):
        linear_head(tiles, np.array([[1.0], [np.nan], [0.0]]))
    with allowing(1e4), pytest.raises(OverBudget, match="1,000 × 1,000 features"):
        linear_head(ArrayTiles(np.broadcast_to(1.0, (3, 1000))), np.ones((3, 1)))
