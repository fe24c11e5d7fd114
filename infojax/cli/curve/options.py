"""The options of `infojax curve` as the command line shows them, made from the registry of laws."""

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import tyro

from infojax.scaling import LAWS


def hint(default: str, metavar: str | None = None) -> Any:
    """What stands behind an option's help, in place of tyro's "default: None"."""
    return tyro.conf.arg(help_behavior_hint=f"({default})", metavar=metavar)


def one_of(names: Iterable[str], default: str) -> Any:
    """An option that is one of some names, or not given."""
    choices: Any = Literal[(*names, None)]
    return tyro.conf.arg(
        constructor=choices,
        metavar="{" + ",".join(names) + "}",
        help_behavior_hint=f"({default})",
    )


def numbers() -> Any:
    """All numbers of all laws as options, each with the laws that take it."""
    helps = {name: number.help for law in LAWS.values() for name, number in law.numbers.items()}
    fields = [(name, Annotated[float | None, _number(name, words)], None) for name, words in helps.items()]
    return tyro.conf.arg(name="", constructor=dataclasses.make_dataclass("Numbers", fields, frozen=True))


def _number(name: str, words: str) -> Any:
    return tyro.conf.arg(metavar="NUMBER", help=words, help_behavior_hint=f"({takers(name)})")


def takers(option: str) -> str:
    """Which laws take an option, with their defaults."""
    defaults: dict[Any, list[str]] = {}
    for name, law in LAWS.items():
        if option in law.usual:
            defaults.setdefault(law.usual[option], []).append(name)
    return "; ".join(", ".join(names) + _shown(default) for default, names in defaults.items())


def _shown(default: Any) -> str:
    if default is None:
        return ""
    if isinstance(default, bool):
        return ": yes" if default else ": no"
    if isinstance(default, tuple):
        return f": {' '.join(default)}"
    return f": {default}" if isinstance(default, str) else f": {default:g}"
