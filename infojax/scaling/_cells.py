"""Tables of cells, each one problem: simulated one after the other, and compared with the law.

A table of cells is a polars frame with a row for each problem. What is measured is put beside it in more columns.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import jax
from jaxtyping import PRNGKeyArray

from infojax.files import kept
from infojax.scaling._repeats import Law, Simulated

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress


def simulated(
    cells: "pl.DataFrame",
    simulate: Callable[["pl.DataFrame", PRNGKeyArray], Simulated[Law]],
    fields: tuple[str, ...],
    *,
    settings: dict[str, int | float | str],
    seed: int,
    scratch: Path | None = None,
    progress: "Progress | None" = None,
) -> "pl.DataFrame":
    """A row for each cell, with the columns of `simulate(cell, key)`: the fields of a law and their standard errors.

    `cell` is a frame of one row, and each has a key of its own. With `scratch`, a folder, finished cells are kept there
    and found again after an interruption, unless the cell, its place, the seed or the settings are others now.
    """
    import polars as pl

    root = jax.random.key(seed)
    task = progress.add_task("simulating", total=cells.height) if progress else None
    measured = []
    for index in range(cells.height):
        what = json.dumps([cells.row(index, named=True), settings, seed, index], sort_keys=True)
        file = scratch / f"cell-{hashlib.sha256(what.encode()).hexdigest()[:16]}.json" if scratch else None

        def numbers(index: int = index) -> dict[str, float]:
            found = simulate(cells[index], jax.random.fold_in(root, index))
            return {name: float(value) for name, value in found.columns().items()}

        measured.append(kept(file, what, numbers))
        if progress and task is not None:
            progress.advance(task)
    if progress and task is not None:
        progress.remove_task(task)
    columns = [column for field in fields for column in (field, f"{field}_stderr")]
    return pl.DataFrame({name: pl.Series([row[name] for row in measured], dtype=pl.Float64) for name in columns})


def deviations(table: "pl.DataFrame", quantity: str = "error") -> "pl.DataFrame":
    """The table with columns `relative`, (measured − law)/law, and `z`, (measured − law)/standard error."""
    import polars as pl

    difference = pl.col(quantity) - pl.col(f"{quantity}_law")
    return table.with_columns(
        relative=difference / pl.col(f"{quantity}_law"), z=difference / pl.col(f"{quantity}_stderr")
    )
