"""Entropy and distance to the exact tilt of guided samplers, against strength, sampler and cost, and their examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from infojax.plots import LINES, PALETTE, Finding, bars_note, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.practice.guidance_bias import Config

TITLE = "Guided samplers against the distribution that they are meant to sample"
ANSWERS = "Deliberate Practice (arXiv 2502.15588), section 3, equation (7) and Algorithm 1, which are not checked there"
EXPERIMENT = "guidance_bias"

SHOWN = 2.0
# mean entropy, total variation: binary classifier, n = 3000, an earlier implementation in NumPy; one mixture and seed
EARLIER = {
    ("exact", None, 2.0): (0.0697, 0.09),
    ("plug-in", "η = 0", 2.0): (0.257, 0.42),
    ("plug-in", "η = 1", 2.0): (0.089, 0.12),
    ("h-transform", "η = 0", 2.0): (0.0717, 0.100),
    ("h-transform", "η = 1", 2.0): (0.0711, 0.091),
    ("plug-in", "η = 0", 6.0): (0.484, 0.63),
    ("plug-in", "η = 1", 6.0): (0.330, 0.28),
    ("h-transform", "η = 0", 6.0): (0.2785, 0.142),
    ("h-transform", "η = 1", 6.0): (0.293, 0.087),
}
# how each method is drawn: colour and marker, filled or not
LOOKS = {
    ("plug-in", "η = 0"): (6, "o"),
    ("plug-in", "η = 0.5"): (1, "s"),
    ("plug-in", "η = 1"): (4, "v"),
    ("plug-in", "ODE"): (5, "P"),
    ("h-transform", "η = 0"): (0, "s"),
    ("h-transform", "η = 1"): (0, "D"),
    ("rejection", None): (2, "^"),
    ("SMC", "η = 1"): (2, "v"),
}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("full", rows=2, columns=3, height_to_width=0.95):
        figure = plt.figure(layout="constrained")
        halves: Any = figure.subfigures(2, 1, height_ratios=[1.55, 1])
        upper, lower = halves
        axes = upper.subplots(1, 3)
        methods, targets = _averaged(tables, config)
        _against_strength(axes, methods, targets)
        _against_cost(axes[2], methods, targets)
        handles, labels = (
            left + right for left, right in zip(*(axes[i].get_legend_handles_labels() for i in (0, 2)), strict=True)
        )
        upper.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=6)
        also = "ω: strength of the guidance; η: noise of the sampler."
        bars_note(figure, f"{config.samples} samples", also=also)
        _pictures(lower, tables)
    return figure


def _averaged(tables: dict[str, pl.DataFrame], config: Config) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Means over mixtures; standard errors of sampling."""
    keys = [
        "method",
        "sampler",
        "strength",
        "steps",
        *(c for c in ("length", "ratio") if c in tables["methods"].columns),
    ]
    stderr = pl.col("entropy_stderr").pow(2).sum().sqrt() / pl.len()
    means = (
        "entropy",
        "target",
        "total_variation",
        "mmd",
        "diversity",
        "matched",
        "score",
        "score_gradient",
        "learner",
    )
    methods = (
        tables["methods"]
        .group_by(keys, maintain_order=True)
        .agg(
            stderr.alias("entropy_stderr"),
            (pl.col("mmd_stderr").pow(2).sum().sqrt() / pl.len()).alias("mmd_stderr"),
            pl.col("total_variation").std().fill_null(0.0).alias("spread"),
            *(pl.col(name).mean() for name in means),
        )
    )
    return methods, tables["targets"].group_by("strength", maintain_order=True).mean().sort("strength")


