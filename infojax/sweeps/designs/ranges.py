"""Values of a field written in short: lists `1,2,5` and ranges `0..9`, `0..1:11`, `1e-4..1:9:log`."""

import re
import types
import typing
from dataclasses import dataclass
from typing import Any

import numpy as np

from infojax.errors import InvalidInput
from infojax.sweeps.designs.fields import describe, from_text
from infojax.sweeps.designs.splitting import split

MOST = 1_000_000  # values of a range, and configs of a design
RANGE = re.compile(r"(?P<low>[^:]+?)\.\.(?P<high>[^:]+?)(:(?P<count>\d+))?(?P<log>:log)?")


@dataclass(frozen=True)
class Range:
    """From low to high, both included; whole numbers or not; `count` points of it, or all that there are."""

    name: str
    low: Any
    high: Any
    count: int | None
    log: bool

    def points(self) -> list[Any]:
        """Its values: every whole number, or `count` of them, evenly spaced or in equal ratios.

        Raises:
            InvalidInput: it has no count and is not of whole numbers, or too many points.
        """
        whole = isinstance(self.low, int)
        if self.count is None and (not whole or self.log):
            raise InvalidInput(
                f"{self.name}: how many points from {self.low} to {self.high}? "
                f"Write {self.low}..{self.high}:9 for nine{' and :log after it' if self.log else ''}"
            )
        count = self.high - self.low + 1 if self.count is None else self.count
        if not 1 <= count <= MOST:
            raise InvalidInput(f"{self.name}: {count} points are not allowed; give 1 to {MOST:,}")
        if self.count is None:
            return list(range(self.low, self.high + 1))
        if count == 1:
            return [self.low]
        if whole and not self.log:
            # In whole numbers throughout: floats have no room for those beyond 2^53.
            step, rest = divmod(self.high - self.low, count - 1)
            if rest:
                raise InvalidInput(
                    f"{self.name}: {count} evenly spaced points from {self.low} to {self.high} are not all whole "
                    "numbers; give another count, or a list"
                )
            return list(dict.fromkeys(self.low + step * index for index in range(count)))
        space = np.geomspace if self.log else np.linspace
        inner = [float(value) for value in space(float(self.low), float(self.high), count)][1:-1]
        values = [self.low, *(map(round, inner) if whole else inner), self.high]
        return list(dict.fromkeys(values)) if whole else values

    def at(self, uniform: np.ndarray) -> list[Any]:
        """Values at random: where numbers uniform in [0, 1) fall in the range, or in its logarithm."""
        whole = isinstance(self.low, int)
        low, high = float(self.low), float(self.high)
        if whole:  # each whole number has an interval of its own
            low, high = (low - 0.5, high + 0.5) if self.log else (low, high + 1)
        if self.log:
            found = np.exp(np.log(low) + uniform * (np.log(high) - np.log(low)))
        else:
            found = low + uniform * (high - low)
        if whole:
            found = [int(value) for value in (np.rint(found) if self.log else np.floor(found))]
        return [min(max(value, self.low), self.high) for value in map(type(self.low), found)]


def values_of(name: str, text: str, kind: Any) -> list[Any]:
    """All values that a text stands for.

    Args:
        name: the field.
        text: values and ranges with commas between them.
        kind: the annotation of the field.

    Raises:
        InvalidInput: a value is not of the type, or a range is not well made.

    >>> values_of("seed", "0..3,7", int), values_of("ridge", "1e-4..1:3:log", float)
    ([0, 1, 2, 3, 7], [0.0001, 0.01, 1.0])
    """
    found = []
    for part in parts_of(name, text):
        range_ = range_of(name, part, kind)
        found += [from_text(name, part, kind)] if range_ is None else range_.points()
    return found


def parts_of(name: str, text: str) -> list[str]:
    """The parts of a list. Raises InvalidInput for none, and for brackets or quotes that are not closed."""
    try:
        parts = split(text)
    except ValueError as error:
        raise InvalidInput(f"{name}={text}: {error}") from error
    if not parts:
        raise InvalidInput(f"{name} has no values; give some, as in {name}=1,2")
    return parts


def range_of(name: str, text: str, kind: Any) -> Range | None:
    """The range that a text is for a field of numbers; None for other text. Raises InvalidInput for a bad one."""
    numbers = [number for number in (int, float) if number in (kind, *_alternatives(kind))]
    found = RANGE.fullmatch(text) if numbers else None
    if found is None:
        if numbers and ".." in text:
            raise InvalidInput(f"{name}={text}: a range is low..high, low..high:COUNT or low..high:COUNT:log")
        return None
    # int | float: counted points need not be whole
    for number in numbers if found["count"] is None else reversed(numbers):
        try:
            low, high = (from_text(name, found[end], number) for end in ("low", "high"))
            break
        except InvalidInput:
            continue
    else:
        raise InvalidInput(f"{name}={text}: expected a range of {describe(kind)}")
    log = found["log"] is not None
    if low > high:
        raise InvalidInput(f"{name}={text}: a range goes from low to high; write {found['high']}..{found['low']}")
    if log and low <= 0:
        raise InvalidInput(f"{name}={text}: a logarithmic range begins above 0")
    count = found["count"]
    if count and len(count) > len(str(MOST)):
        raise InvalidInput(f"{name}={_short(text)}: give 1 to {MOST:,} points")
    if not _finite(low, high):
        raise InvalidInput(
            f"{name}={_short(text)}: a range has finite ends, no further apart than the largest number, 1.8e308"
        )
    return Range(name, low, high, int(count) if count else None, log)


def _finite(low: Any, high: Any) -> bool:
    try:
        return bool(np.isfinite([float(low), float(high), float(high) - float(low)]).all())
    except OverflowError:  # of a whole number
        return False


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else ()
