"""JSON from files that may be anything."""

import json
from typing import Any


def parse_json(data: bytes | str) -> Any:
    """What JSON says; ValueError for what is none, and, unlike `json.loads`, for what is nested too deeply.

    >>> parse_json(b'{"a": [1, 2]}')
    {'a': [1, 2]}
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