def _against_strength(axes: np.ndarray, methods: pl.DataFrame, targets: pl.DataFrame) -> None:
    left, middle = axes[:2]
    left.plot(targets["strength"], targets["entropy"], color="black", linewidth=1.2, label=r"exact $e^{\omega H}P$")
    low, high = (targets["floor"] + sign * 2 * targets["floor_deviation"] for sign in (-1, 1))
    middle.fill_between(targets["strength"], low, high, color="0.8", label="perfect samples, ±2 s.d.")
    middle.plot(targets["strength"], targets["floor"], color="black", linewidth=1.2)
    usual = methods.filter(pl.col("steps") == methods["steps"][0])
    for (method, sampler), (index, marker) in LOOKS.items():
        here = pl.col("sampler").is_null() if sampler is None else pl.col("sampler") == sampler
        rows = usual.filter((pl.col("method") == method) & here).sort("strength")
        if not rows.height:
            continue
        look = {"color": PALETTE[index], "marker": marker, "markersize": 3.5, "linewidth": 0.8}
        look |= {"linestyle": LINES[index] if method == "plug-in" else "none"}
        look |= {} if method == "plug-in" else {"markerfacecolor": "none"}
        label = f"{method}, {sampler}" if sampler else method
        left.errorbar(rows["strength"], rows["entropy"], rows["entropy_stderr"], label=label, **look)
        middle.plot(rows["strength"], rows["total_variation"], **look)
    left.set(xlabel=r"strength $\omega$", ylabel="mean entropy (nats)", ylim=(0, None))
    middle.set(xlabel=r"strength $\omega$", ylabel=r"total variation to $e^{\omega H}P$", ylim=(0, None))
    for axis in (left, middle):
        axis.set_xticks(targets["strength"])


def _against_cost(axis: Axes, methods: pl.DataFrame, targets: pl.DataFrame) -> None:
    """At one strength, and without one against the tilt of equal mean entropy; a gradient costs two evaluations."""
    floor = targets.filter(pl.col("strength") == SHOWN).row(0, named=True)
    axis.axhspan(*(floor["floor"] + sign * 2 * floor["floor_deviation"] for sign in (-1, 1)), color="0.8")
    methods = methods.with_columns((pl.col("score") + 2 * pl.col("score_gradient")).alias("cost"))
    first = methods["steps"][0]
    for (method, sampler), (index, marker) in LOOKS.items():
        here = pl.col("sampler").is_null() if sampler is None else pl.col("sampler") == sampler
        rows = methods.filter((pl.col("method") == method) & here & (pl.col("strength") == SHOWN)).sort("steps")
        face = PALETTE[index] if method == "plug-in" else "none"
        axis.plot(
            rows["cost"], rows["total_variation"], marker, color=PALETTE[index], markersize=3.5, linestyle=":",
            markerfacecolor=face,
        )  # fmt: skip
        for row in rows.filter(pl.col("steps") != first).iter_rows(named=True):
            place = (4, -9) if row["total_variation"] < 0.5 else (4, 6)
            axis.annotate(
                f"{row['steps']} steps",
                (row["cost"], row["total_variation"]),
                place,
                textcoords="offset points",
                color="0.3",
                fontsize=5,
                ha="right",
            )
    for method, name, marker in (("prune", "ratio", "P"), ("normalised", "length", "X")):
        rows = methods.filter((pl.col("method") == method) & pl.col("total_variation").is_not_null())
        rows = rows.sort(name, "steps")
        axis.plot(rows["cost"], rows["total_variation"], marker, color="0.45", markersize=3.5, label=LABELS[method])
        for row in rows.iter_rows(named=True):
            text = f"1/{row[name]:g}" if method == "prune" else f"{row[name]:g}"
            text += f", {row['steps']}" if method == "normalised" and row["steps"] != 30 else ""
            # The two kinds of labels on either side of their points, so that none lies on a point of the other.
            side, place = ("left", (4, 0)) if method == "prune" else ("right", (-4, 0))
            axis.annotate(
                text,
                (row["cost"], row["total_variation"]),
                place,
                textcoords="offset points",
                color="0.3",
                fontsize=5,
                ha=side,
                va="center",
            )
    axis.set_xscale("log")
    axis.set_xlim(left=0.45 * methods["cost"].to_numpy().min())
    axis.set(xlabel="score evaluations per example,\na gradient as two", ylim=(0, None))
    axis.set_ylabel(rf"total variation, $\omega = {SHOWN:g}$")


