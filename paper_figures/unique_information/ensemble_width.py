"""Information in ensembles of real networks of growing width, against the exact one of infinite width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.unique_information.ensemble_width import Config

TITLE = "Exact information of the infinitely wide ensemble, and ensembles of real networks"
ANSWERS = (
    "The definition of functional information in Harutyunyan et al. (ICLR 2021, section 2), which the paper linearises "
    "and smooths; the Gaussian process is that of Lee et al. (NeurIPS 2019)"
)
EXPERIMENT = "ensemble_width"

MEASURES = {"joint": "all validation points together", "pointwise": "one validation point, on average"}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    with style("full", columns=2, height_to_width=0.8):
        figure, axes = plt.subplots(1, 2)
        for axis, (measure, name) in zip(axes, MEASURES.items(), strict=True):
            for i, exact in enumerate(tables["exact"].iter_rows(named=True)):
                own = tables["ensembles"].filter(example=exact["example"]).sort("width")
                # Side by side, so that error bars do not cover one another.
                widths = own["width"].to_numpy() * 1.06 ** (i - (len(tables["exact"]) - 1) / 2)
                look = {"color": PALETTE[i], "marker": MARKERS[i], "linestyle": "none"}
                label = f"a “{exact['label']}”, rank {exact['rank']} by information"
                axis.axhline(exact[measure], color=PALETTE[i], linestyle=LINES[i], linewidth=1)
                axis.errorbar(widths, own[measure], own[f"{measure}_error"], label=label, **look)
            axis.set(xlabel="width of the networks", ylabel="divergence without the example [nats]", title=name)
            axis.set_xscale("log", base=2)
            axis.set_xticks(config.widths, [str(width) for width in config.widths])
            axis.set_xticks([], minor=True)
            axis.set_ylim(0, 1.35 * max(axis.get_ylim()[1], tables["exact"][measure].max()))
        axes[0].legend(loc="upper left")
        lines = axes[1].plot([], [], color="0.3", linestyle="-", linewidth=1, label="lines: infinite width, exact")
        axes[1].legend(handles=lines, loc="upper left")
        bars_note(figure, f"{config.members} networks of each width")
    return figure


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    for measure, name in MEASURES.items():
        for exact in tables["exact"].iter_rows(named=True):
            own = tables["ensembles"].filter(example=exact["example"]).sort("width")
            what = f"example {exact['example']}, {name}"
            rows.append((f"{what}: infinite width", exact[measure], None, "nats, exact"))
            for entry in pl.concat([own.head(1), own.tail(1)]).iter_rows(named=True):
                apart = (entry[measure] - exact[measure]) / entry[f"{measure}_error"]
                note = f"± {entry[f'{measure}_error']:.2g}; {apart:+.1f} standard errors from infinite width"
                rows.append((f"{what}: width {entry['width']}", entry[measure], None, note))
    columns = {"quantity": pl.String, "ours": pl.Float64, "paper": pl.Float64, "note": pl.String}
    return pl.DataFrame(rows, columns, orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    joined = tables["ensembles"].join(tables["exact"], on="example", suffix="_exact").with_columns(
        ratio=pl.col("joint") / pl.col("joint_exact"),
        apart=((pl.col("joint") - pl.col("joint_exact")) / pl.col("joint_error")).abs(),
    )  # fmt: skip
    ratios = joined.group_by("width").agg(pl.mean("ratio")).sort("width")
    off = (ratios["ratio"] - 1).abs()
    widest = joined.filter(width=max(config.widths))
    return (
        Finding(
            "The wider the networks, the nearer the divergence of their ensembles to that of infinite width.",
            off.is_sorted(descending=True),
            ", ".join(f"{ratio:.2f} times at width {width}" for width, ratio in ratios.iter_rows()),
        ),
        Finding(
            "At the largest width every example is within three standard errors of infinite width.",
            widest["apart"].to_numpy().max() < 3,
            f"{widest['apart'].max():.1f} standard errors at most, {widest.height} examples at {max(config.widths)}",
        ),
    )


def remarks(config: Config) -> str:
    first, second = config.classes
    return (
        f"Networks with one hidden ReLU layer in the NTK parameterisation on {config.dataset} {first} against "
        f"{second}, averaged over {config.pool} × {config.pool} pixels; n = {config.n_train}, {config.steps} steps of "
        f"gradient descent with learning rate {config.learning_rate:g} on the mean squared loss, from {config.members} "
        f"random initialisations for every width, and from the same ones without each of {config.left_out} examples. "
        f"Points: divergence of the Gaussians with the moments of the predictions at {config.n_validation} validation "
        "points, less its bias by bootstrap; bars: one standard error, by bootstrap over the networks. Lines: the "
        "exact divergence of the infinitely wide ensemble, computed without training any network."
        "\n\nThe same initialisations serve all examples at one width, so that their deviations there have chance in "
        "common. The paper has no such figure, and so no numbers to hold ours against."
    )
