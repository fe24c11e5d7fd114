"""Accuracy of networks that are trained without the most, or the least, informative examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, Mean, bars_note, style, with_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.unique_information.summarisation import Config

TITLE = "Summarising a training set: accuracy against the fraction removed"
ANSWERS = "Harutyunyan et al. (ICLR 2021), data summarisation (random, top, bottom, bottom-iterative)"
EXPERIMENT = "summarisation"

ORDERS = {
    "bottom-iterative": "least F-SI first, recomputed",
    "bottom": "least F-SI first",
    "bottom-SI": "least SI first",
    "bottom-residual": "least |residual| first",
    "random": "random",
    "top": "most F-SI first",
}
# Our own measurements of the MNIST setting with an independent implementation.
REMOVED = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95)
MNIST = {
    "bottom": (0.964, 0.966, 0.966, 0.968, 0.958, 0.762, 0.451),
    "top": (0.964, 0.949, 0.949, 0.947, 0.939, 0.919, 0.891),
    "random": (0.964, 0.961, 0.954, 0.946, 0.942, 0.909, 0.872),
    "bottom-iterative": (0.964, 0.966, 0.966, 0.970, 0.972, 0.941, 0.913),
}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    summary = _summary(tables["accuracy"])
    lowest = (summary["accuracy"] - summary["stderr"]).to_numpy().min()
    with style("full", height_to_width=0.4):
        figure, panels = plt.subplots(1, 2, sharey=True)
        for axis, shown in zip(
            panels, (("bottom-iterative", "bottom", "random", "top"), ("bottom", "bottom-SI", "bottom-residual")),
            strict=True,
        ):  # fmt: skip
            for order in shown:
                i = tuple(ORDERS).index(order)
                own = summary.filter(pl.col("order") == order)
                axis.errorbar(
                    100 * own["removed"], 100 * own["accuracy"], 100 * own["stderr"],
                    color=PALETTE[i], linestyle=LINES[i], marker=MARKERS[i], label=ORDERS[order],
                )  # fmt: skip
            axis.axhline(50, color="0.6", linewidth=0.6, linestyle="-", zorder=0)
            axis.annotate("chance", (60, 50), (0, 2), textcoords="offset points", fontsize=6, color="0.4")
            axis.set_xlabel("removed [% of the training examples]")
            axis.legend(loc="lower left", bbox_to_anchor=(0, 0.4))
        panels[0].set_ylim(min(40, 100 * lowest - 2), 101.5)
        panels[0].set_ylabel("test accuracy of the retrained network [%]")
        panels[0].set_title("by unique information (F-SI)")
        panels[1].set_title("by other scores, without recomputing")
        bars_note(figure, f"{config.repeats} repeats")
    return figure


def _summary(accuracy: pl.DataFrame) -> pl.DataFrame:
    return accuracy.group_by("order", "removed", maintain_order=True).agg(
        pl.col("accuracy").mean(), stderr=(pl.col("accuracy").std() / pl.len().sqrt()).fill_null(0.0)
    )


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    for order, name in ORDERS.items():
        for entry in _summary(tables["accuracy"]).filter(pl.col("order") == order).iter_rows(named=True):
            note = ""
            if order in MNIST and entry["removed"] in REMOVED:
                note = f"our own on MNIST 4v9, n = 1000: {MNIST[order][REMOVED.index(entry['removed'])]:.3f}"
            ours = f"{entry['accuracy']:.3f}" + (f" ± {entry['stderr']:.3f}" if config.repeats > 1 else "")
            rows.append((f"accuracy, {name}, {100 * entry['removed']:g} % removed", ours, "not given", note))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    summary = _summary(tables["accuracy"])
    of = {
        (order, removed): with_error(accuracy, stderr)
        for order, removed, accuracy, stderr in summary.select("order", "removed", "accuracy", "stderr").iter_rows()
    }
    half, most = (min(config.removed, key=lambda fraction: abs(fraction - aim)) for aim in (0.5, 0.9))
    full = of["bottom", min(config.removed)]

    def told(removed: float, *orders: str) -> str:
        return ", ".join(f"{_percent(of[order, removed])} {ORDERS[order]}" for order in orders)

    return (
        Finding(
            f"The least informative {100 * half:g} % can go without loss, as the paper says.",
            not of["bottom", half].below(full),
            f"accuracy {_percent(of['bottom', half])} without them, {_percent(full)} with all",
        ),
        Finding(
            "Without as many at random the accuracy is lower.",
            of["random", half].below(of["bottom", half]),
            told(half, "random", "bottom"),
        ),
        Finding(
            f"Where {100 * most:g} % go one must recompute, as the paper says: at once is worse than at random.",
            of["bottom", most].below(of["random", most]),
            told(most, "bottom", "random"),
        ),
        Finding(
            "Recomputed as they go, it is better than at random.",
            of["random", most].below(of["bottom-iterative", most]),
            told(most, "bottom-iterative", "random"),
        ),
        Finding(
            f"The plain residual summarises as well as F-SI where {100 * half:g} % go.",
            not of["bottom-residual", half].below(of["bottom", half]),
            told(half, "bottom-residual", "bottom", "bottom-SI"),
        ),
    )


def _percent(accuracy: Mean) -> str:
    return f"{100 * accuracy.mean:.1f} % ({100 * accuracy.low:.1f} to {100 * accuracy.high:.1f})"


def remarks(config: Config) -> str:
    first, second = config.classes
    return f"""
    Here: {config.dataset} {first} against {second}, n = {config.n_train}, {config.n_test} test examples apart from the
    {config.n_validation} that F-SI is measured on; one hidden layer of {config.width} ReLU units, trained in earnest
    from the same initial weights for {config.steps} steps with learning rate {config.learning_rate:g} on the mean loss
    of what is left. Points are means, bars standard errors over {config.repeats} draws of examples and weights; all
    orders share a draw. The recomputed order removes {100 * config.at_a_time:g} % of the examples left at a time, as
    the authors' code does, with the kernel at the initialisation. The paper prints no numbers for its curves. Its other
    set, Cassava leaves with a pretrained ResNet-18, was not run.
    """
