"""Features that are read in tiles of rows: what a source of them must offer, and how it is gone through."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from infojax.errors import InvalidInput

# Bytes of a tile in float64.
TILE = 2**26


@runtime_checkable
class Tiles(Protocol):
    """Features (rows, width) that lie anywhere, and are read a few rows at a time."""

    @property
    def rows(self) -> int:
        """How many examples there are."""
        ...

    @property
    def width(self) -> int:
        """How many features an example has."""
        ...

    @property
    def name(self) -> str:
        """What errors call the source."""
        ...

    def read(self, start: int, stop: int) -> np.ndarray:
        """The rows from `start` to before `stop`, (stop − start, width), in the dtype of the source."""
        ...


class Tile(NamedTuple):
    """Some rows of the features, and where they stand.

    Attributes:
        start, stop: rows of the source.
        values: (size, width) float64; rows from stop − start on are zero.
    """

    start: int
    stop: int
    values: Float[np.ndarray, "size width"]


def read_tiles(features: Tiles, size: int | None = None) -> Iterator[Tile]:
    """All rows in order, in tiles of one size; the last one is filled with rows of zeros.

    Args:
        features: where they are read from.
        size: rows of a tile; by default as many as take 64 MiB.

    Raises:
        InvalidInput: a row with NaN or an infinite number, which it names.

    >>> from infojax.data import ArrayTiles
    >>> [(tile.start, tile.stop, len(tile.values)) for tile in read_tiles(ArrayTiles(np.ones((5, 2))), 3)]
    [(0, 3, 3), (3, 5, 3)]
    """
    size = rows_of_a_tile(features) if size is None else size
    for start in range(0, features.rows, size):
        stop = min(start + size, features.rows)
        values = np.zeros((size, features.width))
        values[: stop - start] = features.read(start, stop)
        finite = np.isfinite(values).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            raise InvalidInput(
                f"{features.name} has NaN or an infinite number in row {row:,} (counted from 0): mend it, or leave "
                "this example out."
            )
        yield Tile(start, stop, values)


def rows_of_a_tile(features: Tiles) -> int:
    """As many rows as take 64 MiB in float64, at least one and no more than there are."""
    return max(1, min(features.rows, TILE // (8 * features.width)))
