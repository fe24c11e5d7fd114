"""Where a result belongs: a config as plain values, and the digest of it and of the code behind it."""

import dataclasses
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from infojax.errors import InvalidInput
from infojax.sweeps.code_version import code_version
from infojax.sweeps.record import digest


def plain(value: Any) -> Any:
    """A config as plain JSON values, the same for equal configs; a dataclass within it keeps its name as
    "type".

    >>> plain((1, 2.5, None)), plain(np.float64(0.5))
    ([1, 2.5, None], 0.5)
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__} | fields
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: plain(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InvalidInput(
        f"a config holds {value!r} of type {type(value).__name__}, which cannot be recorded; "
        "use numbers, text, tuples, dicts with text keys and dataclasses of these"
    )


def address(config: Any) -> str:
    """The folder name CONFIG-CODE, twelve hexadecimal digits each, of a config's result (a dataclass
    instance).
    """
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise InvalidInput(f"a config is an instance of a dataclass, not {config!r}")
    return f"{digest(plain(config))}-{code_version(type(config).__module__)}"
