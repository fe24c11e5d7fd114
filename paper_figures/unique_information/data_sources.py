"""Unique information of two data sources: example by example, as a whole, and by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, cumulative, mean_of, mean_ratio, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.unique_information.data_sources import Config

TITLE = "How informative two data sources are for one task"
ANSWERS = "Harutyunyan et al. (ICLR 2021), Figure 2a (MNIST and SVHN digits)"
EXPERIMENT = "data_sources"

MEASURES = {
    "functional": "F-SI",
    "weights": "SI",
    "functional_on_first": "F-SI on the first alone",
    "functional_on_second": "F-SI on the second alone",
}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    rows = len(config.seconds)
    with style("full", rows=rows, columns=3, height_to_width=0.85):
        figure, axes = plt.subplots(
            rows, 3, squeeze=False, sharey="col", width_ratios=(1.2, 1, 1.2), layout="constrained"
        )
        for row, second in zip(axes, config.seconds, strict=True):
            scores, groups = (tables[name].filter(second=second) for name in ("scores", "groups"))
            names = _names(config, second)
            _examples(row[0], scores, names)
            _wholes(row[1], groups.filter(kind="source"), names)
            _classes(row[2], groups.filter(kind="class"))
        for axis in axes[0, 1:]:
            axis.set_ylim(bottom=0)
        axes[0, 1].set_ylim(top=axes[0, 1].get_ylim()[1] * 1.25)
        axes[0, 1].legend(loc="upper center", fontsize=6)
        first, last = (end(axis.get_xlim()[i] for axis in axes[:, 0]) for i, end in enumerate((min, max)))
        for axis in axes[:, 0]:
            axis.set_xlim(first, last)
        for axis, label in zip(axes[-1], ("F-SI of an example [nats]", "source", "class"), strict=True):
            axis.set_xlabel(label)
        bars_note(figure, f"{len(config.seeds)} seeds", also="All means are geometric.")
    return figure


def _names(config: Config, second: str) -> tuple[str, str]:
    known = {"photographs": f"{config.dataset} over photographs", "itself": f"other {config.dataset}"}
    return config.dataset, known.get(second, second)


def _examples(axis: Axes, scores: pl.DataFrame, names: tuple[str, str]) -> None:
    looks = {name: {"color": PALETTE[source], "linestyle": LINES[source]} for source, name in enumerate(names)}
    samples = {name: scores.filter(source=source)["functional"] for source, name in enumerate(names)}
    cumulative(axis, samples, looks)
    axis.set(ylim=(0, 1.36), yticks=(0, 0.25, 0.5, 0.75, 1))
    axis.legend(loc="upper left", fontsize=6)


def _wholes(axis: Axes, groups: pl.DataFrame, names: tuple[str, str]) -> None:
    marks = {"functional": ("left out as a whole", -0.08), "functional_sum": ("sum over its examples", 0.08)}
    for i, (column, (label, shift)) in enumerate(marks.items()):
        for source in (0, 1):
            found = mean_ratio(groups.filter(source=source)[column])
            color, fill = PALETTE[source], "w" if i else PALETTE[source]
            axis.errorbar(
                source + shift, found.mean, found.bar, color=color, marker=MARKERS[source], markerfacecolor=fill,
                linestyle="none",
            )  # fmt: skip
        axis.plot([], [], MARKERS[0], color="0.3", markerfacecolor="w" if i else "0.3", label=label)
    axis.set(xlim=(-0.5, 1.5), ylabel="F-SI of a source [nats]")
    axis.set_xticks([0, 1], [name.replace(" over ", "\nover ") for name in names], fontsize=6)


def _classes(axis: Axes, groups: pl.DataFrame) -> None:
    labels = groups["label"].unique().sort().to_list()
    for source in (0, 1):
        for place, label in enumerate(labels):
            own = groups.filter(source=source, label=label)
            if own.is_empty():  # the draws held no example of it
                continue
            found = mean_ratio(own["functional"] / own["examples"])
            x, color, marker = place + 0.24 * (source - 0.5), PALETTE[source], MARKERS[source]
            axis.errorbar(x, found.mean, found.bar, color=color, marker=marker, linestyle="none")
    axis.set_ylabel("F-SI of a class of a source,\nper example [nats]")
    axis.set_xticks(range(len(labels)), labels)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    for second in config.seconds:
        first, other = _names(config, second)
        for measure, name in MEASURES.items():
            own = tables["summary"].filter(second=second, measure=measure)
            ratio = str(mean_ratio(own["median_ratio"]))
            claim = "“much more” (SVHN / MNIST)" if measure == "functional" and second != "itself" else "not given"
            rows.append((f"median {name} of {other} / of {first}", ratio, claim, f"AUC {mean_of(own['auc'])}"))
        groups = tables["groups"].filter(second=second, kind="source").sort("seed")
        parts = [groups.filter(source=source) for source in (0, 1)]
        whole = mean_ratio(parts[1]["functional"] / parts[0]["functional"])
        rows.append((f"F-SI of {other} / of {first}, each left out as a whole", str(whole), "not given", ""))
        for part, name in zip(parts, (first, other), strict=True):
            total = mean_ratio(part["functional"])
            unique = mean_ratio(part["functional"] / part["functional_sum"])
            note = f"{total.mean / part['examples'][0]:.2e} an example; {unique.mean:.3g} × the sum over its examples"
            rows.append(
                (f"F-SI of all of {name} beside {other if name == first else first}", str(total), "not given", note)
            )
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    found = []
    for second in config.seconds:
        first, other = _names(config, second)
        own = tables["summary"].filter(second=second, measure="functional")
        ratio, area = mean_ratio(own["median_ratio"]), mean_of(own["auc"])
        alone = [
            mean_ratio(tables["summary"].filter(second=second, measure=f"functional_on_{which}")["median_ratio"]).mean
            for which in ("first", "second")
        ]
        figure = (
            f"median F-SI {ratio} times (AUC {area}); {alone[0]:.3g} times over validation examples of the first "
            f"source, {alone[1]:.3g} times over those of the second"
        )
        groups = tables["groups"].filter(second=second, kind="source").sort("seed")
        parts = [groups.filter(source=source) for source in (0, 1)]
        whole = mean_ratio(parts[1]["functional"] / parts[0]["functional"])
        sums = [mean_ratio(part["functional"] / part["functional_sum"]) for part in parts]
        if second == "itself":
            found.append(
                Finding(f"The control: {other} are as informative as {first}.", ratio.low <= 1 <= ratio.high, figure)
            )
        else:
            paper = " The paper finds so of SVHN." if second == "photographs" else ""
            found.append(Finding(f"{other} are more informative than {first}.{paper}", ratio.low > 1, figure))
            text = f"Over the first source's validation examples alone, {first} are the more informative."
            found.append(Finding(text, alone[0] < 1, f"{other} {alone[0]:.3g} times as high as {first}"))
        told = f"{first} {sums[0]} times, {other} {sums[1]} times; all {other} are worth {whole} times all {first}"
        text = f"Left out as a whole, {first} and {other} are each worth more than the sum over their examples."
        found.append(Finding(text, all(part.low > 1 for part in sums), told))
    return tuple(found)


def remarks(config: Config) -> str:
    text = f"""
    The paper pools 500 MNIST and 500 SVHN digits for a ten-way task, scores them with an ImageNet ResNet-18, and finds
    SVHN much more informative; it prints no number. SVHN is in no registry of packages. Ours is the same question with
    second sources that are: “photographs” draws other images of the first source over random patches of two
    photographs, in the manner of MNIST-M, so that they have the same ten classes and SVHN's colour and variety;
    “itself” are other images of the first source, a control for which there must be no difference. {config.n_train}
    training and {config.n_validation} validation examples of each source (F-SI is over both), one hidden layer of
    {config.width} ReLU units, T = {config.steps} steps with learning rate {config.learning_rate:g}, k = 10 one-hot
    targets. Means over {len(config.seeds)} seeds, geometric for ratios, with one standard error either way as bars
    and in brackets.

    F-SI counts what changes on the validation examples of both sources, and a source informs most about itself. Where
    examples stand in for one another, none of them is unique: the source whose examples score higher need not be the
    one that is missed more. On the right, each class of each source is left out as a whole (blue circles the first,
    orange squares the second).
    """
    if "fashion-mnist" in config.seconds:
        text += """
    Fashion-MNIST has ten classes that are not digits. They are numbered, and the network is asked for the number:
    output c is to be 1 for the digit c and for garment number c. The two sources share no class beyond that: they are
    two tasks for one network rather than two sources for one task.
    """
    return text
