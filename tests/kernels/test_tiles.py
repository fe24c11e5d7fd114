"""Tiling with features that are the examples themselves: no network, so that every shape can be tried."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import OverBudget
from infojax.kernels.tiles import Tiling, choose_tiling, fill

sizes = st.integers(1, 12)


class Features:
    """Examples x (n, k, p), and how many of them are looked at, tile by tile."""

    def __init__(self, x):
        self.x = x
        self.asked = 0

    def __call__(self, block: slice):
        self.asked += block.stop - block.start
        return self.x[block]


def tile(left, right):
    return jnp.asarray(np.einsum("icp,jdp->icjd", left, right).reshape(-1, right.shape[0] * right.shape[1]))


@given(n=sizes, m=sizes, k=st.integers(1, 3), rows=sizes, columns=sizes, keep=st.booleans())
def test_rectangular(n, m, k, rows, columns, keep):
    random = np.random.default_rng(0)
    left, right = random.integers(-9, 9, (n, k, 4)), random.integers(-9, 9, (m, k, 4))
    result = np.full((n * k, m * k), -1, np.int32)
    fill(result, Tiling(min(rows, n), min(columns, m), keep, 0), Features(left), Features(right), tile, outputs=k)
    np.testing.assert_array_equal(result, left.reshape(n * k, 4) @ right.reshape(m * k, 4).T)


@given(n=sizes, k=st.integers(1, 3), size=sizes, keep=st.booleans())
def test_symmetric(n, k, size, keep):
    x = np.random.default_rng(0).integers(-9, 9, (n, k, 4))
    computed = []

    def counted(left, right):
        computed.append((len(left), len(right)))
        return tile(left, right)

    result = np.full((n * k, n * k), np.nan)
    features = Features(x)
    fill(result, Tiling(min(size, n), min(size, n), keep, 0), features, None, counted, outputs=k)
    np.testing.assert_array_equal(result, x.reshape(n * k, 4) @ x.reshape(n * k, 4).T)
    blocks = -(-n // min(size, n))
    assert len(computed) == blocks * (blocks + 1) // 2
    assert len(set(computed)) == 1
    if keep:
        assert features.asked == blocks * min(size, n)


def test_result_is_exactly_symmetric_though_tiles_are_not():
    """As matrix products on a device, whose rounding depends on the order of the operands."""
    x = np.random.default_rng(0).normal(size=(7, 1, 4))

    def rounded(left, right):
        return tile(left, right) + jnp.asarray(1e-7 * np.arange(len(left) * len(right)).reshape(len(left), len(right)))

    result = np.zeros((7, 7), np.float32)
    fill(result, Tiling(3, 3, True, 0), Features(x), None, rounded, outputs=1)
    np.testing.assert_array_equal(result, result.T)


def need(rows: int, columns: int, keep: bool) -> int:
    return 100 * rows * columns + (5_000 if keep else 10 * (rows + columns))


def test_largest_tiles_that_fit():
    assert choose_tiling(40, 40, 20, need, budget=10**9) == Tiling(20, 20, True, 45_000)
    assert choose_tiling(40, 40, 20, need, budget=20_000) == Tiling(10, 10, True, 15_000)
    # Keeping features leaves room for tiles of less than eight examples: they are computed again instead.
    assert choose_tiling(40, 40, 20, need, budget=11_000) == Tiling(10, 10, False, 10_200)
    assert choose_tiling(40, 40, 20, need, budget=120) == Tiling(1, 1, False, 120)
    # Few examples need no small tiles, and blocks are of one size: 21 = 3 · 7.
    assert choose_tiling(3, 3, 20, need, budget=10**9) == Tiling(3, 3, True, 5_900)
    assert choose_tiling(21, 5, 10, need, budget=10**9) == Tiling(7, 5, True, 8_500)


def test_too_small_a_budget():
    with pytest.raises(OverBudget, match="a tile of 1 × 1 examples needs 120 bytes, the budget is 119: take a network"):
        choose_tiling(40, 40, 20, need, budget=119)
    with pytest.raises(OverBudget, match=r"a tile of 20 × 20 .*: allow a smaller tile, or allow a larger"):
        choose_tiling(40, 40, 20, need, budget=10_000, fixed=True)
    assert choose_tiling(40, 40, 20, need, budget=40_400, fixed=True) == Tiling(20, 20, False, 40_400)
