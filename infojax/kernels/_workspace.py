"""What building a kernel holds on each device: tiles, features, and the network that runs on a block of examples."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from infojax.kernels._batches import Cost
from infojax.kernels._contract import contraction_bytes

# Rows of a tile: small enough for the caches of a processor, large enough for the products of an accelerator.
_ROWS, _ROWS_ON_ACCELERATOR = 512, 4096


@dataclass(frozen=True)
class Workspace:
    """Bytes that building a kernel may take on each of some devices, beside the kernel itself."""

    bytes: int
    devices: int = 1
    on_host: bool = True


class Working(NamedTuple):
    """How a kernel is built within a workspace.

    Attributes:
        batch: most examples that a device runs the network on at once.
        edge: most examples along the edge of a tile.
        need: bytes on each device for tiles of so many (rows, columns), with the features of `kept` blocks of rows.
    """

    batch: int
    edge: int
    need: Callable[[int, int, int], int]


def working(costs: Cost, examples: int, outputs: int, workspace: Workspace, *, symmetric: bool) -> Working:
    """How the kernel of so many examples, whose features cost so much, is built within a workspace."""
    # A quarter for running the network, so that tiles and kept features can be large.
    batch = max(1, (workspace.bytes // 4 - costs.weights) // costs.making)
    rows = max(1, (_ROWS if workspace.on_host else _ROWS_ON_ACCELERATOR) // outputs)
    count = workspace.devices
    need = functools.partial(bytes_needed, costs, total=examples, symmetric=symmetric, batch=batch, devices=count)
    # On several devices, each one's part of a tile is as large as a tile on one.
    return Working(batch, round(rows * count**0.5), need)


def bytes_needed(
    costs: Cost,
    rows: int,
    columns: int,
    kept: int,
    *,
    total: int,
    symmetric: bool,
    batch: int | None = None,
    devices: int = 1,
) -> int:
    """Bytes on each device for tiles of `rows` by `columns` examples, with the features of `kept` blocks of rows, out
    of `total` examples, in memory, and features made of at most `batch` examples at a time.
    """
    # The next block and the next tile may be under way while the last ones are still in use.
    streamed = 0 if symmetric and rows * kept >= total else 2 * columns
    # Of a tile, each device has some rows and all columns.
    gathered = 2 * columns if devices > 1 else 0
    rows, streamed, part = (-(-size // devices) for size in (rows, streamed, columns))
    largest = max(rows, part)
    batch = min(largest, batch or largest)
    held = costs.each * (rows * kept + streamed + gathered)
    joining = costs.each * largest * (batch < largest)
    making = costs.weights + costs.making * batch
    return held + joining + making + 2 * contraction_bytes(costs.shapes, rows, columns)
