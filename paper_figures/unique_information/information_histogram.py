"""Histograms of unique information over a training set, with the least and most informative examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from infojax.plots import PALETTE, Finding, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.unique_information.information_histogram import Config

TITLE = "How informative the examples of a training set are"
ANSWERS = "Harutyunyan et al. (ICLR 2021), the histograms of F-SI with the 10 least and most informative examples"
EXPERIMENT = "information_histogram"

MEASURES = {"functional": "F-SI", "weights": "SI"}
CHANGES = {"functional": "predictions", "weights": "weights"}
ENDS = {"least": "least\ninformative", "most": "most\ninformative"}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("full", height_to_width=0.66):
        figure = plt.figure()
        parts: Any = figure.subfigures(2, 1, height_ratios=(1.25, 1))
        top, bottom = parts
        for axis, measure in zip(top.subplots(1, 2), MEASURES, strict=True):
            _histogram(axis, tables["scores"], measure)
        rows = bottom.subplots(2, config.ends, squeeze=False)
        for row, (end, name) in zip(rows, ENDS.items(), strict=True):
            for axis, entry in zip(
                row, tables["images"].filter(end=end).sort("rank").iter_rows(named=True), strict=True
            ):
                _image(axis, entry)
            row[0].set_ylabel(name, fontsize=6)
    return figure


def _histogram(axis: Axes, scores: pl.DataFrame, measure: str) -> None:
    values = scores[measure].to_numpy()
    edges = np.geomspace(values[values > 0].min(), values.max(), round(len(values) ** 0.5) + 1)
    for i, label in enumerate(scores["label"].unique().sort()):
        own = scores.filter(label=label)[measure].to_numpy()
        look = {"facecolor": (PALETTE[i], 0.35), "edgecolor": PALETTE[i], "linestyle": ("-", "--")[i % 2]}
        axis.hist(own, edges, histtype="stepfilled", label=f"class {label}", linewidth=1.1, **look)
    axis.set_xscale("log")
    axis.set_xlabel(f"{MEASURES[measure]}, change of the {CHANGES[measure]} [nats]")
    axis.locator_params(axis="y", integer=True)
    axis.set_ylabel("examples")
    axis.legend()


def _image(axis: Axes, entry: dict[str, Any]) -> None:
    pixels = np.reshape(entry["pixels"], (entry["height"], entry["width"]))
    axis.imshow(pixels, cmap="gray_r", vmin=0, vmax=1)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set(visible=True, linewidth=0.4, color="0.6")
    axis.set_xlabel(f"“{entry['label']}”  {entry['functional']:.1e}", fontsize=5, labelpad=2)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    for measure, name in MEASURES.items():
        values = np.sort(tables["scores"][measure].to_numpy())
        top = values[-max(1, len(values) // 10) :]
        rows += [
            (f"median {name}", float(np.median(values)), None, "nats, unit smoothing"),
            (f"largest {name}", float(values[-1]), None, f"{values[-1] / np.median(values):.3g} × the median"),
            (f"share of the total {name} in a tenth of the examples", float(top.sum() / values.sum()), None, ""),
        ]
    ranks = tables["scores"].select(pl.corr("functional", "weights", method="spearman")).item()
    rows.append(("Spearman correlation of F-SI with SI", ranks, None, f"{len(tables['scores'])} examples"))
    return pl.DataFrame(
        rows,
        {"quantity": pl.String, "ours": pl.Float64, "paper": pl.Float64, "note": pl.String},
        orient="row",
    )


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    found = []
    for measure, name in MEASURES.items():
        values = np.sort(tables["scores"][measure].to_numpy())
        share = values[-max(1, len(values) // 10) :].sum() / values.sum()
        spread = values[-1] / np.median(values)
        text = f"A tenth of the examples carry more than half of the total {name}."
        found.append(Finding(text, share > 0.5, f"{100 * share:.0f} %; the largest is {spread:.3g} times the median"))
    ranks = tables["scores"].select(pl.corr("functional", "weights", method="spearman")).item()
    return (
        *found,
        Finding("F-SI and SI rank the examples nearly alike (ρ > 0.9).", ranks > 0.9, f"Spearman ρ {ranks:.3f}"),
    )


def remarks(config: Config) -> str:
    first, second = config.classes
    text = (
        f"All {config.n_train} training examples of {config.dataset} {first} against {second}; one hidden layer of "
        f"{config.width} ReLU units, linearised; T = {config.steps} steps with learning rate {config.learning_rate:g}; "
        f"F-SI on {config.n_validation} validation examples. Under each image stand its label and its F-SI. The "
        "horizontal axes are logarithmic. The paper prints no numbers for its histograms, so there are "
        "none to hold ours against; its observation that the informative examples look atypical, the others alike, can "
        "be checked by eye. "
    )
    if config.dataset == "mnist" and config.n_train == 1000:
        return text + "The setting is the paper's MNIST MLP; its random draw of examples is not reproduced."
    return text + "The paper's sets are MNIST 4 against 9 with n = 1000 and others; the paper preset runs the former."
