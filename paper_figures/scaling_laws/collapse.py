"""Test error over generations of relabelled data, law over simulation (Why Less is More)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from infojax.plots import LINES, MARKERS, PALETTE, Finding, Mean, bars_note, style, with_error

from .._agreement import agreement, follows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.scaling_laws.collapse import Config

TITLE = "Learners trained on each other's labels: what curation holds, and what it cannot"
ANSWERS = "Why Less is More (Sometimes) (arXiv 2511.03492), model collapse and label-aware curation"
EXPERIMENT = "collapse"


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt

    columns = len(config.sizes) + 1
    with style("full", columns=columns, height_to_width=1.0):
        figure, axes = plt.subplots(1, columns, sharey=True, layout="constrained")
        for axis, size in zip(axes, config.sizes, strict=False):
            _generations(axis, tables["points"].filter(pl.col("size") == size), config)
            axis.set_title(f"n = {size:g} d", fontsize=7)
        axes[0].set_ylabel("test error (fraction misclassified)")
        _pruners(axes[-1], tables["law"], config)
        handles, labels = axes[0].get_legend_handles_labels()
        more_handles, more_labels = axes[-1].get_legend_handles_labels()
        place = {"loc": "outside upper center", "ncols": 3}
        figure.legend(handles + more_handles, labels + more_labels, **place, fontsize=6, handlelength=3)
        also = "Lines: exact law. The pruner's cosine with the truth is 1 where none is given."
        bars_note(figure, f"{config.repeats} runs", also=also)
    return figure


def _generations(axis: Axes, points: pl.DataFrame, config: Config) -> None:
    for index, (name, _, _, pruner) in enumerate(config.curations):
        here = points.filter(pl.col("name") == name)
        color, dashes, marker = PALETTE[index], LINES[index], MARKERS[index]
        axis.plot(here["generation"], here["error_law"], color=color, linestyle=dashes)
        axis.errorbar(
            here["generation"],
            here["error"],
            here["error_stderr"],
            color=color,
            marker=marker,
            markersize=2.8,
            linestyle="none",
        )
        label = f"{name} (cosine {pruner:g})" if pruner < 1 else name
        axis.plot([], [], color=color, linestyle=dashes, marker=marker, markersize=2.8, label=label)
    axis.set_yscale("log")
    ticks = (0.02, 0.05, 0.1, 0.2, 0.5)
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_xticks(sorted({1, *range(0, config.generations + 1, max(1, config.generations // 5))} - {0}))
    axis.set_xlim(0.5, config.generations + 0.5)
    axis.set_xlabel("generation")


def _pruners(axis: Axes, law: pl.DataFrame, config: Config) -> None:
    """The last generation against the error of the pruner itself, arccos(cosine)/π."""

    def own(cosine: np.ndarray) -> np.ndarray:
        return np.arccos(np.clip(cosine, -1, 1)) / np.pi

    law = law.filter((pl.col("size") == config.sizes[-1]) & (pl.col("generation") == config.generations))
    kinds = [(kept, aware) for _, kept, aware, _ in config.curations]
    for kept, aware in dict.fromkeys(kinds):
        index = kinds.index((kept, aware))
        line = law.filter((pl.col("kept") == kept) & (pl.col("label_aware") == aware))
        axis.plot(own(line["pruner"].to_numpy()), line["error_law"], color=PALETTE[index], linestyle=LINES[index])
    ends = own(np.array([0.9999, 0.0]))
    look = {"color": "0.6", "linewidth": 0.8, "linestyle": "-", "zorder": 0}
    axis.plot(ends, ends, **look, label="the pruner's own error (right panel)")
    axis.set_xscale("log")
    ticks = (0.005, 0.02, 0.1, 0.5)
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_ylim(0.018, 0.6)
    axis.set_xlabel("the pruner's own error")
    axis.set_title(f"n = {config.sizes[-1]:g} d, generation {config.generations}, law", fontsize=7)


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    points = tables["points"]
    rows = []
    ends = pl.col("generation").is_in([1, config.generations])
    for size in config.sizes:
        for name, _, _, pruner in config.curations:
            chain = points.filter((pl.col("size") == size) & (pl.col("name") == name))
            first, final = chain.row(0, named=True), chain.row(-1, named=True)
            ours = f"{first['error']:.3f} → {final['error']:.3f} ± {final['error_stderr']:.3f}"
            note = f"the law says {first['error_law']:.3f} → {final['error_law']:.3f}"
            if pruner < 1:
                note += f"; the pruner itself errs on {np.arccos(pruner) / np.pi:.3f}"
            what = f"error of generation 1 → {config.generations}, n = {size:g} d, {name}"
            rows.append((what, ours, "not given", note))
    spread = np.sqrt(np.mean(points.filter(ends)["z"].to_numpy() ** 2))
    chance = np.sqrt((config.repeats - 1) / (config.repeats - 3))  # of Student's t
    rows += [
        *agreement(points, config.repeats),
        (
            "root mean square deviation, first and last generations",
            f"{spread:.2f} s.e.",
            "not given",
            f"{chance:.2f} if only chance is at work",
        ),
    ]
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    points = tables["points"]
    few, many = min(config.sizes), max(config.sizes)

    def chain(size: float, kept: float, aware: bool, pruner: float = 1.0) -> pl.DataFrame:
        own = points.filter(size=size, kept=kept, label_aware=aware, pruner=pruner)
        return own.sort("generation")

    def ends(rows: pl.DataFrame) -> tuple[Mean, Mean]:
        first, last = (with_error(*rows.select("error", "error_stderr").row(place)) for place in (0, -1))
        return first, last

    kept = min(part for _, part, _, _ in config.curations)
    alone = {size: ends(chain(size, 1.0, False)) for size in config.sizes}
    hard = {size: ends(chain(size, kept, False)) for size in config.sizes}
    aware = {size: ends(chain(size, kept, True)) for size in config.sizes}
    poor = [
        (size, pruner, *ends(chain(size, part, True, pruner)))
        for size in config.sizes
        for _, part, looks, pruner in config.curations
        if looks and pruner < 1
    ]
    as_pruner = [last.mean > 0.95 * np.arccos(pruner) / np.pi for _, pruner, _, last in poor]
    return (
        Finding(
            "Without curation the error grows from the first generation to the last.",
            all(first.below(last) for first, last in alone.values()),
            _told(alone),
        ),
        Finding(
            "Label-aware curation of the hard half, by a perfect pruner, ends below no curation.",
            all(aware[size][1].below(alone[size][1]) for size in config.sizes),
            _told(aware),
        ),
        Finding(
            f"Keeping the hard half without looking at labels slows the drift at n = {many:g} d.",
            hard[many][1].below(alone[many][1]),
            f"it ends at {hard[many][1]}, without curation at {alone[many][1]}",
        ),
        Finding(
            f"At n = {few:g} d it starts below no curation and ends above it.",
            hard[few][0].below(alone[few][0]) and alone[few][1].below(hard[few][1]),
            f"{hard[few][0]} → {hard[few][1]} against {alone[few][0]} → {alone[few][1]}",
        ),
        Finding(
            "A chain with an imperfect pruner ends at the pruner's own error or above.",
            len(as_pruner) > 0 and all(as_pruner),
            ", ".join(
                f"{last.mean:.3f} where the pruner errs on {np.arccos(pruner) / np.pi:.3f} (n = {size:g} d)"
                for size, pruner, _, last in poor
            )
            or "not measured",
        ),
        follows(points.filter(pl.col("error") < 0.45), "point with an error below 0.45"),
    )


def _told(ends: dict[float, tuple[Mean, Mean]]) -> str:
    return ", ".join(f"{first.mean:.3f} → {last.mean:.3f} at n = {size:g} d" for size, (first, last) in ends.items())


def remarks(config: Config) -> str:
    return f"""
    The first learner has the truth's labels, each later one those of the learner before it, on fresh examples; one
    pruner curates every generation's pool. The paper shows collapse with networks on images, which is not repeated
    here, and its curves could not be read; this is its theory's setting, where every generation is exact by the
    law. d = {config.dimension}, λ = {config.ridge:g} relative to 1/n; "hard half" keeps the half nearest to the
    pruner's boundary, "label-aware" rejects labels that the pruner disagrees with. Pruners are perfect unless said
    otherwise.

    What label-aware curation holds the chain to is the pruner, not the truth.

    Where a chain loses the truth, a finite dimension shows: at an error near 1/2 the cosine cannot be told from
    1/√d, and points may leave the law. Error bars are of {config.repeats} chains; points of one chain are not
    independent.
    """
