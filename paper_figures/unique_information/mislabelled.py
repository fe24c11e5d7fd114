"""ROC curves and areas of the scores that may find mislabelled examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.unique_information.mislabelled import Config

TITLE = "Finding mislabelled examples: unique information and simpler scores"
ANSWERS = "Harutyunyan et al. (ICLR 2021), detection of mislabelled examples (10 % label noise)"
EXPERIMENT = "mislabelled"

SCORES = {
    "F-SI": "F-SI",
    "SI": "SI",
    "residual": "|residual| (= loss)",
    "margin": "margin",
    "loo-residual": "|held-out residual|",
    "loo-margin": "held-out margin",
    "early-residual": "|residual| early (EL2N)",
    "gradient-norm": "gradient norm",
    "initial-gradient-norm": "gradient norm at w₀ (GraNd)",
    "self-influence": "self-influence",
    "leverage": "leverage",
    "trained-residual": "|residual|, trained network",
    "trained-gradient-norm": "gradient norm, trained network",
}
DRAWN = ("F-SI", "SI", "residual", "loo-residual", "self-influence", "initial-gradient-norm")
# Our own measurements in the paper's setting, mean and standard deviation over three seeds.
MNIST = {"F-SI": (0.982, 0.005), "SI": (0.980, 0.004), "residual": (0.986, 0.006)}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    summary = _summary(tables["detection"])
    with style("full", height_to_width=0.4):
        figure, (curves, areas) = plt.subplots(1, 2, width_ratios=(1, 0.9))
        chance = np.geomspace(1e-3, 1, 100)
        for i, score in enumerate(DRAWN):
            curve = tables["roc"].filter(pl.col("score") == score)
            false, found, error = (curve[name].to_numpy() for name in ("false", "found", "stderr"))
            curves.plot(false, found, color=PALETTE[i], linestyle=LINES[i], label=SCORES[score] if i < 5 else None)
            curves.fill_between(false, found - error, found + error, color=PALETTE[i], alpha=0.15, linewidth=0)
        curves.plot(chance, chance, color="0.6", linewidth=0.6, linestyle="-", zorder=0)
        curves.set(xlabel="false alarms [fraction of clean examples]", ylabel="found [fraction of mislabelled]")
        clean = round((1 - config.noise) * config.n_train)
        curves.set(xscale="log", xlim=(1 / clean, 1), ylim=(0, 1.02))
        curves.legend(loc="lower left", bbox_to_anchor=(0.33, 0.35), fontsize=6, handlelength=2)
        curves.annotate("GraNd", (0.008, 0.05), fontsize=6, color=PALETTE[len(DRAWN) - 1])
        curves.annotate("chance", (0.2, 0.13), fontsize=6, color="0.4")

        rows = np.arange(len(summary))[::-1]
        for row, entry in zip(rows, summary.iter_rows(named=True), strict=True):
            ours = entry["score"] in ("F-SI", "SI")
            color, marker = (PALETTE[0], MARKERS[0]) if ours else ("0.25", MARKERS[1])
            areas.errorbar(
                entry["auc"], row, xerr=entry["spread"], color=color, marker=marker, linestyle="none",
                markerfacecolor=color if ours else "white",
            )  # fmt: skip
        good = summary.filter(pl.col("auc") > 0.8)
        span = 1 - min(auc - spread for _, auc, spread, _ in good.iter_rows())
        left = 1 - 1.45 * span
        areas.set_xlim(left, 1 + 0.08 * span)
        arrow = {"arrowstyle": "->", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
        for row, (_, auc, spread, _) in zip(rows, summary.iter_rows(), strict=True):
            if auc + spread < left:
                areas.annotate(
                    f"{auc:.2f} ± {spread:.2f}", (left, row), (7, 0), textcoords="offset points", va="center",
                    fontsize=6, arrowprops=arrow,
                )  # fmt: skip
        areas.set_yticks(rows, [SCORES[score] for score in summary["score"]], fontsize=6)
        areas.tick_params(axis="y", length=0)
        areas.grid(axis="x", linewidth=0.3, color="0.85")
        areas.set_xlabel("area under the curve")
        bars_note(
            figure, f"{config.repeats} repeats", also="So are the bands. GraNd: gradient norm at the initialisation."
        )
    return figure


def _summary(detection: pl.DataFrame) -> pl.DataFrame:
    """The best first."""
    summary = detection.group_by("score", maintain_order=True).agg(
        pl.col("auc").mean(), spread=pl.col("auc").std() / pl.len().sqrt(), found=pl.col("found").mean()
    )
    return summary.with_columns(pl.col("spread").fill_null(0.0)).sort("auc", descending=True, maintain_order=True)


def _against(detection: pl.DataFrame, score: str, other: str) -> tuple[float, float]:
    """Mean and standard error of AUC(score) − AUC(other), paired over repeats."""
    of = {name: group.sort("repeat")["auc"].to_numpy() for (name,), group in detection.group_by("score")}
    difference = of[score] - of[other]
    return float(difference.mean()), float(difference.std(ddof=1) / len(difference) ** 0.5)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    for entry in _summary(tables["detection"]).iter_rows(named=True):
        score = entry["score"]
        note = f"{100 * entry['found']:.0f} % of the mislabelled among as many as are mislabelled"
        if score != "F-SI" and config.repeats > 1:
            mean, error = _against(tables["detection"], score, "F-SI")
            note += f"; {mean:+.4f} ± {error:.4f} (s.e., paired) against F-SI"
        if score in MNIST:
            note += "; our own on MNIST 4v9, n = 1000: {:.3f} ± {:.3f}".format(*MNIST[score])
        spread = f" ± {entry['spread']:.4f}" if config.repeats > 1 else ""
        rows.append((f"AUC, {SCORES[score]}", f"{entry['auc']:.4f}{spread}", "not given", note))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    summary = _summary(tables["detection"])
    areas = dict(zip(summary["score"], summary["auc"], strict=True))
    other, error = _against(tables["detection"], "residual", "F-SI") if config.repeats > 1 else (0.0, 0.0)
    better = [SCORES[score] for score, area in areas.items() if area > areas["F-SI"] and score != "SI"]
    return (
        Finding(
            "F-SI and SI find what is mislabelled (AUC > 0.9), as the paper says.",
            min(areas["F-SI"], areas["SI"]) > 0.9,
            f"AUC {areas['F-SI']:.3f} for F-SI, {areas['SI']:.3f} for SI",
        ),
        Finding(
            "F-SI finds them better than the plain training residual, or the loss, which ranks the same.",
            other + 2 * error < 0,
            f"AUC {areas['F-SI']:.3f} against {areas['residual']:.3f}; residual less F-SI, paired over repeats, "
            f"{other:+.4f} ± {error:.4f}",
        ),
        Finding(
            "No simpler score has a higher mean area than F-SI.",
            not better,
            f"higher: {', '.join(better) or 'none'}; the best of all is {SCORES[summary['score'][0]]}",
        ),
    )


def remarks(config: Config) -> str:
    first, second = config.classes
    return f"""
    The numbers hold paired differences, as all scores see the same draws. The paper shows that mislabelled examples
    score far higher than others, and gives no areas.

    Here: {config.dataset} {first} against {second}, n = {config.n_train}, {100 * config.noise:g} % of the labels
    flipped, one hidden layer of {config.width} ReLU units, T = {config.steps} steps with learning rate
    {config.learning_rate:g}, {config.repeats} repeats with other examples, flips and initial weights; bands around
    curves are standard errors. All scores are of the network linearised at its initialisation and at step T, except
    those of the trained network and the gradient norm at w₀. The held-out margin is confident learning's
    self-confidence, out of sample, by exact leave-one-out in place of folds; the plain margin is the same in sample.
    The early residual is taken after {100 * config.early:g} % of the steps. Scores at the foot hardly look at the
    label: arrows point to where they are.

    All this is for the training time of the paper, long before interpolation. Where a network interpolates, its
    residuals are zero: see the figure of information over time.
    """
