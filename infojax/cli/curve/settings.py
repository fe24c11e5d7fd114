"""What `infojax curve` is asked for: the options given, over those of the preset, over the law's defaults."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from infojax.cli.curve.presets import PRESETS
from infojax.errors import InvalidInput
from infojax.plots import PALETTE
from infojax.scaling import LAWS, Law, Number

COMMON = {
    "curves": None, "start": None, "stop": None, "scale": None, "quantity": "error", "optimal": False, "simulate": 9,
    "seed": 0,
}  # fmt: skip
FARTHEST = 1e15
LONGEST = 10_000  # rounds or generations
AXIS = ("start", "stop", "scale")  # belong to what is swept


@dataclass(frozen=True)
class Curve:
    """One line of the figure: a problem of the law but for the number that is swept."""

    name: str
    label: str
    rule: str | None  # as it was asked for
    setting: str  # what else differs from curve to curve
    problem: dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """All options, settled and checked."""

    name: str  # of the law
    law: Law
    over: str
    curves: tuple[Curve, ...]
    along: str | None  # what else differs from curve to curve
    shared: dict[str, Any]  # the problem before curves and axis change it
    low: float
    high: float
    logarithmic: bool
    quantity: str
    optimal: bool
    simulate: int
    dimension: int
    repeats: int
    seed: int


def settle(given: dict[str, Any]) -> Settings:
    """Raises `InvalidInput` on options that the law does not take or that do not go together."""
    given = {name: value for name, value in given.items() if value is not None}
    preset = _preset(given)
    name = given.pop("law", preset.pop("law", "ridge"))
    law = LAWS[name]
    for option in given:
        _check_taken(option, name)
    over = given.pop("over", preset.pop("over", law.over)).replace("-", "_")
    if over not in law.numbers:
        listed = ", ".join(_option(number) for number in law.numbers)
        raise InvalidInput(f"--over {over}: the law {name} has no such number; it has {listed}")
    options = {"dimension": law.dimension, "repeats": law.repeats, **COMMON, **law.usual, **preset, **given}
    problem = {name: options[name] for name in (*law.numbers, *law.options)} | {"dimension": options["dimension"]}
    if options["quantity"] not in ("accuracy", *law.quantities):
        gives = ", ".join(("accuracy", *law.quantities))
        raise InvalidInput(f"--quantity {options['quantity']}: the law {name} gives {gives}")
    if options["simulate"] < 0 or options["simulate"] == 1:
        raise InvalidInput(
            f"--simulate {options['simulate']}: give the number of simulated points, 2 or more, or 0 for none"
        )
    rules = () if law.rules is None else options["rules"]
    for rule in rules:
        if law.rules is not None and rule not in law.rules.known:
            raise InvalidInput(f"--rules {rule}: the law {name} knows {', '.join(law.rules.known)}")
    unknown = [rule for rule in rules if law.rules is not None and rule in law.rules.unsimulated]
    if unknown and options["simulate"]:
        raise InvalidInput(f"the law {name} has no simulation with the rule {unknown[0]}; give --simulate 0")
    along, values = _values(options["curves"], name, over)
    low, high, logarithmic = _axis(law.numbers[over], over, options)
    if law.chain == over and not law.first <= np.ceil(low) <= np.floor(high) <= LONGEST:
        raise InvalidInput(
            f"from {low:g} to {high:g} there is no {over[:-1]}, or there are too many; give --start and --stop, "
            f"{law.first} to {LONGEST}"
        )
    curves = _curves(name, None if law.rules is None else rules, along, values, problem)
    return Settings(
        name, law, over, curves, along, problem, low, high, logarithmic,
        *(options[option] for option in ("quantity", "optimal", "simulate", "dimension", "repeats", "seed")),
    )  # fmt: skip


def _preset(given: dict[str, Any]) -> dict[str, Any]:
    """Those of the preset's options that the given ones leave a meaning."""
    name = given.pop("preset", None)
    if name is None:
        return {}
    preset = dict(PRESETS[name])
    if given.get("law", preset["law"]) != preset["law"]:
        raise InvalidInput(f"--preset {name} is of the law {preset['law']}; leave --law out, or the preset")
    over = given.get("over", preset["over"]).replace("-", "_")
    if over != preset["over"]:
        dropped = (*AXIS, *(("curves",) if preset.get("curves", "").startswith(f"{over}=") else ()))
        preset = {option: value for option, value in preset.items() if option not in dropped}
    return preset


