"""Which examples, and which columns, float32 cannot hold apart: it keeps 24 bits of a number, wherever it lies.

Times in seconds since 1970 come in steps of 128 there, counts above 2²⁴ in steps of 2 and more.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Shaped

from infojax.errors import InvalidInput, PrecisionWarning

_EXACT = 2**24
"""Whole numbers up to here are exact in float32."""
_STEPS = 1024
"""A column with fewer steps of float32 between its least and its largest value keeps few of its digits."""
_ROUNDING, _NOISE = 4e-15, 1e-12
"""Relative differences of float64 that the last operation, or a long computation, may have left."""
_DIFFERENT, _ALIKE = 1e-4, 1e-6
"""Standard deviations by which rows differ that must not become one, and by which they may."""
_AT_ONCE = 2**20
"""Numbers looked at together: what stays in a processor's caches."""
_FEW_COLUMNS = 16


def check_float32(
    given: Shaped[np.ndarray, "n ..."],
    kept: Float32[np.ndarray, "n ..."],
    name: str,
    *,
    stacklevel: int,
    rows: bool = True,
) -> None:
    """Looks for what was lost between real numbers as they were given, and the same in float32.

    Costs a pass over the numbers. Nothing is said of rows in which few columns are rounded to the same by chance.

    Args:
        given: finite numbers, in the dtype that they had.
        kept: the same in float32.
        name: what they are, in messages.
        stacklevel: as of `warnings.warn`, for the caller of this function.
        rows: whether examples need to stay distinct by these numbers (inputs), or need not (targets).

    Warns:
        PrecisionWarning: a column keeps only few of its digits; or a few rows become equal that hardly differ.

    Raises:
        InvalidInput: rows become equal that differ by more than 1e-4 standard deviations of a column.
    """
    if len(given) < 2 or given.size == 0 or not _may_lose(given):
        return
    low, high = _range(given)
    largest = np.maximum(np.abs(low.astype(np.float32)), np.abs(high.astype(np.float32)))
    step, spread = np.spacing(largest).astype(np.float64), _difference(high, low)
    pairs = _lost_pairs(given, kept)
    if len(pairs):
        _judge(given, pairs, name, low, high, step, spread, rows, stacklevel + 1)
    few = np.flatnonzero((spread > _noise(low, high, _NOISE)) & (spread < _STEPS * step))
    few = few[_rounded(given, kept, few)]
    if len(few):
        at, others = few[0], f", as do {len(few) - 1} more" if len(few) > 1 else ""
        warnings.warn(
            f"{name}: {_column(given, at)} goes from {low[at]} to {high[at]}, where float32 has steps of "
            f"{step[at]:.2g}; it keeps few of its digits{others}. {_remedy(name)}",
            PrecisionWarning,
            stacklevel=stacklevel + 1,
        )


