"""Unique information of an under-sampled sub-class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, cumulative, mean_of, mean_ratio, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.unique_information.subclass import Config

TITLE = "How informative an under-sampled sub-class is"
ANSWERS = "Harutyunyan et al. (ICLR 2021), appendix, Figure 7 (200 cats among 4000 dogs, against 4000 deer)"
EXPERIMENT = "subclass"

MEASURES = {"functional": "F-SI", "weights": "SI"}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    with style("full", columns=3, height_to_width=0.95):
        figure, (scores, ratios, areas) = plt.subplots(1, 3, width_ratios=(1.2, 1, 1), layout="constrained")
        _examples(scores, tables["scores"].filter(rare=config.subclasses[1]), config)
        for i, (low, few) in enumerate(_orders(config)):
            own = tables["summary"].filter(rare=few, measure="functional")
            for count in config.rare:
                at = own.filter(count=count)
                found = mean_ratio(at["median_ratio"])
                look = {"color": PALETTE[i], "marker": MARKERS[i], "linestyle": "none"}
                place = count * 1.06 ** (2 * i - 1)  # side by side
                ratios.errorbar(place, found.mean, found.bar, **look)
                area = mean_of(at["auc"])
                areas.errorbar(place, area.mean, area.bar, **look)
            ratios.plot([], [], MARKERS[i], color=PALETTE[i], label=f"“{few}” among {config.common} “{low}”")
        for axis, level, label in (
            (ratios, 1, "median F-SI, rare / common"),
            (areas, 0.5, "AUC, rare above common"),
        ):
            axis.axhline(level, color="0.6", linewidth=0.8, linestyle="-", zorder=0)
            axis.set(xscale="log", xlabel="examples of the rare digit", ylabel=label)
            axis.set_xticks(config.rare, [str(count) for count in config.rare])
            axis.minorticks_off()
        ratios.set_yscale("log")
        ratios.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ratios.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ratios.minorticks_off()
        ratios.legend(fontsize=6)
        bars_note(figure, f"{len(config.seeds)} seeds", also="Means of ratios are geometric.")
    return figure


def _orders(config: Config) -> list[tuple[str, str]]:
    """(common, rare) sub-class."""
    return [config.subclasses, config.subclasses[::-1]][: 1 + config.both]


def _examples(axis: Axes, scores: pl.DataFrame, config: Config) -> None:
    common, rare = config.subclasses
    count = min(config.rare)
    parts = {
        "rare": f"{count} “{rare}”",
        "common": f"{config.common} “{common}”",
        "other": f"{config.others} “{config.other}”",
    }
    samples = {label: scores.filter(part=part)["functional"] for part, label in parts.items()}
    cumulative(axis, samples, {label: {"color": PALETTE[i], "linestyle": LINES[i]} for i, label in enumerate(samples)})
    axis.set_xlabel("F-SI of an example [nats]")
    axis.legend(loc="upper left", fontsize=6)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    for common, rare in _orders(config):
        for count in config.rare:
            for measure, name in MEASURES.items():
                own = tables["summary"].filter(rare=rare, count=count, measure=measure)
                what = f"{count} “{rare}” among {config.common} “{common}”"
                claim = "above 1" if count == min(config.rare) else "not given"
                area = f"AUC {mean_of(own['auc'])}"
                rows.append(
                    (
                        f"median {name} of the rare / of the common, {what}",
                        str(mean_ratio(own["median_ratio"])),
                        claim,
                        area,
                    )
                )
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    fewest, most = min(config.rare), max(config.rare)
    found = []
    for common, rare in _orders(config):
        own = tables["summary"].filter(rare=rare, measure="functional")
        ends = {count: mean_ratio(own.filter(count=count)["median_ratio"]) for count in (fewest, most)}
        text = f"{fewest} “{rare}” among {config.common} “{common}” are more informative than these, as in the paper."
        found.append(Finding(text, ends[fewest].low > 1, f"median F-SI {ends[fewest]} times as high"))
        if most > fewest:
            text = f"“{rare}” score the lower, relative to “{common}”, the less rare they are."
            figure = f"{ends[fewest]} times with {fewest} examples, {ends[most]} times with {most}"
            found.append(Finding(text, ends[most].below(ends[fewest]), figure))
    return tuple(found)


def remarks(config: Config) -> str:
    network = f"one hidden layer of {config.width} ReLU units"
    if config.network != "mlp":
        network = f"{config.network}, pretrained on ImageNet, at {config.size} pixels, with a new last layer"
    text = f"""
    One class is made of two sub-classes that its label does not tell apart, “{config.subclasses[0]}” and
    “{config.subclasses[1]}” of {config.dataset}; the other class is {config.others} “{config.other}”. The network is
    {network}; T = {config.steps} steps with learning rate {config.learning_rate:g}. Points are means over
    {len(config.seeds)} seeds, geometric for ratios, with one standard error either way as bars and in brackets.
    Validation examples are as unbalanced as the training set.
    """
    if config.dataset == "cifar10":
        text += f"""
    The paper has 4000 dogs, 200 cats and 4000 deer; ours are {config.common}, {", ".join(map(str, config.rare))} and
    {config.others}. The text beside its experiment does not name the network; its other photographs go through networks
    pretrained on ImageNet. Raw pixels are another option of the experiment (--network mlp).
    """
    elif config.dataset == "digits":
        text += """
    Of five pairs of digits tried, this one was chosen because both sub-classes score alike when they have as many
    examples, so that the factor is that of being rare. This is not so for every pair. That a score is low does not
    prove that a sub-class is well sampled. With few rare examples their median varies much from draw to draw.
    """
    return text
