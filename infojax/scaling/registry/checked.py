"""What is looked at when a problem is made: each number, the rule, the options, and whether shapes broadcast."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from infojax.arrays import traced, whole_number
from infojax.errors import InvalidInput
from infojax.scaling._batched import leaf_name, withheld
from infojax.scaling.registry.numbers import Number, Rules
from infojax.scaling.selection.rules import RESOLVED, Selection, real_numbers
from infojax.scaling.selection.weighting import Weighting

if TYPE_CHECKING:
    from _typeshed import DataclassInstance as Problem
else:
    Problem = object

T = TypeVar("T")


def check(problem: Problem) -> None:
    """Refuse what a law is not defined for; what is being traced cannot be refused, and is NaN there."""
    _register(type(problem))
    for field in dataclasses.fields(problem):
        given = getattr(problem, field.name)
        if "rules" in field.metadata:
            _check_rule(field.metadata["rules"], given)
        elif "option" in field.metadata:
            _check_option(field.name, given, field.metadata["option"])
        elif given is not None and "number" in field.metadata:
            what: Number = field.metadata["number"]
            read = whole_number if field.metadata.get("static") else _as_given
            put(problem, field.name, require(field.name, read(field.name, given), what.range.holds, what.meaning))
    _check_shapes(problem)
    together = getattr(problem, "check_together", None)
    if together is not None:
        together()


def put(problem: object, name: str, value: object) -> None:
    """A field of a problem that is being made."""
    object.__setattr__(problem, name, value)


def changed(problem: T, values: Mapping[str, Any]) -> T:
    """The problem with other numbers, which follow from checked ones."""
    return _made(type(problem), {**vars(problem), **values})


def assumed(kind: type[T], values: Mapping[str, Any]) -> T:
    """A problem of numbers that follow from checked ones; what is not given has its default."""
    _register(kind)
    known = {field.name: field.default for field in dataclasses.fields(kind)}  # pyright: ignore[reportArgumentType]
    return _made(kind, {**known, **values})


def require(name: str, value: ArrayLike, allowed: Callable[[Any], Any], meaning: str) -> Any:
    """The value. A number, or an array that holds one, that is not allowed is refused; what is being traced cannot be,
    and is NaN there, so that all that is computed of it is. `allowed` compares, and calls no functions."""
    if traced(value):
        given = jnp.asarray(value, jnp.result_type(float))
        most = min(1 / RESOLVED, float(jnp.finfo(given.dtype).max))
        return withheld(~(allowed(given) & (jnp.abs(given) <= most)), given)
    value = real_numbers(name, value)
    values = np.asarray(value, np.float64)
    bad = ~allowed(values)
    if bad.any():
        raise InvalidInput(f"{name}={values[bad].flat[0]} is not allowed: it must be {meaning}")
    bad = np.abs(values) > 1 / RESOLVED
    if bad.any():
        raise InvalidInput(f"{name}={values[bad].flat[0]} is too large for float64: give at most {1 / RESOLVED:g}")
    return value


def _as_given(_: str, value: T) -> T:
    return value


def _check_option(name: str, given: object, allowed: tuple[object, ...]) -> None:
    if given not in allowed:
        raise InvalidInput(f"{name}={given!r}: it is one of {', '.join(map(repr, allowed))}")


def _check_rule(known: Rules, given: object) -> None:
    if not isinstance(given, Selection | Weighting):
        raise InvalidInput(f"a selection is made by keep_hard(p) and the like, and {given!r} is not one")
    named = None if isinstance(given, Weighting) or given.weighted else given.rule
    if known.weighted if named is None else named in known.known:
        return
    names = [f"keep_{name}" for name in known.known if name not in ("all", "soft")]
    names += ["soft"] if "soft" in known.known else []
    raise InvalidInput(f"this law knows rules without weights: {', '.join(names)}")


def _check_shapes(problem: object) -> None:
    shapes = {leaf_name(path): np.shape(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(problem)}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError as error:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise InvalidInput(f"shapes that do not broadcast together: {listed}") from error


@cache
def _register(kind: type) -> None:
    """A pytree, which is put together without being checked: JAX does so with leaves that are no numbers."""
    static = tuple(field.name for field in dataclasses.fields(kind) if field.metadata.get("static"))
    leaves = tuple(field.name for field in dataclasses.fields(kind) if not field.metadata.get("static"))

    def flatten(problem: object) -> tuple[list[Any], tuple[Any, ...]]:
        keyed = [(jax.tree_util.GetAttrKey(name), getattr(problem, name)) for name in leaves]
        return keyed, tuple(getattr(problem, name) for name in static)

    def unflatten(known: tuple[Any, ...], values: Iterable[Any]) -> Any:
        return _made(kind, dict(zip((*static, *leaves), (*known, *values), strict=True)))

    jax.tree_util.register_pytree_with_keys(kind, flatten, unflatten)


def _made(kind: type, values: Mapping[str, Any]) -> Any:
    made = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made