def _judge(given, pairs, name, low, high, step, spread, rows, stacklevel) -> None:
    """What to say of pairs of rows that differ, and are the same in float32."""
    some = pairs[: max(1, _AT_ONCE // low.size)]
    one, other = (given[some[:, side]].reshape(len(some), -1) for side in (0, 1))
    apart = _difference(np.maximum(one, other), np.minimum(one, other))
    if (apart <= _noise(low, high, _ROUNDING)).all():
        return
    deviation = _deviation(given, low)
    relative = np.divide(apart, deviation, out=np.zeros(apart.shape), where=apart > _noise(low, high, _NOISE))
    at = np.unravel_index(relative.argmax(), relative.shape)
    i, j = sorted(some[at[0]].tolist())
    what = (
        f"{name}: examples {i} and {j} differ, and are the same in float32 (of {len(given):,} examples, {len(pairs):,} "
        f"such pairs): {_column(given, at[1])} is {given[i].flat[at[1]]} and {given[j].flat[at[1]]}, where float32 has "
        f"steps of {step[at[1]]:.2g}."
    )
    if relative.max() > _DIFFERENT:
        raise InvalidInput(f"{what} {_remedy(name)}")
    lossy = (apart > 0).any(0) & (spread > 0)
    steps = step[lossy] / spread[lossy]
    # Pairs that so many uniform numbers with such steps would give.
    by_chance = len(given) ** 2 / 2 * steps.prod() if (steps < 1 / _STEPS).all() else 0
    if rows and (relative.max() > _ALIKE or len(pairs) > 10 * by_chance):
        warnings.warn(
            f"{what} They count as duplicates from here on. {_remedy(name)}",
            PrecisionWarning,
            stacklevel=stacklevel + 1,
        )


def _remedy(name: str) -> str:
    a = name.split(" ")[-1]
    return f"Subtract the least of each column in the dtype it has, {a} - {a}.min(0), and scale that to about 1."


def _column(given: np.ndarray, at: Any) -> str:
    return f"column [:, {', '.join(str(int(i)) for i in np.unravel_index(at, given.shape[1:]))}]"


def _may_lose(given: np.ndarray) -> bool:
    if given.dtype.kind in "iu" and given.dtype.itemsize > 2:
        return max(-int(given.min()), int(given.max())) > _EXACT
    # Narrow floats and integers are exact; so are bfloat16 and the like.
    return given.dtype.kind == "f" and given.dtype.itemsize > 4


def _blocks(array: np.ndarray) -> Iterator[slice]:
    rows = max(1, _AT_ONCE // max(1, array[0].size))
    return (slice(i, i + rows) for i in range(0, len(array), rows))


def _flat(array: np.ndarray, block: slice) -> np.ndarray:
    part = array[block]
    return part.reshape(len(part), -1)


def _range(given: np.ndarray) -> tuple[Shaped[np.ndarray, " d"], Shaped[np.ndarray, " d"]]:
    ends = [(part.min(0), part.max(0)) for part in (_flat(given, block) for block in _blocks(given))]
    return np.min([low for low, _ in ends], axis=0), np.max([high for _, high in ends], axis=0)


def _difference(high: np.ndarray, low: np.ndarray) -> Float[np.ndarray, "..."]:
    """high − low ≥ 0, where integers may be as far apart as their dtype allows."""
    if high.dtype.kind in "iu":
        return (high.astype(np.uint64) - low.astype(np.uint64)).astype(np.float64)
    with np.errstate(over="ignore"):
        return (high - low).astype(np.float64)


def _deviation(given: np.ndarray, low: np.ndarray) -> Float[np.ndarray, " d"]:
    first, second = np.zeros((2, low.size))
    largest = np.zeros(low.size)
    for block in _blocks(given):
        largest = np.maximum(largest, _difference(_flat(given, block), low).max(0))
    scale = np.where(largest > 0, largest, 1)
    for block in _blocks(given):
        part = _difference(_flat(given, block), low) / scale
        first, second = first + part.sum(0), second + (part**2).sum(0)
    variance = second / len(given) - (first / len(given)) ** 2
    return scale * np.sqrt(np.maximum(variance, 0))


def _rounded(given: np.ndarray, kept: np.ndarray, columns: Int[np.ndarray, " c"]) -> Bool[np.ndarray, " c"]:
    """Which of these columns hold numbers that float32 has not."""
    lost = np.zeros(len(columns), bool)
    if len(columns):
        for block in _blocks(given):
            lost |= _unequal(_flat(given, block)[:, columns], _flat(kept, block)[:, columns]).any(0)
    return lost


def _unequal(given: np.ndarray, kept: np.ndarray) -> Bool[np.ndarray, "..."]:
    # Long doubles hold every number of 64 bits, and of float32.
    return given.astype(np.longdouble) != kept


def _lost_pairs(given: np.ndarray, kept: np.ndarray) -> Int[np.ndarray, "p 2"]:
    """Pairs of rows that are the same in float32 and were not before."""
    width = kept[0].size
    some = np.unique(np.linspace(0, width - 1, _FEW_COLUMNS).astype(int)) if width > _FEW_COLUMNS else slice(None)
    # Rows that differ in a few columns need no further look, and those are nearly all.
    _, which, counts = np.unique(_hashes(kept, None, some), return_inverse=True, return_counts=True)
    rows = np.flatnonzero(counts[which] > 1)
    if len(rows) == 0:
        return np.empty((0, 2), int)
    hashes = _hashes(kept, rows, slice(None))
    order = np.argsort(hashes, kind="stable")
    rows, hashes = rows[order], hashes[order]
    pairs = np.stack([rows[:-1], rows[1:]], 1)[hashes[:-1] == hashes[1:]]
    if len(pairs) == 0:
        return pairs
    size = max(1, _AT_ONCE // width)
    lost = [_differ(given, part) & ~_differ(kept, part) for part in np.split(pairs, range(size, len(pairs), size))]
    return pairs[np.concatenate(lost)]


def _differ(array: np.ndarray, pairs: Int[np.ndarray, "p 2"]) -> Bool[np.ndarray, " p"]:
    return (array[pairs[:, 0]] != array[pairs[:, 1]]).reshape(len(pairs), -1).any(1)


def _noise(low: Shaped[np.ndarray, " d"], high: Shaped[np.ndarray, " d"], relative: float) -> Float[np.ndarray, " d"]:
    """Differences in each column that may be rounding: none of whole numbers, however large."""
    if low.dtype.kind in "iu":
        return np.zeros(low.shape)
    return np.minimum(relative * np.maximum(np.abs(low), np.abs(high)).astype(np.float64), 0.5)


def _hashes(kept: np.ndarray, rows: Int[np.ndarray, " r"] | None, columns) -> Shaped[np.ndarray, " r"]:
    """A number for each of these rows (None: all), the same for rows that are the same, and hardly ever for others."""
    width = kept[0].size
    factors = np.random.default_rng(0).integers(0, 2**63, width, np.uint64)[columns] * 2 + 1
    size = max(1, _AT_ONCE // (len(factors) if rows is None else width))
    parts = []
    for i in range(0, len(kept if rows is None else rows), size):
        part = kept[slice(i, i + size) if rows is None else rows[i : i + size]]
        # Adding 0 makes −0 the same as 0.
        numbers = np.add(part.reshape(len(part), -1)[:, columns], np.float32(0), order="C")
        parts.append((numbers.view(np.uint32) * factors).sum(1))
    return np.concatenate(parts)
