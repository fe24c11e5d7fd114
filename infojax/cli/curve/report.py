"""What `infojax curve` writes: a figure and the numbers in it."""

from functools import partial
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import polars as pl

from infojax.cli.curve.settings import Settings, symbol
from infojax.cli.screen.keeping import Keeping
from infojax.files import write_whole
from infojax.plots import LINES, MARKERS, PALETTE, save, style

QUANTITIES = {
    "error": "test error (fraction misclassified)",
    "accuracy": "test accuracy (%)",
    "mse": "mean squared test error",
    "overlap": "cosine of the learner with the truth",
    "norm": "norm of the learner",
    "pruner": "cosine of the first learner with the truth",
    "margin": "margin, κ",
    "pruner_overlap": "cosine of the learner with the pruner",
}
DECADES = 30.0  # an error that varies by more is drawn on a logarithmic axis


def report(
    settings: Settings, lines: pl.DataFrame, points: pl.DataFrame | None, marks: pl.DataFrame | None, out: Path
) -> Keeping:
    """Write out.csv, .parquet, .pdf and .png; returns which could be written.

    The tables are those of tables.py; the file holds the simulated points beside the law, then the law
    at the marks (`best` is true), then the rows of the law alone.
    """
    mpl.use("agg")
    keeping, name = Keeping(out.parent), out.name
    tables = [points, None if marks is None else marks.with_columns(best=pl.lit(True)), lines]
    table = pl.concat([table for table in tables if table is not None], how="diagonal")
    keeping.write(lambda folder: write_whole(folder / f"{name}.csv", table.write_csv), f"{name}.csv")
    keeping.write(lambda folder: write_whole(folder / f"{name}.parquet", table.write_parquet), f"{name}.parquet")
    with style("half", height_to_width=0.9):
        figure = _draw(settings, lines, points, marks)
        for suffix in (".pdf", ".png"):
            keeping.write(partial(_save, figure, name, suffix), f"{name}{suffix}")
    return keeping


def _save(figure: Any, name: str, suffix: str, folder: Path) -> None:
    save(figure, folder / name, suffix)


def _draw(settings: Settings, lines: pl.DataFrame, points: pl.DataFrame | None, marks: pl.DataFrame | None) -> Any:
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullLocator

    figure, axis = plt.subplots(layout="constrained")
    quantity = settings.quantity
    name = "error" if quantity == "accuracy" else quantity
    scale = 100 if quantity == "accuracy" else 1
    for index, curve in enumerate(settings.curves):
        law = lines.filter(pl.col("curve") == curve.name)
        look: dict[str, Any] = {"color": PALETTE[index]}
        marker = "" if points is None else MARKERS[index]
        axis.plot(law["x"], _shown(law[f"{name}_law"], quantity), linestyle=LINES[index], **look)
        axis.plot([], [], linestyle=LINES[index], marker=marker, label=curve.label, **look)
        if points is not None:
            measured = points.filter(pl.col("curve") == curve.name)
            errors = scale * measured[f"{name}_stderr"]
            axis.errorbar(
                measured["x"], _shown(measured[name], quantity), errors, marker=marker, linestyle="none", **look
            )
        if marks is not None and curve.name in marks["curve"]:
            best = marks.filter(pl.col("curve") == curve.name)
            axis.plot(
                best["x"], _shown(best[f"{name}_law"], quantity), "*", markersize=9, markeredgecolor="white",
                markeredgewidth=0.5, zorder=5, **look,
            )  # fmt: skip
    if marks is not None:
        axis.plot([], [], "*", color="0.4", markersize=7, label="best fraction")
    if settings.logarithmic:
        axis.set_xscale("log")
        if settings.high < 20 * settings.low:  # too short for powers of ten
            axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 4, 5, 6, 8)))
            axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.xaxis.set_minor_locator(NullLocator())
    if quantity in ("error", "mse") and _spread(lines[f"{name}_law"]) > DECADES:
        axis.set_yscale("log")
    axis.set_xlabel(_axis_label(settings))
    axis.set_ylabel(QUANTITIES[quantity])
    axis.set_title(fill(_setting(settings), 75), fontsize=6)
    title = "lines: law" if points is None else f"lines: law; points: simulation ± s.e., d = {settings.dimension}"
    figure.legend(loc="outside upper center", ncols=2, title=title, fontsize=6, title_fontsize=6)
    return figure


def _shown(values: pl.Series, quantity: str) -> pl.Series:
    return 100 * (1 - values) if quantity == "accuracy" else values


def _spread(values: pl.Series) -> float:
    finite = values.filter(values.is_finite() & (values > 0)).to_numpy()
    return float(finite.max() / finite.min()) if len(finite) else 1.0


def _axis_label(settings: Settings) -> str:
    number = settings.law.numbers[settings.over]
    return number.of_kept[0] if number.of_kept and settings.shared.get("hold") == "kept" else number.axis


def _setting(settings: Settings) -> str:
    """What the other options were, those left out that have no effect."""
    parts = []
    for name, value in settings.shared.items():
        number = settings.law.numbers.get(name)
        if number is None or value is None or name in (settings.over, settings.along):
            continue
        idle = (name == "strength" and all(curve.rule != "soft" for curve in settings.curves)) or (
            name == "kept" and all(curve.rule == "all" for curve in settings.curves)
        )
        if value != number.silent and not idle:
            parts.append(f"{symbol(number, settings.shared)} = {value:g}{number.unit}")
    if settings.shared.get("label_aware") and settings.along != "label_aware":
        parts.append("right labels only")
    if settings.shared.get("labels") == "linear":
        parts.append("linear labels")
    return f"{settings.name}: {', '.join(parts)}" if parts else settings.name
