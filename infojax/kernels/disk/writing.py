"""Tiles written into the folder of a kernel, which knows what it was computed from and what is still missing."""

import contextlib
import functools
import operator
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from infojax.errors import InvalidInput, StorageFailed
from infojax.kernels._tiles import Grid, Tiling, Write
from infojax.kernels.disk.folder import begin, describe
from infojax.kernels.disk.identity import check_inputs
from infojax.kernels.disk.on_disk import KernelOnDisk, open_kernel

# Tiles under way to the disk while the next ones are computed.
_PENDING = 4


@dataclass(frozen=True)
class OnDisk:
    """Where `empirical_ntk` writes a kernel, as its `out`.

    Args:
        folder: new, or that of the same kernel, unfinished; on a file system that all hosts share if there are several.
        zstd: level of compression, 1 to 22 (kernels in float32 get little smaller); None does not compress.
        patience: seconds without a new tile of another host after which it is given up.
    """

    folder: str | Path
    zstd: int | None = None
    patience: float = 600.0

    @property
    def path(self) -> Path:
        return Path(self.folder).expanduser().absolute()


def create_or_continue(
    target: OnDisk,
    shape: tuple[int, int],
    dtype: np.dtype,
    plan: Callable[[], Tiling],
    *,
    outputs: int,
    symmetric: bool,
    inputs: dict[str, str],
) -> KernelOnDisk:
    """The kernel in the folder, in the tiles of `plan` if it is a new one.

    Raises:
        InvalidInput: the folder belongs to other inputs, or has other files.
        CorruptData: its metadata are damaged.
        StorageFailed: it cannot be written, or has no room.
    """
    if target.zstd is not None and not 1 <= target.zstd <= 22:
        raise InvalidInput(f"zstd={target.zstd}; levels of compression are 1 to 22, None does not compress")
    if target.path.exists() and not target.path.is_dir():
        raise InvalidInput(f"{target.path} is a file: give a folder for the kernel")
    if not (target.path / "zarr.json").exists():
        planned = plan()
        chunks = (planned.rows * outputs, planned.columns * outputs)
        about: Any = {"outputs": outputs, "symmetric": symmetric, "inputs": inputs, "zstd": target.zstd}
        begin(target.path, describe(shape, dtype, chunks, **about))
    kernel = open_kernel(target.path)
    check_inputs(kernel.folder, kernel.inputs, inputs)
    _check_room(kernel, target.zstd)
    return kernel


def missing_tiles(kernel: KernelOnDisk, grid: Grid) -> list[tuple[int, int]]:
    """The tiles of `grid.tiles()` that must be computed: of a symmetric kernel a tile or its mirror is not there."""
    absent = set(kernel.missing())
    if grid.symmetric:
        absent |= {(j, i) for i, j in absent}
    return [tile for tile in grid.tiles() if tile in absent]


@contextlib.contextmanager
def writing(kernel: KernelOnDisk) -> Iterator[Write]:
    """A function that writes whole tiles, while the next ones are computed; at the end all are on the disk.

    A tile's file is written under another name, synced and renamed, so that it is there whole or not at all. Then the
    kernel notes which tile it is.
    """
    pending: deque[Any] = deque()

    def finish(future: Any, rows: slice, columns: slice) -> None:
        future.result()
        if kernel.places is not None:
            (r, c) = kernel.chunks
            kernel.places.note(
                product(range(rows.start // r, -(-rows.stop // r)), range(columns.start // c, -(-columns.stop // c)))
            )

    def settle() -> None:
        try:
            finish(*pending.popleft())
        except (ValueError, OSError) as error:
            raise StorageFailed(
                f"a tile of the kernel could not be written to {kernel.folder}: {error}. Make room, or mend what it "
                "says; the same call then computes only the tiles that are missing"
            ) from error

    def write(rows: slice, columns: slice, block: np.ndarray) -> None:
        while len(pending) >= _PENDING:
            settle()
        # A copy: the block may lie in the device's memory, or be the mirror of another.
        pending.append((kernel.store[rows, columns].write(np.array(block, order="C")), rows, columns))

    try:
        yield write
        while pending:
            settle()
    finally:
        for written in pending:
            with contextlib.suppress(ValueError, OSError):
                finish(*written)
        if kernel.places is not None:
            kernel.places.sync()


def _check_room(kernel: KernelOnDisk, zstd: int | None) -> None:
    absent = len(kernel.missing())
    needed = absent * functools.reduce(operator.mul, kernel.chunks) * kernel.dtype.itemsize
    free = shutil.disk_usage(kernel.folder).free
    if zstd is None and needed > free:
        raise StorageFailed(
            f"the {absent:,} missing tiles of the kernel need {needed:,} bytes, there are {free:,} free at "
            f"{kernel.folder}: make room, or give a folder elsewhere"
        )
