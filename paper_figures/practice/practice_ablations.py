"""The error at the end by the strength of guidance, by sampler, and by patience."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, Mean, bars_note, mean_of, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.practice.practice_ablations import Config

TITLE = "What matters in deliberate practice"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), Table 4 and Fig. 9"
EXPERIMENT = "practice_ablations"

SAMPLERS = {"strength": "plug-in, η = 1", "deterministic": "plug-in, η = 0", "normalised": "normalised, at 100 ω"}
# ImageNet-100, real accuracy in per cent
PAPER = {
    "ω = .05, incremental T_max": 68.04, "ω = 0": 61.58, "ω = .03": 66.70, "ω = .07": 66.88,
    "fixed T_max": 67.22, "examples not sampled uniformly": 68.01,
}  # fmt: skip


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    means = _means(tables["runs"])
    with style("full", columns=2, height_to_width=0.7):
        figure, axes = plt.subplots(1, 2, layout="constrained", sharey=True)
        for index, (arm, label) in enumerate(SAMPLERS.items()):
            points = {
                value * (100 if arm == "normalised" else 1): mean for (a, value), mean in means.items() if a == arm
            }
            _plot(axes[0], list(points), list(points.values()), index, label)
        axes[0].set_xscale("symlog", linthresh=1, base=2)
        axes[0].set(xlabel="strength ω", ylabel="real test error (%)", title="guidance")
        ticks = [value for value in config.strengths if value in (0, 1, 2, 4, 8, 16, 32)]
        axes[0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        _patience(axes[1], tables["runs"], config)
        for axis in axes:
            for arm, index in (("static", 3), ("uniform", 5)):
                label = {"static": "static", "uniform": "unguided additions"}[arm]
                mean, color = means[arm, 0.0], PALETTE[index]
                axis.axhline(mean.mean, color=color, linestyle=LINES[index], linewidth=1, label=label)
                axis.axhspan(mean.low, mean.high, color=color, alpha=0.15, linewidth=0)
        axes[0].legend(fontsize=6)
        axes[1].legend(fontsize=6)
        also = r"So are the bands. ω: strength of the guidance; η: noise of the sampler; $T_\mathrm{max}$: patience."
        bars_note(figure, f"{config.runs} runs", also=also)
    return figure


def _patience(axis: Axes, runs: pl.DataFrame, config: Config) -> None:
    means, waits = _means(runs), float(config.patience)
    arms = {arm: {value: mean for (a, value), mean in means.items() if a == arm} for arm in ("patience", "growing")}
    arms["patience"] = {waits: means["strength", config.strength]} | arms["patience"]
    labels = {
        "patience": rf"$T_\mathrm{{max}}$ fixed, ω = {config.strength:g}",
        "growing": r"$T_\mathrm{max}$ grows with the data",
    }
    for index, (arm, points) in enumerate(arms.items()):
        _plot(axis, list(points), list(points.values()), index, labels[arm])
        for value, mean in points.items():
            reached = runs.filter(arm=arm, value=value)["examples"].to_numpy()
            if len(reached) and reached.mean() < config.capacity:
                note = f"{reached.mean():.0f} examples"
                axis.annotate(
                    note, (value, mean.high), xytext=(0, 3), textcoords="offset points", fontsize=6, ha="center"
                )
    axis.set(xscale="log", xlabel=r"$T_\mathrm{max}$, at first", title="patience")
    axis.set_xticks(list(arms["patience"]), [f"{value:g}" for value in arms["patience"]])
    axis.minorticks_off()
    axis.margins(x=0.15)


def _plot(axis: Axes, x: list[float], means: list[Mean], index: int, label: str) -> None:
    bars = np.hstack([mean.bar for mean in means])
    look = {"color": PALETTE[index], "marker": MARKERS[index], "linestyle": LINES[index]}
    axis.errorbar(x, [mean.mean for mean in means], bars, label=label, **look)


def _means(runs: pl.DataFrame) -> dict[tuple[str, float], Mean]:
    by = runs.group_by("arm", "value").agg("error").sort("arm", "value")
    return {(arm, value): mean_of(np.multiply(errors, 100)) for arm, value, errors in by.iter_rows()}


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """Errors with what was reached, and the paper's accuracies."""
    rows = []
    groups = tables["runs"].group_by("arm", "value").agg(pl.mean("examples", "entropy"))
    reached = groups.rows_by_key(["arm", "value"], unique=True)
    for (arm, value), mean in _means(tables["runs"]).items():
        examples, entropy = reached[arm, value]
        note = f"{examples:.0f} examples" + ("" if entropy is None else f"; the last addition's entropy {entropy:.2f}")
        rows.append((f"error (%), {arm} {value:g}" if value else f"error (%), {arm}", str(mean), "", note))
    theirs = "not reproduced", "real accuracy"
    rows += [(f"ImageNet-100, {what}", theirs[0], f"{value:.2f} %", theirs[1]) for what, value in PAPER.items()]
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    means = _means(tables["runs"])
    chosen = means["strength", config.strength]
    unguided = means["uniform", 0.0]
    stronger = {value: mean for (arm, value), mean in means.items() if arm == "strength" and value > config.strength}
    still = {value: mean for (arm, value), mean in means.items() if arm == "deterministic"}
    return (
        Finding(
            f"Guidance at ω = {config.strength:g} has a lower error than none, as in the paper.",
            chosen.below(unguided),
            f"{chosen} % against {unguided} %",
        ),
        Finding(
            "Stronger guidance than that has a higher error, as in the paper.",
            all(chosen.below(mean) for mean in stronger.values()),
            ", ".join(f"{mean} % at ω = {value:g}" for value, mean in stronger.items()) or "not measured",
        ),
        Finding(
            "Guidance without noise (η = 0) has a higher error than with it.",
            all(chosen.below(mean) for mean in still.values()),
            ", ".join(f"{mean} % at ω = {value:g}" for value, mean in still.items()) or "not measured",
        ),
    )


def remarks(config: Config) -> str:
    return f"""
    One thing is varied at a time, from ω = {config.strength:g} and T_max = {config.patience}, {config.capacity}
    examples at the end; {config.runs} seeds, error bars of one standard error. The paper's accuracies, in the table,
    are not reproduced; its strengths are of a normalised update in another unit, so that only shapes compare.

    A long patience, or one in proportion to the data, can leave a run short of its capacity, as its iterations end
    first; the table has the number of examples that were reached.
    """
