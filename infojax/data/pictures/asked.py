"""What `load` is asked of pictures: their size, and what lies behind transparent parts."""

from collections.abc import Iterable
from typing import Any

from infojax.arrays import is_number, whole_number
from infojax.errors import InvalidInput


def size_of(size: Any) -> tuple[int, int] | None:
    """(height, width), whole numbers from 1, of a list or an array too. Raises `InvalidInput` for anything else.

    >>> size_of([8, 8.0])
    (8, 8)
    """
    if size is None:
        return None
    remedy = "give (height, width), such as size=(32, 32)"
    if isinstance(size, str | bytes | dict | set) or not isinstance(size, Iterable) or getattr(size, "ndim", 1) != 1:
        raise InvalidInput(f"size is {size!r:.60}; {remedy}.")
    sides = tuple(size)
    if len(sides) != 2:
        raise InvalidInput(f"size {sides!s:.60} has {len(sides)} numbers; {remedy}. Channels are as in the pictures.")
    height, width = (whole_number(f"size {sides}: each side", side) for side in sides)
    if min(height, width) < 1:
        raise InvalidInput(f"size {sides} (height, width) has no pixels; give 1 or more of each.")
    return height, width


def background_of(background: Any) -> float:
    """A number from 0 to 1. Raises `InvalidInput` for anything else."""
    if not is_number(background) or not 0 <= float(background) <= 1:
        raise InvalidInput(f"background is {background!r:.60}; give a number from 0 (black) to 1 (white).")
    return float(background)
