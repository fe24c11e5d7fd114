"""A kernel on disk, read like an array: a folder that any program with Zarr version 3 reads too."""

import functools
import math
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from infojax.errors import CorruptData, DataWarning, InvalidInput
from infojax.kernels.disk.folder import read_metadata
from infojax.kernels.disk.places import CHECKSUM, Places

# Chunks read at once when all of them are.
_AT_ONCE = 4


@dataclass(frozen=True, eq=False)
class KernelOnDisk:
    """A kernel (n k, m k) in a folder, both halves of a symmetric one; it reads what is asked for, and keeps nothing.

    Attributes:
        folder: where it is.
        shape: (n k, m k).
        dtype: of its entries.
        chunks: entries along a tile's edges; each tile is one file, `c/ROW/COLUMN`. The last ones may stick out.
        outputs: k; row i * k + c belongs to output c of example i.
        symmetric: whether columns belong to the same examples as rows.
        compressed: whether files of tiles are smaller than their entries.
        inputs: digests of what the kernel was computed from.
        places: what tells which tile each file is; None for a kernel that an earlier infojax began, which does not say.
    """

    folder: Path
    shape: tuple[int, int]
    dtype: np.dtype
    chunks: tuple[int, int]
    outputs: int
    symmetric: bool
    compressed: bool
    inputs: Mapping[str, str]
    places: Places | None = None

    ndim = 2

    @property
    def tile_rows(self) -> int:
        """Rows of a tile: blocks of as many, aligned with the tiles, are read fastest."""
        return self.chunks[0]

    @property
    def grid(self) -> tuple[int, int]:
        """The number of tiles along each axis."""
        return -(-self.shape[0] // self.chunks[0]), -(-self.shape[1] // self.chunks[1])

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes as an array in memory; on disk as many, where nothing is compressed, and the rims of the last tiles."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        """The entries at rows and columns: each a slice, a number, numbers, or truth values; axes are independent.

        Raises:
            CorruptData: a tile is damaged, not there, or another one's.
        """
        rows, columns = index if isinstance(index, tuple) else (index, slice(None))
        rows, columns = _axis(rows, self.shape[0]), _axis(columns, self.shape[1])
        read = self._result(self.store.oindex[rows, columns].read())
        self._check_places(_tiles(rows, self.chunks[0]), _tiles(columns, self.chunks[1]))
        return read

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a kernel on disk becomes an array by reading it: leave copy=False out")
        return self[:].astype(self.dtype if dtype is None else dtype, copy=False)

    def row_blocks(self, rows: int | None = None) -> Iterator[tuple[slice, np.ndarray]]:
        """Blocks of so many rows from top to bottom (None: of a tile's), the next of which is read in the meantime.

        Two blocks are in memory at a time.
        """
        size = self.tile_rows if rows is None else rows
        if size < 1:
            raise InvalidInput(f"rows={rows}; a block needs at least one")
        slices = [slice(at, min(at + size, self.shape[0])) for at in range(0, self.shape[0], size)]
        reading = self.store[slices[0], :].read()
        for block, following in zip(slices, [*slices[1:], None], strict=True):
            read = self._result(reading)
            if following is not None:
                reading = self.store[following, :].read()
            self._check_places(_tiles(block, self.chunks[0]), range(self.grid[1]))
            yield block, read

    def missing(self) -> list[tuple[int, int]]:
        """Tiles (row, column) of the grid that are not there yet, or were not finished."""
        there = {
            (int(row.name), int(tile.name))
            for row in _numbered(self.folder / "c")
            for tile in _numbered(row)
        }  # fmt: skip
        if self.places is not None:
            self.places.refresh()
            there &= self.places.known.keys()
        rows, columns = self.grid
        return [(i, j) for i in range(rows) for j in range(columns) if (i, j) not in there]

    def misplaced(self) -> dict[str, str]:
        """Files of tiles that are not what this kernel has in their places, by name: others of its tiles, or another's.

        Reads a few bytes of each. Empty for a kernel that an earlier infojax began, which does not say what they are.
        """
        if self.places is None:
            return {}
        rows, columns = self.grid
        there = {(i, j) for i in range(rows) for j in range(columns)} - set(self.missing())
        return {f"c/{i}/{j}": words for (i, j), words in sorted(self.places.misplaced(there).items())}

    def verify(self) -> dict[str, str]:
        """What is wrong with the files of tiles, by name (`c/ROW/COLUMN`); empty when the kernel is whole.

        Reads all of it, a few tiles at a time. Warns (`DataWarning`) of a kernel that an earlier infojax began: whether
        each of its tiles stands in its place cannot be checked.
        """
        if self.places is None:
            warnings.warn(
                f"the kernel in {self.folder} was begun by an earlier infojax: its tiles are checked, but not whether "
                "each stands in its place. Compute it into a new folder to have that checked too",
                DataWarning,
                stacklevel=2,
            )
        rows, columns = self.grid
        wrong = {f"c/{i}/{j}": "it is not there" for i, j in self.missing()}
        present = [(i, j) for i in range(rows) for j in range(columns) if f"c/{i}/{j}" not in wrong]
        for start in range(0, len(present), _AT_ONCE):
            some = present[start : start + _AT_ONCE]
            for (i, j), reading in zip(some, [self.store[self.tile(i, j)].read() for i, j in some], strict=True):
                name = f"c/{i}/{j}"
                try:
                    self._result(reading)
                except CorruptData as error:
                    wrong[name] = str(error.__cause__)
                    continue
                found = (self.folder / name).stat().st_size
                if not self.compressed and found != self._tile_bytes:
                    wrong[name] = f"it has {found:,} bytes, not {self._tile_bytes:,}"
        return self.misplaced() | wrong

    def discard(self, tiles: Any) -> None:
        """Delete the files of tiles (names as `verify` gives them), so that the same computation makes them anew."""
        names = {f"c/{i}/{j}" for i in range(self.grid[0]) for j in range(self.grid[1])}
        for name in tiles:
            if name not in names:
                raise InvalidInput(f"{name!r} is no tile of this kernel; they are c/ROW/COLUMN in a grid {self.grid}")
            place = self.folder / name
            if place.is_dir() and not place.is_symlink():  # a tile is a file
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)

    def tile(self, row: int, column: int) -> tuple[slice, slice]:
        """Where a tile is."""
        (r, c), (n, m) = self.chunks, self.shape
        return slice(row * r, min((row + 1) * r, n)), slice(column * c, min((column + 1) * c, m))

    @property
    def _tile_bytes(self) -> int:
        """Of a file that is not compressed: entries, and four bytes of checksum."""
        return _file_bytes(self.chunks, self.dtype)

    @functools.cached_property
    def store(self) -> Any:
        import tensorstore

        return tensorstore.open(
            {
                "driver": "zarr3",
                "kvstore": {"driver": "file", "path": f"{self.folder}/"},
                # What is not there must not look like numbers; and a tile of nothing but zeros is there.
                "fill_missing_data_reads": False,
                "store_data_equal_to_fill_value": True,
            },
            open=True,
        ).result()

    def _check_places(self, rows: Iterable[int], columns: Iterable[int]) -> None:
        """Raises CorruptData where a tile that was read is not the one of its place."""
        wrong = {} if self.places is None else self.places.misplaced((i, j) for i in rows for j in columns)
        for (i, j), words in wrong.items():
            raise CorruptData(
                f"the kernel in {self.folder} has another tile in the place of c/{i}/{j}: {words}. empirical_ntk with "
                "the same inputs and out=folder computes it again; verify() lists all that is wrong"
            )

    def _result(self, reading: Any) -> np.ndarray:
        try:
            return reading.result()
        except (ValueError, OSError) as error:
            raise CorruptData(
                f"the kernel in {self.folder} has a damaged or missing tile: {error}. verify() lists them all; after "
                "discard(those), empirical_ntk with the same inputs and out=folder computes them again"
            ) from error


def open_kernel(folder: str | Path) -> KernelOnDisk:
    """The kernel in a folder, which may be unfinished: `missing()` lists the tiles that are still to be computed.

    Raises:
        DataNotFound: no kernel is there.
        CorruptData: its metadata are damaged.
        InvalidInput: it was written by a newer version.
    """
    folder = Path(folder).expanduser().absolute()
    metadata = read_metadata(folder)
    about = metadata["attributes"]["infojax"]
    dtype, chunks = np.dtype(jnp.dtype(metadata["data_type"])), metadata["chunk_grid"]["configuration"]["chunk_shape"]
    compressed = any(codec["name"] == "zstd" for codec in metadata["codecs"])
    places = Places(folder, metadata["digest"], None if compressed else _file_bytes(chunks, dtype))
    return KernelOnDisk(
        folder,
        tuple(metadata["shape"]),
        dtype,
        tuple(chunks),
        about["outputs"],
        about["symmetric"],
        compressed,
        about["inputs"],
        places if "places" in about else None,
    )


def _file_bytes(chunks: Sequence[int], dtype: np.dtype) -> int:
    return math.prod(chunks) * dtype.itemsize + CHECKSUM


def _tiles(index: slice | np.ndarray, size: int) -> list[int]:
    """Which tiles of so many rows or columns those of an index, as `_axis` gives it, lie in."""
    if isinstance(index, slice):
        return list(range(index.start // size, -(-index.stop // size))) if index.stop > index.start else []
    return np.unique(index // size).tolist()


def _numbered(folder: Path) -> list[Path]:
    """What is in the folder under a number; a tile that is being written has another name."""
    return [path for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []


def _axis(index: Any, size: int) -> Any:
    """Rows or columns as tensorstore takes them: it knows no negative ones, and slices only within bounds."""
    if index is Ellipsis:
        return slice(0, size)
    if isinstance(index, slice):
        start, stop, step = index.indices(size)
        return slice(start, max(start, stop)) if step == 1 else np.arange(start, stop, step)
    numbers = np.asarray(index)
    if numbers.dtype == bool:
        if numbers.shape != (size,):
            raise IndexError(f"truth values for {numbers.shape} of {size} rows or columns")
        return np.flatnonzero(numbers)
    if numbers.ndim > 1 or not (numbers.size == 0 or np.issubdtype(numbers.dtype, np.integer)):
        raise IndexError(f"rows and columns are slices, integers or truth values, not {index!r}")
    if numbers.size and not ((-size <= numbers) & (numbers < size)).all():
        raise IndexError(f"{index!r} is out of bounds for {size} rows or columns")
    return np.where(numbers < 0, numbers + size, numbers).astype(np.int64)
