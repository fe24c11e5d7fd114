"""What pruning ever larger pools can do for a fixed number of kept examples: a cliff, not an exponential."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style

from .._agreement import agreement, follows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.sorscher.perceptron_cliff import Config

TITLE = "The least test error at a fixed number of kept examples per dimension"
ANSWERS = "Sorscher et al. (arXiv 2206.14486), the Pareto frontier over the fraction kept (Figure 1)"
EXPERIMENT = "perceptron_cliff"


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("full", columns=2, height_to_width=0.85):
        figure, (left, right) = plt.subplots(1, 2, layout="constrained")
        _frontiers(left, tables["frontier"], config)
        _pools(right, tables["lines"], tables["points"], config)
        also = r"At $\alpha_\mathrm{kept}$ near 2 a single pool errs near 1/2 or near 0: bars are rough there."
        bars_note(figure, f"{config.repeats} pools", also=also)
    return figure


def _frontiers(axis: Axes, frontier: pl.DataFrame, config: Config) -> None:
    for index, floor in enumerate(config.floors):
        line = frontier.filter(pl.col("floor") == floor)
        axis.plot(
            line["alpha"],
            line["error_law"],
            color=PALETTE[index],
            linestyle=LINES[index],
        )
        end = line["alpha"][-1], line["error_law"][-1]
        axis.annotate(f"f ≥ {floor:g}", end, xytext=(3, 0), textcoords="offset points", fontsize=6, va="center")
    axis.axvline(2, color="0.4", linewidth=0.8)
    axis.set_yscale("log")
    axis.set_xlim(0, 1.2 * frontier["alpha"].to_numpy().max())
    axis.set_xticks(range(0, 9, 2))
    axis.set_title("law, θ = 0, keep hard", fontsize=7)
    axis.set_xlabel(r"examples kept per dimension, $\alpha_\mathrm{kept}$")
    axis.set_ylabel("least test error over f")


def _pools(axis: Axes, lines: pl.DataFrame, points: pl.DataFrame, config: Config) -> None:
    for index, alpha in enumerate(config.alphas):
        line, measured = (table.filter(pl.col("alpha") == alpha).sort("alpha_pool") for table in (lines, points))
        color, marker = PALETTE[index], MARKERS[index]
        axis.plot(line["alpha_pool"], line["error_law"], color=color, linestyle=LINES[index])
        # On a logarithmic axis a bar that reaches 0 would leave the picture.
        low = np.minimum(measured["error_stderr"], 0.9 * measured["error"])
        axis.errorbar(
            measured["alpha_pool"],
            measured["error"],
            np.stack([low, measured["error_stderr"]]),
            color=color,
            marker=marker,
            markersize=2.8,
            linestyle="none",
        )
        axis.plot([], [], color=color, linestyle=LINES[index], marker=marker, label=f"{alpha:g}")
    totals = np.array([3.0, lines["alpha_pool"].max()])
    axis.plot(
        totals, 0.5 / totals, color="0.6", linewidth=3, linestyle="-", zorder=0, label=r"$0.5/\alpha_\mathrm{tot}$"
    )
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel(r"pool per dimension, $\alpha_\mathrm{tot} = \alpha_\mathrm{kept}/f$")
    axis.set_ylabel("test error")
    axis.set_title(f"lines: law; points: simulation, d = {config.dimension}", fontsize=7)
    title = r"$\alpha_\mathrm{kept}$"
    axis.legend(fontsize=6, loc="lower left", title=title, title_fontsize=6)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    frontier, lines, points = tables["frontier"], tables["lines"], tables["points"]
    floor = min(config.floors)
    rows = []
    for alpha in sorted({min(config.alphas), 2.0, 2.5, max(config.alphas)} & set(config.alphas)):
        line = lines.filter(pl.col("alpha") == alpha)
        least, lowest = line.sort("error_law").row(0, named=True), line.sort("kept").row(0, named=True)
        note = f"at f = {floor:g}: {lowest['error_law']:.3g}; all kept: {line['error_law'][-1]:.3g}"
        rows.append((f"least error, α_kept = {alpha:g}", f"{least['error_law']:.3g}", "not given", note))
    finest = frontier.filter(pl.col("floor") == floor)
    slopes = [_decay(finest, a, b) for a, b in ((1.0, 1.9), (1.9, 2.2), (2.5, 4.0), (4.0, 8.0))]
    rows.append(
        (
            "−d log(error)/dα_kept in 1–1.9, 1.9–2.2, 2.5–4, 4–8",
            ", ".join(f"{slope:.2f}" for slope in slopes),
            "constant, were it exponential",
            f"of the least error over f ≥ {floor:g}",
        )
    )
    beyond = lines.filter(pl.col("alpha") == max(config.alphas)).sort("alpha_pool")
    total, error = beyond["alpha_pool"][-1], beyond["error_law"][-1]
    rows.append(
        (f"error × α_tot at α_kept = {max(config.alphas):g}", f"{total * error:.3f}", "", f"α_tot = {total:.3g}")
    )
    clear = points.filter(~pl.col("alpha").is_between(1.75, 2.25))
    rows += agreement(clear, config.repeats, "cliff left out")
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def _decay(line: pl.DataFrame, low: float, high: float) -> float:
    log = np.interp([low, high], line["alpha"].to_numpy(), np.log(line["error_law"].to_numpy()))
    return (log[0] - log[1]) / (high - low)


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    lines, frontier = tables["lines"], tables["frontier"].filter(floor=min(config.floors))
    deepest = lines.filter(kept=lines["kept"].to_numpy().min()).sort("alpha")
    before = deepest.filter(pl.col("alpha") < 1.9)["error_law"].to_numpy()
    after = deepest.filter(pl.col("alpha") >= 2.5)["error_law"].to_numpy()
    slopes = [_decay(frontier, a, b) for a, b in ((1.0, 1.9), (1.9, 2.2), (2.5, 4.0))]
    beyond = lines.filter(alpha=max(config.alphas)).sort("alpha_pool")
    along = (beyond["error_law"] * beyond["alpha_pool"])[-1]
    return (
        Finding(
            "As the pool grows, the error goes to 1/2 below α_kept = 2.",
            before.min() > 0.4,
            f"at least {before.min():.3f} at f = {deepest['kept'][0]:g} below α_kept = 1.9",
        ),
        Finding(
            "It goes to 0 above α_kept = 2.",
            after.max() < 0.01,
            f"at most {after.max():.2g} at f = {deepest['kept'][0]:g} from α_kept = 2.5 on",
        ),
        Finding(
            "The least error over f falls off a cliff at 2, more than three times as steeply as on either side.",
            slopes[1] > 3 * max(slopes[0], slopes[2]),
            f"−d log(error)/dα_kept is {slopes[0]:.2f} in 1–1.9, {slopes[1]:.2f} in 1.9–2.2, {slopes[2]:.2f} in 2.5–4",
        ),
        Finding(
            "Beyond the cliff, counted in examples before pruning, the error runs along 0.5/α_tot.",
            abs(along / 0.5 - 1) < 0.25,
            f"error × α_tot = {along:.3f} at α_kept = {max(config.alphas):g}, α_tot = {beyond['alpha_pool'][-1]:.3g}",
        ),
        follows(tables["points"].filter(~pl.col("alpha").is_between(1.75, 2.25)), "simulated point off the cliff"),
    )


def remarks(config: Config) -> str:
    return f"""
    The paper's abstract says that with a good metric pruning can, in theory, beat power laws and "potentially even
    reduce" them to exponential ones, in the size of the pruned data set. This is the exact law of its own model, for
    a perfect probe and the hardest examples, for ever larger pools at a fixed α_kept; 2 is the number of random labels
    per dimension that a perceptron can satisfy. Where f may not fall below a floor the frontiers are smooth; how the
    paper restricts f in its frontiers could not be read.

    Near α_kept = 2 single pools of N = {config.dimension} fall on either side, so that points there are means of errors
    near 1/2 and near 0, and may be far from the law; the error bars of {config.repeats} pools are rough there. Only
    kept examples are drawn in full, which makes f = {min(config.fractions):g} affordable.
    """
