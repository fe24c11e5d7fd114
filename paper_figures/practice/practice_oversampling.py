"""Accuracy against the over-sampling ratio, as many kept, law over simulation (Deliberate Practice, Fig. 5c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style, with_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.practice.practice_oversampling import Config

TITLE = "How many examples to generate for each that is kept"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), Figure 5c"
EXPERIMENT = "practice_oversampling"


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("half", height_to_width=0.85):
        figure, axis = plt.subplots()
        for index, pruner in enumerate(config.pruners):
            line, points, best = (
                tables[name].filter(pl.col("pruner") == pruner) for name in ("lines", "points", "best")
            )
            color, marker = PALETTE[index], MARKERS[index]
            axis.plot(line["over_sampling"], 100 * (1 - line["error_law"]), color=color, linestyle=LINES[index])
            axis.errorbar(
                points["over_sampling"],
                100 * (1 - points["error"]),
                100 * points["error_stderr"],
                color=color,
                marker=marker,
                linestyle="none",
            )
            axis.plot(
                best["over_sampling"],
                100 * (1 - best["error_law"]),
                "*",
                color=color,
                markeredgecolor="black",
                markeredgewidth=0.5,
                markersize=9,
                zorder=5,
            )
            axis.plot([], [], color=color, linestyle=LINES[index], marker=marker, label=f"ρ = {pruner:g}")
        axis.plot(
            [],
            [],
            "*",
            color="white",
            markeredgecolor="black",
            markeredgewidth=0.5,
            markersize=9,
            label="best by the law",
        )
        axis.set_xscale("log", base=2)
        axis.set_xticks(2.0 ** np.arange(np.floor(np.log2(max(config.ratios))) + 1))
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.minorticks_off()
        axis.set_xlabel("over-sampling ratio, N/m")
        axis.set_ylabel("test accuracy (%)")
        axis.legend(title="cosine ρ of pruner and truth", title_fontsize=6, fontsize=6, loc="lower left")
        bars_note(figure, f"{config.repeats} pools", also="Lines: exact law.")
    return figure


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """The optimum of each pruner, what is gained to it and lost after it, and how well the law fits."""
    rows = []
    points = tables["points"]
    for best in tables["best"].iter_rows(named=True):
        mine = points.filter(pl.col("pruner") == best["pruner"]).sort("over_sampling")
        peak = mine.sort("error").row(0, named=True)
        name = f"ρ = {best['pruner']:g}"
        ours = f"{best['over_sampling']:.2f} times, {_accuracy(best['error_law']):.1f} %"
        note = (
            f"simulated best: {peak['over_sampling']:g} times, {_accuracy(peak['error']):.1f} "
            f"± {100 * peak['error_stderr']:.1f} %"
        )
        rows.append((f"best over-sampling ratio, {name}", ours, "an inner optimum", note))
        ends = " → ".join(_measured(row) for row in (mine.row(0, named=True), peak, mine.row(-1, named=True)))
        shown = [0, mine["error"].arg_min(), -1]
        law = " → ".join(f"{_accuracy(mine['error_law'][i]):.1f}" for i in shown)
        reach = f"{mine['over_sampling'][0]:g}, {peak['over_sampling']:g}, {mine['over_sampling'][-1]:g} times"
        rows.append((f"accuracy at {reach}, {name}", ends, "rises, then falls", f"the law says {law} %"))
    z = points["z"].to_numpy()
    rows += [
        (
            "largest deviation from the law",
            f"{100 * np.abs(points['relative'].to_numpy()).max():.1f} % of the error",
            "not given",
            f"{np.abs(z).max():.1f} s.e. at most",
        ),
        (
            "root mean square deviation",
            f"{np.sqrt(np.mean(z**2)):.2f} s.e.",
            "not given",
            # of Student's t
            f"{np.sqrt((config.repeats - 1) / (config.repeats - 3)):.2f} if only chance is at work",
        ),
    ]
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    points, best = tables["points"], tables["best"].sort("pruner")
    curves = {
        pruner: points.filter(pruner=pruner).sort("over_sampling") for pruner in sorted(points["pruner"].unique())
    }
    inside = {pruner: _clear(curve, 0) and _clear(curve, -1) for pruner, curve in curves.items()}
    imperfect = [pruner for pruner in curves if pruner < 1]
    ends = [with_error(curves[p]["error"][-1], curves[p]["error_stderr"][-1]) for p in imperfect]
    worst = points["relative"].abs().to_numpy().max()
    return (
        Finding(
            "Choosing the hardest of more examples helps up to a point, and then harms, for every pruner.",
            all(inside.values()),
            f"the simulated best is clear of both ends for {sum(inside.values())} of {len(inside)} pruners",
        ),
        Finding(
            "The best ratio is smaller for a worse pruner, by the law.",
            best["over_sampling"].is_sorted(),
            ", ".join(
                f"{ratio:.2f} at ρ = {rho:g}" for rho, ratio in best.select("pruner", "over_sampling").iter_rows()
            ),
        ),
        Finding(
            "The best accuracy is lower for a worse pruner, by the law.",
            best["error_law"].is_sorted(descending=True),
            ", ".join(
                f"{_accuracy(e):.1f} % at ρ = {rho:g}" for rho, e in best.select("pruner", "error_law").iter_rows()
            ),
        ),
        Finding(
            "At the largest ratio, of the imperfect pruners the worse does less harm.",
            len(ends) > 1 and ends[0].below(ends[-1]),
            ", ".join(f"{_accuracy(end.mean):.1f} % at ρ = {p:g}" for p, end in zip(imperfect, ends, strict=True)),
        ),
        Finding("No simulated point is more than 5 % off the law.", worst < 0.05, f"{100 * worst:.1f} % at most"),
    )


def _clear(curve: pl.DataFrame, end: int) -> bool:
    """Whether the least error of a curve is below that at one of its ends, with the error bars apart."""
    peak, there = (
        with_error(curve["error"][place], curve["error_stderr"][place])
        for place in (int(curve["error"].arg_min() or 0), end)
    )
    return peak.below(there)


def remarks(config: Config) -> str:
    return f"""
    The paper draws one such curve and gives none of its parameters, so the shape can be compared and no number. Ours:
    d = {config.dimension}, m = {config.size} examples kept whatever the ratio, λ = {config.ridge:g} relative to m, and
    pruners of cosine ρ = {", ".join(f"{pruner:g}" for pruner in config.pruners)} with the truth.

    Why it may fall: hard examples lie in a thin strip about the pruner's boundary. Their labels tell mostly in what the
    truth differs from the pruner, and along the pruner they hardly vary, so that a squared loss gets the proportion of
    the two wrong; with ρ = 1 there is nothing to get wrong, but the ridge shrinks the one direction that counts. A
    worse pruner selects more at random.

    Stars are the optimum of the law, found by descent along its derivative. An example is kept if it is nearer to the
    boundary than a threshold, so m is the mean of the number kept, and pools were drawn as what passes
    ({config.repeats} a point). What it costs to generate N examples and to score them is not in this figure.
    """


def _accuracy(error: float) -> float:
    return 100 * (1 - error)


def _measured(row: dict[str, Any]) -> str:
    return f"{_accuracy(row['error']):.1f} ± {100 * row['error_stderr']:.1f} %"
