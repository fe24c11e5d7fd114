"""Tiles of an array that is in memory."""

from dataclasses import dataclass

import numpy as np

from infojax.arrays import plain_array, require_real
from infojax.errors import InvalidInput


@dataclass(frozen=True)
class ArrayTiles:
    """Features in an array; inputs of more than one axis, such as images, are flattened.

    Raises InvalidInput for what is no array of real numbers (n, p).

    >>> ArrayTiles(np.zeros((4, 2, 2))).width
    4
    """

    array: np.ndarray
    name: str = "features"

    def __post_init__(self) -> None:
        given = plain_array(self.name, self.array)
        require_real(self.name, given)
        if given.ndim < 2 or 0 in given.shape:
            raise InvalidInput(f"{self.name} has shape {given.shape}; give (n, p) with at least one row and column.")
        object.__setattr__(self, "array", given.reshape(len(given), -1))

    @property
    def rows(self) -> int:
        """How many examples there are."""
        return self.array.shape[0]

    @property
    def width(self) -> int:
        """How many features an example has."""
        return self.array.shape[1]

    def read(self, start: int, stop: int) -> np.ndarray:
        """The rows from `start` to before `stop`."""
        return self.array[start:stop]
