"""The options of `infojax curve` as the command line shows them, made from the tables of laws and numbers."""

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import tyro

from infojax.cli.curve.laws import LAWS
from infojax.cli.curve.numbers import NUMBERS


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
    """All of NUMBERS as options, each with the laws that take it."""
    fields = [
        (
            name,
            Annotated[
                float | None,
                tyro.conf.arg(metavar="NUMBER", help=number.help, help_behavior_hint=f"({takers(name)})"),
            ],
            None,
        )
        for name, number in NUMBERS.items()
    ]
    return tyro.conf.arg(name="", constructor=dataclasses.make_dataclass("Numbers", fields, frozen=True))


def takers(option: str) -> str:
    """Which laws take an option, with their defaults."""
    defaults: dict[Any, list[str]] = {}
    for name, law in LAWS.items():
        taken = law.numbers | law.options
        if option in taken:
            defaults.setdefault(taken[option], []).append(name)
    return "; ".join(", ".join(names) + _shown(default) for default, names in defaults.items())


def _shown(default: Any) -> str:
    if default is None:
        return ""
    if isinstance(default, bool):
        return ": yes" if default else ": no"
    if isinstance(default, tuple):
        return f": {' '.join(default)}"
    return f": {default}" if isinstance(default, str) else f": {default:g}"
