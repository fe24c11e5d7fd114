"""Designs: which configs a sweep computes. Everything is checked here, before anything runs."""

import dataclasses
import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, product
from typing import Any

import numpy as np

from infojax.errors import InvalidInput
from infojax.sweeps.designs.fields import annotation, from_python, from_text
from infojax.sweeps.designs.ranges import MOST, parts_of, range_of, values_of
from infojax.sweeps.store.addresses.address import digests
from infojax.sweeps.store.addresses.plain import exactly

BLOCK = 1 << 14  # configs between two reports of how far it is
Values = Any  # text, or anything that yields values, or one of them


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


def random_design(
    config: Any, ranges: Mapping[str, Values], *, samples: int | np.integer, seed: int | np.integer = 0
) -> list[Any]:
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
    samples: int | np.integer | None = None,
    seed: int | np.integer = 0,
    rows: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None = None,
    tell: Callable[[str, int, int], None] = lambda *_: None,
) -> list[Any]:
    """Every combination of what `over`, `zipped`, `random` and `rows` each say, with `fixed` for all.

    `rows` are typed values, as `rows.read_rows` gives them. Raises InvalidInput as `grid` does, and for a field that
    is named twice. `tell` is called with what is being done, how many are done, and of how many.
    """
    _check_config(config)
    for name, given in (("fixed", fixed), ("over", over), ("zipped", zipped), ("random", random)):
        if given is not None and not isinstance(given, Mapping):
            raise InvalidInput(f"{name} is a dict of field and values, not {given!r:.200}")
    parts: list[Part] = []
    for name, values in (over or {}).items():
        parts.append(Part((name,), [(value,) for value in _values(config, name, values)]))
    if zipped:
        parts.append(_zipped(config, zipped))
    if random or samples is not None:
        parts.append(_drawn(config, random or {}, samples, seed))
    if rows is not None:
        parts.append(_listed(config, rows))
    base = {name: _typed(config, name, value) for name, value in (fixed or {}).items()}
    _check_once(base, *(part.names for part in parts))
    count = math.prod(len(part.rows) for part in parts)
    if count > MOST:
        raise InvalidInput(f"the design has {count:,} configs, more than the {MOST:,} that are allowed; sweep in parts")
    make, found, as_given = _maker(config, base, parts), list[Any](), True
    for number, rows_ in enumerate(product(*(_distinct(part.rows) for part in parts)), 1):
        made, same = make(rows_)
        found.append(made)
        as_given = as_given and same
        if number % BLOCK == 0:
            tell("configs made", number, count)
    if as_given:  # then rows that differ have made configs that differ
        return found
    unique: dict[bytes, Any] = {}
    for digest, made in zip(digests(found), found, strict=True):
        unique.setdefault(digest, made)
    return list(unique.values())


@dataclasses.dataclass(frozen=True)
class Part:
    """Fields that go together, and the values that they take together."""

    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def _typed(config: Any, name: str, value: Any) -> Any:
    kind = annotation(config, name)
    return from_text(name, value, kind) if isinstance(value, str) else from_python(name, value, kind)


def _values(config: Any, name: str, values: Values) -> list[Any]:
    kind = annotation(config, name)
    if isinstance(values, str):
        return values_of(name, values, kind)
    try:
        several = list(values)
    except TypeError:  # one value, perhaps as an array without axes
        several = [values]
    typed = [from_python(name, value, kind) for value in several]
    if not typed:
        raise InvalidInput(f"{name} has no values; give some")
    return typed


def _zipped(config: Any, zipped: Mapping[str, Values]) -> Part:
    columns = {name: _values(config, name, values) for name, values in zipped.items()}
    if len({len(values) for values in columns.values()}) > 1:
        counts = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        raise InvalidInput(f"fields that go together need as many values each; there are: {counts}")
    return Part(tuple(columns), list(zip(*columns.values(), strict=True)))


def _drawn(config: Any, ranges: Mapping[str, Values], samples: Any, seed: Any) -> Part:
    if not ranges or samples is None:
        raise InvalidInput("a random design needs both the fields to draw and how many samples of them")
    if not _whole(samples) or not 1 <= samples <= MOST:
        raise InvalidInput(f"samples={samples} is not allowed; give a whole number from 1 to {MOST:,}")
    if not _whole(seed) or seed < 0:
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
    return Part(tuple(columns), list(zip(*columns.values(), strict=True)))


def _listed(config: Any, rows: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> Part:
    """Rows of fields and values. A field that a row lacks is what it is in `config`."""
    listed: list[Any] = [rows] if isinstance(rows, Mapping) else list(rows)
    if not all(isinstance(row, Mapping) for row in listed):
        raise InvalidInput(f"rows are dicts of field and value, not {listed!r:.200}")
    names = tuple(dict.fromkeys(name for row in listed for name in row))
    for name in names:
        annotation(config, name)  # that there is such a field
    return Part(names, [tuple(row.get(name, getattr(config, name)) for name in names) for row in listed])


def _check_once(*parts: Iterable[str]) -> None:
    seen: set[str] = set()
    for names in map(set, parts):
        if seen & names:
            raise InvalidInput(f"the field {min(seen & names)!r} is given twice; give it once")
        seen |= names


def _distinct(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows that differ from all before them."""
    seen: set[str | bytes] = set()
    return [row for row in rows if (key := exactly(row)) not in seen and not seen.add(key)]


def _maker(config: Any, base: dict[str, Any], parts: list[Part]) -> Callable[[Any], tuple[Any, bool]]:
    """What makes a config of a row of each part, and says whether its fields are what these give."""
    kind, names = type(config), [name for part in parts for name in part.names]
    fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(config) if field.init} | base
    # `dataclasses.replace` does more where a class asks for more than its fields.
    plainly = kind.__dataclass_fields__.keys() == {field.name for field in dataclasses.fields(config)}

    def make(rows: tuple[tuple[Any, ...], ...]) -> tuple[Any, bool]:
        given = dict(zip(names, chain.from_iterable(rows), strict=True))
        try:
            made = kind(**{**fields, **given}) if plainly else dataclasses.replace(config, **base, **given)
        except Exception as error:  # whatever the Config's own checks raise
            listed = ", ".join(f"{name}={value!r}" for name, value in {**base, **given}.items())
            raise InvalidInput(f"the experiment refuses {listed}: {error}") from error
        return made, all(getattr(made, name) is value for name, value in given.items())

    return make


def _check_config(config: Any) -> None:
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise InvalidInput(f"a design starts from an instance of an experiment's Config, not {config!r:.200}")


def _whole(number: Any) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)
