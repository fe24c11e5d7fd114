"""Correlation with retraining, network by network: Table 1 of Smooth Unique Information as dots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from infojax.plots import MARKERS, PALETTE, Finding, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.unique_information.networks_vs_retraining import Config

TITLE = "Closed form and influence functions against retraining, network by network"
ANSWERS = "Harutyunyan et al. (ICLR 2021), Table 1"
EXPERIMENT = "networks_vs_retraining"

MEASURES = {"weights": "weights (SI)", "functional": "predictions (F-SI)"}
ESTIMATES = {
    "linearized": "closed form at step T",
    "converged": "closed form at t = ∞",
    "influence": "influence functions",
}
HOLLOW = "the paper's (hollow)"
NETWORKS = {
    "mlp": "MLP",
    "cnn": "CNN",
    "cnn-drawings": "CNN, pretrained",
    "efficientnet-lite0": "EfficientNet-Lite0",
    "resnet50": "ResNet-50",
}
# Pearson by (network, with decay?): (linearised weights, influence weights, linearised predictions, influence …).
PAPER = {
    ("mlp", False): (0.987, 0.935, 0.993, 0.920),
    ("mlp", True): (0.977, 0.978, 0.993, 0.990),
    ("cnn", False): (0.193, 0.319, 0.033, 0.647),
    ("cnn", True): (-0.012, 0.069, 0.070, 0.407),
    ("cnn-drawings", False): (0.870, 0.736, 0.875, 0.770),
    ("cnn-drawings", True): (0.964, 0.979, 0.974, 0.954),
    ("resnet50", False): (0.968, 0.897, 0.895, 0.715),
    ("resnet50", True): (0.816, 0.912, 0.519, 0.506),
}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    runs = _runs(tables["summary"])
    with style("full", columns=2, height_to_width=0.26 + 0.11 * len(runs)):
        figure, axes = plt.subplots(1, 2, sharey=True)
        for axis, (measure, title) in zip(axes, MEASURES.items(), strict=True):
            for height, run in enumerate(runs):
                _row(axis, -height, tables["summary"].filter(measure=measure, **run), run, measure)
            axis.set(title=title, xlabel="Pearson correlation with retraining")
            axis.grid(axis="x", linewidth=0.3)
        axes[0].set_yticks([-i for i in range(len(runs))], [_name(**run) for run in runs])
        handles, labels = axes[0].get_legend_handles_labels()
        shown = dict(zip(labels, handles, strict=True))
        order = [label for label in (*ESTIMATES.values(), HOLLOW) if label in shown]
        figure.legend([shown[label] for label in order], order, loc="outside lower center", ncols=4)
    return figure


def _row(axis: Axes, height: float, summary: pl.DataFrame, run: dict[str, Any], measure: str) -> None:
    paper = _paper(run["network"], run["decay"], measure)
    for i, (name, label) in enumerate(ESTIMATES.items()):
        entry = summary.row(by_predicate=pl.col("estimate") == name, named=True)
        y = height + 0.18 * (1 - i)
        ends = (entry["pearson_low"], entry["pearson_high"])
        axis.plot(ends, (y, y), color=PALETTE[i], linestyle="-", solid_capstyle="butt")
        axis.plot(entry["pearson"], y, MARKERS[i], color=PALETTE[i], label=label)
        if name in paper:
            axis.plot(paper[name], y, MARKERS[i], mfc="none", mec="0.45", ms=5, mew=0.8, label=HOLLOW)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    for entry in tables["summary"].iter_rows(named=True):
        paper = _paper(entry["network"], entry["decay"], entry["measure"]).get(entry["estimate"])
        what = (
            f"{_name(entry['network'], entry['decay'])}, {MEASURES[entry['measure']]}, {ESTIMATES[entry['estimate']]}"
        )
        ends = f"{entry['pearson_low']:.3g} to {entry['pearson_high']:.3g}"
        note = f"{ends}; {entry['dataset']}, {entry['examples']} left out in turn"
        rows.append((what, entry["pearson"], paper, note))
    for entry in tables["networks"].iter_rows(named=True):
        what = f"{_name(entry['network'], entry['decay'])}: validation error"
        rows.append((what, entry["validation_error"], None, entry["dataset"]))
    columns = {"quantity": pl.String, "ours": pl.Float64, "paper": pl.Float64, "note": pl.String}
    return pl.DataFrame(rows, columns, orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    found = []
    closed = tables["summary"].filter(measure="functional", estimate="linearized")
    for row in closed.iter_rows(named=True):
        own = tables["summary"].filter(measure="functional", network=row["network"], decay=row["decay"])
        rival = own.filter(estimate="influence")["pearson"]
        told = f"r = {row['pearson']:.3f} ({row['pearson_low']:.3g} to {row['pearson_high']:.3g})"
        paper = _paper(row["network"], row["decay"], "functional").get("linearized")
        said = "" if paper is None else f"; the paper's r = {paper:g}"
        name = _name(row["network"], row["decay"])
        found.append(
            Finding(f"{name}: linearisation predicts retraining (r > 0.9).", row["pearson"] > 0.9, told + said)
        )
        if len(rival):
            text = f"{name}: it predicts that at least as well as influence functions."
            found.append(
                Finding(text, row["pearson"] >= rival.item(), f"r = {row['pearson']:.3f} against {rival.item():.3f}")
            )
    return tuple(found)


def remarks(config: Config) -> str:
    settings = "; ".join(
        f"{NETWORKS[c.network]} on {c.dataset} {' against '.join(c.classes)}, n = {c.n_train}, T = {c.steps}, learning "
        f"rate {c.learning_rate:g}"
        for c in config.columns
    )
    return (
        f"Here: {settings}. Bars are the middle 68 % of a bootstrap over the examples left out. Hollow marks are "
        "the paper's values, for its own data and sizes (MNIST 4 against 9, n = 1000; cats against dogs with ImageNet "
        "networks)."
        "\n\nIn the paper, linearisation predicts retraining of the MLP and of pretrained networks, and fails for the "
        "CNN trained from scratch, whose kernel changes as it trains. The quick scale has digits enlarged to 32 × 32 "
        "and fewer, gentler steps, in which the CNN's kernel changes less."
        "\n\nNot in the paper: closed form at t = ∞. Not reproduced: ResNet-18, as its ImageNet weights come in no "
        "package registry; EfficientNet-Lite0 stands in its place, without a number of the paper to hold against. "
        "Letters-pretraining of the CNN is replaced by drawings for the same reason. The pretrained networks' "
        "retraining (days on two cores) is left to machines with a GPU."
    )


def _runs(summary: pl.DataFrame) -> list[dict[str, Any]]:
    return summary.select("network", "decay").unique(maintain_order=True).to_dicts()


def _name(network: str, decay: float) -> str:
    return f"{NETWORKS[network]}, " + ("no decay" if decay == 0 else f"decay {decay:g}")


def _paper(network: str, decay: float, measure: str) -> dict[str, float]:
    values = PAPER.get((network, decay > 0))
    if values is None:
        return {}
    first = 2 * list(MEASURES).index(measure)
    return {"linearized": values[first], "influence": values[first + 1]}
