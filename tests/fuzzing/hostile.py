"""Values that a function may be given in the place of good ones."""

from collections.abc import Iterator
from typing import Any

import numpy as np

NAN, INF = float("nan"), float("inf")
FLOATS = (NAN, INF, -INF, 0.0, -0.0, -1.0, 1.0, 2.0, 0.5, 1e300, -1e300, 1e-300, 5e-324, 1e38, 1e-30)
INTEGERS = (0, -1, 1, 2, 10**6, 2**31, 2**63, -(2**63), 10**30)
WRONG = ("a", None, 1 + 2j, [], {}, object(), b"a")
WORDS = ("", "nonsense", "Mean", "a\0b")


def instead_of(good: Any) -> Iterator[Any]:
    """Values of the right type, and worse."""
    if isinstance(good, bool):
        yield not good
    elif isinstance(good, int):
        yield from INTEGERS
    elif isinstance(good, float):
        yield from FLOATS
        yield from (np.array([]), np.array([good, NAN]), np.full((2, 3), good), np.float16(good))
    elif isinstance(good, str):
        yield from WORDS
    elif isinstance(good, np.ndarray):
        yield from _arrays(good)


def of_another_type(good: Any) -> Iterator[Any]:
    yield from WRONG
    if not isinstance(good, float | int):
        yield 0.5
    if isinstance(good, np.ndarray):
        yield from (good.astype(str), good.astype(object), good.astype(complex))
    if isinstance(good, int):
        yield 0.5


def _arrays(good: np.ndarray) -> Iterator[np.ndarray]:
    yield from (good[:0], good[:1], good[:-1], good[None], good[..., None], good[:, :0] if good.ndim > 1 else good[0])
    yield from (good.T, good[::-1], np.asfortranarray(good), np.repeat(good, 2, axis=0)[::2])
    yield from (np.zeros_like(good), np.full_like(good, good.flat[0]), -good, good[np.zeros(len(good), int)])
    if good.dtype.kind == "f":
        for value in (NAN, INF, 1e38):
            bad = good.copy()
            bad.flat[-1] = value
            yield bad
        yield from (good * 0 + good.dtype.type(1e-30), good.astype(np.float16), np.round(good).astype(int))
        if good.dtype == np.float64:
            yield from (good * 1e300, good * 1e-300, good * 1e150, good * 1e-150)
        else:
            yield good.astype(np.float64) * 1e300
    else:
        yield from (good + 10**6, good.astype(np.int8), good.astype(bool), good.astype(np.uint64), good.astype(float))
