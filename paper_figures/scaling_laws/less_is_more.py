"""Test error against the fraction kept, few and many examples, strong and weak generator (Why Less is More, Fig. 1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style

from .._agreement import agreement, follows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.scaling_laws.less_is_more import Config

TITLE = "When less is more: keeping hard, easy or random examples of a strong or a weak generator"
ANSWERS = "Why Less is More (Sometimes) (arXiv 2511.03492), Figure 1 and Theorem 2"
EXPERIMENT = "less_is_more"
RULES = ("hard", "easy", "random")


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
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


def _panel(axis: Axes, points: pl.DataFrame, lines: pl.DataFrame) -> None:
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


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
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


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    lines, limit = tables["lines"], tables["limit"]
    few, many = min(config.sizes), max(config.sizes)
    strong, weak = max(config.generators), min(config.generators)

    def gain(generator: float, size: float, rule: str) -> float:
        """The least error of a rule over that of keeping all without a look at labels."""
        panel = lines.filter(generator=generator, size=size)
        own = panel.filter(~pl.col("label_aware"), rule=rule)
        every = panel.filter(pl.col("kept") == 1, ~pl.col("label_aware"))["error_law"][0]
        return own["error_law"].to_numpy().min() / every

    def told(rule: str) -> str:
        return ", ".join(
            f"× {gain(generator, size, rule):.3f} (ρ = {generator:g}, n = {size:g} d)"
            for generator in config.generators
            for size in config.sizes
        )

    perfect = limit.filter(generator=1.0).pivot("rule", index="pruner", values="error_law")
    imperfect = perfect.filter(pl.col("pruner") < 1)
    return (
        Finding(
            "Of a strong generator, keeping hard examples improves on keeping all where examples are many.",
            gain(strong, many, "hard") < 0.99,
            told("hard"),
        ),
        Finding(
            "Where examples are few it does not.",
            gain(strong, few, "hard") > 0.99,
            f"× {gain(strong, few, 'hard'):.3f}",
        ),
        Finding(
            "Of a weak generator and many examples, keeping easy ones is best.",
            gain(weak, many, "easy") < min(gain(weak, many, "hard"), 1),
            told("easy"),
        ),
        Finding(
            "With few examples keep-hard and random gain less than 1 %, but keep-easy improves on keeping all.",
            all(
                gain(generator, few, "easy") < 1
                and min(gain(generator, few, rule) for rule in ("hard", "random")) > 0.99
                for generator in config.generators
            ),
            ", ".join(
                f"× {gain(generator, few, rule):.3f} ({rule}, ρ = {generator:g})"
                for generator in config.generators
                for rule in RULES
            ),
        ),
        Finding(
            "At ρ = 1 and a pruner of ρ* < 1, without a ridge and with n/d → ∞, keep-random beats keep-hard.",
            imperfect.height > 0 and (imperfect["random"] < imperfect["hard"]).all(),
            ", ".join(
                f"{row['random']:.2g} against {row['hard']:.2g} at ρ* = {row['pruner']:g}"
                for row in imperfect.iter_rows(named=True)
            )
            or "not computed",
        ),
        *_curation(lines, many, strong, weak),
        follows(tables["points"]),
    )


def _curation(lines: pl.DataFrame, size: float, strong: float, weak: float) -> Iterator[Finding]:
    """What looking at labels does at a size where it is drawn: the best of all fractions and rules, either way."""
    drawn = lines.filter("label_aware")["size"].unique().to_numpy()
    size = size if size in drawn else drawn.max()
    least = {
        (generator, aware): rows["error_law"].to_numpy().min()
        for (generator, aware), rows in lines.filter(size=size).group_by("generator", "label_aware")
    }
    for generator, text in (
        (weak, "Label-aware curation takes a third or more off the error of the weak generator."),
        (strong, "With the strong generator label-aware curation does harm."),
    ):
        if (generator, True) in least:
            with_labels, without = least[generator, True], least[generator, False]
            holds = with_labels < without * 2 / 3 if generator == weak else with_labels > without
            yield Finding(text, holds, f"least error {with_labels:.4f} with, {without:.4f} without, n = {size:g} d")


def remarks(config: Config) -> str:
    few, many = min(config.sizes), max(config.sizes)
    strong, weak = max(config.generators), min(config.generators)
    return f"""
    Labels are those of a generator of cosine ρ with the truth; what is kept is chosen by a pruner of cosine ρ* =
    {config.pruner:g}, whose cosine with the generator is taken to be ρρ*. The paper's figure has pools of 100 and
    5000 and ρ = 1 or less; its dimension, cosines and ridge could not be read. Ours are d = {config.dimension},
    n = {few:g} d and {many:g} d, ρ = {strong:g} and {weak:g}, λ = {config.ridge:g} relative to 1/n, so the claims
    are compared, not numbers. The claims are those of its abstract and of summaries.

    Theorem 2 says, of infinitely many examples without a ridge, that keep-hard is optimal as ρ and ρ* go to 1. That
    is a joint limit: at ρ = 1 exactly and ρ* < 1, random thinning is unbiased, while keep-hard has a bias of its own
    (rows n/d = 1e9), of either sign. What keep-hard can gain is variance, at a finite n/d; the figure
    "less_is_more_window" shows where.

    Label-aware curation (right) rejects examples whose labels differ from the pruner's; p counts the rule alone,
    and fewer are kept. The printed form of the
    paper's Theorem 3 could not be read; the law is our own, and the points are its check.
    """
