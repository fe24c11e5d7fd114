"""Learning curves of kernel regression on selected examples, their laws, and the exponents of fitted power laws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from experiments.scaling_laws.kernel_learning_curves import Config

TITLE = "Pruning by information or by margin: learning curves of kernel regression"
ANSWERS = (
    "Bordelon et al. (ICML 2020), Canatar et al. (NeurIPS 2021) and Simon et al. (2021), whose law is extended here to "
    "finite pools; and Sorscher et al. (NeurIPS 2022): does pruning beat the power law?"
)
EXPERIMENT = "kernel_learning_curves"

RULES = {
    "random": "random",
    "hard": "hard (small margin)",
    "easy": "easy (large margin)",
    "most": "most F-SI",
    "least": "least F-SI",
}
KERNELS = {"infinite": "infinite width", "empirical": "finite width"}
SIZES = {"mnist": 60_000}  # data sets of which splits can be disjoint
NAMES = {"mse": "test mse", "error": "fraction misclassified"}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    columns = [(kernel, kept) for kernel in KERNELS for kept in config.kept]
    rows = (("mse", "drawn"), ("error", "drawn"), ("error", "grown"))
    with style("full", rows=4, columns=len(columns), height_to_width=0.86):
        figure, axes = plt.subplots(4, len(columns), squeeze=False, layout="constrained")
        for column, (kernel, kept) in enumerate(columns):
            for row, (quantity, way) in enumerate(rows):
                where = {"kernel": kernel, "kept": kept, "way": way}
                axis = axes[row, column]
                if row:
                    axis.sharex(axes[0, column])
                _curves(axis, tables, where, quantity)
            axes[0, column].set_title(f"{KERNELS[kernel]}, {100 * kept:g} % kept", fontsize=7)
            axes[2, column].set_xlabel("training examples")
            _exponents(axes[3, column], tables["fits"].filter(kernel=kernel, kept=kept, quantity="error"))
        for axis in axes[:3].flat:
            axis.tick_params(which="both", labelsize=6)
        labels = ("mse, drawn", "misclassified, drawn", "misclassified, grown", "exponent (open: drawn)")
        for axes_of_row, label in zip(axes, labels, strict=True):
            axes_of_row[0].set_ylabel(label)
            _same_range(axes_of_row)
        handles, names = axes[0, 0].get_legend_handles_labels()
        title = "lines: exact laws in the two rows “drawn”, power laws fitted to the points in the row “grown”"
        look = {"loc": "outside upper center", "fontsize": 7, "title_fontsize": 7}
        figure.legend(handles, names, ncols=len(RULES), title=title, **look)
        bars_note(figure, f"{config.splits} splits", also="Those of the exponents: 95 % intervals.")
    return figure


def _curves(axis: Axes, tables: dict[str, pl.DataFrame], where: dict, quantity: str) -> None:
    """Points: means over splits, one standard error. Lines: the law for what is drawn, the fit for what is grown."""
    own = tables["curves"].filter(**where)
    fits = tables["fits"].filter(**where, quantity=quantity, floor_fitted=False)
    for i, (rule, name) in enumerate(RULES.items()):
        mean = _mean(own.filter(rule=rule), quantity)
        n = mean["n"].to_numpy()
        if where["way"] == "drawn":
            said = mean[_law(mean, quantity)].to_numpy()
        else:
            fit = fits.filter(rule=rule).row(0, named=True)
            said = fit["scale"] * n ** -fit["exponent"]
        axis.plot(n, said, color=PALETTE[i], linestyle=LINES[i], linewidth=0.8)
        axis.errorbar(
            n, mean[quantity], mean["stderr"],
            color=PALETTE[i], marker=MARKERS[i], markersize=2.6, linestyle="none", label=name,
        )  # fmt: skip
    axis.set(xscale="log", yscale="log")
    _plain_ticks(axis.xaxis, (1, 2, 5))
    _plain_ticks(axis.yaxis, (1, 2, 5))


def _mean(curves: pl.DataFrame, quantity: str) -> pl.DataFrame:
    laws = [f"{quantity}_{law}" for law in ("spectral", "pointwise")]
    return (
        curves.group_by("n")
        .agg(pl.col(quantity, *laws).mean(), stderr=pl.col(quantity).std() / pl.len().sqrt())
        .sort("n")
    )


def _law(table: pl.DataFrame, quantity: str) -> str:
    """The better law's column, where it was computed."""
    pointwise = f"{quantity}_pointwise"
    return pointwise if table[pointwise].null_count() == 0 else f"{quantity}_spectral"


