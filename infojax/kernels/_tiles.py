"""A kernel in blocks of examples: how large they may be, and which of them need computing."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from infojax.errors import OverBudget

if TYPE_CHECKING:
    from rich.progress import Progress


# Products of tiles with fewer examples than this take longer than computing features again for larger ones.
_SMALL = 16

Write = Callable[[slice, slice, np.ndarray], None]


@dataclass(frozen=True)
class Tiling:
    """Tiles of `rows` by `columns` examples, and the bytes that they take beside the result.

    `kept`: so many blocks of rows have their features in memory at once. Those of the columns are computed again for
    each such panel, unless it has all the examples of a symmetric kernel.
    """

    rows: int
    columns: int
    kept: int
    bytes: int


class Window(NamedTuple):
    """Examples `read` for a tile, of which those from `skip` on belong to it: the examples `at`."""

    read: slice
    skip: int
    at: slice


@dataclass(frozen=True)
class Grid:
    """The tiles of a kernel between n and m examples, of `rows` by `columns` examples each, the last ones of fewer.

    All tiles are computed from blocks of one size, so that one compiled function serves all: the last block starts
    earlier, or, where that size (a multiple of `multiple`) is larger than n, has more examples than there are.
    """

    n: int
    m: int
    rows: int
    columns: int
    symmetric: bool
    multiple: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        return -(-self.n // self.rows), -(-self.m // self.columns)

    def tiles(self) -> list[tuple[int, int]]:
        """The tiles to compute, row by row; of a symmetric kernel those on and above the diagonal."""
        rows, columns = self.shape
        return [(i, j) for i in range(rows) for j in range(i if self.symmetric else 0, columns)]

    def row(self, i: int) -> Window:
        return self._window(i, self.n, self.rows)

    def column(self, j: int) -> Window:
        return self._window(j, self.m, self.columns)

    def _window(self, number: int, total: int, size: int) -> Window:
        start, computed = number * size, -(-size // self.multiple) * self.multiple
        earlier = max(0, min(start, total - computed))
        return Window(slice(earlier, earlier + computed), start - earlier, slice(start, min(start + size, total)))


def choose_tiling(
    n: int,
    m: int,
    most: int,
    need: Callable[[int, int, int], int],
    *,
    budget: int,
    fixed: bool = False,
    remedy: str = "allow a smaller tile",
) -> Tiling:
    """Tiles of at most `most` examples whose `need(rows, columns, kept)`, growing with each, is within `budget` bytes.

    The largest tiles that leave room for the features of all rows; where none do, the largest that keep at least half
    as many as any. Only where no others fit do they get small. With `fixed`, tiles have `most` examples or none, and
    `remedy` is what to do about that.

    Raises:
        OverBudget: not even a tile of one example (or, with `fixed`, of `most`) fits.
    """
    sizes = [most] if fixed else _halvings(min(most, max(n, m)))
    fitting = [tiling for size in sizes if (tiling := _fitted(n, even(n, size), even(m, size), need, budget))]
    if fitting:
        large = [tiling for tiling in fitting if max(tiling.rows, tiling.columns) >= min(_SMALL, max(n, m))]
        keeping = {tiling: min(n, tiling.rows * tiling.kept) for tiling in large or fitting[:1]}
        most_kept = max(keeping.values())
        enough = n if most_kept == n else most_kept / 2
        return next(tiling for tiling, examples in keeping.items() if examples >= enough)
    size = sizes[-1]
    needed = need(even(n, size), even(m, size), 1)
    raise OverBudget(
        f"a tile of {size} × {size} examples needs {needed:,} bytes, the budget is {budget:,}: "
        f"{remedy if fixed and most > 1 else 'take a network with fewer outputs'}, or allow a larger budget"
    )


def given_tiling(n: int, rows: int, columns: int, need: Callable[[int, int, int], int], *, budget: int) -> Tiling:
    """Tiles of exactly so many examples, those of a kernel that was begun, with as many blocks kept as fit.

    Raises:
        OverBudget: not even one does.
    """
    tiling = _fitted(n, rows, columns, need, budget)
    if tiling is None:
        raise OverBudget(
            f"the kernel on disk was begun in tiles of {rows} × {columns} examples, one of which needs "
            f"{need(rows, columns, 1):,} bytes; the budget is {budget:,}: allow a larger one, or begin in a new folder"
        )
    return tiling


def _fitted(n: int, rows: int, columns: int, need: Callable[[int, int, int], int], budget: int) -> Tiling | None:
    counts = range(1, -(-n // rows) + 1)
    kept = bisect_right(counts, budget, key=lambda kept: need(rows, columns, kept))
    return Tiling(rows, columns, kept, need(rows, columns, kept)) if kept else None


def into(result: np.ndarray) -> Write:
    """Writes blocks into an array, or those of several kernels into one with an axis more."""

    def write(rows: slice, columns: slice, block: np.ndarray) -> None:
        result[..., rows, columns] = block

    return write


def fill(
    write: Write,
    grid: Grid,
    kept: int,
    left: Callable[[slice], Any],
    right: Callable[[slice], Any] | None,
    tile: Callable[[Any, Any], jax.Array],
    *,
    outputs: int,
    wanted: Sequence[tuple[int, int]] | None = None,
    as_column: Callable[[Any], Any] = lambda features: features,
    fetch: Callable[[jax.Array], Any] = np.asarray,
    progress: "Progress | None" = None,
    label: str = "empirical NTK",
) -> None:
    """Compute tiles of the kernel and `write(rows, columns, block)` them, in entries of the result.

    `left` and `right` give the features of a slice of examples, `tile` the kernel of two such blocks, the second of
    them after `as_column`. Features of `kept` blocks of rows are in memory at once. Without `right` the kernel is
    symmetric: each tile above the diagonal is written twice, and the result is exactly symmetric. `wanted` are some
    of `grid.tiles()`; None means all. `fetch` brings a block to where it is written.
    """
    wanted = grid.tiles() if wanted is None else wanted
    of_column = left if right is None else right
    task = None if progress is None else progress.add_task(label, total=len(wanted))

    def computed() -> Iterator[tuple[int, int, jax.Array]]:
        of_row: dict[int, list[int]] = {}
        for i, j in wanted:
            of_row.setdefault(i, []).append(j)
        rows = sorted(of_row)
        for start in range(0, len(rows), kept):
            # One block at a time: what it takes to make features is counted once.
            panel = {i: jax.block_until_ready(left(grid.row(i).read)) for i in rows[start : start + kept]}
            by_column: dict[int, list[int]] = {}
            for i in panel:
                for j in of_row[i]:
                    by_column.setdefault(j, []).append(i)
            for j in sorted(by_column):
                there = right is None and j in panel
                others = as_column(panel[j] if there else of_column(grid.column(j).read))
                for i in by_column[j]:
                    yield i, j, tile(panel[i], others)
            # Let go before the next panel is made, so that there are never two.
            panel, others = {}, None

    for i, j, block in _one_ahead(computed()):
        row, column = grid.row(i), grid.column(j)
        _write(write, row, column, fetch(block), right is None, i == j, outputs)
        if progress is not None and task is not None:
            progress.advance(task)


def _write(
    write: Write, row: Window, column: Window, block: Any, symmetric: bool, diagonal: bool, outputs: int
) -> None:
    at, across = (slice(window.at.start * outputs, window.at.stop * outputs) for window in (row, column))
    first, second = row.skip * outputs, column.skip * outputs
    block = block[..., first : first + at.stop - at.start, second : second + across.stop - across.start]
    if symmetric and diagonal:
        block = (block + block.swapaxes(-1, -2)) / 2
    write(at, across, block)
    if symmetric and not diagonal:
        write(across, at, block.swapaxes(-1, -2))


def _one_ahead(items: Iterator[Any]) -> Iterator[Any]:
    """The same items, each after the next one has been asked for: the device computes while the host copies."""
    waiting: Any = None
    for item in items:
        if waiting is not None:
            yield waiting
        waiting = item
    if waiting is not None:
        yield waiting


def _halvings(size: int) -> list[int]:
    return [size >> times for times in range(size.bit_length())]


def even(total: int, most: int) -> int:
    """The size of the fewest equal blocks of at most `most`."""
    return -(-total // -(-total // most))


def blocks(total: int, size: int) -> list[slice]:
    """Blocks of one size, so that one compiled function serves all; the last overlaps the one before."""
    starts = [min(start, total - size) for start in range(0, total, size)]
    return [slice(start, start + size) for start in starts]
