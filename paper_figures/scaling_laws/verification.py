"""Test error against wrong labels among verified synthetic data, law over simulation (Feng et al.)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import ndtr

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style

from .._agreement import agreement, follows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.scaling_laws.verification import Config

TITLE = "Synthetic data behind a verifier: where wrong labels break the learner, and what some real data change"
ANSWERS = "Feng et al. (arXiv 2406.07515), the transition at ε* = 1/(1 + ψ/φ)"
EXPERIMENT = "verification"


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    columns = len(config.ratios) + 2
    with style("full", rows=2, columns=2, height_to_width=0.72):
        figure, axes = plt.subplots(2, -(-columns // 2), sharex=True, sharey=True, layout="constrained")
        flat = axes.ravel()
        verified = [(ratio, "verifier") for ratio in (*config.ratios, config.limit)]
        for axis, (ratio, part) in zip(flat, [*verified, (config.ratios[-1], "real")], strict=False):
            here = (pl.col("part") == part) & (pl.col("ratio") == ratio)
            _panel(axis, tables["points"].filter(here), tables["lines"].filter(here), config)
            n = 1 / ratio
            right, wrong = config.real_verifier
            what = f", φ = {right:g}, ψ = {wrong:g}, with real data" if part == "real" else ""
            what = ", law alone" if ratio == config.limit else what
            axis.set_title(f"n = {n:,.0f} d{what}", fontsize=7)
        flat[len(verified)].legend(fontsize=6, loc="upper left", handlelength=2.6)
        flat[0].plot([], [], color="0.4", linestyle=(0, (1, 1)), linewidth=0.8, label="ε* = 1/(1 + ψ/φ)")
        handles, labels = flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=6, handlelength=2.6)
        figure.supxlabel("wrong labels among the synthetic data before verification, ε", fontsize=8)
        figure.supylabel("test error (fraction misclassified)", fontsize=8)
        also = "Lines: exact law. φ, ψ: chance that a right, a wrong label passes."
        bars_note(figure, f"{config.repeats} runs", also=also)
    return figure


def _panel(axis: Axes, points: pl.DataFrame, lines: pl.DataFrame, config: Config) -> None:
    kinds = lines.select("keep_correct", "keep_wrong", "real_fraction", "breakdown").unique(maintain_order=True)
    for index, (right, wrong, real, breakdown) in enumerate(kinds.iter_rows()):
        here = (pl.col("keep_correct") == right) & (pl.col("keep_wrong") == wrong) & (pl.col("real_fraction") == real)
        line, measured = lines.filter(here), points.filter(here)
        color, dashes, marker = PALETTE[index], LINES[index], MARKERS[index]
        axis.plot(line["flips"], line["error_law"], color=color, linestyle=dashes)
        axis.errorbar(
            measured["flips"],
            measured["error"],
            measured["error_stderr"],
            color=color,
            marker=marker,
            markersize=2.8,
            linestyle="none",
        )
        label = f"{100 * real:g} % real" if lines["part"][0] == "real" else f"φ = {right:g}, ψ = {wrong:g}"
        axis.plot([], [], color=color, linestyle=dashes, marker=marker, markersize=2.8, label=label)
        if breakdown <= 1:
            axis.axvline(breakdown, color=color, linestyle=(0, (1, 1)), linewidth=0.8, zorder=0)
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(0.1, 0.9)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    points, lines = tables["points"], tables["lines"]
    rows = []
    kinds = ["part", "keep_correct", "keep_wrong", "real_fraction", "breakdown"]
    best = ndtr(-config.signal)
    for (part, right, wrong, real, breakdown), group in lines.group_by(kinds, maintain_order=True):
        crossings = {ratio: _crossing(line) for (ratio,), line in group.group_by("ratio", maintain_order=True)}
        name = f"φ = {right:g}, ψ = {wrong:g}" + (f", {100 * real:g} % real" if part == "real" else "")
        ours = ", ".join(f"{place:.3f} at n = {1 / ratio:,.0f} d" for ratio, place in crossings.items())
        if breakdown > 1:
            ours = "nowhere"
        said = f"{breakdown:.3f}" if part == "verifier" else ""
        note = f"(φ + f/(1 − f))/(φ + ψ) = {breakdown:.3f}" + (" is beyond 1" if breakdown > 1 else "")
        rows.append((f"ε where the error is 1/2, {name}", ours, said, note))
    verified = lines.filter((pl.col("part") == "verifier") & pl.col("ratio").is_in([min(config.ratios), config.limit]))
    for (ratio, right, wrong), line in verified.group_by("ratio", "keep_correct", "keep_wrong", maintain_order=True):
        at = np.interp([0.0, 0.4], line["flips"].to_numpy(), line["error_law"].to_numpy())
        name = f"error at ε = 0 and 0.4, φ = {right:g}, ψ = {wrong:g}, n = {1 / ratio:,.0f} d"
        rows.append((name, f"{at[0]:.3f} and {at[1]:.3f}", "", f"by the law; the best classifier has {best:.3f}"))
    rows += agreement(points, config.repeats)
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def _crossing(line: pl.DataFrame) -> float:
    """Where the error, which grows with the noise, passes 1/2; NaN where it does not."""
    error, noise = line["error_law"].to_numpy(), line["flips"].to_numpy()
    return float(np.interp(0.5, error, noise, left=np.nan, right=np.nan))


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    lines = tables["lines"].filter(part="verifier")
    kinds = ["keep_correct", "keep_wrong", "ratio", "breakdown"]
    crossings = [
        (breakdown, _crossing(line.sort("flips")))
        for (*_, breakdown), line in lines.group_by(kinds, maintain_order=True)
        if breakdown < 1
    ]
    apart = max(abs(place - breakdown) for breakdown, place in crossings)
    best = float(ndtr(-config.signal))
    ample = lines.filter(ratio=config.limit)
    clean = ample.filter(pl.col("flips") < 0.8 * pl.col("breakdown"))["error_law"].to_numpy().max()
    few = max(config.ratios)
    severe = lines.filter(pl.col("keep_correct") >= pl.col("keep_wrong")).sort(
        pl.col("keep_correct") + pl.col("keep_wrong")
    )
    strict = severe.select("keep_correct", "keep_wrong").row(0)
    none = (1.0, 1.0)
    halves = {ratio: _error(lines, none, ratio, 0.4) for ratio in (few, config.limit)}
    starts = {kind: _error(lines, kind, few, 0.0) for kind in (strict, none)}
    wrong = lines.filter(pl.col("keep_correct") < pl.col("keep_wrong"))["breakdown"].to_numpy()
    return (
        Finding(
            "At ε* the error is 1/2 at every n/d, by the law.",
            apart < 0.005,
            f"the error passes 1/2 within {apart:.4f} of ε* in {len(crossings)} curves",
        ),
        Finding(
            f"With n = {1 / config.limit:,.0f} d any verifier, and none, is as good as clean labels up to 0.8 ε*.",
            clean < best + 0.02,
            f"error at most {clean:.3f}; the best classifier has {best:.3f}",
        ),
        Finding(
            "The breakdown is the sharper the more examples there are: with few the error has grown before.",
            halves[few] > halves[config.limit] + 0.05,
            f"error at ε = 0.4 without a verifier {halves[few]:.3f} at n = {1 / few:g} d, "
            f"{halves[config.limit]:.3f} at {1 / config.limit:,.0f} d",
        ),
        Finding(
            "With few examples the verifier that throws away most is worse than none while ε is small.",
            starts[strict] > starts[none],
            f"error {starts[strict]:.3f} (φ = {strict[0]:g}, ψ = {strict[1]:g}) against {starts[none]:.3f} at ε = 0",
        ),
        Finding(
            "A verifier that prefers wrong labels (φ < ψ) brings the breakdown forward.",
            len(wrong) > 0 and wrong.max() < 0.5,
            f"ε* = {wrong.max() if len(wrong) else np.nan:.3f}, without a verifier 0.5",
        ),
        follows(tables["points"]),
    )


def _error(lines: pl.DataFrame, kept: tuple[float, float], ratio: float, noise: float) -> float:
    """The law's error with a verifier of (φ, ψ), at one size and noise."""
    line = lines.filter(keep_correct=kept[0], keep_wrong=kept[1], ratio=ratio).sort("flips")
    return float(np.interp(noise, line["flips"].to_numpy(), line["error_law"].to_numpy()))


def remarks(config: Config) -> str:
    right, wrong = config.real_verifier
    return f"""
    Synthetic labels are wrong with probability ε; a verifier keeps rightly labelled examples with probability φ and
    wrongly labelled ones with probability ψ; n counts examples before verification. The paper's ε* is where wrong
    labels become half of what is kept.

    A fraction f of real data, whose labels are right, moves the breakdown to ε = (φ + f/(1 − f))/(φ + ψ). For
    f > ψ/(1 + ψ) there is none. The last panel has φ = {right:g}, ψ = {wrong:g}. A verifier with φ < ψ prefers wrong
    labels.

    The paper's curves and sizes could not be read, nor its formula for ε* checked against print; that the law gives
    the formula is our own finding. Half the distance between the classes is {config.signal:g}, the ridge
    λ = {config.ridge:g} relative to 1/n, the dimension {config.dimension}, and points are means of {config.repeats}
    data sets.
    """
