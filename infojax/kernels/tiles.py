"""A kernel in blocks of examples: how large they may be, and which of them need computing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from infojax.errors import OverBudget

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass(frozen=True)
class Tiling:
    """Tiles of `rows` by `columns` examples, and the bytes that they take beside the result.

    `keep`: the features of all examples of the columns stay in memory; otherwise they are computed again for each
    block of rows.
    """

    rows: int
    columns: int
    keep: bool
    bytes: int


def choose_tiling(
    n: int,
    m: int,
    most: int,
    need: Callable[[int, int, bool], int],
    *,
    budget: int,
    fixed: bool = False,
    remedy: str = "allow a smaller tile",
) -> Tiling:
    """The largest tiles of at most `most` examples whose `need(rows, columns, keep)` in bytes is within `budget`.

    Keeping features comes before large tiles, unless tiles would fall below eight examples. With `fixed`, tiles have
    `most` examples or none, and `remedy` is what to do about that.

    Raises:
        OverBudget: not even a tile of one example (or, with `fixed`, of `most`) fits.
    """
    sizes = [most] if fixed else _halvings(min(most, max(n, m)))
    choices = [(size, True) for size in sizes if fixed or size >= min(8, n, m)] + [(size, False) for size in sizes]
    for size, keep in choices:
        rows, columns = _even(n, size), _even(m, size)
        needed = need(rows, columns, keep)
        if needed <= budget:
            return Tiling(rows, columns, keep, needed)
    size = sizes[-1]
    needed = need(_even(n, size), _even(m, size), False)
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
    # One block at a time: what it takes to make features is counted once.
    kept = [jax.block_until_ready(of_column(block)) for block in columns] if tiling.keep else None

    def tiles() -> Iterator[tuple[slice, slice, jax.Array]]:
        for i, row in enumerate(rows):
            features = kept[i] if symmetric and kept else left(row)
            for j in range(i if symmetric else 0, len(columns)):
                same = symmetric and i == j
                others = kept[j] if kept else features if same else of_column(columns[j])
                yield row, columns[j], tile(features, others)

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


def _even(total: int, most: int) -> int:
    """The size of the fewest equal blocks of at most `most`."""
    return -(-total // -(-total // most))


def blocks(total: int, size: int) -> list[slice]:
    """Blocks of one size, so that one compiled function serves all; the last overlaps the one before."""
    starts = [min(start, total - size) for start in range(0, total, size)]
    return [slice(start, start + size) for start in starts]
