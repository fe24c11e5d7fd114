"""Unique information of adversarial examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, bars_note, cumulative, mean_of, mean_ratio, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.unique_information.adversarial import Config

TITLE = "How informative adversarial examples are, few and many"
ANSWERS = "Harutyunyan et al. (ICLR 2021), informativeness of adversarial examples"
EXPERIMENT = "adversarial"

MEASURES = {"functional": "F-SI", "weights": "SI"}
LOOKS = {"clean": 3, "noise": 2, "FGSM": 1, "PGD": 0}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    columns = 2 + len(config.n_added)
    with style("full", columns=columns, height_to_width=1.3):
        figure, axes = plt.subplots(1, columns, layout="constrained")
        _examples(axes[0], tables["scores"], config)
        summary = tables["summary"].filter(measure="functional")
        middle = axes[1:-1]
        for axis, count in zip(middle, config.n_added, strict=True):
            _ratios(axis, summary.filter(added=count), min(config.radii))
            axis.set_title(f"{count} added to {config.n_train}", fontsize=7)
        low, high = (bound(axis.get_ylim()[i] for axis in middle) for i, bound in enumerate((min, max)))
        for axis in middle:
            axis.set_ylim(low, high)
        middle[0].set_ylabel("median F-SI,\nadded / training set")
        _errors(axes[-1], summary.filter(added=max(config.n_added)))
        for axis in axes[1:]:
            axis.set_xlabel("ε / pixel range")
            axis.set_xticks((0, *config.radii), [f"{radius:g}" for radius in (0, *config.radii)])
        handles = axes[-1].get_legend_handles_labels()
        training = axes[0].get_legend_handles_labels()
        figure.legend(
            training[0][:1] + handles[0], training[1][:1] + handles[1],
            loc="outside upper center", ncols=5, fontsize=6, handlelength=3,
        )  # fmt: skip
        also = "Means of ratios are geometric. ε: largest change of a pixel."
        bars_note(figure, f"{len(config.seeds)} seeds", also=also)
    return figure


def _radius(config: Config) -> float:
    """Which ε the distributions are drawn for."""
    return sorted(config.radii)[len(config.radii) // 2]


def _examples(axis: Axes, scores: pl.DataFrame, config: Config) -> None:
    clean, added = scores.filter(kind="clean"), scores.filter(source=1)
    values = clean.filter(source=0)["functional"].to_numpy()
    samples: dict[str, Any] = {"training set": values}
    looks: dict[str, dict[str, Any]] = {"training set": {"color": "0.6", "linestyle": "-", "linewidth": 2.2}}
    for kind, i in LOOKS.items():
        own = added.filter(kind=kind, radius=0.0 if kind == "clean" else _radius(config))
        samples[kind], looks[kind] = own["functional"], {"color": PALETTE[i], "linestyle": LINES[i]}
    cumulative(axis, samples, looks, low=0.04)
    axis.set_xlabel("F-SI [nats]")
    axis.set_title(f"{min(config.n_added)} added, ε = {_radius(config):g}", fontsize=7)


def _ratios(axis: Axes, summary: pl.DataFrame, gap: float) -> None:
    for kind, i in LOOKS.items():
        for radius in summary.filter(kind=kind)["radius"].unique().sort():
            found = mean_ratio(summary.filter(kind=kind, radius=radius)["median_ratio"])
            # Side by side, as FGSM and PGD would lie on each other.
            place = radius + (0.12 * gap * (i - 1) if radius else 0)
            axis.errorbar(place, found.mean, found.bar, color=PALETTE[i], marker=MARKERS[i], linestyle="none")
    axis.axhline(1, color="0.6", linewidth=0.8, linestyle="-", zorder=0)
    axis.set_yscale("log")


def _errors(axis: Axes, summary: pl.DataFrame) -> None:
    for kind, i in LOOKS.items():
        own = (
            summary.filter(kind=kind)
            .group_by("radius")
            .agg(pl.col("error").mean(), spread=pl.col("error").std() / pl.len().sqrt())
            .sort("radius")
        )
        look = {"color": PALETTE[i], "marker": MARKERS[i], "linestyle": LINES[i], "label": kind}
        axis.errorbar(own["radius"], own["error"], own["spread"].fill_null(0.0), **look)
    axis.set(ylim=(-0.04, 1.04), ylabel="misclassified [fraction]")
    axis.set_title("network attacked", fontsize=7)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    rows = []
    for measure, name in MEASURES.items():
        for count in config.n_added:
            own = tables["summary"].filter(measure=measure, added=count)
            for (kind, radius), group in own.group_by("kind", "radius", maintain_order=True):
                what = f"median {name}, added / training set: {count} {kind}" + (f", ε = {radius:g}" if radius else "")
                claim = "above 1" if kind in ("FGSM", "PGD") else "not given"
                note = f"AUC {mean_of(group['auc'])}"
                note += f"; left out together {mean_ratio(group['together'] / group['sum']).mean:.3g} × their sum"
                if measure == "functional":
                    note += f"; {group['error'].mean():.0%} misclassified, moved by {group['distance'].mean():.2f} (L2)"
                rows.append((what, str(mean_ratio(group["median_ratio"])), claim, note))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    few, many, radius = min(config.n_added), max(config.n_added), max(config.radii)
    functional = tables["summary"].filter(measure="functional")

    def at(kind: str, count: int) -> pl.DataFrame:
        return functional.filter(kind=kind, added=count, radius=0.0 if kind == "clean" else radius)

    score = {(kind, count): mean_ratio(at(kind, count)["median_ratio"]) for kind in LOOKS for count in (few, many)}
    shared = {kind: mean_ratio(at(kind, many)["together"] / at(kind, many)["sum"]) for kind in LOOKS}
    return (
        Finding(
            f"{few} adversarial examples are more informative than the training set, as the paper says.",
            all(score[kind, few].low > 1 for kind in ("PGD", "FGSM")),
            f"median F-SI {score['PGD', few]} times (PGD), {score['FGSM', few]} times (FGSM), ε = {radius:g}",
        ),
        Finding(
            f"{few} adversarial examples are more informative than noise of the same size.",
            all(score["noise", few].below(score[kind, few]) for kind in ("PGD", "FGSM")),
            f"noise {score['noise', few]} times, unchanged {score['clean', few]} times",
        ),
        Finding(
            f"{many} adversarial examples at once score lower than {few}.",
            all(score[kind, many].below(score[kind, few]) for kind in ("PGD", "FGSM")),
            f"{score['PGD', many]} times (PGD), {score['FGSM', many]} times (FGSM)",
        ),
        Finding(
            f"{many} adversarial examples at once score lower than as many with noise.",
            all(score[kind, many].below(score["noise", many]) for kind in ("PGD", "FGSM")),
            f"noise {score['noise', many]} times",
        ),
        Finding(
            f"Attacked examples teach the same: together, {many} are worth more times their sum than noisy ones are.",
            all(shared["noise"].below(shared[kind]) for kind in ("PGD", "FGSM")),
            ", ".join(f"{kind} × {ratio}" for kind, ratio in shared.items()),
        ),
    )


def remarks(config: Config) -> str:
    first, second = config.classes
    return f"""
    A network of one hidden layer of {config.width} ReLU units is trained by {config.steps} steps of gradient descent on
    {config.n_train} images of {config.dataset} {first} against {second}. Further images are attacked within
    |x' − x| ≤ ε, pixels staying within their range, along the gradient of the margin by which this network errs (in
    one step, FGSM, or in {config.pgd_steps}, PGD), and added with their true labels; all are scored at the
    initialisation. Clean are the same images unchanged, noise has random signs of size ε and so nearly the same
    length: it is the control for distance. Means over {len(config.seeds)} seeds, geometric for ratios, with one
    standard error either way as bars and in brackets. The paper prints no numbers; strengths and numbers added are
    ours.

    Attacks push along similar directions of one network, while every draw of noise is its own. Unique information is
    what an example has that the others have not.
    """
