"""`infojax curve --optimal`: the best fraction of each rule, and what the other rules lose."""

from typing import TYPE_CHECKING, Any

import numpy as np

from infojax.cli.curve.settings import Settings
from infojax.cli.curve.tables import law_of
from infojax.errors import InvalidInput
from infojax.scaling import RIDGES

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

SEARCHED = ("hard", "easy", "soft")
PROBLEM = ("pruner", "ratio", "generator", "pruner_generator", "label_aware", "hold")


def check_optimal(settings: Settings) -> None:
    """Refuse what `best_selection` does not search, before anything is computed."""
    if settings.over != "kept" or settings.along == "strength":
        raise InvalidInput("--optimal marks best fractions on curves over the fraction kept; give --over kept")
    if settings.shared["labels"] != "sign" or any(curve.problem["flips"] for curve in settings.curves):
        raise InvalidInput("--optimal knows labels that are signs without flips; leave out --labels and --flips")
    if not any(curve.rule in SEARCHED for curve in settings.curves):
        raise InvalidInput("--optimal searches the rules hard, easy, soft; give one of them to --rules")


def optimal(settings: Settings) -> "pl.DataFrame":
    """A row for each rule and for keeping all, in each setting, with the ridge as given and then at its best.

    Columns: `setting`, `free_ridge`, `rule`, `best`, `kept`, `ridge`, `strength`, `error`, `regret`.
    """
    import polars as pl

    rules = tuple(dict.fromkeys(curve.rule for curve in settings.curves if curve.rule in SEARCHED))
    problems = {curve.setting: curve.problem for curve in settings.curves}
    asked = [(setting, problem, False) for setting, problem in problems.items()]
    # curves that differ in the ridge have the best one in common
    free = {"": settings.curves[0].problem} if settings.along == "ridge" else problems
    asked += [(setting, problem, True) for setting, problem in free.items()]
    return pl.DataFrame(
        [
            {"setting": setting, "free_ridge": free, **row}
            for setting, problem, free in asked
            for row in _rows(rules, problem, free)
        ]
    )


def _rows(rules: tuple[Any, ...], problem: dict[str, Any], free: bool) -> list[dict[str, Any]]:
    from infojax.scaling import best_of_rule, best_selection

    asked: dict[str, Any] = {name: problem[name] for name in PROBLEM}
    asked["ridge"] = None if free else problem["ridge"]
    choice = best_selection(rules=rules, **asked)
    rows = []
    for index, rule in enumerate((*rules, "all")):
        # of keeping all the best ridge is told only where it is the choice
        best, known = int(choice.rule) == index, rule != "all" or int(choice.rule) == index
        found = choice if rule == "all" else best_of_rule(rule, **asked)
        rows.append(
            {
                "rule": rule,
                "best": best,
                "kept": 1.0 if rule == "all" else float(found.kept),
                "ridge": float(found.ridge) if known else None if free else problem["ridge"],
                "strength": float(found.strength) if rule == "soft" else None,
                "error": float(choice.error + choice.regret[rule]),
                "regret": float(choice.regret[rule]),
            }
        )
    return rows


def marked(settings: Settings, best: "pl.DataFrame") -> "pl.DataFrame":
    """The law at the best fraction of each hard and easy curve, as rows of `with_law`."""
    import polars as pl

    places = {(row["setting"], row["rule"]): row["kept"] for row in best.filter(~pl.col("free_ridge")).to_dicts()}
    return pl.concat(
        law_of(settings, curve, np.array([places[curve.setting, curve.rule]]))
        for curve in settings.curves
        if curve.rule in ("hard", "easy")
    )


def printed(best: "pl.DataFrame") -> "Table":
    """The table as people read it."""
    from rich.table import Table

    named = any(best["setting"])
    columns = ("rule", "fraction kept", "ridge", "error", "regret")
    table = Table(*(("setting", *columns) if named else columns), title="best selection, by the law")
    for row in best.to_dicts():
        rule = row["rule"] if row["strength"] is None else f"soft, strength {row['strength']:.3g}"
        regret = "best" if row["best"] else f"{row['regret']:.5f}"
        cells = (rule, f"{row['kept']:.3f}", _ridge(row), f"{row['error']:.5f}", regret)
        table.add_row(*((row["setting"], *cells) if named else cells), style="bold" if row["best"] else None)
    return table


def _ridge(row: dict[str, Any]) -> str:
    """As given, or the best one; at the ends of what was searched a better one may lie beyond."""
    if row["ridge"] is None:
        return ""
    if not row["free_ridge"]:
        return f"{row['ridge']:.3g}"
    low, high = RIDGES
    beyond = "≤ " if row["ridge"] < 1.001 * low else "≥ " if row["ridge"] > high / 1.001 else ""
    return f"{beyond}{row['ridge']:.3g} (best)"
