"""A recorded config as one row: fields within fields by dotted names."""

import json
from collections.abc import Iterable, Sequence
from typing import Any


def flat(config: dict[str, Any]) -> dict[str, Any]:
    """Field → value of a config as it was recorded (address.plain), without the name of its class.

    >>> flat({"type": "Config", "seed": 0, "training": {"type": "Descent", "steps": 5}})
    {'seed': 0, 'training.type': 'Descent', 'training.steps': 5}
    """
    return dict(_fields({key: value for key, value in config.items() if key != "type"}))


def _fields(config: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, dict) and value:
            yield from ((f"{key}.{inner}", deep) for inner, deep in _fields(value))
        else:
            yield key, value


def differing(configs: Sequence[dict[str, Any]]) -> list[str]:
    """The fields of flat configs that are not the same in all.

    >>> differing([{"seed": 0, "rate": 0.1}, {"seed": 1, "rate": 0.1}])
    ['seed']
    """
    fields = dict.fromkeys(field for config in configs for field in config)
    return [
        field for field in fields if len({json.dumps(config.get(field, ...), default=str) for config in configs}) > 1
    ]


def matches(config: dict[str, Any], where: Sequence[tuple[str, str]]) -> bool:
    """Whether a flat config has, for each field that is named, one of the values that are named for it.

    >>> matches({"rate": 0.1, "seed": 1}, [("rate", "1e-1"), ("seed", "0"), ("seed", "1")])
    True
    """
    wanted: dict[str, list[str]] = {}
    for field, value in where:
        wanted.setdefault(field, []).append(value)
    return all(any(_same(config.get(field), value) for value in values) for field, values in wanted.items())


def _same(value: Any, text: str) -> bool:
    if value == text:
        return True
    try:
        given = json.loads({"True": "true", "False": "false", "None": "null"}.get(text, text))
    except ValueError:
        return False
    return given == value and isinstance(given, bool) == isinstance(value, bool)