LABELS = {
    "prune": "hardest 1/r kept, to the tilt of equal entropy",
    "normalised": "authors' step, with its length, likewise",
}


def _pictures(figure: Figure, tables: dict[str, pl.DataFrame]) -> None:
    names = tables["examples"]["sample"].unique(maintain_order=True).to_list()
    field = tables["field"]
    across, up = (field[name].unique().sort().to_numpy() for name in ("x", "y"))
    odds = field["log_odds"].to_numpy().reshape(len(up), len(across))
    axes = figure.subplots(1, len(names), sharex=True, sharey=True)
    figure.suptitle(rf"Examples at $\omega = {SHOWN:g}$ on the learner's entropy, darker where larger", fontsize=7)
    for axis, name in zip(axes, names, strict=True):
        rows = tables["examples"].filter(pl.col("sample") == name)
        axis.contourf(across, up, _entropy(odds), levels=np.linspace(0, np.log(2), 8), cmap="Greys", alpha=0.6)
        axis.plot(rows["x"], rows["y"], ".", color=PALETTE[0], markersize=0.8, rasterized=True)
        axis.set_title(name.replace(", ", ",\n", 1), fontsize=6)
        axis.set(aspect="equal", xticks=[], yticks=[])
    axes[0].set_xlim(across[0] * 0.8, across[-1] * 0.8)
    axes[0].set_ylim(up[0] * 0.8, up[-1] * 0.8)


def _entropy(odds: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-odds))
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.nan_to_num(p * np.log(p)) - np.nan_to_num((1 - p) * np.log1p(-p))


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    methods, targets = _averaged(tables, config)
    rows = []
    for row in targets.iter_rows(named=True):
        earlier = EARLIER.get(("exact", None, row["strength"]))
        note = f"total variation of perfect samples {row['floor']:.4f} ± {row['floor_deviation']:.4f}"
        note += f"; an earlier mixture had {earlier[0]:.4f}" if earlier else ""
        rows.append((f"exact mean entropy, ω = {row['strength']:g}", f"{row['entropy']:.4f}", note))
    for row in methods.iter_rows(named=True):
        note = f"total variation {_number(row['total_variation'])}, diversity {row['diversity']:.1f}"
        note += f", score evaluations {row['score']:.0f}, gradients {row['score_gradient']:.0f}"
        if row["strength"] is None:
            name = f"hardest 1 of {row['ratio']}" if row["method"] == "prune" else f"authors' step {row['length']:g}"
            tilt = "beyond ω = 24" if row["matched"] is None else f"of equal mean entropy at ω = {row['matched']:.2f}"
            note = f"tilt {tilt}; {note}"
        else:
            name = f"{row['method']}, ω = {row['strength']:g}"
            note = (
                f"off by {row['entropy'] - row['target']:+.4f}; MMD² {row['mmd']:.5f} ± {row['mmd_stderr']:.5f}; {note}"
            )
            earlier = EARLIER.get((row["method"], row["sampler"], row["strength"]))
            if earlier and row["steps"] == config.steps:
                note += f"; an earlier mixture had {earlier[0]:.4f}, total variation {earlier[1]:g}"
        sampler = f", {row['sampler']}" if row["sampler"] else ""
        steps = f", {row['steps']} steps" if row["steps"] != config.steps else ""
        rows.append((f"mean entropy, {name}{sampler}{steps}", _measured(row), note))
    table = pl.DataFrame(rows, schema=["quantity", "ours", "difference or note"], orient="row")
    return table.insert_column(2, pl.lit("not given").alias("paper"))


