"""A kernel in blocks of examples: how large they may be, and which of them need computing."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from infojax.errors import OverBudget

if TYPE_CHECKING:
    from rich.progress import Progress


# Products of tiles with fewer examples than this take longer than computing features again for larger ones.
_SMALL = 16


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
    fitting = []
    for size in sizes:
        rows, columns = even(n, size), even(m, size)
        counts = range(1, -(-n // rows) + 1)
        kept = bisect_right(counts, budget, key=lambda kept, shape=(rows, columns): need(*shape, kept))
        if kept:
            fitting.append(Tiling(rows, columns, kept, need(rows, columns, kept)))
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


def fill(
    result: np.ndarray,
    tiling: Tiling,
    left: Callable[[slice], Any],
    right: Callable[[slice], Any] | None,
    tile: Callable[[Any, Any], jax.Array],
    *,
    outputs: int,
    progress: "Progress | None" = None,
) -> None:
    """Write the kernel into `result`, tile by tile.

    `left` and `right` give the features of a slice of examples, `tile` the kernel of two such blocks. Without `right`
    the kernel is symmetric: only the tiles on and above the diagonal are computed, and the result is exactly symmetric.
    """
    n, m = (size // outputs for size in result.shape)
    rows, columns = blocks(n, tiling.rows), blocks(m, tiling.columns)
    symmetric = right is None
    of_column = left if right is None else right

    def tiles() -> Iterator[tuple[slice, slice, jax.Array]]:
        for start in range(0, len(rows), tiling.kept):
            # One block at a time: what it takes to make features is counted once.
            panel = [jax.block_until_ready(left(row)) for row in rows[start : start + tiling.kept]]
            for j in range(start if symmetric else 0, len(columns)):
                there = symmetric and j < start + len(panel)
                others = panel[j - start] if there else of_column(columns[j])
                for i, features in enumerate(panel, start):
                    if i <= j or not symmetric:
                        yield rows[i], columns[j], tile(features, others)

    total = len(rows) * (len(rows) + 1) // 2 if symmetric else len(rows) * len(columns)
    task = None if progress is None else progress.add_task("empirical NTK", total=total)
    for row, column, block in _one_ahead(tiles()):
        _write(result, row, column, np.asarray(block), symmetric, outputs)
        if progress is not None and task is not None:
            progress.advance(task)


def _write(result: np.ndarray, row: slice, column: slice, block: np.ndarray, symmetric: bool, outputs: int) -> None:
    at = slice(row.start * outputs, row.stop * outputs)
    across = slice(column.start * outputs, column.stop * outputs)
    if symmetric and row == column:
        block = (block + block.T) / 2
    result[at, across] = block
    if symmetric and row != column:
        result[across, at] = block.T


def _one_ahead(items: Iterator[Any]) -> Iterator[Any]:
    """The same items, each after the next one has been asked for: the device computes while the host copies."""
    waiting = next(items)
    for item in items:
        yield waiting
        waiting = item
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
