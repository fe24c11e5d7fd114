"""A kernel computed into a folder: what is there stays, and each process of `jax.distributed` adds its share."""

import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from infojax.errors import HostsMissing
from infojax.kernels._tiles import Grid, Tiling, Write
from infojax.kernels.disk.hosts import first_says, share, wait_for_others
from infojax.kernels.disk.on_disk import KernelOnDisk
from infojax.kernels.disk.writing import OnDisk, create_or_continue, missing_tiles, writing

# Seconds after which one process sees what another has written; network file systems remember that it was not there.
_SEEN_AFTER = 60.0


def fill_folder(
    target: OnDisk,
    shape: tuple[int, int],
    dtype: np.dtype,
    plan: Callable[[], Tiling],
    again: Callable[[int, int], Tiling],
    compute: Callable[[Write, Tiling, list[tuple[int, int]]], None],
    *,
    outputs: int,
    symmetric: bool,
    inputs: dict[str, str],
) -> KernelOnDisk:
    """The kernel in the folder, with all its tiles.

    `plan` chooses the tiles of a new one, `again(rows, columns)` plans with those of one that was begun, and
    `compute(write, tiling, tiles)` computes some.
    """
    first, processes = jax.process_index() == 0, jax.process_count()
    if not first:
        first_says([], [])
        _wait_for_file(target.path / "zarr.json")
    kernel = create_or_continue(target, shape, dtype, plan, outputs=outputs, symmetric=symmetric, inputs=inputs)
    if first:
        # What stands in another's place counts as missing; removed before the others look.
        kernel.discard(kernel.misplaced())
    if first and processes > 1:
        first_says([], [])
    rows, columns = (size // outputs for size in kernel.chunks)
    tiling = again(rows, columns)
    n, m = (size // outputs for size in shape)
    grid = Grid(n, m, rows, columns, symmetric)
    wanted = missing_tiles(kernel, grid)
    if processes > 1:
        wanted = share(first_says(wanted, grid.tiles()), jax.process_index(), processes)
    with writing(kernel) as write:
        compute(write, tiling, wanted)
    if processes > 1:
        wait_for_others(lambda: len(kernel.missing()), target.patience)
    return kernel


def _wait_for_file(path: Path) -> None:
    until = time.monotonic() + _SEEN_AFTER
    while not path.exists():
        if time.monotonic() > until:
            raise HostsMissing(
                f"process {jax.process_index()} does not see {path}, which another one has written: give a folder on a "
                "file system that all of them share"
            )
        time.sleep(0.1)
