"""Error after each round of linear deliberate practice, by who chooses the examples, laws over simulation."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, Mean, bars_note, style, with_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.practice.practice_linear import Config

TITLE = "Deliberate practice of a linear learner: whose judgement of what is hard?"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), section 4.2.2, an argument without a figure"
EXPERIMENT = "practice_linear"

POLICIES = {
    "uniform": "uniform: nothing selected",
    "frozen": "frozen: hard for the first learner",
    "adaptive": "adaptive: hard for the current learner",
    "truth": "truth: hard for the truth itself",
}
# d = 200, 500 + 5 × 300 examples, λ = .05, 20 repeats: an earlier implementation in NumPy; s.e. at most .0013
EARLIER = {
    ("uniform", 1.0): 0.0775,
    ("frozen", 0.5): 0.0607,
    ("frozen", 0.2): 0.0829,
    ("frozen", 0.05): 0.0916,
    ("adaptive", 0.5): 0.0508,
    ("adaptive", 0.2): 0.0390,
    ("adaptive", 0.05): 0.0375,
}
EARLIER_SETTING = {"dimension": 200, "start": 500, "added": 300, "rounds": 5, "ridge": 0.05}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    columns = len(config.fractions)
    with style("full", columns=columns, height_to_width=1.15):
        figure, axes = plt.subplots(1, columns, sharey=True, squeeze=False, layout="constrained")
        for axis, p in zip(axes[0], config.fractions, strict=True):
            here = pl.col("kept").is_in([p, 1.0])
            _panel(axis, tables["rounds"].filter(here), tables["laws"].filter(here))
            axis.set_title(f"hardest {100 * p:g} % added", fontsize=7)
        axes[0, 0].set_ylabel("test error (fraction misclassified)")
        axes[0, columns // 2].set_xlabel(f"examples trained on ({config.start}, then {config.added} more each round)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=6)
        bars_note(figure, f"{config.repeats} runs", also="Lines: exact laws.")
    return figure


def _panel(axis: Axes, rounds: pl.DataFrame, laws: pl.DataFrame) -> None:
    for index, (policy, label) in enumerate(POLICIES.items()):
        measured, law = (table.filter(pl.col("policy") == policy) for table in (rounds, laws))
        color, marker = PALETTE[index], MARKERS[index]
        axis.plot(law["examples"], law["error_law"], color=color, linestyle=LINES[index])
        x, y, bars = measured["examples"], measured["error"], measured["error_stderr"]
        axis.errorbar(x, y, bars, color=color, marker=marker, linestyle="none")
        axis.plot([], [], color=color, linestyle=LINES[index], marker=marker, label=label)
    naive = laws.filter(pl.col("policy") == "naive")
    label = "wrong law of frozen: pruner taken as independent"
    axis.plot(naive["examples"], naive["error_law"], color="0.45", linestyle=LINES[4], linewidth=0.8, label=label)
    axis.set_yscale("log")
    ticks = [0.03, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2]
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """The error at the end, the laws at the first round and at the end, and how well laws fit where they hold."""
    rounds, laws = tables["rounds"], tables["laws"]
    rows = []
    comparable = all(getattr(config, name) == value for name, value in EARLIER_SETTING.items())
    for policy, p in [("uniform", 1.0), *((policy, p) for p in config.fractions for policy in list(POLICIES)[1:])]:
        row = _at(rounds, policy, p, config, config.rounds)
        earlier = EARLIER.get((policy, p)) if comparable else None
        notes = [] if earlier is None else [f"an earlier implementation gave {earlier:.4f}"]
        notes.append(f"the law says {_at(laws, policy, p, config, config.rounds)['error_law']:.4f}")
        rows.append((f"error at the end, {_name(policy, p)}", _measured(row), "only words", "; ".join(notes)))
    for p in config.fractions:
        row = _at(rounds, "adaptive", p, config, 1)
        right, naive = (_at(laws, policy, p, config, 1)["error_law"] for policy in ("adaptive", "naive"))
        note = f"the law {right:.4f}, wrong law {naive:.4f} ({100 * (naive / row['error'] - 1):+.0f} %)"
        rows.append((f"error after the first round, {_name('adaptive', p)}", _measured(row), "not given", note))
    for p in config.fractions:
        once, many = (_at(laws, who, p, config, config.rounds)["error_law"] for who in ("frozen", "adaptive"))
        note = f"by the laws: {once:.4f} and {many:.4f}"
        what = (
            f"one round of the same total, its error over that of {config.rounds} adaptive ones, hardest {100 * p:g} %"
        )
        rows.append((what, f"{once / many:.2f}", "above 1, in words", note))
    both = rounds.join(laws, on=["policy", "kept", "examples"]).filter(pl.col("round") > 0)
    z = ((both["error"] - both["error_law"]) / both["error_stderr"]).to_numpy()
    relative = np.abs((both["error"] / both["error_law"] - 1).to_numpy()).max()
    rows.append(
        (
            "simulation against exact laws, all rounds",
            f"{np.sqrt(np.mean(z**2)):.2f} s.e. rms",
            "not given",
            f"largest deviation {100 * relative:.1f} %; rounds of a run are correlated",
        )
    )
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    rounds, laws = tables["rounds"], tables["laws"]
    few = min(config.fractions)

    def end(policy: str, p: float) -> Mean:
        row = _at(rounds, policy, p, config, config.rounds)
        return with_error(row["error"], row["error_stderr"])

    def law(policy: str, p: float, stage: int) -> float:
        return _at(laws, policy, p, config, stage)["error_law"]

    adaptive, frozen, truth = (
        {p: end(policy, p) for p in config.fractions} for policy in ("adaptive", "frozen", "truth")
    )
    uniform = end("uniform", 1.0)
    once = {p: law("frozen", p, config.rounds) / law("adaptive", p, config.rounds) for p in config.fractions}
    first = {p: _at(rounds, "adaptive", p, config, 1)["error"] for p in config.fractions}
    off = {who: [abs(law(who, p, 1) / error - 1) for p, error in first.items()] for who in ("adaptive", "naive")}
    both = rounds.join(laws, on=["policy", "kept", "examples"]).filter(pl.col("round") > 0)
    worst = (both["error"] / both["error_law"] - 1).abs().to_numpy().max()
    worse = [p for p in config.fractions if adaptive[p].below(truth[p])]
    return (
        Finding(
            f"The hardest {100 * few:g} % for the current learner end below no selection.",
            adaptive[few].below(uniform),
            f"error {adaptive[few]} against {uniform}",
        ),
        Finding(
            "The same severity makes a frozen pruner worse than no selection.",
            uniform.below(frozen[few]),
            f"error {frozen[few]} against {uniform}",
        ),
        Finding(
            "For the current learner, the more severe the selection the lower the error.",
            all(adaptive[low].below(adaptive[high]) for low, high in pairwise(sorted(config.fractions))),
            ", ".join(f"{mean.mean:.4f} at {100 * p:g} %" for p, mean in adaptive.items()),
        ),
        Finding(
            f"One round of the same total is worse than {config.rounds} adaptive ones at every fraction, by the laws.",
            min(once.values()) > 1,
            ", ".join(f"{ratio:.2f} times the error at {100 * p:g} %" for p, ratio in once.items()),
        ),
        Finding(
            "Examples that are hard for the truth are worse than those that are hard for the learner.",
            len(worse) == len(config.fractions),
            f"at {len(worse)} of {len(config.fractions)} fractions",
        ),
        Finding(
            f"The hardest {100 * few:g} % for the truth are worse than random ones.",
            uniform.below(truth[few]),
            f"error {truth[few]} against {uniform}",
        ),
        Finding(
            "After the first round the law that takes the pruner as independent is further off than the exact one.",
            all(naive > exact for naive, exact in zip(off["naive"], off["adaptive"], strict=True)),
            f"off by {100 * min(off['naive']):.1f} to {100 * max(off['naive']):.1f} % against at most "
            f"{100 * max(off['adaptive']):.1f} %",
        ),
        Finding("No simulated round is more than 5 % off its exact law.", worst < 0.05, f"{100 * worst:.1f} % at most"),
    )


def remarks(config: Config) -> str:
    return f"""
    The paper argues in words that the pruner must follow the learner, and shows it for deep networks; this is the
    linear learner of its theory, d = {config.dimension}, {config.start} random examples, then {config.rounds} rounds of
    {config.added}, λ = {config.ridge:g}, {config.repeats} runs; standard errors are drawn, most smaller than the
    points.

    Laws are lines. All are exact in high dimension: for a pruner that is independent of all data (uniform, truth); for
    a frozen one, whose rounds could as well be one; and for an adaptive one at every round (straight between rounds,
    where there is no learner). The last two know that each pruner was fitted on data that are trained on again. The law
    that does not know this is the wrong one, in grey. Simulations are of a small d.

    Along the truth, examples that are hard for it hardly vary, so the ridge shrinks what is learned of it, whereas
    what is hard for the learner shows where the learner is wrong.
    """


def _at(table: pl.DataFrame, policy: str, p: float, config: Config, stage: int) -> dict[str, Any]:
    examples = config.start + config.added * stage
    here = (pl.col("policy") == policy) & (pl.col("kept") == p) & (pl.col("examples") == examples)
    return table.filter(here).row(0, named=True)


def _measured(row: dict[str, Any]) -> str:
    return f"{row['error']:.4f} ± {row['error_stderr']:.4f}"


def _name(policy: str, p: float) -> str:
    return "uniform" if policy == "uniform" else f"{policy}, hardest {100 * p:g} %"
