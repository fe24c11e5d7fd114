"""What `infojax curve` writes: a figure and the numbers in it."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, save, style

AXES = {
    "kept": "fraction kept, p",
    "pruner": "cosine of the pruner with the truth",
    "ratio": "dimensions per example of the pool, d/n",
    "ridge": "ridge, λ",
    "error": "test error (fraction misclassified)",
    "accuracy": "test accuracy (%)",
    "mse": "mean squared test error",
    "overlap": "cosine of the learner with the truth",
    "norm": "norm of the learner",
}
LOGARITHMIC = ("ratio", "ridge")


def report(
    lines: pl.DataFrame, points: pl.DataFrame | None, over: str, quantity: str, fixed: dict[str, Any], out: Path
) -> list[Path]:
    """Write out.pdf, .png, .csv and .parquet; returns their paths.

    Both tables have columns `curve`, `x` and those of infojax.scaling.comparison; the file holds the simulated points,
    then the rows of the law alone.
    """
    mpl.use("agg")
    with style("half", height_to_width=0.8):
        figure = _draw(lines, points, over, quantity, fixed)
        files = save(figure, out, ".pdf", ".png")
    table = lines if points is None else pl.concat([points, lines], how="diagonal")
    csv, parquet = Path(f"{out}.csv"), Path(f"{out}.parquet")
    table.write_csv(csv)
    table.write_parquet(parquet)
    return [*files, csv, parquet]


def _draw(lines: pl.DataFrame, points: pl.DataFrame | None, over: str, quantity: str, fixed: dict[str, Any]) -> Any:
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(layout="constrained")
    name = "error" if quantity == "accuracy" else quantity
    curves = lines["curve"].unique(maintain_order=True).to_list()
    for index, curve in enumerate(curves):
        law = lines.filter(pl.col("curve") == curve)
        look: dict[str, Any] = {"color": PALETTE[index], "label": f"keep {curve}"}
        values = _shown(law[f"{name}_law"], quantity)
        if points is None:
            axis.plot(law["x"], values, linestyle=LINES[index], **look)
            continue
        axis.plot(law["x"], values, linestyle=LINES[index], color=look["color"])
        measured = points.filter(pl.col("curve") == curve)
        scale = 100 if quantity == "accuracy" else 1
        axis.errorbar(
            measured["x"],
            _shown(measured[name], quantity),
            scale * measured[f"{name}_stderr"],
            marker=MARKERS[index],
            linestyle="none",
            **look,
        )
    if over in LOGARITHMIC:
        axis.set_xscale("log")
    axis.set_xlabel(AXES[over])
    axis.set_ylabel(AXES[quantity])
    axis.set_title(_setting(over, fixed), fontsize=6)
    axis.legend(fontsize=6, title="" if points is None else "lines: law; points: simulation ± s.e.", title_fontsize=6)
    return figure


def _shown(values: pl.Series, quantity: str) -> pl.Series:
    return 100 * (1 - values) if quantity == "accuracy" else values


def _setting(over: str, fixed: dict[str, Any]) -> str:
    """What the other options were, those at their defaults left out where they say nothing."""
    names = {"kept": "p", "pruner": "pruner", "ratio": "d/n", "ridge": "λ"}
    parts = [f"{label} = {fixed[name]:g}" for name, label in names.items() if name != over]
    if fixed["generator"] != 1:
        parts.append(f"generator = {fixed['generator']:g}")
    if fixed["label_aware"]:
        parts.append("right labels only")
    return ", ".join(parts)
