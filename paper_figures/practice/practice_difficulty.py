"""The error of earlier and later learners on the examples of an addition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, mean_of, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.practice.practice_difficulty import Config

TITLE = "How hard added examples were before, and become"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), Fig. 6"
EXPERIMENT = "practice_difficulty"

POLICIES = {"practice": "guided by the current learner", "uniform": "unguided"}
PANELS = {"error": "all examples of an addition", "error_of_these": "those misclassified when added"}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("full", columns=2, height_to_width=0.7):
        figure, axes = plt.subplots(1, 2, layout="constrained")
        for axis, (column, title) in zip(axes, PANELS.items(), strict=True):
            for index, policy in enumerate(POLICIES):
                table = _means(tables["errors"], policy, column)
                look = {"color": PALETTE[index], "marker": MARKERS[index], "linestyle": LINES[index]}
                bars = table.select("low", "high").to_numpy().T
                axis.errorbar(table["later"], table["mean"], bars, label=POLICIES[policy], **look)
            axis.axvline(0, color="0.6", linewidth=0.8, linestyle=LINES[2])
            axis.set(title=title, xlabel="learner, in additions after the examples came")
        axes[0].set_ylabel("error (%)")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=7)
        bars_note(figure, f"{config.runs} runs")
    return figure


def _means(errors: pl.DataFrame, policy: str, column: str) -> pl.DataFrame:
    """Over additions, then over seeds."""
    of_seed = errors.filter(policy=policy).group_by("later", "seed").agg(pl.mean(column))
    table = of_seed.group_by("later").agg(pl.col(column).drop_nulls()).sort("later")
    means = [mean_of(np.multiply(each, 100)) for each in table[column]]
    return pl.DataFrame(
        {
            "later": table["later"],
            "mean": [mean.mean for mean in means],
            "low": [mean.mean - mean.low for mean in means],
            "high": [mean.high - mean.mean for mean in means],
        }
    )


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """One addition before, when the examples came, and one after."""
    rows = []
    for policy, label in POLICIES.items():
        for column, what in PANELS.items():
            table = _means(tables["errors"], policy, column)
            values = [f"{mean:.1f}" for mean in table.filter(pl.col("later").is_in([-1, 0, 1]))["mean"]]
            lower = "lower before, in a plot" if policy == "practice" and column != "error" else ""
            rows.append(
                (f"error (%), {what}, {label}", ", ".join(values), lower, "one addition before; when added; one after")
            )
        share = tables["errors"].filter(policy=policy, later=0)
        rows.append(
            (f"misclassified when added (%), {label}", f"{np.mean(share['error'].to_numpy()) * 100:.1f}", "", "")
        )
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    def mean(policy: str, column: str, later: int) -> float:
        return _means(tables["errors"], policy, column).filter(later=later)["mean"].item()

    guided = _means(tables["errors"], "practice", "error")
    hardest = guided.sort("mean")["later"][-1]
    now = mean("practice", "error", 0)
    before, after = (mean("practice", "error", later) for later in (-1, 1))
    missed = {policy: mean(policy, "error_of_these", -1) for policy in POLICIES}
    return (
        Finding(
            "Guided examples are hardest for the very learner that they were made for.",
            hardest == 0,
            f"{now:.1f} % when added; the learner {hardest:+d} additions later errs most",
        ),
        Finding(
            "Earlier learners err less on guided examples than the one that guided.",
            before < now,
            f"{before:.1f} % one addition before, {now:.1f} % when added",
        ),
        Finding(
            "Learners that have trained on guided examples err less on them.",
            after < now,
            f"{after:.1f} % one addition after",
        ),
        Finding(
            "What is misclassified when it comes was classified better before, as in the paper.",
            missed["practice"] < 100,
            f"{missed['practice']:.1f} % were misclassified one addition before",
        ),
        Finding(
            "That holds of unguided examples too, if less: much of it comes of looking at one learner's mistakes.",
            missed["practice"] < missed["uniform"] < 100,
            f"{missed['uniform']:.1f} % of the unguided, {missed['practice']:.1f} % of the guided",
        ),
    )


def remarks(config: Config) -> str:
    return f"""
    {config.start} examples, then {config.additions} additions of {config.added}; {config.runs} seeds, error bars of
    one standard error. Learners are those at each addition and the one at the end; an addition's learner, at 0, is
    the one that guided. The problem is our mixture; ImageNet is not reproduced.

    Right: examples that are misclassified when they come, of which all are wrong at 0 by this choice.
    """
