"""Designs: which configs a sweep computes. Everything is checked here, before anything runs."""

import dataclasses
import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from infojax.errors import InvalidInput
from infojax.sweeps.fields import annotation, from_python, from_text
from infojax.sweeps.plain import plain
from infojax.sweeps.ranges import MOST, parts_of, range_of, values_of

Values = str | Iterable[Any]


def grid(config: Any, over: Mapping[str, Values], *, zipped: Mapping[str, Values] | None = None) -> list[Any]:
    """Every combination of the values of some fields.

    Args:
        config: an instance of an experiment's Config; its other fields stay.
        over: field → values, a sequence, or text such as "1e-3,1e-2", "0..9", "0..1:11" and "1e-4..1:9:log".
        zipped: field → values; these go together, the first with the first, and so on.

    Returns:
        Configs, the last field of `over` changing fastest and `zipped` faster still; equal ones once.

    Raises:
        InvalidInput: an unknown field, a value of another type, and values that the Config refuses.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Config:
    ...     ridge: float = 1.0
    ...     seed: int = 0
    >>> grid(Config(), {"ridge": [0.1, 1], "seed": "0..1"})[1]
    Config(ridge=0.1, seed=1)
    """
    return design(config, over=over, zipped=zipped or {})


def random_design(config: Any, ranges: Mapping[str, Values], *, samples: int, seed: int = 0) -> list[Any]:
    """Configs at random, each field drawn by itself.

    More samples from the same seed begin with the same configs, and another field leaves the others as they were, so
    that a design can grow without computing anything twice.

    Args:
        config: an instance of an experiment's Config; its other fields stay.
        ranges: field → "low..high", "low..high:log", or values to draw from. Whole numbers stay whole.
        samples: how many are drawn; equal ones count once.
        seed: of the drawing.

    Raises:
        InvalidInput: as `grid` does.
    """
    return design(config, random=ranges, samples=samples, seed=seed)


def design(
    config: Any,
    *,
    fixed: Mapping[str, Any] | None = None,
    over: Mapping[str, Values] | None = None,
    zipped: Mapping[str, Values] | None = None,
    random: Mapping[str, Values] | None = None,
    samples: int | None = None,
    seed: int = 0,
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> list[Any]:
    """Every combination of what `over`, `zipped`, `random` and `rows` each say, with `fixed` for all.

    `rows` are typed values, as `rows.read_rows` gives them. Raises InvalidInput as `grid` does, and for a field that
    is named twice.
    """
    parts: list[list[dict[str, Any]]] = []
    for name, values in (over or {}).items():
        parts.append([{name: value} for value in _values(config, name, values)])
    if zipped:
        parts.append(_zipped(config, zipped))
    if random or samples is not None:
        parts.append(_drawn(config, random or {}, samples, seed))
    if rows is not None:
        parts.append([dict(row) for row in rows])
    base = {name: _typed(config, name, value) for name, value in (fixed or {}).items()}
    _check_once([base], *parts)
    count = math.prod(len(part) for part in parts)
    if count > MOST:
        raise InvalidInput(f"the design has {count:,} configs, more than the {MOST:,} that are allowed; sweep in parts")
    unique: dict[str, Any] = {}
    for combination in product(*parts):
        values = dict(base)
        for part in combination:
            values |= part
        made = _made(config, values)
        unique.setdefault(json.dumps(plain(made), sort_keys=True), made)
    return list(unique.values())


def _typed(config: Any, name: str, value: Any) -> Any:
    kind = annotation(config, name)
    return from_text(name, value, kind) if isinstance(value, str) else from_python(name, value, kind)


def _values(config: Any, name: str, values: Values) -> list[Any]:
    kind = annotation(config, name)
    if isinstance(values, str):
        return values_of(name, values, kind)
    typed = [from_python(name, value, kind) for value in values]
    if not typed:
        raise InvalidInput(f"{name} has no values; give some")
    return typed


def _zipped(config: Any, zipped: Mapping[str, Values]) -> list[dict[str, Any]]:
    columns = {name: _values(config, name, values) for name, values in zipped.items()}
    if len({len(values) for values in columns.values()}) > 1:
        counts = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        raise InvalidInput(f"fields that go together need as many values each; there are: {counts}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _drawn(config: Any, ranges: Mapping[str, Values], samples: int | None, seed: int) -> list[dict[str, Any]]:
    if not ranges or samples is None:
        raise InvalidInput("a random design needs both the fields to draw and how many samples of them")
    if not 1 <= samples <= MOST:
        raise InvalidInput(f"samples={samples} is not allowed; give 1 to {MOST:,}")
    if seed < 0:
        raise InvalidInput(f"the seed {seed} of a design is not allowed; give 0 or more")
    columns = {}
    for name, values in ranges.items():
        # A stream for each field, so that others may come and go.
        uniform = np.random.default_rng([seed, zlib.crc32(name.encode())]).random(samples)
        parts = parts_of(name, values) if isinstance(values, str) else []
        range_ = range_of(name, parts[0], annotation(config, name)) if len(parts) == 1 else None
        if range_ is not None and range_.count is None:
            columns[name] = range_.at(uniform)
        else:
            choices = _values(config, name, values)
            columns[name] = [choices[int(u * len(choices))] for u in uniform]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _check_once(*parts: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for part in parts:
        names = {name for row in part for name in row}
        if seen & names:
            raise InvalidInput(f"the field {min(seen & names)!r} is given twice; give it once")
        seen |= names


def _made(config: Any, values: dict[str, Any]) -> Any:
    try:
        return dataclasses.replace(config, **values)
    except Exception as error:  # whatever the Config's own checks raise
        listed = ", ".join(f"{name}={value!r}" for name, value in values.items())
        raise InvalidInput(f"the experiment refuses {listed}: {error}") from error
