"""Tables of pruned perceptrons, each row one problem, with what the law says and what a simulation measures.

Cells are a polars frame with columns `keep` ("hard", "easy"), `alpha_kept`, `fraction` and `degrees`, the angle between
probe and teacher. Other columns are carried along.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import numpy as np

from infojax.scaling.perceptron.law import PerceptronLaw, perceptron_law
from infojax.scaling.perceptron.simulation import PerceptronSimulation, simulate_perceptron

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress


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
    scratch: Path,
    progress: "Progress",
) -> "pl.DataFrame":
    """The cells with columns error, error_stderr, … as `simulate_perceptron` gives them, each with a key of its own.

    Finished cells are kept in the folder `scratch` and found again after an interruption.
    """
    import polars as pl

    root = jax.random.key(seed)
    measured = []
    for index, cell in enumerate(progress.track(cells.iter_rows(named=True), cells.height, description="simulating")):
        file = scratch / f"perceptron-{index}.json"
        problem = [cell["keep"], cell["alpha_kept"], cell["fraction"], cell["degrees"], dimension, repeats, seed]
        kept = json.loads(file.read_text()) if file.exists() else {}
        if kept.get("problem") != problem:
            found = simulate_perceptron(
                alpha_kept=cell["alpha_kept"],
                fraction=cell["fraction"],
                angle=np.radians(cell["degrees"]),
                keep=cell["keep"],
                dimension=dimension,
                repeats=repeats,
                key=jax.random.fold_in(root, index),
            )
            kept = {"problem": problem, "found": {name: float(value) for name, value in found._asdict().items()}}
            partial = file.with_suffix(".partial")
            partial.write_text(json.dumps(kept))
            partial.replace(file)
        measured.append(kept["found"])
    return cells.with_columns(
        pl.Series(name, [row[name] for row in measured], dtype=pl.Float64) for name in PerceptronSimulation._fields
    )
