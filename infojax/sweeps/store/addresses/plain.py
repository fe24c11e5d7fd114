"""A config as plain JSON values, and the types that these lose.

Two configs that differ in anything, be it a type or the sign of a zero, must not look alike here: one would be given
the numbers of the other. So what JSON has no word for is noted beside it (`types`), and what cannot be written and
read again exactly is refused.
"""

import dataclasses
import json
import marshal
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from infojax.errors import InvalidInput

DEEPEST = 100  # fields within fields; JSON of more cannot be read again from everywhere
LONGEST = 14_000  # bits of a whole number; Python writes 4,300 digits at most
EXACT = (bool, int, float, str)
SIMPLE = {*EXACT, type(None)}


def plain(value: Any) -> Any:
    """A config as plain JSON values; a dataclass within it keeps its name as "type".

    Numbers of NumPy are as those of Python. Raises InvalidInput for what cannot be recorded: other types, text that
    is no Unicode, whole numbers of thousands of digits, and more than a hundred levels.

    >>> plain((1, 2.5, None)), plain(np.float64(0.5))
    ([1, 2.5, None], 0.5)
    """
    return _plain(value, DEEPEST)


def types(value: Any) -> dict[str, str]:
    """Where a config holds what its plain values do not tell apart, and what: dataclasses within it and members of
    enumerations (as others may have the same names), paths, and lists.

    >>> types((Path("a"), [1], "a"))
    {'/0': 'path', '/1': 'list'}
    """
    found: dict[str, str] = {}
    _note(value, "", found)
    return found


def exactly(values: tuple[Any, ...]) -> str | bytes:
    """The same for values that are the same in type and in every bit, and for no others.

    >>> exactly((1, "a")) == exactly((1, "a")), exactly((0.0,)) == exactly((-0.0,))
    (True, False)
    """
    if SIMPLE.issuperset(map(type, values)):
        return marshal.dumps(values, 2)  # in a tenth of the time; this version of it has no references
    return json.dumps([plain(values), types(values)], sort_keys=True)


def _plain(value: Any, depth: int) -> Any:
    if depth == 0:
        raise InvalidInput(f"a config is nested more than {DEEPEST} deep, which cannot be recorded; make it flatter")
    if isinstance(value, Enum):
        return value.name if value.name is not None else _plain(value.value, depth - 1)
    if isinstance(value, np.generic) and isinstance(item := value.item(), EXACT):
        value = item
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if value.bit_length() > LONGEST:
            raise InvalidInput(f"a config holds a whole number of {value.bit_length():,} bits; {LONGEST:,} are allowed")
        return value
    if isinstance(value, str | Path):
        return _text(str(value) if isinstance(value, Path) else str.__str__(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _plain(getattr(value, field.name), depth - 1) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__} | fields
    if isinstance(value, tuple | list):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {_text(key): _plain(item, depth - 1) for key, item in value.items()}
    raise InvalidInput(
        f"a config holds {_shown(value)} of type {type(value).__name__}, which cannot be recorded; "
        "use numbers, text, tuples, dicts with text keys and dataclasses of these"
    )


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(
            f"a config holds the text {text!a:.200}, which is no Unicode and cannot be recorded; "
            "if it is the name of a file, rename the file"
        ) from None
    return text


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.200}"
    except Exception:  # whatever the value's own words raise
        return "a value"


def _note(value: Any, where: str, found: dict[str, str]) -> None:
    if isinstance(value, Enum):
        found[where] = _name(value)
    elif isinstance(value, Path):
        found[where] = "path"
    elif dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        if where or "type" in names:  # the class of the whole is that of the experiment, unless a field hides it
            found[where] = _name(value) if where else type(value).__qualname__
        for name in names:
            _note(getattr(value, name), f"{where}/{name}", found)
    elif isinstance(value, tuple | list):
        if isinstance(value, list):
            found[where] = "list"
        for index, item in enumerate(value):
            _note(item, f"{where}/{index}", found)
    elif isinstance(value, dict):
        for key, item in value.items():
            _note(item, f"{where}/{key.replace('~', '~0').replace('/', '~1')}", found)


def _name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
