"""Tables of pruned perceptrons, each row one problem, with what the law says and what a simulation measures.

Cells are a polars frame with columns `keep` ("hard", "easy"), `alpha_kept`, `fraction` and `degrees`, the angle between
probe and teacher. Other columns are carried along.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import PRNGKeyArray

from infojax.scaling._cells import simulated
from infojax.scaling.perceptron.perceptron_law import PerceptronLaw, perceptron_law
from infojax.scaling.perceptron.simulate_perceptron import PerceptronSimulation, simulate_perceptron

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress

PROBLEM = ("keep", "alpha_kept", "fraction", "degrees")


def with_perceptron_law(cells: "pl.DataFrame") -> "pl.DataFrame":
    """The cells with columns error_law, margin_law, overlap_law."""
    import polars as pl

    columns = {f"{name}_law": np.full(cells.height, np.nan) for name in PerceptronLaw._fields}
    numbered = cells.with_row_index("_row")
    # those of a perfect probe together, as they take the short way
    for _, group in numbered.group_by("keep", pl.col("degrees") > 0):
        law = perceptron_law(
            alpha_kept=group["alpha_kept"].to_numpy(),
            fraction=group["fraction"].to_numpy(),
            angle=np.radians(group["degrees"].to_numpy()),
            keep=group["keep"][0],
        )
        for name, values in law._asdict().items():
            columns[f"{name}_law"][group["_row"].to_numpy()] = values
    return cells.with_columns(pl.Series(name, values) for name, values in columns.items())


def with_perceptron_simulation(
    cells: "pl.DataFrame",
    *,
    dimension: int,
    repeats: int,
    seed: int,
    scratch: Path | None = None,
    progress: "Progress | None" = None,
) -> "pl.DataFrame":
    """The cells with columns error, error_stderr, … as `simulate_perceptron` gives them, each with a key of its own.

    With `scratch`, a folder, finished cells are kept there and found again after an interruption.
    """

    def simulate(cell: "pl.DataFrame", key: PRNGKeyArray) -> PerceptronSimulation:
        keep, alpha, fraction, degrees = cell.row(0)
        given = {"alpha_kept": alpha, "fraction": fraction, "angle": np.radians(degrees), "keep": keep}
        return simulate_perceptron(**given, dimension=dimension, repeats=repeats, key=key)

    found = simulated(
        cells.select(PROBLEM),
        simulate,
        PerceptronSimulation._fields,
        settings={"dimension": dimension, "repeats": repeats},
        seed=seed,
        scratch=scratch,
        progress=progress,
    )
    return cells.with_columns(found.get_columns())
