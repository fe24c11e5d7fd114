"""Problems: frozen dataclasses, pytrees of numbers, of which each field says what it is."""

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

from infojax.scaling.registry.numbers import Number, Rules

T = TypeVar("T")


def number(what: Number, usual: float | None, default: object = dataclasses.MISSING) -> Any:
    """A field that is a number or an array; `usual` is drawn where nothing is asked for."""
    return dataclasses.field(default=default, metadata={"number": what, "usual": usual})


def whole(what: Number, usual: int) -> Any:
    """A field that is a whole number; static, as it is a length of the result."""
    return dataclasses.field(metadata={"number": what, "usual": usual, "static": True})


def option(*allowed: object, default: object) -> Any:
    """A field that has one of some values; static."""
    return dataclasses.field(default=default, metadata={"option": allowed, "static": True})


def rule(known: Rules, kept: float, strength: float = 2.0) -> Any:
    """The field for the rule of selection, with the fraction and the strength that are drawn unless asked otherwise."""
    return dataclasses.field(metadata={"rules": known, "kept": kept, "strength": strength})


def size(*, default: int) -> Any:
    """A field that is a size of the simulated data, on which the law depends; static."""
    return dataclasses.field(default=default, metadata={"static": True})


@dataclass_transform(field_specifiers=(number, whole, option, rule, size))
def problem(cls: type[T]) -> type[T]:
    """A frozen dataclass whose fields are made by the functions above: checked when it is made, and a pytree, which JAX
    takes apart and puts together without looking at it again.

    A method `check_together` refuses what single numbers do not tell.
    """

    def __post_init__(self: Any) -> None:
        from infojax.scaling.registry.checked import check  # JAX, which help texts do not need

        check(self)

    cls.__post_init__ = __post_init__  # pyright: ignore[reportAttributeAccessIssue]
    return dataclass(frozen=True)(cls)