def _plain_ticks(axis: Axis, digits: tuple[int, ...]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=digits))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _exponents(axis: Axes, fits: pl.DataFrame) -> None:
    """Exponents of floor-free fits with their intervals, for both ways in which training sets grow."""
    fits = fits.filter(floor_fitted=False)
    for shift, way, filled in ((-0.14, "drawn", False), (0.14, "grown", True)):
        own = fits.filter(way=way)
        for i, rule in enumerate(RULES):
            row = own.filter(rule=rule).row(0, named=True)
            bars = [[row["exponent"] - row["exponent_low"]], [row["exponent_high"] - row["exponent"]]]
            axis.errorbar(
                i + shift, row["exponent"], bars, color=PALETTE[i], marker=MARKERS[i], markersize=3,
                markerfacecolor=PALETTE[i] if filled else "white", linestyle="none",
            )  # fmt: skip
    random = fits.filter(way="grown", rule="random")["exponent"].item()
    axis.axhline(random, color="0.6", linewidth=0.6, linestyle="-", zorder=0)
    axis.set_xticks(range(len(RULES)), list(RULES), fontsize=6, rotation=30)
    axis.set_xlim(-0.5, len(RULES) - 0.5)


def _same_range(axes: np.ndarray) -> None:
    ranges = np.array([axis.get_ylim() for axis in axes])
    for axis in axes:
        axis.set_ylim(ranges[:, 0].min(), ranges[:, 1].max())


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """Exponents and errors against random selection; how good the laws and the extrapolations are."""
    rows = []
    free = tables["fits"].filter(floor_fitted=False)
    for quantity in NAMES:
        for fit in free.filter(quantity=quantity, way="grown").iter_rows(named=True):
            what = f"{NAMES[quantity]}, {KERNELS[fit['kernel']]}, {100 * fit['kept']:g} % kept, {RULES[fit['rule']]}"
            exponent = f"{fit['exponent']:.3f} ({fit['exponent_low']:.3f} to {fit['exponent_high']:.3f})"
            note = f"{fit['measured']:.3g} at n = {fit['n']}; misfit {fit['misfit']:.1f}"
            if fit["rule"] != "random":
                note = (
                    f"minus random {fit['steeper']:+.3f} ({fit['steeper_low']:+.3f} to {fit['steeper_high']:+.3f}); "
                    f"{note}, {fit['ratio']:.2f} ({fit['ratio_low']:.2f} to {fit['ratio_high']:.2f}) of random"
                )
            rows.append((f"exponent of {what}", exponent, "not given", note))
    for law, quantity, name, deviation, worst, count in _deviations(tables["curves"]):
        note = f"largest {100 * worst:.0f} %, of {count} points, means over splits"
        rows.append((f"{law} law of {NAMES[quantity]}, {name}", f"{100 * deviation:.1f} % off", "not given", note))
    for way in ("drawn", "grown"):
        own = tables["held_out"].filter(way=way)
        inside = own.filter(_inside()).height
        note = f"95 % intervals and 2 standard errors of what is measured; median ratio {_median_ratio(own):.2f}"
        rows.append((f"floor-free extrapolations that hold, {way}", f"{inside} of {own.height}", "not given", note))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "note"], orient="row")


def _deviations(curves: pl.DataFrame) -> list[tuple]:
    """Root mean square and largest relative deviation of each law from what is measured, over all drawn points."""
    found = []
    keys = ["kernel", "kept", "rule", "n"]
    drawn = curves.filter(way="drawn")
    for law in ("spectral", "pointwise"):
        for quantity in NAMES:
            for name, rules in (("random", ["random"]), ("other rules", [rule for rule in RULES if rule != "random"])):
                own = drawn.filter(pl.col("rule").is_in(rules), pl.col(f"{quantity}_{law}").is_not_null())
                if own.height:
                    mean = own.group_by(keys).agg(pl.col(quantity, f"{quantity}_{law}").mean())
                    off = (mean[f"{quantity}_{law}"] / mean[quantity] - 1).to_numpy()
                    found.append(
                        (law, quantity, name, float(np.sqrt(np.mean(off**2))), float(np.abs(off).max()), len(off))
                    )
    return found


