"""Pruning against guided generation: error at equal numbers of examples, what either costs, and exact laws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, mean_of, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.practice.practice_costs import Config

TITLE = "To prune or to guide: errors, costs, and the ratio at which they break even"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), Fig. 5 and section 5.3"
EXPERIMENT = "practice_costs"
SHOWN = (2.0, 8.0, 32.0)  # of the strengths in the laws
GUIDED = 1.82  # the paper's cost of a guided image, in unguided ones


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("full", columns=3, height_to_width=1.05):
        figure, axes = plt.subplots(1, 3, layout="constrained")
        pruned, guided = (_means(tables["runs"], kind) for kind in ("pruned", "guided"))
        _by_ratio(axes[0], pruned, guided)
        _by_cost(axes[1], pruned, guided)
        _by_law(axes[2], tables["laws"])
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=7)
        also = "So is the band. ω: strength of the guidance; circles: where pruning and guiding break even."
        bars_note(figure, f"{config.runs} runs", also=also)
    return figure


def _even(axis: Axes, ratios: pl.Series, errors: pl.Series, level: float) -> None:
    """Circles where a curve of errors over ratios first comes down to a level, by logarithmic interpolation."""
    x, y = np.log(np.asarray(ratios, float)), np.asarray(errors, float)
    crossed = np.flatnonzero((y[:-1] > level) & (y[1:] <= level))
    if len(crossed):
        i = crossed[0]
        at = float(np.exp(x[i] + (x[i + 1] - x[i]) * (y[i] - level) / (y[i] - y[i + 1])))
        axis.plot(at, level, "o", color="black", markerfacecolor="none", markersize=7, zorder=5)
        axis.annotate(f"r = {at:.2g}", (at, level), (5, 5), textcoords="offset points", fontsize=6)


def _means(runs: pl.DataFrame, kind: str) -> pl.DataFrame:
    by = (
        runs.filter(kind=kind)
        .group_by("ratio", "strength")
        .agg("error", pl.mean("cost", "generating"))
        .sort("ratio", "strength")
    )
    errors = [mean_of(np.multiply(each, 100)) for each in by["error"]]
    columns = {
        "mean": [e.mean for e in errors],
        "low": [e.mean - e.low for e in errors],
        "high": [e.high - e.mean for e in errors],
    }
    return by.drop("error").with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def _plot(axis: Axes, x: pl.Series | list[float], table: pl.DataFrame, index: int, label: str) -> None:
    bars = table.select("low", "high").to_numpy().T
    look = {"color": PALETTE[index], "marker": MARKERS[index], "linestyle": LINES[index]}
    axis.errorbar(x, table["mean"], bars, label=label, **look)


def _by_ratio(axis: Axes, pruned: pl.DataFrame, guided: pl.DataFrame) -> None:
    _plot(axis, pruned["ratio"], pruned, 0, "pruned: the hardest of r times as many")
    best = guided.sort("mean").head(1)
    _band(axis, best, f"guided, the best ω = {best['strength'].item():g}")
    _even(axis, pruned["ratio"], pruned["mean"], best["mean"].item())
    axis.set(
        xscale="log", xlabel="over-sampling ratio r", ylabel="real test error (%)", title="equal numbers of examples"
    )
    _powers(axis, pruned["ratio"].to_numpy().max())


def _band(axis: Axes, row: pl.DataFrame, label: str) -> None:
    middle, low, high = (row[name].item() for name in ("mean", "low", "high"))
    axis.axhline(middle, color=PALETTE[1], linestyle=LINES[1], label=label)
    axis.axhspan(middle - low, middle + high, color=PALETTE[1], alpha=0.2, linewidth=0)


def _by_cost(axis: Axes, pruned: pl.DataFrame, guided: pl.DataFrame) -> None:
    _plot(axis, pruned["cost"], pruned, 0, "pruned")
    best = guided.sort("mean").head(1)
    _plot(axis, best["cost"], best, 1, "guided")
    _plot(axis, [GUIDED], best, 4, "guided, at the paper's 1.82")
    axis.legend(fontsize=6)
    axis.set(xscale="log", xlabel="cost of an added example\n(in unguided ones)", title="what they cost")
    _powers(axis, pruned["cost"].to_numpy().max())


def _powers(axis: Axes, most: float) -> None:
    ticks = [2**power for power in range(7) if 2**power <= 1.3 * most]
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()


def _by_law(axis: Axes, laws: pl.DataFrame) -> None:
    pruned, guided = laws.filter(kind="pruned"), laws.filter(kind="guided")
    axis.plot(pruned["ratio"], 100 * pruned["error"], color=PALETTE[0], linestyle=LINES[0])
    for strength, error in guided.filter(pl.col("strength").is_in(SHOWN)).select("strength", "error").iter_rows():
        axis.axhline(100 * error, color=PALETTE[1], linestyle=LINES[1], linewidth=0.8)
        _even(axis, pruned["ratio"], pruned["error"] * 100, 100 * error)
        # Beside its line, in the margin: lines are close together.
        place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
        axis.annotate(f"ω = {strength:g}", (1, 100 * error), (2, 0), fontsize=6, **place)
    axis.set(xscale="log", xlabel="over-sampling ratio r", ylabel="error (%)", title="linear learner: exact laws")
    axis.set_ylim(bottom=100 * laws["error"].to_numpy().min() - 0.25)
    _powers(axis, 64)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """Errors and costs by arm, the ratios at which pruning breaks even, and the paper's."""
    rows = []
    for kind in ("pruned", "guided"):
        for row in _means(tables["runs"], kind).iter_rows(named=True):
            what = f"r = {row['ratio']:g}" if kind == "pruned" else f"ω = {row['strength']:g}"
            error = f"{row['mean']:.3g} ({row['mean'] - row['low']:.3g} to {row['mean'] + row['high']:.3g})"
            rows.append((f"error (%), {kind}, {what}", error, "", f"{row['cost']:.3g} unguided examples for one"))
    for row in tables["break_even"].iter_rows(named=True):
        if row["source"] == "law" and row["strength"] not in SHOWN:
            continue
        even = "not reached" if np.isnan(row["break_even"]) else f"{row['break_even']:.2f}"
        where = "linear learner, exact laws" if row["source"] == "law" else "mixture"
        cost = "" if row["cost"] is None else f"guidance costs {row['cost']:.1f} here"
        rows.append((f"break-even ratio, {where}, ω = {row['strength']:g}", even, "about 9, inferred", cost))
    score, learner = (
        tables["prices"].row(0, named=True),
        "of a mixture's score, and its learner's entropy with gradient",
    )
    rows.append(
        (f"operations {learner}", f"{score['score']:.0f}, {score['learner_gradient']:.0f}", "", "for one example")
    )
    rows.append(
        (
            "cost of a guided example",
            f"{tables['runs'].filter(kind='guided')['cost'].mean():.1f}",
            "1.82",
            "H100, ViT-B, LDM-1.5",
        )
    )
    rows.append(("guided generation is cheaper by", "see above", "5 times", "for equal accuracy; not reproduced"))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    pruned = _means(tables["runs"], "pruned")
    even = tables["break_even"].filter(pl.col("source") != "law")
    dearer = even.filter((pl.col("cost") > pl.col("break_even")) & pl.col("break_even").is_not_nan())
    laws = tables["laws"].filter(kind="pruned").sort("ratio")
    severe = {
        "here": (pruned.sort("ratio")["mean"][-1], pruned["mean"].to_numpy().min()),
        "by the laws": (100 * laws["error"][-1], 100 * laws["error"].to_numpy().min()),
    }
    price = tables["prices"].row(0, named=True)
    cost = tables["runs"].filter(kind="guided")["cost"].to_numpy().mean()
    return (
        Finding(
            "With an exact score it is cheaper to prune: guidance costs more than the ratio at which it breaks even.",
            dearer.height == even.height,
            f"at {dearer.height} of {even.height} strengths; {_told(even)}",
        ),
        Finding(
            "A guided example costs more than the paper's, as the score is cheap beside the learner.",
            cost > GUIDED and price["score"] < price["learner_gradient"],
            f"{cost:.1f} against {GUIDED}; {price['score']:.0f} operations for a score, "
            f"{price['learner_gradient']:.0f} for the gradient of the learner's entropy",
        ),
        *(
            Finding(
                f"The most severe selection hurts again, {where}.",
                last > 1.001 * least,
                f"{last:.3g} % at the largest ratio, {least:.3g} % at best",
            )
            for where, (last, least) in severe.items()
        ),
    )


def _told(even: pl.DataFrame) -> str:
    return ", ".join(
        f"ω = {row['strength']:g}: cost {row['cost']:.1f}, break-even "
        + ("not reached" if np.isnan(row["break_even"]) else f"{row['break_even']:.1f}")
        for row in even.iter_rows(named=True)
    )


def remarks(config: Config) -> str:
    return f"""
    {config.start} examples at first; when the learner stalls, as many more, either the hardest of r times as many or
    guided; {config.runs} seeds, error bars of one standard error. Up to the addition all arms are the same run.

    Costs are floating-point operations as XLA counts them, in units of an unguided example of {config.steps} steps;
    choosing what to keep takes the entropy of every candidate, which counts. The paper's generator is large beside its
    learner, ours is a formula; the third curve has the paper's cost instead of ours. Guidance pays where it costs less
    than the ratio at which pruning is as good, the break-even in the table. The figure practice_images has a learned
    generator.

    Right: both have exact laws for a linear learner that trains on all, d/n = {config.law.first_ratio:g} at first and
    {config.law.added_ratio:g} for what is added, with an exact tilt for guidance: each strength is worth a ratio, and
    costs nothing there.
    """
