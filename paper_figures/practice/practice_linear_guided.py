"""The loop with exactly guided examples, after each round, against the laws of practice."""

from typing import Any

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, bars_note, mean_of, style

TITLE = "Deliberate practice with exact guidance follows exact laws, round by round"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), section 4: its theory, for its own loop; no figure"
EXPERIMENT = "practice_linear_guided"

POLICIES = {
    "uniform": "unguided",
    "frozen": "guided by the first learner",
    "practice": "guided by the current learner",
}


def draw(tables: dict[str, pl.DataFrame], config: Any) -> Any:
    import matplotlib.pyplot as plt

    columns = len(config.strengths)
    with style("full", columns=columns, height_to_width=1.0):
        figure, axes = plt.subplots(1, columns, sharey=True, squeeze=False, layout="constrained")
        for axis, strength in zip(axes[0], config.strengths, strict=True):
            for index, policy in enumerate(POLICIES):
                rows = (pl.col("policy") == policy) & pl.col("strength").is_in([strength, 0.0])
                law, measured = tables["laws"].filter(rows), tables["rounds"].filter(rows)
                # Laws are exact at the rounds alone: dashes. The thin lines only lead the eye.
                x, y, color = law["examples"], law["error_law"], PALETTE[index]
                axis.plot(x, y, "_", color=color, markersize=11, markeredgewidth=1)
                axis.plot(x, y, color=color, linestyle=LINES[index], linewidth=0.6)
                for (examples,), each in measured.group_by("examples", maintain_order=True):
                    mean = mean_of(each["error"])
                    axis.errorbar(examples, mean.mean, mean.bar, color=PALETTE[index], marker=MARKERS[index])
            axis.set_title(f"ω = {strength:g}")
            axis.set_yscale("log")
            ticks = [0.04, 0.06, 0.08, 0.1, 0.15, 0.2]
            axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            axis.minorticks_off()
        for index, label in enumerate(POLICIES.values()):
            look = {"color": PALETTE[index], "linestyle": LINES[index], "marker": MARKERS[index], "linewidth": 0.6}
            axes[0, 0].plot([], [], label=label, **look)
        axes[0, 0].set_ylabel("test error (fraction misclassified)")
        axes[0, columns // 2].set_xlabel(f"examples trained on ({config.start}, then {config.added} more each round)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            loc="outside upper center",
            ncols=3,
            fontsize=7,
            title="points: measured; horizontal dashes: exact laws, at each round; thin lines lead the eye",
            title_fontsize=7,
        )
        bars_note(figure, f"{config.runs} runs", also="ω: strength of the guidance.")
    return figure


def numbers(tables: dict[str, pl.DataFrame], config: Any) -> pl.DataFrame:
    """The error at the end beside its law, and how far all measurements are from their laws."""
    laws = tables["laws"]
    means = tables["rounds"].group_by("policy", "strength", "round").agg(
        pl.mean("error"), stderr=pl.std("error") / np.sqrt(config.runs)
    )  # fmt: skip
    both = means.join(laws, on=["policy", "strength", "round"]).sort("strength", "policy", "round")
    rows = [
        (
            f"error at the end, {POLICIES[row['policy']]}" + (f", ω = {row['strength']:g}" if row["strength"] else ""),
            f"{row['error']:.4f} ± {row['stderr']:.4f}",
            "not given",
            f"exact law {row['error_law']:.4f}",
        )
        for row in both.filter(round=config.rounds).iter_rows(named=True)
    ]
    z = ((both["error"] - both["error_law"]) / both["stderr"]).to_numpy()
    worst = np.abs((both["error"] / both["error_law"] - 1).to_numpy()).max()
    note = f"largest deviation {100 * worst:.1f} %; rounds of a run are correlated"
    rows.append(("measured against exact laws, all rounds", f"{np.sqrt(np.mean(z**2)):.2f} s.e. rms", "", note))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def remarks(tables: dict[str, pl.DataFrame], config: Any) -> str:
    return f"""
    Points are the loop itself: triggered by the learner's accuracy, d = {config.dimension}, {config.runs} runs, error
    bars of one standard error. Lines are exact laws in the limit of many dimensions. The paper's theory is for a
    pruner that has seen none of the data; these laws are for its loop, in which learners train again on what they
    chose.

    Guidance is exact: examples have the density tilted by e^{{ωU}}, U = log 4σ(t)σ(−t) of the margin t, the logarithm
    of the variance of the label that the learner sees, for which the soft rule of the laws is known; the entropy is
    like it near t = 0. Only the margin is tilted, so one number is drawn by inversion, and a guided example costs no
    more than another. That an exact tilt is a soft selection is seen in every round.

    Strong guidance by the first learner stops helping, as it keeps asking what was learned since.
    """