def _check_taken(option: str, law: str) -> None:
    takes = {*LAWS[law].usual, *COMMON, "over", "dimension", "repeats"}
    if option not in takes:
        others = [name for name, other in LAWS.items() if option in other.usual]
        raise InvalidInput(f"{_option(option)} is not an option of the law {law}, but of {', '.join(others)}")
    if option == "optimal" and law != "ridge":
        raise InvalidInput(f"--optimal is of the law ridge, not of {law}")


def _values(curves: str | None, law: str, over: str) -> tuple[str | None, list[Any]]:
    """Of `--curves NAME=VALUE,VALUE`, the name and the values."""
    if curves is None:
        return None, [None]
    written, _, values = curves.partition("=")
    name = written.removeprefix("--").replace("-", "_")
    allowed = [*LAWS[law].numbers, *(("label_aware",) if "label_aware" in LAWS[law].options else ())]
    if name == over or name not in allowed:
        listed = ", ".join(other for other in allowed if other != over)
        raise InvalidInput(f"--curves {curves}: give NAME=VALUE,VALUE with one of {listed}")
    read = {"yes": True, "no": False}.__getitem__ if name == "label_aware" else float
    try:
        return name, [read(value.strip()) for value in values.split(",")]
    except (KeyError, ValueError) as error:
        kind = "yes or no" if name == "label_aware" else "numbers"
        raise InvalidInput(f"--curves {curves}: the values must be {kind}, with commas between") from error


def _curves(
    law: str, rules: tuple[str, ...] | None, along: str | None, values: list[Any], problem: dict[str, Any]
) -> tuple[Curve, ...]:
    """One for each value and rule; `all` keeps all wherever it stands."""
    if rules == ():
        raise InvalidInput("no rule was given; --rules takes some of hard, easy, random, all, soft")
    found: dict[str, Curve] = {}
    for value in values:
        for rule in dict.fromkeys(rules or (None,)):
            changed: dict[str, Any] = {} if rule is None else {"rule": rule}
            names, labels, setting = [], [], ""
            if rule is not None:
                names.append(rule)
                labels.append(f"keep {rule}")
            idle = (rule == "all" and along == "kept") or (rule not in (None, "soft") and along == "strength")
            if along is not None and not idle:
                shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value:g}"
                setting = f"{along}={shown}"
                names.append(setting)
                labels.append(_label(law, along, value, problem))
                changed[along] = value
            if rule == "all":
                changed["kept"] = 1.0
            name = ", ".join(names) or law
            found[name] = Curve(name, ", ".join(labels) or f"law {law}", rule, setting, problem | changed)
    if len(found) > len(PALETTE):
        raise InvalidInput(
            f"{len(found)} curves cannot be told apart; give fewer --rules or --curves, {len(PALETTE)} together"
        )
    return tuple(found.values())


def _label(law: str, name: str, value: Any, problem: dict[str, Any]) -> str:
    if name == "label_aware":
        return "right labels only" if value else "any label"
    return f"{symbol(LAWS[law].numbers[name], problem)} = {value:g}"


def symbol(number: Number, problem: dict[str, Any]) -> str:
    return number.of_kept[1] if number.of_kept and problem.get("hold") == "kept" else number.symbol


def _axis(number: Number, over: str, options: dict[str, Any]) -> tuple[float, float, bool]:
    low = number.low if options["start"] is None else options["start"]
    high = number.high if options["stop"] is None else options["stop"]
    logarithmic = number.logarithmic if options["scale"] is None else options["scale"] == "log"
    if not low < high:
        raise InvalidInput(f"the axis would run from {low:g} to {high:g}; --start must be below --stop")
    if not max(abs(low), abs(high)) <= FARTHEST:
        raise InvalidInput(f"the axis would run from {low:g} to {high:g}; give --start and --stop within ±{FARTHEST:g}")
    if logarithmic and low <= 0:
        raise InvalidInput(f"--start {low:g}: the axis of {over} is logarithmic and must begin above 0")
    return low, high, logarithmic


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
