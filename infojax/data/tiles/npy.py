"""Tiles of an .npy file, read from it. The pages of a memory map would count as memory of the process."""

from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from infojax.errors import CorruptData, InvalidInput
from infojax.files import NpyHeader, npy_header


@dataclass(frozen=True)
class NpyTiles:
    """Features (n, ...) in an .npy file, one example after the other.

    Raises:
        CorruptData: the file is no .npy, or holds less than its header promises.
        InvalidInput: it holds no real numbers (n, ...), or lies in Fortran's order.
    """

    path: Path
    header: NpyHeader = field(init=False)

    def __post_init__(self) -> None:
        header = npy_header(self.path)
        if len(header.shape) < 2 or 0 in header.shape or header.dtype.kind not in "fiub":
            raise InvalidInput(
                f"{self.path} holds {header.shape} of {header.dtype}; features are real numbers (n, p), at least one."
            )
        if header.fortran_order:
            raise InvalidInput(
                f"{self.path} is written column after column, so that no row can be read alone: save "
                "np.ascontiguousarray(features)."
            )
        object.__setattr__(self, "header", header)

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.path)

    @property
    def rows(self) -> int:
        """How many examples there are."""
        return self.header.shape[0]

    @property
    def width(self) -> int:
        """How many features an example has."""
        return prod(self.header.shape[1:])

    def read(self, start: int, stop: int) -> np.ndarray:
        """The rows from `start` to before `stop`; CorruptData where the file has become shorter."""
        count, dtype = (stop - start) * self.width, self.header.dtype
        with self.path.open("rb") as file:
            file.seek(self.header.offset + start * self.width * dtype.itemsize)
            read = np.fromfile(file, dtype, count)
        if len(read) < count:
            row = start + len(read) // self.width
            raise CorruptData(f"{self.path} ends in row {row:,} of {self.rows:,}. Write or copy it again.")
        return read.reshape(stop - start, self.width)