def _inside() -> pl.Expr:
    slack = 2 * pl.col("stderr")
    return (pl.col("measured") >= pl.col("predicted_low") - slack) & (
        pl.col("measured") <= pl.col("predicted_high") + slack
    )


def _median_ratio(held_out: pl.DataFrame) -> float:
    return float(np.median((held_out["measured"] / held_out["predicted"]).to_numpy()))


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    fits = tables["fits"].filter(~pl.col("floor_fitted"))
    errors = fits.filter(quantity="error", way="grown")
    misfit = dict(fits.filter(rule="most").group_by("way").agg(pl.col("misfit").median()).iter_rows())
    held = tables["held_out"]
    off = {
        law: deviation
        for law, quantity, name, deviation, *_ in _deviations(tables["curves"])
        if (quantity, name) == ("mse", "random")
    }
    return (
        *(
            _moved(errors.filter(kernel=kernel, kept=kept, rule=rule).row(0, named=True))
            for kernel in KERNELS
            for kept in config.kept
            for rule in ("most", "least")
        ),
        Finding(
            "Training sets drawn from one selection of the most informative are misfitted by a power law, more than "
            "selections from growing pools.",
            misfit["drawn"] > misfit["grown"],
            f"median misfit {misfit['drawn']:.1f} standard errors, grown {misfit['grown']:.1f}",
        ),
        Finding(
            "Fits to the smaller half of the range, extrapolated, hold at the largest n, intervals considered.",
            held.filter(_inside()).height == held.height,
            f"for {held.filter(_inside()).height} of {held.height} curves",
        ),
        Finding(
            "Each law's mse is within 10 % of what is measured on random subsets.",
            max(off.values()) < 0.1,
            ", ".join(f"{law} {100 * deviation:.1f} %" for law, deviation in off.items()),
        ),
    )


def _moved(fit: dict[str, Any]) -> Finding:
    """Whether pruning by F-SI moves the exponent of the errors, with pools that grow."""
    moved = fit["steeper_low"] > 0 or fit["steeper_high"] < 0
    return Finding(
        f"Keeping the {100 * fit['kept']:g} % {fit['rule']} informative ({KERNELS[fit['kernel']]}) moves the exponent.",
        moved,
        f"{fit['steeper']:+.3f} ({fit['steeper_low']:+.3f} to {fit['steeper_high']:+.3f}); at n = {fit['n']} "
        f"{fit['ratio']:.2f} ({fit['ratio_low']:.2f} to {fit['ratio_high']:.2f}) times the errors of random selection",
    )


def remarks(config: Config) -> str:
    splits = (
        "disjoint"
        if config.dataset == "mnist"
        else "overlapping draws of a small data set, so that intervals are too narrow"
    )
    return f"""
    Odd against even {config.dataset}, targets ±1; ridge {config.ridge:g} of the kernel's mean diagonal; pools of
    {config.pool}, {config.splits} splits ({splits}). "Drawn": random parts of what is kept of the whole pool; points
    are means over splits with one standard error, lines are the law (pointwise for fewer than {config.pointwise_below}
    kept examples, spectral else), which has no free parameter. "Grown": everything that is kept of smaller pools; lines
    are floor-free power laws. Below, exponents for drawn (open) and grown (filled), with 95 % intervals; the grey
    line is random selection. mse is in squared target units.

    The question is whether pruning by F-SI moves the exponent, or only the constant. Where training sets are drawn from
    one selection, the curve bends as n approaches the whole selection, and so does the law for finite pools: the
    exponent there must not be read as a scaling law of pruning. Exponents are of a range of n, not of a limit. None of
    the papers prints numbers for these data.
    """


def _verdict(fits: pl.DataFrame, kernel: str, kept: float) -> str:
    said = []
    for rule in ("most", "least"):
        fit = fits.filter(rule=rule).row(0, named=True)
        moved = "moves" if fit["steeper_low"] > 0 or fit["steeper_high"] < 0 else "does not move"
        said.append(
            f"keeping the {rule} informative {moved} the exponent measurably ({fit['steeper']:+.3f}, "
            f"{fit['steeper_low']:+.3f} to {fit['steeper_high']:+.3f}), and at n = {fit['n']} makes {fit['ratio']:.2f} "
            f"({fit['ratio_low']:.2f} to {fit['ratio_high']:.2f}) times the errors of random selection"
        )
    return f"At {KERNELS[kernel]} and {100 * kept:g} % kept, {'; '.join(said)}."
