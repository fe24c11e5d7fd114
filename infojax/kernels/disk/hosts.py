"""The tiles of a kernel shared out among the processes of `jax.distributed`, which all see one folder."""

import time
from collections.abc import Callable

import jax
import numpy as np

from infojax.errors import HostsMissing

Tiles = list[tuple[int, int]]


def first_says(tiles: Tiles, every: Tiles) -> Tiles:
    """What the first process takes for missing, out of `every` tile: all must share out the same.

    Raises:
        HostsMissing: the other processes cannot be reached.
    """
    from jax.experimental import multihost_utils

    there = set(tiles)
    try:
        mask = multihost_utils.broadcast_one_to_all(np.array([tile in there for tile in every]))
    except RuntimeError as error:
        raise HostsMissing(
            f"process {jax.process_index()} of {jax.process_count()} cannot agree with the others on the tiles to "
            f"compute ({error}): did one of them fail? Start all of them again; finished tiles are kept"
        ) from error
    return [tile for tile, wanted in zip(every, np.asarray(mask), strict=True) if wanted]


def share(tiles: Tiles, process: int, processes: int) -> Tiles:
    """One process's part: a run of neighbours, so that few blocks of examples need their features there.

    >>> [share([(0, 0), (0, 1), (1, 1)], process, 2) for process in (0, 1)]
    [[(0, 0)], [(0, 1), (1, 1)]]
    """
    first, last = (len(tiles) * at // processes for at in (process, process + 1))
    return tiles[first:last]


def wait_for_others(missing: Callable[[], int], patience: float, every: float = 0.2) -> None:
    """Return when no tile is missing.

    Raises:
        HostsMissing: no tile was added for `patience` seconds.
    """
    left, since = missing(), time.monotonic()
    while left:
        time.sleep(every)
        now = missing()
        if now < left:
            since = time.monotonic()
        elif time.monotonic() - since > patience:
            raise HostsMissing(
                f"{left} tiles of other processes are missing, and none came in {patience:g} seconds: a process has "
                "died, or is slow (then allow it more patience). What is finished is kept; start the processes again, "
                "as many as you like, to compute the rest"
            )
        left = now
        every = min(5.0, 1.5 * every)
