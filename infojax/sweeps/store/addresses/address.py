"""Where a result belongs: the digest of a config, and of the code behind it."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

from infojax.errors import InvalidInput
from infojax.sweeps.store.addresses.code_version import code_version
from infojax.sweeps.store.addresses.plain import LONGEST, plain, types


def address(config: Any) -> str:
    """The folder name CONFIG-CODE of a config's result (a dataclass instance): the first 128 bits of the digest of
    the config (record.py), 48 of that of its code, in hexadecimal digits.
    """
    (found,) = digests([config])
    return f"{found.hex()}-{code_version(type(config).__module__)}"


def digests(configs: Iterable[Any]) -> Iterator[bytes]:
    """The 16 bytes of each config's digest; `record.digest` of its plain values and types, but a million in seconds.

    A design's configs have most of their values in common, so each field's text is kept until its value changes.
    """
    kind, fields, own = type(None), list[_Field](), dict[str, str]()
    for config in configs:
        if type(config) is not kind:
            if not dataclasses.is_dataclass(config) or isinstance(config, type):
                raise InvalidInput(f"a config is an instance of a dataclass, not {config!r:.200}")
            kind = type(config)
            keys, own = _layout(kind)
            fields = [_Field(*key) for key in keys]
        texts, noted = [], own
        for field in fields:
            texts.append(field.read(config))
            if field.types:
                noted = noted | field.types
        text = "{" + ", ".join(texts) + "}"
        if noted:
            text = f"[{text}, {json.dumps(noted, sort_keys=True)}]"
        yield hashlib.sha256(text.encode()).digest()[:16]


@lru_cache(maxsize=256)
def _layout(kind: type) -> tuple[list[tuple[str, str, bool]], dict[str, str]]:
    """Names and keys of a config's entries, sorted as the digest has them, and its own types.

    The name of the class is among them, as an entry that is the same for all, where no field is called so.
    """
    names = {field.name for field in dataclasses.fields(kind)}
    keys = [(name, f"{json.dumps(name)}: ", False) for name in names]
    if "type" not in names:
        keys.append(("type", f'"type": {json.dumps(kind.__name__)}', True))
    return sorted(keys), {"": kind.__qualname__} if "type" in names else {}


class _Field:
    """One entry of a config's JSON, for the value that it had last."""

    def __init__(self, name: str, key: str, constant: bool) -> None:
        self.name, self.key, self.text, self.constant = name, key, key, constant
        self.types: dict[str, str] = {}
        self.last: Any = self  # no config holds it

    def read(self, config: Any) -> str:
        if self.constant:
            return self.text
        value = getattr(config, self.name)
        if value is not self.last:
            write = _SIMPLE.get(type(value))
            if write is not None:
                self.text, self.types = self.key + write(value), {}
            else:
                # Equal to what the whole config would give: its plain values, one level down.
                held = plain((value,))[0]
                self.text = self.key + json.dumps(held, sort_keys=True)
                self.types = {
                    f"/{self.name}{where.removeprefix('/0')}": kind for where, kind in types((value,)).items()
                }
            self.last = value
        return self.text


def _float(value: float) -> str:
    return float.__repr__(value) if value - value == 0 else json.dumps(value)


def _int(value: int) -> str:
    return int.__repr__(value) if value.bit_length() <= LONGEST else json.dumps(plain(value))


def _str(value: str) -> str:
    return encode_basestring_ascii(value if value.isascii() else plain(value))


_SIMPLE: dict[type, Callable[[Any], str]] = {
    float: _float,
    int: _int,
    str: _str,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}
