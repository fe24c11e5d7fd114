"""The fields of an experiment's Config, and values for them: from text, or from Python, typed by their annotations."""

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from infojax.errors import InvalidInput
from infojax.sweeps.designs.splitting import inner, split

YES, NO, NONE = ("true", "yes", "on", "1"), ("false", "no", "off", "0"), ("none", "null")


def types_of(config: Any) -> dict[str, Any]:
    """Field → annotation, of a Config or an instance of it."""
    kind = config if isinstance(config, type) else type(config)
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}


def annotation(config: Any, name: str) -> Any:
    """The annotation of a field. Raises InvalidInput for a name that is no field, with the nearest one."""
    known = types_of(config)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ";"
        raise InvalidInput(f"there is no field {name!r}{meant} the fields are {', '.join(known)}")
    return known[name]


def from_text(name: str, text: str, kind: Any) -> Any:
    """One value of a field, typed by its annotation `kind`.

    Args:
        name: the field, for messages.
        text: such as `0.1`, `hard`, `true`, `none`, `(0.1,0.2)`.

    Raises:
        InvalidInput: the text is none of that type.

    >>> from_text("ridge", "1e-2", float), from_text("sizes", "(1,2)", tuple[int, ...])
    (0.01, (1, 2))
    >>> from_text("seed", "1.5", int)
    Traceback (most recent call last):
    ...
    infojax.errors.InvalidInput: seed=1.5: expected int
    """
    try:
        return _read(text.strip(), kind)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{name}={text}: expected {describe(kind)}") from error


def from_python(name: str, value: Any, kind: Any) -> Any:
    """A value that is no text yet, or is text of a text field, typed by its annotation. Raises InvalidInput.

    >>> from_python("sizes", [1, 2], tuple[float, ...])
    (1.0, 2.0)
    """
    try:
        return _convert(value, kind)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{name}={value!r}: expected {describe(kind)}") from error


def describe(kind: Any) -> str:
    """An annotation in words.

    >>> from typing import Literal, Optional
    >>> describe(Literal["hard", "easy"]), describe(Optional[float]), describe(tuple[int, ...])
    ('hard or easy', 'float or none', 'tuple of int, such as (1,2)')
    """
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return _either([str(part) for part in parts])
    if origin in (typing.Union, types.UnionType):
        return _either(["none" if part is types.NoneType else describe(part) for part in parts])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _either([member.name for member in kind])
    if origin is tuple and parts and parts[-1] is Ellipsis:
        return f"tuple of {describe(parts[0])}, such as (1,2)"
    if origin is tuple:
        return f"tuple ({', '.join(describe(part) for part in parts)})"
    return {bool: "true or false", str: "text", Path: "path"}.get(kind, getattr(kind, "__name__", str(kind)))


def _either(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}" if len(words) > 1 else words[0]


def _read(text: str, kind: Any) -> Any:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _first(lambda part: _read(text, part), parts)
    if origin is Literal:
        return next(part for part in _or_error(parts) if str(part) == _unquoted(text))
    if kind is types.NoneType and text.lower() in NONE:
        return None
    if kind is bool and text.lower() in YES + NO:
        return text.lower() in YES
    if kind is int:
        return int(text)
    if kind is float:
        return _number(float(text))
    if kind in (str, Path):
        return kind(_unquoted(text))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member(_unquoted(text), kind)
    if origin is tuple:
        texts = split(inner(text))
        return tuple(_read(part, to) for part, to in zip(texts, _elements(parts, len(texts)), strict=True))
    raise ValueError(text)


def _convert(value: Any, kind: Any) -> Any:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if hasattr(value, "tolist"):  # of NumPy and its like
        value = value.tolist()
    if origin in (typing.Union, types.UnionType):
        return _first(lambda part: _convert(value, part), parts)
    if origin is Literal:
        return next(part for part in _or_error(parts) if part == value and type(part) is type(value))
    if kind is types.NoneType and value is None:
        return None
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return _number(float(value))
    if kind in (bool, int, str) and type(value) is kind:
        return value
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return value if isinstance(value, kind) else _member(value, kind)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_convert(part, to) for part, to in zip(value, _elements(parts, len(value)), strict=True))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and isinstance(value, kind):
        return value
    raise ValueError(value)


def _first(convert: Any, kinds: Sequence[Any]) -> Any:
    """By the first type of a union that takes the value; text is tried last, as it takes all."""
    for kind in sorted(kinds, key=lambda kind: kind in (str, Path)):
        try:
            return convert(kind)
        except ValueError:
            continue
    raise ValueError


def _or_error(parts: Sequence[Any]) -> Any:
    yield from parts
    raise ValueError


def _number(value: float) -> float:
    if math.isnan(value):
        raise ValueError("a config that holds nan equals no other, not even itself")
    return value


def _member(name: Any, kind: Any) -> Any:
    if name in kind.__members__:
        return kind[name]
    return next(member for member in _or_error(list(kind)) if member.value == name or str(member.value) == name)


def _elements(parts: Sequence[Any], count: int) -> Sequence[Any]:
    if len(parts) == 2 and parts[1] is Ellipsis:
        return [parts[0]] * count
    return [] if tuple(parts) == ((),) else parts


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
