"""Digits: error against the number of generated examples that are trained on, and against what generating them cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, mean_of, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.practice.practice_images import Config

TITLE = "Deliberate practice with a learned generator, measured on real digits"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), Fig. 1 and 5, on another scale"
EXPERIMENT = "practice_images"

POLICIES = {"static": "static", "uniform": "unguided additions", "practice": "deliberate practice", "prune": "pruned"}
NAMES = {"digits": "embedded digits, 8 × 8", "mnist": "MNIST"}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    runs, price = tables["runs"], tables["prices"].row(0, named=True)
    unit = config.steps * price["score"] * (2 if config.class_guidance else 1)
    with style("full", columns=2, height_to_width=0.75):
        figure, axes = plt.subplots(1, 2, sharey=True, layout="constrained")
        for index, (policy, label) in enumerate(POLICIES.items()):
            by = runs.filter(policy=policy).group_by("examples").agg("error", pl.mean("generating")).sort("examples")
            means = [mean_of(np.multiply(errors, 100)) for errors in by["error"]]
            bars = np.hstack([mean.bar for mean in means])
            look = {"color": PALETTE[index], "marker": MARKERS[index], "linestyle": LINES[index]}
            label = f"pruned, 1 of {config.over_sampling:g} kept" if policy == "prune" else label
            for axis, x in zip(axes, (by["examples"], by["generating"] / unit), strict=True):
                axis.errorbar(x, [mean.mean for mean in means], bars, label=label, **look)
        ceiling = mean_of(100 * tables["ceiling"]["error"])
        label = f"{tables['ceiling']['examples'][0]} real examples"
        for axis in axes:
            axis.axhline(ceiling.mean, color="0.5", linewidth=0.8, linestyle=LINES[4], label=label)
            axis.axhspan(ceiling.low, ceiling.high, color="0.5", alpha=0.2, linewidth=0)
            axis.set(xscale="log")
            axis.minorticks_off()
        axes[0].set(xlabel="examples trained on", ylabel="error on real test digits (%)", title=NAMES[config.data])
        axes[0].set_xticks(config.sizes, [str(size) for size in config.sizes])
        axes[1].set(xlabel="cost of generating (in unguided examples)", title="the same, by cost")
        ticks = [config.sizes[0] * 2**power for power in range(5)]
        axes[1].set_xticks(ticks, [str(tick) for tick in ticks])
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=7)
        bars_note(figure, f"{config.runs} runs", also="So is the band of the real examples.")
    return figure


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """Errors by policy and number of examples, with the cost of generating; and whether error bars overlap."""
    runs, rows, means = tables["runs"], [], {}
    by = runs.group_by("policy", "examples", maintain_order=True).agg(
        "error", pl.mean("generated", "generating", "training")
    )
    for row in by.iter_rows(named=True):
        mean = means[row["policy"], row["examples"]] = mean_of(np.multiply(row["error"], 100))
        note = f"{row['generated']:.0f} generated, {row['generating']:.2g} operations; training {row['training']:.2g}"
        rows.append((f"error (%), {row['policy']}, {row['examples']} examples", str(mean), "", note))
    apart = [size for size in config.sizes if means["practice", size].high < means["static", size].low]
    note = f"{config.runs} seeds, one standard error"
    rows.append(
        (
            "sizes at which practice is better and bars don't overlap",
            f"{len(apart)} of {len(config.sizes)}",
            "all",
            note,
        )
    )
    ceiling = np.mean(tables["ceiling"]["error"].to_numpy())
    guided = tables["prices"]["guided"].item()
    rows.append(("cost of a guided example", f"{guided:.2f}", "1.82", "operations, against seconds on an H100"))
    rows.append(("error (%) on real examples", f"{100 * ceiling:.2f}", "", "the same learner"))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    runs, prices = tables["runs"], tables["prices"]
    means = {
        (policy, size): mean_of(np.multiply(errors, 100))
        for policy, size, errors in runs.group_by("policy", "examples").agg("error").iter_rows()
    }
    sizes, most = config.sizes, max(config.sizes)
    apart = [size for size in sizes if means["practice", size].below(means["static", size])]
    ceiling = mean_of(np.multiply(tables["ceiling"]["error"].to_list(), 100))
    guided = prices["guided"].item()
    return (
        Finding(
            "Practice has a lower error on real examples than static data at every size, error bars apart.",
            len(apart) == len(sizes),
            f"{len(apart)} of {len(sizes)} sizes; at {most} examples {means['practice', most]} % against "
            f"{means['static', most]} %",
        ),
        Finding(
            f"At {most} examples practice ends below pruning.",
            means["practice", most].below(means["prune", most]),
            f"{means['practice', most]} % against {means['prune', most]} %",
        ),
        Finding(
            "With a learned generator a guided example costs less than two unguided ones, as in the paper.",
            guided < 2,
            f"{guided:.2f}",
        ),
        Finding(
            f"As many real examples are better than {most} generated ones, whichever way they come.",
            all(ceiling.below(means[policy, most]) for policy in POLICIES),
            f"{ceiling} % of errors on real ones",
        ),
    )


def remarks(config: Config) -> str:
    unseen = {"digits": "the 1,000 digits", "mnist": "MNIST's 60,000 training digits"}[config.data]
    return f"""
    The generator is a denoiser that was trained on {unseen}; the learner, a perceptron with two hidden layers of
    {config.learner.width}, sees generated digits only. Errors are of real digits that neither was trained on, and
    others of those say when learning has stalled. {config.runs} seeds, error bars of one standard error,
    {config.learner.iterations} iterations in every run; ω = {config.strength:g}, {config.steps} steps of DDIM with η
    = 1.

    Costs, right, are floating-point operations of generating, guidance and choosing included, in those of an unguided
    example. ImageNet is not reproduced.
    """
