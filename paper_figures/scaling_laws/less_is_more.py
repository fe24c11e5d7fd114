"""Test error against the fraction kept, few and many examples, strong and weak generator (Why Less is More, Fig. 1)."""

from typing import Any

import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, bars_note, style

from .._agreement import agreement

TITLE = "When less is more: keeping hard, easy or random examples of a strong or a weak generator"
ANSWERS = "Why Less is More (Sometimes) (arXiv 2511.03492), Figure 1 and Theorem 2"
EXPERIMENT = "less_is_more"
RULES = ("hard", "easy", "random")


def draw(tables: dict[str, pl.DataFrame], config: Any) -> Any:
    import matplotlib.pyplot as plt

    panels = [*((size, False) for size in config.sizes), (config.sizes[-1], True)]
    rows, columns = len(config.generators), len(panels)
    with style("full", rows=rows, columns=columns, height_to_width=0.85):
        figure, axes = plt.subplots(rows, columns, sharex=True, sharey=True, squeeze=False, layout="constrained")
        for row, generator in enumerate(config.generators):
            for column, (size, aware) in enumerate(panels):
                here = (pl.col("generator") == generator) & (pl.col("size") == size) & (pl.col("label_aware") == aware)
                axis = axes[row, column]
                _panel(axis, tables["points"].filter(here), tables["lines"].filter(here))
                axis.set_title(f"n = {size:g} d{', label-aware' if aware else ''}", fontsize=7)
            axes[row, 0].set_ylabel(f"generator's cosine ρ = {generator:g}", fontsize=7)
        figure.supxlabel("fraction that the rule keeps, p", fontsize=8)
        figure.supylabel("test error (fraction misclassified)", fontsize=8)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=6, handlelength=3)
        also = f"Lines: exact law. ρ: cosine of generator and truth, that of pruner and truth is {config.pruner:g}."
        bars_note(figure, f"{config.repeats} pools", also=also)
    return figure


def _panel(axis: Any, points: pl.DataFrame, lines: pl.DataFrame) -> None:
    for index, rule in enumerate(RULES):
        line, measured = (table.filter(pl.col("rule") == rule) for table in (lines, points))
        color, dashes, marker = PALETTE[index], LINES[index], MARKERS[index]
        axis.plot(line["kept"], line["error_law"], color=color, linestyle=dashes)
        part = measured.filter(pl.col("kept") < 1)
        axis.errorbar(
            part["kept"],
            part["error"],
            part["error_stderr"],
            color=color,
            marker=marker,
            markersize=2.8,
            linestyle="none",
        )
        axis.plot([], [], color=color, linestyle=dashes, marker=marker, markersize=2.8, label=f"keep {rule}")
    every = points.filter(pl.col("kept") == 1)
    everything = {"color": "0.35", "marker": "*", "markersize": 5, "linestyle": "none"}
    axis.errorbar(every["kept"], every["error"], every["error_stderr"], **everything)
    axis.axhline(lines.filter(pl.col("kept") == 1)["error_law"][0], color="0.6", linewidth=0.6, zorder=0)
    axis.plot([], [], **everything, label="keep all (p = 1)")
    axis.set_xlim(0, 1.04)
    axis.set_yscale("log")
    ticks = (0.03, 0.05, 0.1, 0.2, 0.5)
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()


def numbers(tables: dict[str, pl.DataFrame], config: Any) -> pl.DataFrame:
    lines, points, limit = tables["lines"], tables["points"], tables["limit"]
    rows = []
    few, many = min(config.sizes), max(config.sizes)
    said = {
        (True, few): "more is more, or keep easy",
        (True, many): "less is more, keep hard",
        (False, few): "more is more, or keep easy",
        (False, many): "keep easy",
    }
    for (generator, size, aware), panel in lines.group_by("generator", "size", "label_aware", maintain_order=True):
        every = panel.filter(pl.col("kept") == 1)["error_law"][0]
        best = {
            rule: panel.filter(pl.col("rule") == rule).sort("error_law").row(0, named=True) for rule in ("hard", "easy")
        }
        ours = f"keep all {every:.3f}; " + "; ".join(
            f"keep {rule} {row['error_law']:.3f} at p = {row['kept']:.2f}" for rule, row in best.items()
        )
        claim = "" if aware else said.get((generator == max(config.generators), size), "not given")
        name = f"least error by the law, ρ = {generator:g}, n = {size:g} d{', label-aware' if aware else ''}"
        rows.append((name, ours, claim, ""))
    for (generator, pruner), group in limit.group_by("generator", "pruner", maintain_order=True):
        ours = "; ".join(f"keep {row['rule']} {row['error_law']:.3g}" for row in group.iter_rows(named=True))
        where = f"n/d = {group['size'][0]:.0e}, λ = 0, p = {config.limit_fraction:g}"
        name = f"error at {where}, ρ = {generator:g}, ρ* = {pruner:g}"
        claim = "keep hard (as ρ and ρ* → 1)" if generator == 1 else "keep easy (as ρ* → 1)"
        rows.append((name, ours, claim, "Theorem 2; by the law"))
    rows += agreement(points, config.repeats)
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def remarks(tables: dict[str, pl.DataFrame], config: Any) -> str:
    few, many = min(config.sizes), max(config.sizes)
    strong, weak = max(config.generators), min(config.generators)
    return f"""
    Labels are those of a generator of cosine ρ with the truth; what is kept is chosen by a pruner of cosine ρ* =
    {config.pruner:g}, whose cosine with the generator is taken to be ρρ*. The paper's figure has pools of 100 and
    5000 and ρ = 1 or less; its dimension, cosines and ridge could not be read. Ours are d = {config.dimension},
    n = {few:g} d and {many:g} d, ρ = {strong:g} and {weak:g}, λ = {config.ridge:g} relative to 1/n, so the claims
    are compared, not numbers.

    The claims are those of its abstract and of summaries. Seen as claimed: of a strong generator, keep-hard
    improves on keeping all where examples are many and only there; of a weak one it hardly does, and keep-easy is
    best. With few examples "more is more" is true of keep-hard and of random, not of keep-easy, which is slightly
    better than keeping all, with either generator.

    Theorem 2 says, of infinitely many examples without a ridge, that keep-hard is optimal as ρ and ρ* go to 1. That
    holds only in the joint limit. At ρ = 1 exactly and ρ* < 1, random thinning is unbiased and its error goes to 0,
    while keep-hard keeps a bias of its own (rows n/d = 1e9). At ρ = ρ* = 1 all rules are right in the end, and
    keep-hard is only ahead by a factor. So what keep-hard gains is variance, at a finite n/d; the figure
    "less_is_more_window" shows where. Its bias does not fall steadily as ρ* goes to 1, as it has either sign.

    Label-aware curation (right) keeps an example only if the pruner agrees with its label; p counts the rule alone,
    and fewer are kept. It halves the error of the weak generator. With the strong one it does harm: the pruner is
    the worse of the two, and rejects labels that are right. The printed form of the paper's Theorem 3 could not be
    read; the law is our own, and the points are its check.
    """
