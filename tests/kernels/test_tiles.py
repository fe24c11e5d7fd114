"""Tiling with features that are the examples themselves: no network, so that every shape can be tried."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import OverBudget
from infojax.kernels._tiles import Grid, Tiling, choose_tiling, fill, given_tiling, into

sizes = st.integers(1, 12)


def tile(left, right):
    return jnp.asarray(np.einsum("icp,jdp->icjd", left, right).reshape(-1, right.shape[0] * right.shape[1]))


multiples = st.integers(1, 4)


class Features:
    """Examples x (n, k, p), and how many of them are looked at, tile by tile; after the last comes that again."""

    def __init__(self, x):
        self.x = x
        self.asked = 0

    def __call__(self, block: slice):
        self.asked += block.stop - block.start
        return self.x[np.minimum(np.arange(block.start, block.stop), len(self.x) - 1)]


@given(n=sizes, m=sizes, k=st.integers(1, 3), rows=sizes, columns=sizes, kept=st.integers(1, 5), multiple=multiples)
def test_rectangular(n, m, k, rows, columns, kept, multiple):
    random = np.random.default_rng(0)
    left, right = random.integers(-9, 9, (n, k, 4)), random.integers(-9, 9, (m, k, 4))
    result = np.full((n * k, m * k), -1, np.int32)
    grid = Grid(n, m, min(rows, n), min(columns, m), False, multiple)
    fill(into(result), grid, kept, Features(left), Features(right), tile, outputs=k)
    np.testing.assert_array_equal(result, left.reshape(n * k, 4) @ right.reshape(m * k, 4).T)


@given(n=sizes, k=st.integers(1, 3), size=sizes, kept=st.integers(1, 5), multiple=multiples)
def test_symmetric(n, k, size, kept, multiple):
    x = np.random.default_rng(0).integers(-9, 9, (n, k, 4))
    size = min(size, n)
    computed = []

    def counted(left, right):
        computed.append((len(left), len(right)))
        return tile(left, right)

    result = np.full((n * k, n * k), np.nan)
    features = Features(x)
    fill(into(result), Grid(n, n, size, size, True, multiple), kept, features, None, counted, outputs=k)
    np.testing.assert_array_equal(result, x.reshape(n * k, 4) @ x.reshape(n * k, 4).T)
    blocks = -(-n // size)
    assert len(computed) == blocks * (blocks + 1) // 2
    # All tiles are of one shape, whose rows a number of devices can share equally.
    same = -(-size // multiple) * multiple
    assert set(computed) == {(same, same)}
    # Each panel of kept blocks, and all blocks after it.
    assert features.asked == sum(blocks - start for start in range(0, blocks, kept)) * same


@given(n=sizes, m=sizes, size=sizes, kept=st.integers(1, 3), symmetric=st.booleans(), data=st.data())
def test_only_tiles_that_are_wanted_and_each_once(n, m, size, kept, symmetric, data):
    m = n if symmetric else m
    grid = Grid(n, m, min(size, n), min(size, m), symmetric)
    wanted = data.draw(st.lists(st.sampled_from(grid.tiles()), unique=True).map(sorted))
    x, y = (np.random.default_rng(0).integers(1, 9, (max(n, m), 1, 4))[:size] for size in (n, m))
    result, times = np.zeros((n, m)), np.zeros((n, m), int)

    def write(rows, columns, block):
        result[rows, columns] = block
        times[rows, columns] += 1

    fill(write, grid, kept, Features(x), None if symmetric else Features(y), tile, outputs=1, wanted=wanted)
    expected = np.zeros((n, m), int)
    for i, j in wanted:
        expected[grid.row(i).at, grid.column(j).at] = 1
        if symmetric:
            expected[grid.column(j).at, grid.row(i).at] = 1
    np.testing.assert_array_equal(times, expected)
    np.testing.assert_array_equal(result, expected * (x[:, 0] @ y[:, 0].T))


def test_result_is_exactly_symmetric_though_tiles_are_not():
    """As matrix products on a device, whose rounding depends on the order of the operands."""
    x = np.random.default_rng(0).normal(size=(7, 1, 4))

    def rounded(left, right):
        return tile(left, right) + jnp.asarray(1e-7 * np.arange(len(left) * len(right)).reshape(len(left), len(right)))

    result = np.zeros((7, 7), np.float32)
    fill(into(result), Grid(7, 7, 3, 3, True), 2, Features(x), None, rounded, outputs=1)
    np.testing.assert_array_equal(result, result.T)


def need(rows: int, columns: int, kept: int) -> int:
    return 2 * rows * columns + 100 * (rows * kept + columns)


def test_large_tiles_that_keep_much():
    assert choose_tiling(160, 160, 80, need, budget=10**9) == Tiling(80, 80, 2, 36_800)
    assert choose_tiling(160, 160, 80, need, budget=30_000) == Tiling(40, 40, 4, 23_200)
    # Not all fit: 80 in blocks of 40, though 140 in blocks of 20 would; but not 40 where 100 would.
    assert choose_tiling(160, 160, 80, need, budget=17_000) == Tiling(40, 40, 2, 15_200)
    assert choose_tiling(160, 160, 80, need, budget=14_000) == Tiling(20, 20, 5, 12_800)
    # Small tiles only where no others fit, and then the largest.
    assert choose_tiling(160, 160, 80, need, budget=3_500) == Tiling(10, 10, 2, 3_200)
    assert choose_tiling(160, 160, 80, need, budget=202) == Tiling(1, 1, 1, 202)
    # Few examples need no small tiles, and blocks are of one size: 21 = 3 · 7.
    assert choose_tiling(3, 3, 20, need, budget=10**9) == Tiling(3, 3, 1, 618)
    assert choose_tiling(21, 5, 10, need, budget=10**9) == Tiling(7, 5, 3, 2_670)


def test_too_small_a_budget():
    with pytest.raises(OverBudget, match="a tile of 1 × 1 examples needs 202 bytes, the budget is 201: take a network"):
        choose_tiling(40, 40, 20, need, budget=201)
    with pytest.raises(OverBudget, match=r"a tile of 20 × 20 .*: allow a smaller tile, or allow a larger"):
        choose_tiling(40, 40, 20, need, budget=4_500, fixed=True)
    assert choose_tiling(40, 40, 20, need, budget=4_800, fixed=True) == Tiling(20, 20, 1, 4_800)


def test_tiles_of_a_kernel_that_was_begun():
    assert given_tiling(160, 40, 40, need, budget=17_000) == Tiling(40, 40, 2, 15_200)
    with pytest.raises(OverBudget, match=r"begun in tiles of 40 × 40 examples, one of which needs 11,200 bytes"):
        given_tiling(160, 40, 40, need, budget=11_000)
