"""Tables of cells, each one problem, with what the law says of them and what a simulation measures.

A table of cells is a polars frame with columns `rule` ("hard", "easy", "random"), `kept` (p), `pruner`, `ratio`,
`ridge` and, where they differ from `ridge_law`'s defaults, `generator`, `pruner_generator` and `label_aware`. Other
columns are carried along.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.scaling._cells import simulated
from infojax.scaling.ridge.ridge_law import RidgeLaw, ridge_law
from infojax.scaling.ridge.simulate_ridge import Draw, RidgeSimulation, simulate_ridge
from infojax.scaling.selection.rules import Selection, keep_easy, keep_hard, keep_random

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress

PROBLEM = ("rule", "kept", "pruner", "ratio", "ridge", "generator", "pruner_generator", "label_aware")
RULES = {"hard": keep_hard, "easy": keep_easy, "random": keep_random}


def with_law(cells: "pl.DataFrame") -> "pl.DataFrame":
    """The cells with columns error_law, mse_law, overlap_law, norm_law."""
    import polars as pl

    columns = {f"{name}_law": np.full(cells.height, np.nan) for name in RidgeLaw._fields}
    numbered = cells.with_row_index("_row")
    alike = ["rule", *(name for name in ("label_aware",) if name in cells.columns)]
    for _, group in numbered.group_by(alike):
        selection, arguments = _arguments(group)
        for name, values in ridge_law(selection, **arguments)._asdict().items():
            columns[f"{name}_law"][group["_row"].to_numpy()] = values
    return cells.with_columns(pl.Series(name, values) for name, values in columns.items())


def with_simulation(
    cells: "pl.DataFrame",
    *,
    dimension: int,
    repeats: int,
    seed: int,
    draw: Draw = "pool",
    scratch: Path | None = None,
    progress: "Progress | None" = None,
) -> "pl.DataFrame":
    """The cells with columns error, error_stderr, … as `simulate_ridge` gives them, each with a key of its own.

    With `scratch`, a folder, finished cells are kept there and found again after an interruption.
    """

    def simulate(cell: "pl.DataFrame", key: PRNGKeyArray) -> RidgeSimulation:
        selection, arguments = _arguments(cell, scalar=True)
        return simulate_ridge(selection, **arguments, dimension=dimension, repeats=repeats, key=key, draw=draw)

    found = simulated(
        cells.select(name for name in PROBLEM if name in cells.columns),
        simulate,
        RidgeSimulation._fields,
        settings={"dimension": dimension, "repeats": repeats, "draw": draw},
        seed=seed,
        scratch=scratch,
        progress=progress,
    )
    return cells.with_columns(found.get_columns())


def with_law_over_counts(cells: "pl.DataFrame", *, dimension: int) -> "pl.DataFrame":
    """The cells with a column error_counts: the law averaged over how many examples a finite pool keeps.

    A rule keeps K ~ Binomial(n, p) of n = dimension/ratio examples. Given K, the kept examples are those of a pool
    of K/p, so the law is taken at ratio·np/K and ridge·np/K. This is the largest finite-size effect where the
    law varies fast with K, as at the interpolation peak. Cells with label_aware are beyond it.
    """
    import polars as pl
    from scipy.stats import binom

    if "label_aware" in cells.columns and cells["label_aware"].any():
        raise InvalidInput("with label_aware=True the number kept depends on the labels; leave those cells out")
    pool = np.rint(dimension / cells["ratio"].to_numpy())[:, None]
    p = cells["kept"].to_numpy()[:, None]
    reach = int(np.ceil(6 * np.sqrt(pool * p * (1 - p)).max()))
    counts = np.maximum(np.rint(pool * p) + np.arange(-reach, reach + 1), 1)
    weights = binom.pmf(counts, pool, p)
    thinner = (pool * p / counts).ravel()
    spread = cells[np.repeat(np.arange(cells.height), counts.shape[1])].with_columns(
        ratio=pl.col("ratio") * thinner, ridge=pl.col("ridge") * thinner
    )
    errors = with_law(spread)["error_law"].to_numpy().reshape(counts.shape)
    return cells.with_columns(error_counts=pl.Series((weights * errors).sum(1) / weights.sum(1)))


def _arguments(cells: "pl.DataFrame", scalar: bool = False) -> tuple[Selection, dict[str, Any]]:
    """Cells of one rule as arguments of `ridge_law`: arrays with one entry each, or the numbers of one cell."""
    rule = cells["rule"][0]
    if rule not in RULES:
        raise InvalidInput(f"there is no rule {rule!r}; rules are {', '.join(RULES)}")
    numbers = [name for name in PROBLEM[2:-1] if name in cells.columns]
    arguments: dict[str, Any] = {name: cells[name].to_numpy() for name in numbers}
    kept = cells["kept"].to_numpy()
    if scalar:
        kept, arguments = kept[0], {name: value[0] for name, value in arguments.items()}
    if "label_aware" in cells.columns:
        arguments["label_aware"] = bool(cells["label_aware"][0])
    return RULES[rule](kept), arguments
