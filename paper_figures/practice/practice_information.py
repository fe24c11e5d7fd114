"""What examples that were generated for the learner are worth: their unique information, by who guided them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, Mean, bars_note, mean_of, mean_ratio, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.practice.practice_information import Config

TITLE = "Do guided examples carry more information? Unique information meets deliberate practice"
ANSWERS = (
    "Deliberate Practice (arXiv 2502.15588) and Smooth Unique Information (arXiv 2101.06640), joined; neither asks"
)
EXPERIMENT = "practice_information"

POLICIES = {
    "uniform": "unguided",
    "frozen": "guided by the first learner",
    "practice": "guided by the current learner",
    "prune": "hardest fifth of unguided",
}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("full", columns=3, height_to_width=1.1):
        figure, (worth, unsure, learning) = plt.subplots(1, 3, layout="constrained")
        for index, (policy, label) in enumerate(POLICIES.items()):
            look = {"color": PALETTE[index], "marker": MARKERS[index], "linestyle": LINES[index], "label": label}
            if policy != "uniform":
                _bars(worth, _ratios(tables["additions"], policy), look)
            _bars(unsure, _means(tables["additions"], policy, "entropy"), look)
            measured = tables["accuracy"].filter(pl.col("policy") == policy)
            curve = {
                at: mean_of(measured.filter(pl.col("evaluation") == at)["accuracy"]) for at in _evaluations(measured)
            }
            x = config.every * np.array(list(curve))
            learning.plot(x, [m.mean for m in curve.values()], color=look["color"], linestyle=look["linestyle"])
            ends = [m.low for m in curve.values()], [m.high for m in curve.values()]
            learning.fill_between(x, *ends, color=look["color"], alpha=0.2, linewidth=0)
        worth.axhline(1, color=PALETTE[0], linewidth=0.8)
        worth.set(xlabel="addition", ylabel="F-SI, relative to unguided", yscale="log")
        ticks = [0.5, 0.7, 1, 1.5, 2, 3]
        worth.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        worth.minorticks_off()
        unsure.set(xlabel="addition", ylabel="entropy when added (nats)", yscale="log")
        learning.set(xlabel="minibatches", ylabel="accuracy on real digits")
        last = tables["accuracy"].filter(pl.col("evaluation") == _evaluations(tables["accuracy"])[-1])
        lowest = last["accuracy"].min()
        learning.set_ylim(bottom=2 * float(lowest) - 1 if isinstance(lowest, float) else None)
        handles, labels = unsure.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=6)
        bars_note(figure, f"{config.seeds} seeds", also="So are the bands; of ratios in their logarithm.")
    return figure


def _bars(axis: Axes, points: dict[int, Mean], look: dict[str, Any]) -> None:
    x, means = list(points), list(points.values())
    bars = np.array([m.bar for m in means])[:, :, 0].T
    axis.errorbar(x, [m.mean for m in means], bars, linewidth=0.9, **look)
    axis.set_xticks(x)


def _evaluations(accuracy: pl.DataFrame) -> list[int]:
    return sorted(accuracy["evaluation"].unique().to_list())


def _ratios(additions: pl.DataFrame, policy: str) -> dict[int, Mean]:
    """F-SI over that of the unguided examples of the same addition and seed, a geometric mean over seeds."""
    both = additions.filter(pl.col("policy") == policy).join(
        additions.filter(pl.col("policy") == "uniform"), on=["seed", "addition"], suffix="_uniform"
    )
    both = both.filter(pl.col("addition") > 0).with_columns(ratio=pl.col("information") / pl.col("information_uniform"))
    return {int(at): mean_ratio(both.filter(pl.col("addition") == at)["ratio"]) for at in _additions(both)}


def _means(additions: pl.DataFrame, policy: str, column: str) -> dict[int, Mean]:
    own = additions.filter((pl.col("policy") == policy) & (pl.col("addition") > 0))
    return {at: mean_of(own.filter(pl.col("addition") == at)[column]) for at in _additions(own)}


def _additions(table: pl.DataFrame) -> list[int]:
    return sorted(table["addition"].unique().to_list())


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """Ratios over all additions but the first, whose learner knows next to nothing, and where learners end."""
    additions, rows = tables["additions"], []
    for policy, label in list(POLICIES.items())[1:]:
        first, later = (
            mean_ratio(_by_seed(additions, policy, wanted))
            for wanted in (pl.col("addition") == 1, pl.col("addition") > 1)
        )
        rows.append((f"F-SI over that of unguided examples, {label}", str(later), f"first addition: {first}"))
    for policy, label in POLICIES.items():
        later = additions.filter((pl.col("policy") == policy) & (pl.col("addition") > 1))
        correlation, agrees = (mean_of(later[name]) for name in ("rank_correlation", "agrees"))
        note = f"{100 * agrees.mean:.1f} % of labels are those of a classifier of real examples"
        rows.append((f"rank correlation of F-SI and entropy when added, {label}", str(correlation), note))
    last = _evaluations(tables["accuracy"])[-1]
    for policy, label in POLICIES.items():
        end = tables["accuracy"].filter((pl.col("policy") == policy) & (pl.col("evaluation") == last))["accuracy"]
        rows.append((f"accuracy at the end, {label}", str(mean_of(end)), ""))
    rows = [(quantity, ours, "not asked", note) for quantity, ours, note in rows]
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def _by_seed(additions: pl.DataFrame, policy: str, wanted: pl.Expr) -> list[float]:
    """Total F-SI of a policy's additions over that of the unguided ones, for each seed."""
    totals = additions.filter(wanted).group_by("policy", "seed").agg(pl.col("information").sum())
    own, unguided = (totals.filter(pl.col("policy") == name).sort("seed") for name in (policy, "uniform"))
    return (own["information"] / unguided["information"]).to_list()


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    later = {
        policy: mean_ratio(_by_seed(tables["additions"], policy, pl.col("addition") > 1))
        for policy in list(POLICIES)[1:]
    }
    first = mean_ratio(_by_seed(tables["additions"], "frozen", pl.col("addition") == 1))
    last = tables["accuracy"].filter(evaluation=_evaluations(tables["accuracy"])[-1])
    ends = {policy: mean_of(last.filter(policy=policy)["accuracy"]) for policy in POLICIES}
    return (
        Finding(
            "After the first addition, examples guided by the current learner carry more F-SI than unguided ones.",
            later["practice"].low > 1,
            f"{later['practice']} times the F-SI",
        ),
        Finding("So do the hardest of many unguided ones.", later["prune"].low > 1, f"{later['prune']} times the F-SI"),
        Finding(
            "Examples guided by the first learner are not worth less than unguided ones by this measure.",
            later["frozen"].high >= 1,
            f"{later['frozen']} times the F-SI; {first} at the first addition",
        ),
        Finding(
            "F-SI is not all that counts: a learner guided by its first self ends below one guided by its current.",
            ends["frozen"].below(ends["practice"]),
            f"accuracy {ends['frozen']} against {ends['practice']}",
        ),
    )


def remarks(config: Config) -> str:
    source = "MNIST" if config.data == "mnist" else "8 × 8 digits"
    return f"""
    A network trained here generates {source}; a learner begins with {config.start} of them and gets {config.added}
    more whenever its accuracy on real examples stalls, {config.additions} times. Guidance is the plug-in one at
    ω = {config.strength:g}; one policy generates five for each that it keeps. Error bars are standard errors over
    {config.seeds} runs.

    F-SI is measured by leave-one-out among all examples that are there after an addition, by how much each moves the
    predictions on real examples that neither generator nor loop has seen, for an infinitely wide network with one
    hidden layer, trained to the end with decay {config.decay:g}. It falls as the set grows, whatever the policy, so
    each is shown relative to unguided examples added at the same time to the same start. It is how much predictions
    move, not whether they improve. The first learner is hardly trained: what it finds hard may not be.
    """
