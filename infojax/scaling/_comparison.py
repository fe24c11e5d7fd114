"""Tables of cells, each one problem, with what the law says of them and what a simulation measures.

A table of cells is a polars frame with a column for each number and option of the law's problem that is not at its
default, and `rule`, `kept` and `strength` for its rule. Other columns are carried along.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import PRNGKeyArray

from infojax.scaling._cells import simulated
from infojax.scaling._repeats import Simulated
from infojax.scaling.registry.problems import LAWS

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress


def with_law(cells: "pl.DataFrame", law: str = "ridge") -> "pl.DataFrame":
    """The cells with columns error_law, … as the law of that name gives them."""
    import polars as pl

    known = LAWS[law]
    columns = {f"{name}_law": np.full(cells.height, np.nan) for name in known.quantities}
    alike = [name for name in ("rule", *known.options) if name in cells.columns]
    numbers = [name for name in known.numbers if name in cells.columns]
    numbered = cells.with_row_index("_row")
    for _, group in numbered.group_by(alike) if alike else [((), numbered)]:
        given = {name: group[name][0] for name in alike} | {name: group[name].to_numpy() for name in numbers}
        found = known.evaluate(given)._asdict()
        for name in known.quantities:
            columns[f"{name}_law"][group["_row"].to_numpy()] = found[name]
    return cells.with_columns(pl.Series(name, values) for name, values in columns.items())


def with_simulation(
    cells: "pl.DataFrame",
    law: str = "ridge",
    *,
    dimension: int,
    repeats: int,
    seed: int,
    draw: Literal["pool", "kept"] | None = None,
    scratch: Path | None = None,
    progress: "Progress | None" = None,
) -> "pl.DataFrame":
    """The cells with columns error, error_stderr, … as the law's simulation gives them, each with a key of its own.

    `draw` is that of `simulate_ridge`. With `scratch`, a folder, finished cells are kept there and found again after an
    interruption.
    """
    known = LAWS[law]
    size = {"dimension": dimension, "repeats": repeats}
    settings: dict[str, int | float | str] = {"law": law, "draw": str(draw), **size}

    def simulate(cell: "pl.DataFrame", key: PRNGKeyArray) -> Simulated[Any]:
        return known.measure(cell.row(0, named=True), **size, draw=draw, key=key)

    names = [name for name in ("rule", *known.numbers, *known.options) if name in cells.columns]
    problems, fields = cells.select(names), known.quantities
    found = simulated(problems, simulate, fields, settings=settings, seed=seed, scratch=scratch, progress=progress)
    return cells.with_columns(found.get_columns())
