"""Test error of a perceptron against the size of the pool, hard or easy examples kept (Sorscher et al., Figs. 1, 2)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style

from .._agreement import agreement, follows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.sorscher.perceptron_pruning import Config

TITLE = "Pruning the training set of a perceptron: which examples to keep, and by which probe"
ANSWERS = "Sorscher et al. (arXiv 2206.14486), Figures 1 and 2, perceptron theory and simulation"
EXPERIMENT = "perceptron_pruning"


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    panels = [("easy", 0.0), ("hard", 0.0), *(("hard", angle) for angle in config.angles)]
    columns = 3
    rows = -(-(len(panels) + 1) // columns)  # the place that is left holds the legend
    with style("full", rows=rows, columns=columns, height_to_width=0.8):
        figure, axes = plt.subplots(rows, columns, sharex=True, sharey=True, squeeze=False, layout="constrained")
        flat = axes.ravel()
        for axis, (keep, degrees) in zip(flat, panels, strict=False):
            here = (pl.col("rule") == keep) & (pl.col("angle") == degrees)
            _panel(axis, tables["points"].filter(here), tables["lines"].filter(here), config)
            probe = "perfect probe" if degrees == 0 else f"probe at θ = {degrees:g}°"
            axis.set_title(f"keep {keep}, {probe}", fontsize=7)
            axis.tick_params(labelbottom=True)
        for axis in flat[len(panels) :]:
            axis.axis("off")
        handles, labels = flat[0].get_legend_handles_labels()
        title = f"lines: law; points: simulation,\nd = {config.dimension}"
        flat[len(panels)].legend(handles, labels, loc="center", title=title, title_fontsize=7, fontsize=7)
        also = "f: fraction kept; θ: angle between probe and truth."
        figure.supxlabel(r"examples in the pool per dimension, $\alpha_\mathrm{tot}$", fontsize=8)
        figure.supylabel("test error (fraction misclassified)", fontsize=8)
        bars_note(figure, f"{config.repeats} pools", also=also)
    return figure


def _panel(axis: Axes, points: pl.DataFrame, lines: pl.DataFrame, config: Config) -> None:
    for index, fraction in enumerate(config.fractions):
        line, measured = (table.filter(pl.col("kept") == fraction) for table in (lines, points))
        color, marker = PALETTE[index], MARKERS[index]
        axis.plot(line["alpha_pool"], line["error_law"], color=color, linestyle=LINES[index])
        axis.errorbar(
            measured["alpha_pool"],
            measured["error"],
            measured["error_stderr"],
            color=color,
            marker=marker,
            markersize=2.8,
            linestyle="none",
        )
        label = "all kept" if fraction == 1 else f"f = {fraction:g} kept"
        axis.plot([], [], color=color, linestyle=LINES[index], marker=marker, label=label)
    axis.set_xscale("log")
    axis.set_yscale("log")


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """Which rule is better where, and how well the law fits."""
    points, lines = tables["points"], tables["lines"]
    rows = []
    fraction = config.fractions[1]
    for place, size in (("smallest", "few"), ("largest", "many")):
        total = lines["alpha_pool"].min() if place == "smallest" else lines["alpha_pool"].max()
        here = lines.filter((pl.col("alpha_pool") == total) & (pl.col("angle") == 0))

        def error(keep: str, f: float, here: pl.DataFrame = here) -> float:
            return here.filter((pl.col("rule") == keep) & (pl.col("kept") == f))["error_law"].item()

        hard, easy = error("hard", fraction), error("easy", fraction)
        ours = f"hard {hard:.4f}, easy {easy:.4f}, all {error('hard', 1.0):.4f}"
        better = "hard" if hard < easy else "easy"
        paper = "hard is better" if size == "many" else "easy is better"
        rows.append((f"error with f = {fraction:g}, α_tot = {total:.3g}, perfect probe", ours, paper, f"{better} is"))
    smallest = min(config.fractions)
    total = lines["alpha_pool"].max()
    for degrees in (0.0, *config.angles):
        row = lines.filter(
            (pl.col("alpha_pool") == total)
            & (pl.col("angle") == degrees)
            & (pl.col("rule") == "hard")
            & (pl.col("kept") == smallest)
        )
        ours, note = f"{row['error_law'].item():.4f}", f"α_tot = {total:.3g}"
        rows.append((f"error with the hardest f = {smallest:g}, θ = {degrees:g}°", ours, "not given", note))
    rows += agreement(points, config.repeats)
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    lines = tables["lines"]
    fraction, smallest = config.fractions[1], min(config.fractions)

    def error(total: float, keep: str, f: float, degrees: float = 0.0) -> float:
        return lines.filter(alpha_pool=total, rule=keep, kept=f, angle=degrees)["error_law"].item()

    few, many = lines["alpha_pool"].to_numpy().min(), lines["alpha_pool"].to_numpy().max()
    hard, easy = ({total: error(total, keep, fraction) for total in (few, many)} for keep in ("hard", "easy"))
    probes = {degrees: error(many, "hard", smallest, degrees) for degrees in (0.0, *config.angles)}
    everything = lines.filter(kept=1.0, angle=0.0, rule="hard").select("alpha_pool", every="error_law")
    pruned = lines.filter(rule="hard", angle=0.0).join(everything, on="alpha_pool")
    harmless = pruned.filter(pl.col("error_law") <= pl.col("every"), pl.col("kept") < 1)
    reached = dict(harmless.group_by("kept").agg(pl.min("alpha_pool")).iter_rows())
    starts = {f: reached.get(f, np.inf) for f in sorted(config.fractions) if f < 1}
    return (
        Finding(
            f"Where data abound, hard examples should be kept: at f = {fraction:g} and the largest α_tot.",
            hard[many] < easy[many],
            f"error {hard[many]:.4f} (hard), {easy[many]:.4f} (easy) at α_tot = {many:.3g}",
        ),
        Finding(
            f"Where data are scarce, easy examples should be kept: at f = {fraction:g} and the smallest α_tot.",
            easy[few] < hard[few],
            f"error {hard[few]:.4f} (hard), {easy[few]:.4f} (easy) at α_tot = {few:.3g}",
        ),
        Finding(
            f"A probe at an angle spoils pruning to f = {smallest:g} where data abound.",
            all(probes[degrees] > probes[0.0] for degrees in config.angles),
            ", ".join(f"{error:.4f} at {degrees:g}°" for degrees, error in probes.items()),
        ),
        Finding(
            "With a perfect probe, the smaller the fraction kept, the more data it takes until pruning does no harm.",
            len(reached) > 0 and all(starts[low] >= starts[high] for low, high in pairwise(starts)),
            ", ".join(
                f"from α_tot = {start:.3g} at f = {f:g}" if f in reached else f"beyond {many:.3g} at f = {f:g}"
                for f, start in starts.items()
            ),
        ),
        follows(tables["points"]),
    )


def remarks(config: Config) -> str:
    return f"""
    Points are max-margin perceptrons on pools of dimension N = {config.dimension} (the paper's N is 200), found
    exactly; up to α_kept = {config.most_kept:g}, where they are affordable. Where a line is steepest, N is small
    enough to blur it, and a standard error of {config.repeats} pools, some before the fall and some after, is rough.
    The fall of few, hard examples is near α_kept = f α_tot = 2 with a perfect probe, and later with others; before it a
    worse probe prunes more at random.

    What ranks the examples is the probe's margin without its sign, as in the paper's formulas. Its text says "smallest
    margin"; taken literally, with the sign of the label, a poor probe would keep mostly what it gets wrong
    (`simulate_perceptron` has both). The paper's own lists of f and α_tot could not be read, so only the shape of
    curves is compared.
    """
