"""Test error against the fraction kept, law over simulation (Deliberate Practice, Fig. 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style

from .._agreement import agreement

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.practice.practice_pruning import Config

TITLE = "Keeping the hardest or the easiest fraction of a pool: test error, with and without a ridge"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), Figure 7"
EXPERIMENT = "practice_pruning"
AT_PEAK = (pl.col("kept") - pl.col("ratio")).abs() < 1e-9


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    shape = {"rows": len(config.ridges), "columns": len(config.pools)}
    with style("full", **shape, height_to_width=0.8):
        figure, axes = plt.subplots(
            shape["rows"], shape["columns"], sharex=True, sharey=True, squeeze=False, layout="constrained"
        )
        for row, ridge in enumerate(config.ridges):
            for column, pool in enumerate(config.pools):
                here = (pl.col("ridge") == ridge) & (pl.col("pool") == pool)
                _panel(axes[row, column], tables["points"].filter(here), tables["lines"].filter(here), config)
                axes[row, column].set_title(f"n = {pool}, λ = {ridge:g}", fontsize=7)
        figure.supxlabel("fraction kept, p", fontsize=8)
        figure.supylabel("test error (fraction misclassified)", fontsize=8)
        handles, labels = axes[0, -1].get_legend_handles_labels()
        # column by column: one for each rule, one for the rest
        order = sorted(range(len(labels)), key=lambda i: [rule in labels[i] for rule in config.rules], reverse=True)
        figure.legend(
            [handles[i] for i in order],
            [labels[i] for i in order],
            loc="outside upper center",
            ncols=len(config.rules) + 1,
            fontsize=6,
        )
        also = f"ρ: cosine of pruner and truth; λ: ridge; d = {config.dimension}."
        bars_note(figure, f"{config.repeats} pools", also=also)
    return figure


def _panel(axis: Axes, points: pl.DataFrame, lines: pl.DataFrame, config: Config) -> None:
    from matplotlib.ticker import MultipleLocator

    for index, rule in enumerate(config.rules):
        measured = points.filter(pl.col("rule") == rule)
        color = PALETTE[index]
        for pruner, width in ((config.pruner, 1.3), (config.other_pruner, 0.6)):
            law = lines.filter((pl.col("rule") == rule) & (pl.col("pruner") == pruner))
            label = f"keep {rule}, law, ρ = {pruner:g}"
            axis.plot(law["kept"], law["error_law"], color=color, linestyle=LINES[index], linewidth=width, label=label)
        axis.errorbar(
            measured["kept"],
            measured["error"],
            measured["error_stderr"],
            color=color,
            marker=MARKERS[index],
            markersize=2.8,
            linestyle="none",
            label=f"keep {rule}, simulated, ρ = {config.pruner:g}",
        )
    peak = points.filter(AT_PEAK)
    ratio = config.dimension / points["pool"][0]
    if ratio < 1:
        axis.axvline(
            ratio, color="0.4", linewidth=0.8, linestyle=(0, (1, 1)), label="as many kept as dimensions, p = d/n"
        )
        averaged = f"law at p = d/n, ρ = {config.pruner:g}, averaged over the number kept"
        axis.plot(peak["kept"], peak["error_counts"], "_", color="black", markersize=9, zorder=5, label=averaged)
    else:
        axis.text(0.03, 0.03, f"p = d/n = {ratio:g} is beyond 1", transform=axis.transAxes, fontsize=6)
    axis.set_xlim(0, 1.03)
    axis.yaxis.set_major_locator(MultipleLocator(0.1))


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """How well the law fits away from the peak and at it, and the best fraction of each panel."""
    points = tables["points"]
    at_peak = AT_PEAK & (pl.col("ridge") == min(config.ridges))
    others, peak = points.filter(~at_peak), points.filter(at_peak)
    rows = agreement(others, config.repeats, "peaks left out")
    for row in peak.iter_rows(named=True):
        ours = f"{row['error']:.3f} ± {row['error_stderr']:.3f}"
        note = (
            f"{100 * row['relative']:+.0f} % of the law's {row['error_law']:.3f}; averaged over how many examples are "
            f"kept, the law says {row['error_counts']:.3f}"
        )
        rows.append((f"error at the peak, keep {row['rule']}, n = {row['pool']}", ours, "not given", note))
    lines = tables["lines"].filter(pl.col("pruner") == config.pruner)
    for (pool, ridge), panel in lines.group_by("pool", "ridge", maintain_order=True):
        best = panel.sort("error_law").row(0, named=True)
        ours = f"keep {best['rule']}, p = {best['kept']:.2f}"
        note = f"error {best['error_law']:.3f} by the law"
        rows.append((f"best choice, n = {pool}, λ = {ridge:g}", ours, "not given", note))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    peak = tables["points"].filter(AT_PEAK & (pl.col("ridge") == min(config.ridges)))
    nearer = peak.filter(
        (pl.col("error_counts") - pl.col("error")).abs() < (pl.col("error_law") - pl.col("error")).abs()
    )
    low = peak.filter(pl.col("relative") < 0)
    mine = tables["lines"].filter(pruner=config.pruner)
    best = {
        (pool, ridge): panel.sort("error_law").row(0, named=True)
        for (pool, ridge), panel in mine.group_by("pool", "ridge", maintain_order=True)
    }
    found = []
    for pool, rule, words in ((min(config.pools), "easy", "few"), (max(config.pools), "hard", "many")):
        rows = {ridge: row for (size, ridge), row in best.items() if size == pool}
        told = ", ".join(
            f"keep {row['rule']} at λ = {ridge:g} (error {row['error_law']:.3f})" for ridge, row in rows.items()
        )
        text = f"With {words} examples (n = {pool}) keeping {rule} examples is best at every ridge, by the law."
        found.append(Finding(text, all(row["rule"] == rule for row in rows.values()), told))
    turns = {
        pool: _turns(mine.filter(pool=pool, ridge=min(config.ridges), rule="hard").sort("kept")["error_law"])
        for pool in config.pools
    }
    return (
        *found,
        Finding(
            "With hardly any ridge, keep-hard goes down, up to a peak, down, and up again as more is kept.",
            max(turns.values()) >= 3,
            ", ".join(f"{count} turns at n = {pool}" for pool, count in turns.items()),
        ),
        Finding(
            "At the peaks of the smallest ridge the simulation is below the law.",
            low.height == peak.height,
            f"{low.height} of {peak.height}, by {_range(-100 * peak['relative'])} %",
        ),
        Finding(
            "At these peaks the law, averaged over how many examples are kept, is nearer to the simulation.",
            nearer.height == peak.height,
            f"{nearer.height} of {peak.height}",
        ),
    )


def _turns(values: pl.Series) -> int:
    """How often a curve turns from falling to rising, or back."""
    steps = np.sign(np.diff(values.to_numpy()))
    steps = steps[steps != 0]
    return int(np.sum(steps[1:] != steps[:-1]))


def _range(values: pl.Series) -> str:
    return f"{values.min():.0f} to {values.max():.0f}"


def remarks(config: Config) -> str:
    return f"""
    Dimension, pools and ridges are the paper's. Its pruner is not given: points and thick lines are for a pruner of
    cosine ρ = {config.pruner:g} with the truth, thin lines show by how much ρ = {config.other_pruner:g} would change
    the law. The peak is where d of n examples are kept.

    In a finite pool the number kept varies, so that the peak is averaged with its foot. The table has the law averaged
    over the binomial number kept beside the law itself. It is an effect of the dimension.
    """