def _measured(row: dict[str, Any]) -> str:
    return f"{row['entropy']:.4f} ± {row['entropy_stderr']:.4f}"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    methods, _ = _averaged(tables, config)
    tilted = methods.filter(pl.col("strength") > 0).with_columns(off=pl.col("entropy") - pl.col("target"))
    usual = tilted.filter(steps=config.steps)
    plug, exact = (usual.filter(method=name) for name in ("plug-in", "h-transform"))
    far = exact.group_by("strength").agg(pl.max("mmd"))
    both = far.join(plug.group_by("strength").agg(pl.min("mmd")), on="strength", suffix="_plug_in").sort("strength")
    still = plug.filter(pl.col("sampler").is_in(["η = 0", "ODE"]), pl.col("strength") == plug["strength"].min())
    bent = [
        str(sampler)
        for (sampler,), rows in plug.group_by("sampler", maintain_order=True)
        if not rows.sort("strength")["entropy"].is_sorted()
    ]
    finest = tilted.filter(method="plug-in", steps=tilted["steps"].to_numpy().max())
    noisy = finest.filter(sampler="η = 1").join(plug.filter(sampler="η = 1"), on="strength", suffix="_usual")
    agreed = noisy.sort(pl.col("off_usual").abs()).head(1)
    rejected = usual.filter(method="rejection")
    worst = (rejected["off"] / rejected["entropy_stderr"]).abs().to_numpy().max()
    return (
        Finding(
            "The h-transform is nearer to the target in MMD² than plug-in guidance with any η, at every strength.",
            (both["mmd"] < both["mmd_plug_in"]).all(),
            ", ".join(f"ω = {w:g}: at most {a:.5f} against at least {b:.5f}" for w, a, b in both.iter_rows()),
        ),
        Finding(
            "With small steps plug-in guidance overshoots the target's entropy, whatever the strength and η.",
            (finest["off"] > 0).all(),
            _off(finest),
        ),
        Finding(
            "Without noise it overshoots at the smallest strength already.",
            (still["off"] > 3 * still["entropy_stderr"]).all(),
            _off(still),
        ),
        Finding(
            f"With {config.steps} steps the entropy of plug-in guidance does not rise steadily with ω, for some η.",
            len(bent) > 0,
            f"it falls somewhere for {', '.join(bent) or 'none'}",
        ),
        Finding(
            f"Where {config.steps} steps with η = 1 agree best in entropy, two errors cancel: more steps take it away.",
            (agreed["off"].abs() > agreed["off_usual"].abs()).all(),
            f"{_off(agreed)}; with {config.steps} steps {agreed['off_usual'].sum():+.4f}",
        ),
        Finding(
            "Rejection is within four standard errors of the target's mean entropy at every strength.",
            worst < 4,
            f"{worst:.1f} standard errors at most",
        ),
    )


def _off(methods: pl.DataFrame) -> str:
    return ", ".join(
        f"{row['sampler']}, ω = {row['strength']:g}, {row['steps']} steps: {row['off']:+.4f}"
        for row in methods.iter_rows(named=True)
    )


def remarks(config: Config) -> str:
    return f"""
    The paper guides by the gradient of the entropy at x̂₀ and says that this samples e^{{ωH}} P; it does not check.
    Here the answer is exact: {config.mixtures} mixture(s) of four Gaussians in the plane, each with a small network
    trained on {config.training} examples, {config.samples} examples of each method, {config.steps} steps unless said.
    Means over mixtures; bars are one standard error of sampling.

    The h-transform is exact but for the samplers' own step size. Rejection and sequential Monte Carlo need no
    gradients: the cost of rejection grows as k^ω, particles cost what plain sampling does. Proposals of rejection and
    pruning are drawn from the mixture itself, and charged as {config.steps} evaluations each. Keeping the hardest is no
    tilt of any strength. The authors' step of fixed length is after code of an earlier paper; how much guidance it is
    depends on the number of steps.

    Not reproduced: anything with the paper's networks. Numbers of an earlier implementation are of another mixture and
    learner, so only their order can be compared.
    """
