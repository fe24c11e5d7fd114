"""How many examples there must be, and may be, for pruning to help: the law against the size of the pool."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, PALETTE, Finding, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.scaling_laws.less_is_more import Config

TITLE = "The window in which less is more: what pruning gains or loses against the size of the pool"
ANSWERS = "Why Less is More (Sometimes) (arXiv 2511.03492): pruning wants many examples and a strong generator"
EXPERIMENT = "less_is_more"


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    strong = config.generators[0]
    with style("full", columns=2, height_to_width=0.75):
        figure, (left, right) = plt.subplots(1, 2, sharex=True, sharey=True, layout="constrained")
        cases = [("hard", pruner, strong) for pruner in config.window_pruners]
        cases.append(("easy", config.pruner, strong))
        _lines(left, tables["window"], cases, "ρ*", 1)
        left.set_title(f"strong generator, ρ = {strong:g}", fontsize=7)
        cases = [(rule, config.pruner, rho) for rho in config.window_generators for rule in ("hard", "easy")]
        _lines(right, tables["window"], cases, "ρ", 2)
        right.set_title(f"weaker generators, ρ* = {config.pruner:g}", fontsize=7)
        left.set_ylabel(f"error at p = {config.window_fraction:g} / error of keeping all")
        figure.supxlabel(
            "examples in the pool per dimension, n/d\nρ: cosine of generator and truth; ρ*: cosine of pruner and truth",
            fontsize=8,
        )
    return figure


def _lines(axis: Axes, window: pl.DataFrame, cases: list[tuple[str, float, float]], symbol: str, which: int) -> None:
    for index, case in enumerate(cases):
        size, ratio = _gain(window, *case)
        label = f"keep {case[0]}, {symbol} = {case[which]:g}"
        axis.plot(size, ratio, color=PALETTE[index], linestyle=LINES[index], label=label)
    axis.axhline(1, color="0.6", linewidth=0.8, zorder=0)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_ylim(0.15, 5)
    ticks = (0.2, 0.5, 1, 2, 5)
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.legend(fontsize=6, handlelength=3, loc="lower left")


def _gain(window: pl.DataFrame, rule: str, pruner: float, generator: float) -> tuple[np.ndarray, np.ndarray]:
    """n/d, and by which factor the rule changes the error of keeping all."""
    here = window.filter((pl.col("pruner") == pruner) & (pl.col("generator") == generator)).sort("size")
    pruned, every = here.filter(pl.col("rule") == rule), here.filter(pl.col("rule") == "random")
    return pruned["size"].to_numpy(), pruned["error_law"].to_numpy() / every["error_law"].to_numpy()


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """Where each rule is better than keeping all, and by how much at most."""
    window, rows = tables["window"], []
    for (pruner, generator), _ in window.group_by("pruner", "generator", maintain_order=True):
        for rule in ("hard", "easy"):
            size, ratio = _gain(window, rule, pruner, generator)
            name = f"n/d where keep {rule} beats keeping all, ρ = {generator:g}, ρ* = {pruner:g}"
            few = np.interp(np.log(0.5), np.log(size), ratio)
            note = (
                f"× {few:.2f} at n/d = 0.5, × {ratio[-1]:.3g} at {size[-1]:,.3g}; "
                f"least × {ratio.min():.2f} at {size[ratio.argmin()]:,.3g}"
            )
            rows.append((name, _stretches(size, ratio < 1), "not given", note))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def _stretches(size: np.ndarray, better: np.ndarray) -> str:
    """The stretches of sizes where something is true, open at the ends of what was looked at."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], better, [False]]).astype(int)))
    told = []
    for first, after in edges.reshape(-1, 2):
        start = "below" if first == 0 else f"{size[first]:,.3g}"
        told.append(f"{start} to {'beyond' if after == len(size) else f'{size[after - 1]:,.3g}'}")
    return ", ".join(told) or "nowhere"


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    window = tables["window"]
    strong, weak = window["generator"].to_numpy().max(), window["generator"].to_numpy().min()

    def ratios(rule: str, generator: float) -> dict[float, np.ndarray]:
        pruners = np.unique(window.filter(pl.col("generator") == generator)["pruner"].to_numpy()).tolist()
        return {pruner: _gain(window, rule, pruner, generator)[1] for pruner in pruners}

    hard = ratios("hard", strong)
    perfect, imperfect = hard.get(1.0), {pruner: ratio for pruner, ratio in hard.items() if pruner < 1}
    ends = {pruner: _last(*_gain(window, "hard", pruner, strong)) for pruner in imperfect}
    late = {rule: {pruner: ratio[-1] for pruner, ratio in ratios(rule, weak).items()} for rule in ("hard", "easy")}
    return (
        Finding(
            "With a perfect pruner and right labels keep-hard loses at first, and gains in the end.",
            perfect is not None and perfect.max() > 1 > perfect[-1],
            "not drawn" if perfect is None else f"× {perfect.max():.2f} at worst, × {perfect[-1]:.2f} in the end",
        ),
        Finding(
            "With every imperfect pruner keep-hard gains in a window, and loses in the end.",
            all(ratio.min() < 1 < ratio[-1] for ratio in imperfect.values()),
            ", ".join(f"× {r.min():.2f} at best, × {r[-1]:.3g} in the end (ρ* = {p:g})" for p, r in imperfect.items()),
        ),
        Finding(
            "A better pruner need not have the longer window: its end is not monotone in ρ*.",
            any(ends[low] > ends[high] for low, high in pairwise(ends)),
            ", ".join(f"at n/d = {end:,.3g} (ρ* = {pruner:g})" for pruner, end in ends.items()),
        ),
        Finding(
            f"Of the weakest generator (ρ = {weak:g}) only keep-easy gains in the end.",
            min(late["hard"].values()) >= 1 > max(late["easy"].values()),
            "; ".join(f"{rule} × {ratio:.3f} (ρ* = {p:g})" for rule in late for p, ratio in late[rule].items()),
        ),
    )


def _last(size: np.ndarray, ratio: np.ndarray) -> float:
    """The largest size at which a rule is better than keeping all; 0 where it never is."""
    better = size[ratio < 1]
    return float(better[-1]) if len(better) else 0.0


def remarks(config: Config) -> str:
    return f"""
    The law at p = {config.window_fraction:g} and λ = {config.ridge:g} relative to 1/n, divided by the law of
    keeping all; below 1, less is more. ρ is the cosine of the labels' generator with the truth, ρ* that of the
    pruner. The law is held against simulation in the figure "less_is_more"; here it stands alone. The paper has no
    such figure that we know of.

    Hard examples say more about the boundary, once enough of them are left. But an imperfect pruner makes their fit
    biased, while that of all of them is not if ρ = 1. With a weaker generator both are biased, and the ratio goes to a
    constant. Bias can have either sign, and depends on p and λ. Bumps near n/d = 1 and 1/p are the interpolation peaks
    of all and of what is kept.
    """
