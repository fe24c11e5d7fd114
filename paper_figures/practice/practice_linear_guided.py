"""The loop with exactly guided examples, after each round, against the laws of practice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, mean_of, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.practice.practice_linear_guided import Config

TITLE = "Deliberate practice with exact guidance against its exact laws, round by round"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), section 4: its theory, for its own loop; no figure"
EXPERIMENT = "practice_linear_guided"

POLICIES = {
    "uniform": "unguided",
    "frozen": "guided by the first learner",
    "practice": "guided by the current learner",
}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
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


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
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


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    ends = {
        (policy, strength): mean_of(errors)
        for policy, strength, errors in tables["rounds"]
        .filter(round=config.rounds)
        .group_by("policy", "strength", maintain_order=True)
        .agg("error")
        .iter_rows()
    }
    unguided = next(mean for (policy, _), mean in ends.items() if policy == "uniform")
    frozen, current = (
        {strength: mean for (who, strength), mean in ends.items() if who == policy} for policy in ("frozen", "practice")
    )
    weakest, strongest = min(frozen), max(frozen)
    below = [strength for strength, mean in current.items() if mean.below(unguided)]
    means = tables["rounds"].group_by("policy", "strength", "round").agg(pl.mean("error"))
    both = means.join(tables["laws"], on=["policy", "strength", "round"])
    worst = (both["error"] / both["error_law"] - 1).abs().to_numpy().max()
    return (
        Finding(
            "Guidance by the current learner ends below no guidance at every strength.",
            len(below) == len(current),
            f"{len(below)} of {len(current)}; "
            + ", ".join(f"{m.mean:.4f} at ω = {w:g}" for w, m in current.items())
            + f" against {unguided}",
        ),
        Finding(
            "Guidance by the first learner does not gain from the strongest guidance.",
            not frozen[strongest].below(
                min(m for w, m in frozen.items() if w < strongest) if strongest > weakest else unguided
            ),
            ", ".join(f"{mean.mean:.4f} at ω = {strength:g}" for strength, mean in frozen.items()),
        ),
        Finding(
            "No round of the loop is more than 5 % off its exact law.", worst < 0.05, f"{100 * worst:.1f} % at most"
        ),
    )


def remarks(config: Config) -> str:
    return f"""
    Points are the loop itself: triggered by the learner's accuracy, d = {config.dimension}, {config.runs} runs, error
    bars of one standard error. Lines are exact laws in the limit of many dimensions. The paper's theory is for a
    pruner that has seen none of the data; these laws are for its loop, in which learners train again on what they
    chose.

    Guidance is exact: examples have the density tilted by e^{{ωU}}, U = log 4σ(t)σ(−t) of the margin t, the logarithm
    of the variance of the label that the learner sees, for which the soft rule of the laws is known; the entropy is
    like it near t = 0. Only the margin is tilted, so one number is drawn by inversion, and a guided example costs no
    more than another. A first learner that guides for ever keeps asking what was learned since.
    """
