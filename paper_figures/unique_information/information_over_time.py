"""Unique information over training time: size, ranking, and detection of mislabelled examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, note_below, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.unique_information.information_over_time import Config

TITLE = "Unique information over training time"
ANSWERS = "Harutyunyan et al. (ICLR 2021), whose scores are for one time T; a question that the paper leaves open"
EXPERIMENT = "information_over_time"

MEASURES = {"functional": "F-SI", "weights": "SI"}
SCORES = {"F-SI": "F-SI", "SI": "SI", "residual": "|residual|", "loo-residual": "|held-out residual|"}
# Our own measurement of Spearman's ρ between F-SI at T = 2000 and at t = ∞, MNIST 4v9, n = 1000, by decay or none.
MNIST = {False: 0.398, True: 0.999}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("full", rows=2, columns=2, height_to_width=0.68):
        figure, axes = plt.subplots(2, 2)
        _sizes(axes[0, 0], tables["sizes"], config)
        _against_the_end(axes[0, 1], tables["ranks"], config)
        _heat_map(axes[1, 0], tables["ranks"], config, figure)
        _detection(axes[1, 1], tables["detection"], config)
        note_below(figure, f"One seed ({config.seed}), {config.n_train} examples: no error bars.")
    return figure


def _sizes(axis: Axes, sizes: pl.DataFrame, config: Config) -> None:
    for measure, name in MEASURES.items():
        for decay in config.decays:
            i = _look(measure, decay, config)
            own = sizes.filter((pl.col("measure") == measure) & (pl.col("decay") == decay))
            low, middle, high = (own.filter(pl.col("quantile") == q)["size"].to_numpy() for q in (0.1, 0.5, 0.9))
            x = _positions(config)
            axis.plot(x, middle, color=PALETTE[i], linestyle=LINES[i], label=f"{name}, {_decay(decay)}")
            if decay == config.decays[0]:
                axis.fill_between(x, low, high, color=PALETTE[i], alpha=0.15, linewidth=0)
    axis.set_yscale("log")
    axis.set_ylabel("median and 10–90 % [nats]")
    axis.set_title("how much information")
    axis.legend(fontsize=6)
    _times(axis, config)


def _against_the_end(axis: Axes, ranks: pl.DataFrame, config: Config) -> None:
    end = ranks.filter(pl.col("other").is_null())
    for measure, name in MEASURES.items():
        for decay in config.decays:
            i = _look(measure, decay, config)
            own = end.filter((pl.col("measure") == measure) & (pl.col("decay") == decay))
            axis.plot(
                _positions(config), own["spearman"], color=PALETTE[i], linestyle=LINES[i], marker=MARKERS[i],
                label=f"{name}, {_decay(decay)}",
            )  # fmt: skip
    axis.axvline(config.stop, color="0.5", linewidth=0.7, linestyle="-", zorder=0)
    axis.annotate(
        f"T = {config.stop}", (config.stop, 0.02), (3, 0), textcoords="offset points", fontsize=6, color="0.4"
    )
    axis.set_ylim(min(0, end["spearman"].to_numpy().min() - 0.03), 1.03)
    axis.set_ylabel("Spearman ρ with t = ∞")
    axis.set_title("does the ranking last?")
    axis.legend(fontsize=6, loc="center right", bbox_to_anchor=(1, 0.42))
    _times(axis, config)


def _heat_map(axis: Axes, ranks: pl.DataFrame, config: Config, figure: Figure) -> None:
    count = len(config.steps) + 1
    own = ranks.filter((pl.col("measure") == "functional") & (pl.col("decay") == config.decays[0]))
    values = own["spearman"].to_numpy().reshape(count, count)
    image = axis.imshow(values, vmin=min(0.0, values.min()), vmax=1, origin="lower", aspect="auto")
    shown = [i for i, steps in enumerate(config.steps) if np.log10(steps) % 1 == 0] + [count - 1]
    shown = [i for i in shown if i == count - 1 or i < count - 3]  # room for ∞
    labels = [f"$10^{{{round(np.log10(config.steps[i]))}}}$" for i in shown[:-1]] + ["∞"]
    axis.set_xticks(shown, labels)
    axis.set_yticks(shown, labels)
    axis.set(xlabel="training time T [steps]", ylabel="training time T' [steps]")
    axis.set_title(f"F-SI at T against F-SI at T', {_decay(config.decays[0])}")
    figure.colorbar(image, ax=axis, label="Spearman ρ")


def _detection(axis: Axes, detection: pl.DataFrame, config: Config) -> None:
    for i, (score, name) in enumerate(SCORES.items()):
        own = detection.filter((pl.col("score") == score) & (pl.col("decay") == config.decays[0]))
        axis.plot(
            _positions(config), own["auc"], color=PALETTE[i], linestyle=LINES[i], marker=MARKERS[i], label=name
        )  # fmt: skip
    axis.axhline(0.5, color="0.6", linewidth=0.6, linestyle="-", zorder=0)
    axis.annotate(
        "chance",
        (_positions(config)[-1], 0.5),
        (0, -7),
        textcoords="offset points",
        fontsize=6,
        color="0.4",
        ha="right",
    )
    axis.set_ylim(min(0.45, detection["auc"].to_numpy().min() - 0.02), 1.02)
    axis.set_ylabel("AUC")
    axis.set_title(f"finding {100 * config.noise:g} % mislabelled, {_decay(config.decays[0])}")
    axis.legend(
        fontsize=6, loc="lower left", bbox_to_anchor=(0.24, 0.2), handlelength=1.8,
    )  # fmt: skip
    _times(axis, config)


def _look(measure: str, decay: float, config: Config) -> int:
    return tuple(MEASURES).index(measure) + 2 * config.decays.index(decay)


def _positions(config: Config) -> np.ndarray:
    """Times on a logarithmic axis, t = ∞ a factor of ten after the last."""
    return np.array([*config.steps, 10 * config.steps[-1]], float)


def _times(axis: Axes, config: Config) -> None:
    axis.set_xscale("log")
    first, last = (round(f(np.log10(config.steps[i]))) for f, i in ((np.ceil, 0), (np.floor, -1)))
    powers = np.arange(first, last + 1, 2 if last - first > 5 else 1)
    axis.set_xticks([*10.0**powers, 10 * config.steps[-1]], [*(f"$10^{{{p}}}$" for p in powers), "∞"])
    axis.minorticks_off()
    axis.set_xlabel("training time T [steps]")


def _decay(decay: float) -> str:
    return "no decay" if decay == 0 else f"decay {decay:g}"


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    ranks = tables["ranks"].filter((pl.col("steps") == config.stop) & pl.col("other").is_null())
    for entry in ranks.iter_rows(named=True):
        measure = MEASURES[entry["measure"]]
        note = f"our own on MNIST 4v9, n = 1000: {MNIST[entry['decay'] > 0]}" if measure == "F-SI" else ""
        what = f"Spearman ρ, {measure} at T = {config.stop} and at t = ∞, {_decay(entry['decay'])}"
        rows.append((what, entry["spearman"], None, note))
    for steps, when in ((config.stop, f"T = {config.stop}"), (None, "t = ∞")):
        for entry in _at(tables["detection"], steps).iter_rows(named=True):
            note = ""
            if entry["score"] in ("F-SI", "SI"):
                note = (
                    f"median of the mislabelled {entry['median_flipped'] / entry['median_clean']:.3g} × that of others"
                )
            what = f"AUC of {SCORES[entry['score']]}, {when}, {_decay(entry['decay'])}"
            rows.append((what, entry["auc"], None, note))
        for entry in _at(tables["fit"], steps).iter_rows(named=True):
            note = f"root mean square training residual {entry['residual']:.3g}"
            rows.append((f"validation error, {when}, {_decay(entry['decay'])}", entry["validation_error"], None, note))
    columns = {"quantity": pl.String, "ours": pl.Float64, "paper": pl.Float64, "note": pl.String}
    return pl.DataFrame(rows, columns, orient="row")


def _at(table: pl.DataFrame, steps: int | None) -> pl.DataFrame:
    return table.filter(pl.col("steps").is_null() if steps is None else pl.col("steps") == steps)


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    least, most, stop = config.decays[0], max(config.decays), config.stop
    ranks = {
        decay: tables["ranks"]
        .filter(pl.col("other").is_null(), decay=decay, measure="functional", steps=stop)["spearman"]
        .item()
        for decay in (least, most)
    }
    auc = {
        (score, steps): area
        for score, steps, area in tables["detection"].filter(decay=least).select("score", "steps", "auc").iter_rows()
    }
    return (
        Finding(
            f"Without decay the ranking by F-SI at T = {stop} is not the ranking at convergence (ρ < 0.9).",
            ranks[least] < 0.9,
            f"Spearman ρ {ranks[least]:.3f}, {_decay(least)}",
        ),
        Finding(
            "Decay ends training sooner, and then both rank nearly alike (ρ > 0.9).",
            most > 0 and ranks[most] > 0.9,
            f"Spearman ρ {ranks[most]:.3f}, {_decay(most)}",
        ),
        Finding(
            f"At T = {stop} the plain training residual finds the mislabelled at least as well as F-SI.",
            auc["residual", stop] >= auc["F-SI", stop],
            f"AUC {auc['residual', stop]:.3f} against {auc['F-SI', stop]:.3f}",
        ),
        Finding(
            "At t = ∞, where all residuals are zero, the residual finds nothing, and F-SI still does.",
            abs(auc["residual", None] - 0.5) < 0.05 and auc["F-SI", None] > 0.8,
            f"AUC {auc['residual', None]:.2f} against {auc['F-SI', None]:.3f}",
        ),
        Finding(
            "So does the residual of exact leave-one-out.",
            auc["loo-residual", None] > 0.8,
            f"AUC {auc['loo-residual', None]:.3f} at t = ∞",
        ),
    )


def remarks(config: Config) -> str:
    first, second = config.classes
    return f"""
    The paper scores examples at the step T where it stops training. Which examples are informative is a question about
    a training time (top right). The heat map compares the rankings at all pairs of times. Mislabelled examples (bottom
    right) are the same images with {100 * config.noise:g} % of the labels flipped.

    Here: {config.dataset} {first} against {second}, n = {config.n_train}, {config.n_validation} validation examples;
    one hidden layer of {config.width} ReLU units, linearised at its initialisation; full-batch gradient descent with
    learning rate {config.learning_rate:g} on the mean loss. Bands in the first panel are for
    {_decay(config.decays[0])}. One draw of examples and weights (seed {config.seed}), so there are no error bars. The
    paper shows no such figure, and gives no numbers.
    """
