"""Heat maps of the agreement between networks on which examples are informative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import Finding, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.unique_information.architectures import Config

TITLE = "Do networks agree on which examples are informative?"
ANSWERS = "Harutyunyan et al. (ICLR 2021), whose scores are of one network each; a question that the paper leaves open"
EXPERIMENT = "architectures"

MATCHINGS = ("equal time", "equal fit")


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    summary = _summary(tables["agreement"])
    titles = {
        "equal time": f"equal time, t = {config.time:g} $n/s_\\mathrm{{max}}$",
        "equal fit": f"equal fit, training residual {100 * config.residual:g} %",
    }
    with style("full", height_to_width=0.52):
        figure, panels = plt.subplots(1, 2, sharey=True)
        images = {}
        lowest = min(0.5, *(row["spearman"] for row in summary.iter_rows(named=True)))
        for axis, matching in zip(panels, MATCHINGS, strict=True):
            own = summary.filter((pl.col("matching") == matching) & (pl.col("measure") == "functional"))
            values, errors = _matrices(own, config.networks)
            images[matching] = axis.imshow(np.ma.masked_invalid(values), vmin=lowest, vmax=1)
            _write(axis, values, errors, (lowest + 1) / 2)
            axis.set_xticks(range(len(config.networks)), config.networks, rotation=40, ha="right", fontsize=6)
            axis.set_yticks(range(len(config.networks)), config.networks, fontsize=6)
            axis.tick_params(length=0)
            axis.set_title(titles[matching])
        figure.colorbar(images[MATCHINGS[0]], ax=panels, label="agreement on F-SI", shrink=0.85, pad=0.02)
        figure.supxlabel(
            "below the diagonal Spearman ρ, above it Pearson r of log F-SI, "
            "on it ρ between initialisations of one network;\n± one standard deviation over pairs of initialisations",
            fontsize=6.5,
        )
    return figure


def _summary(agreement: pl.DataFrame) -> pl.DataFrame:
    return agreement.group_by("matching", "measure", "a", "b", maintain_order=True).agg(
        pl.col("spearman").mean(), pl.col("pearson_log").mean(), spread=pl.col("spearman").std(),
        spread_log=pl.col("pearson_log").std(), pairs=pl.len(),
    )  # fmt: skip


def _matrices(own: pl.DataFrame, networks: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations over pairs of initialisations: Spearman below, Pearson above the diagonal."""
    values, errors = (np.full((len(networks), len(networks)), np.nan) for _ in range(2))
    for row in own.iter_rows(named=True):
        i, j = networks.index(row["a"]), networks.index(row["b"])
        values[i, j], errors[i, j] = row["pearson_log"], row["spread_log"] or np.nan
        values[j, i], errors[j, i] = row["spearman"], row["spread"] or np.nan
    return values, errors


def _write(axis: Axes, values: np.ndarray, errors: np.ndarray, middle: float) -> None:
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            error = f"\n±{errors[i, j]:.2f}".replace("0.", ".") if np.isfinite(errors[i, j]) else ""
            color = "black" if value > middle else "white"
            text = f"{value:.2f}".replace("0.", ".") + error
            weight = "bold" if i == j else "normal"
            axis.text(j, i, text, ha="center", va="center", fontsize=4.8, color=color, weight=weight, linespacing=0.95)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    for entry in _summary(tables["agreement"]).iter_rows(named=True):
        if entry["measure"] == "weights" and entry["a"] != entry["b"]:
            continue
        measure = {"functional": "F-SI", "weights": "SI"}[entry["measure"]]
        spread = "" if entry["spread"] is None else f" ± {entry['spread']:.3f}"
        pair = f"{entry['a']}, two initialisations" if entry["a"] == entry["b"] else f"{entry['a']} and {entry['b']}"
        note = f"Pearson of logarithms {entry['pearson_log']:.3f}; {entry['pairs']} pairs of initialisations"
        ours = f"{entry['spearman']:.3f}{spread}"
        rows.append((f"Spearman ρ of {measure}, {pair}, {entry['matching']}", ours, "not given", note))
    for (name, matching), group in tables["fits"].group_by("network", "matching", maintain_order=True):
        fits = ", ".join(f"{fit:.3f}" for fit in group["residual"])
        times = ", ".join(f"{time:.4g}" for time in group["time"])
        note = f"at t = {times} n/s_max; each initialisation"
        rows.append((f"training residual relative to its start, {name}, {matching}", fits, "not given", note))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    summary = _summary(tables["agreement"]).filter(measure="functional")
    same = pl.col("a") == pl.col("b")
    within, between = (
        {matching: summary.filter(which, matching=matching)["spearman"].to_numpy() for matching in MATCHINGS}
        for which in (same, ~same)
    )
    medians = {matching: float(np.median(between[matching])) for matching in MATCHINGS}
    time, fit = MATCHINGS
    residuals = 100 * tables["fits"].filter(matching=time)["residual"].to_numpy()
    starts = tables["fits"].filter(pl.col("initial_output") > 0)["initial_output"].to_numpy()

    def told(values: dict[str, np.ndarray]) -> str:
        return ", ".join(f"{each.min():.2f} to {each.max():.2f} at {matching}" for matching, each in values.items())

    return (
        Finding(
            "How informative an example is depends on the network: ρ between networks is below 0.9 for some pair.",
            all(each.min() < 0.9 for each in between.values()),
            f"Spearman ρ of F-SI {told(between)}",
        ),
        Finding(
            "It depends on the initial weights too: ρ between two initialisations of a network is below 0.9 for some.",
            all(each.min() < 0.9 for each in within.values()),
            f"Spearman ρ of F-SI {told(within)}",
        ),
        Finding(
            "At equal fit the median pair of networks agrees more than at equal time.",
            medians[fit] > medians[time],
            f"median ρ {medians[fit]:.3f} against {medians[time]:.3f}",
        ),
        Finding(
            "At equal time in units of the largest eigenvalue networks differ in fit by more than a factor of two.",
            residuals.max() > 2 * residuals.min(),
            f"training residuals are {residuals.min():.0f} to {residuals.max():.0f} % of their start",
        ),
        Finding(
            "Initial outputs of finite networks are not small beside targets of 0 and 1.",
            starts.max() > 0.1,
            f"root mean square {starts.min():.2f} to {starts.max():.2f}",
        ),
    )


def remarks(config: Config) -> str:
    first, second = config.classes
    return f"""
    Infinitely wide networks have no noise of initial weights, so a finite network can have a larger ρ with them than
    with itself, about up to the square root of that with itself. Initial outputs are part of the noise that width does
    not remove.

    What equal training means is a choice. The largest eigenvalue says how fast the mean is learned and little of the
    rest, and for a deep network with biases the gap below it is wide.

    Here: {config.dataset} {first} against {second}, n = {config.n_train}, {config.n_validation} validation examples,
    images enlarged {config.enlarge}-fold; gradient flow on the mean loss without decay, linearised at the
    initialisation; {config.seeds} initialisations of each finite network, ± the standard deviation over their pairs,
    which are few and not independent. The convolutional network is the paper's. The ∞ CNN has its convolutions, without
    biases; infinitely wide networks start at f = 0, the mean over initialisations, finite ones at their own f₀. The
    paper gives no numbers for this.
    """
