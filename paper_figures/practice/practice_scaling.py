"""Accuracy against the size of the selected data set, law over simulation (Deliberate Practice, Fig. 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style

from .._agreement import agreement, follows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.practice.practice_scaling import Config

TITLE = "Training on the hardest examples of a pool: accuracy against how many are kept"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), Figure 3"
EXPERIMENT = "practice_scaling"


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("half", height_to_width=0.85):
        figure, axis = plt.subplots()
        for index, p in enumerate(config.fractions):
            line = tables["lines"].filter(pl.col("kept") == p)
            points = tables["points"].filter(pl.col("kept") == p)
            color, label = PALETTE[index], _label(p)
            axis.plot(line["size"], 100 * (1 - line["error_law"]), color=color, linestyle=LINES[index])
            axis.errorbar(
                points["size"],
                100 * (1 - points["error"]),
                100 * points["error_stderr"],
                color=color,
                marker=MARKERS[index],
                linestyle="none",
            )
            axis.plot([], [], color=color, linestyle=LINES[index], marker=MARKERS[index], label=label)
        axis.set_xscale("log", base=2)
        ticks = 2.0 ** np.arange(np.floor(np.log2(min(config.sizes))), np.log2(max(config.sizes)) + 0.5, 0.5)
        axis.set_xticks(ticks[ticks <= 1.03 * max(config.sizes)])
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
        axis.minorticks_off()
        axis.set_xlabel("examples kept (average)")
        axis.set_ylabel("test accuracy (%)")
        axis.legend(fontsize=6, loc="lower right")
        bars_note(figure, f"{config.repeats} pools", also="Lines: exact law.")
    return figure


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """Simulated accuracy at the smallest and the largest size near the paper's ticks, and how well the law fits."""
    points = tables["points"]
    # Read off the paper's axis: accuracies run from 55 to 90 %.
    rows = []
    for p in (min(config.fractions), max(config.fractions)):
        for size in (512, 1024):
            found = points.filter((pl.col("kept") == p) & (pl.col("size") == size))
            for row in found.iter_rows(named=True):
                ours = f"{100 * (1 - row['error']):.1f} ± {100 * row['error_stderr']:.1f} %"
                law = f"the law says {100 * (1 - row['error_law']):.1f} %"
                rows.append((f"accuracy, {_label(p)}, {size} kept", ours, "axis from 55 to 90 %", law))
    rows += agreement(points, config.repeats)
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    points = tables["points"]
    few, many = (
        points.filter(size=size).sort("kept")
        for size in (points["size"].to_numpy().min(), points["size"].to_numpy().max())
    )
    slopes = np.log(few["error"].to_numpy() / many["error"].to_numpy()) / np.log(many["size"][0] / few["size"][0])
    smallest = few["kept"][0]
    place = [row["kept"] for row in many.sort("error").iter_rows(named=True)].index(smallest)
    return (
        Finding(
            "The harder the selection, the steeper the curve.",
            bool(np.all(np.diff(slopes) < 0)),
            ", ".join(f"{slope:.2f} ({_label(p)})" for slope, p in zip(slopes, few["kept"], strict=True))
            + f": −d log(error)/d log(n), {few['size'][0]} to {many['size'][0]} kept",
        ),
        Finding(
            "With the fewest examples the smallest fraction is the worst choice.",
            few["error"].arg_max() == 0,
            ", ".join(
                f"{100 * (1 - error):.1f} % ({_label(p)})" for p, error in few.select("kept", "error").iter_rows()
            ),
        ),
        Finding(
            "With the most examples the smallest fraction is the best choice but one.",
            place == 1,
            ", ".join(
                f"{100 * (1 - error):.1f} % ({_label(p)})" for p, error in many.select("kept", "error").iter_rows()
            ),
        ),
        follows(points),
    )


def remarks(config: Config) -> str:
    return f"""
    The paper gives the dimension ({config.dimension}) and the fractions, but neither the ridge nor the pruner. We take
    λ = {config.ridge:g}, relative to the number kept, and a pruner of cosine {config.pruner:g} with the truth. They
    were chosen to put the curves into the range of the paper's axis, so only the shape of the curves can be compared.

    An example is kept if it is nearer to the boundary than a threshold, as in the theorem, so that the number kept
    varies from pool to pool; the axis shows its mean. Where curves are steep, this variation is most of the error bars
    ({config.repeats} pools a point). Pools were not drawn whole: examples that pass the threshold were drawn from the
    truncated normal distribution, which is the same and does not cost 1/p.
    """


def _label(p: float) -> str:
    return "all" if p == 1 else f"hardest {100 * p:g} %"
