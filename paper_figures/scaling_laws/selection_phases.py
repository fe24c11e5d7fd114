"""Maps of the best selection rule, hard, easy or all, over pruner or generator and d/n, by the law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from infojax.plots import Finding, style
from infojax.scaling import FRACTIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.scaling_laws.selection_phases import Config

TITLE = "Keep the hard, the easy, or all? The best choice, by how much data there is and how good it is"
ANSWERS = "Dohmatob et al. (arXiv 2511.03492), its claim of when less is more, as phase diagrams"
EXPERIMENT = "selection_phases"

COLORS = {"hard": "#6CA6CD", "easy": "#F7CF8B", "all": "#FFFFFF"}  # differ in grey, and are light enough for text
LEVELS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
TICKS = (1.0, 0.99, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.0)
MAPS = {"pruner": "labels are the truth's", "generator": "pruner is the truth"}


def draw(tables: dict[str, pl.DataFrame], config: Config) -> Figure:
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    panels = [("pool", False), ("kept", False), *([("pool", True)] if config.best_ridge else [])]
    columns = len(panels) + 1
    with style("full", rows=2, columns=columns, height_to_width=1.05):
        figure, axes = plt.subplots(2, columns, sharex=True, squeeze=False, layout="constrained")
        for row, name in enumerate(MAPS):
            for axis, (hold, best_ridge) in zip(axes[row], panels, strict=False):
                _phases(axis, _grid(tables["phases"], name, hold, best_ridge))
                ridge = "best λ" if best_ridge else f"λ = {config.ridge:g}"
                held = "pool of n held" if hold == "pool" else "n kept held"
                axis.set_title(f"{held}, {ridge}", fontsize=7)
            _regret(figure, axes[row, -1], _grid(tables["phases"], name, "pool", False))
            axes[row, -1].set_title(f"lost by keeping all, λ = {config.ridge:g}", fontsize=7)
            axes[row, 0].set_ylabel(f"cosine of the {name}\n({MAPS[name]})")
            for axis in axes[row, 1:]:
                axis.tick_params(labelleft=False)
        figure.supxlabel("dimensions per example, d/n", fontsize=8)
        handles = [Patch(facecolor=COLORS[rule], edgecolor="black", linewidth=0.5) for rule in COLORS]
        labels = ["keep hard", "keep easy", "keep all"]
        title = "contours: best fraction p"
        figure.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=7, title=title, title_fontsize=7)
    return figure


def _grid(phases: pl.DataFrame, name: str, hold: str, best_ridge: bool) -> dict[str, np.ndarray]:
    """The columns of one map as arrays (cosines, ratios); the first cosine is 1."""
    here = (pl.col("map") == name) & (pl.col("hold") == hold) & (pl.col("best_ridge") == best_ridge)
    chosen = phases.filter(here)
    shape = (chosen["cosine"].n_unique(), -1)
    return {column: chosen[column].to_numpy().reshape(shape) for column in chosen.columns}


def _phases(axis: Axes, grid: dict[str, np.ndarray]) -> None:
    from matplotlib.colors import ListedColormap

    ratio, angle = grid["ratio"], np.arccos(grid["cosine"])
    index = np.select([grid["rule"] == rule for rule in COLORS], range(3))
    colors = ListedColormap(list(COLORS.values()))
    axis.pcolormesh(ratio, angle, index, cmap=colors, vmin=-0.5, vmax=2.5, shading="nearest", rasterized=True)
    _dress(axis, grid)  # before the contours, whose labels lie along them
    for rule in ("hard", "easy"):
        here = grid["rule"] == rule
        fraction = np.where(here, grid["kept"], np.nan)
        if here.sum() > 4 and np.nanmin(fraction) < max(LEVELS):
            lines = axis.contour(ratio, angle, fraction, levels=LEVELS, colors="black", linewidths=0.6)
            _label(axis, lines)
    least = (grid["rule"] == "easy") & (grid["kept"] < 1.001 * FRACTIONS[0])
    if least.mean() > 0.1:  # where there is no contour
        end = f"p ≤ {FRACTIONS[0]:g},\nthe end of the search"
        axis.text(0.97, 0.7, end, transform=axis.transAxes, fontsize=5, ha="right")


def _label(axis: Axes, lines: Any) -> None:
    """Label each contour in the middle of its longest piece, where that is long enough and no other label is near."""
    size, corner = np.array([axis.bbox.width, axis.bbox.height]), np.array([axis.bbox.x0, axis.bbox.y0])
    levels = [
        [axis.transData.transform(piece) for piece in path.to_polygons(closed_only=False) if len(piece) > 1]
        for path in lines.get_paths()
    ]
    taken: list[np.ndarray] = []
    for number, pieces in enumerate(levels):
        if not pieces:
            continue
        steps = [np.linalg.norm(np.diff(piece, axis=0) / size, axis=1) for piece in pieces]
        longest = int(np.argmax([step.sum() for step in steps]))
        middle = pieces[longest][np.searchsorted(np.cumsum(steps[longest]), steps[longest].sum() / 2)]
        others = [points for other, some in enumerate(levels) if other != number for points in some]
        crowded = any((np.linalg.norm((points - middle) / size, axis=1) < 0.045).any() for points in others)
        near = any(np.linalg.norm((middle - other) / size) < 0.12 for other in taken)
        inside = (np.abs((middle - corner) / size - 0.5) < 0.46).all()
        if steps[longest].sum() > 0.2 and inside and not near and not crowded:
            taken.append(middle)
            place = axis.transData.inverted().transform(middle)
            axis.clabel(lines, [lines.levels[number]], fontsize=5, fmt="%g", inline_spacing=0, manual=[place])


def _regret(figure: Figure, axis: Axes, grid: dict[str, np.ndarray]) -> None:
    ratio, angle, regret = grid["ratio"], np.arccos(grid["cosine"]), 100 * grid["regret_all"]
    image = axis.pcolormesh(ratio, angle, regret, vmin=0, shading="nearest", rasterized=True)
    bar = figure.colorbar(image, ax=axis)
    bar.set_label("error, percentage points", fontsize=6)
    bar.ax.tick_params(labelsize=6)
    _dress(axis, grid)


def _dress(axis: Axes, grid: dict[str, np.ndarray]) -> None:
    ticks = [tick for tick in TICKS if tick > grid["cosine"].min() - 1e-9]
    axis.set_yticks(np.arccos(ticks), [f"{tick:g}" for tick in ticks], fontsize=6)
    axis.set_xscale("log")
    axis.set_ylim(np.arccos(grid["cosine"].min()), 0)
    axis.set_xlim(grid["ratio"].min(), grid["ratio"].max())


def numbers(tables: dict[str, pl.DataFrame], config: Config) -> pl.DataFrame:
    """How much of each map each rule has, when hard is best, what keeping all loses, and the simulated cells."""
    phases, checks = tables["phases"], tables["checks"]
    rows = []
    for (name, hold, best_ridge), map_ in phases.group_by("map", "hold", "best_ridge", maintain_order=True):
        share = {rule: f"{rule} {100 * np.mean(map_['rule'].to_numpy() == rule):.0f} %" for rule in COLORS}
        ridge = "best λ" if best_ridge else f"λ = {config.ridge:g}"
        worst = map_.sort("regret_all", descending=True).row(0, named=True)
        note = (
            f"keeping all loses at most {100 * worst['regret_all']:.1f} points "
            f"(d/n = {worst['ratio']:.2g}, cosine {worst['cosine']:.2f}: keep {worst['rule']}, p = {worst['kept']:.2g})"
        )
        rows.append(
            (
                f"share of the map: {name}, {'pool' if hold == 'pool' else 'n kept'} held, {ridge}",
                ", ".join(share.values()),
                "not given",
                note,
            )
        )
    for name in MAPS:
        hard = phases.filter(
            (pl.col("map") == name) & (pl.col("hold") == "pool") & ~pl.col("best_ridge") & (pl.col("rule") == "hard")
        )
        ours = "nowhere"
        if hard.height:
            most = hard.filter(pl.col("cosine") == hard["cosine"].min())["ratio"].median()
            ours = f"cosine ≥ {hard['cosine'].min():.2f} (that at d/n = {most:.2g}) and d/n ≤ {hard['ratio'].max():.2g}"
        rows.append(
            (
                f"hard is best only at, {name}, pool held",
                ours,
                "strong and plentiful",
                "the smallest box; at d/n = 1 any thinning helps",
            )
        )
    for cell in checks.partition_by("map", "cosine", "ratio", maintain_order=True):
        best = cell.filter(pl.col("best")).row(0, named=True)
        rivals = [row for row in cell.sort("error").iter_rows(named=True) if not row["best"]]
        ours = "; ".join(f"{_rule(row)} {row['error']:.4f} ± {row['error_stderr']:.4f}" for row in (best, *rivals))
        gap = (rivals[0]["error"] - best["error"]) / np.hypot(rivals[0]["error_stderr"], best["error_stderr"])
        seen = f"law's choice ahead by {gap:.1f} s.e." if gap > 0 else f"law's choice behind by {-gap:.1f} s.e."
        law = ", ".join(f"{row['error_law']:.4f}" for row in (best, *rivals))
        what = f"simulated error, {best['map']} {best['cosine']:.2f}, d/n = {best['ratio']:.2g}"
        rows.append((what, ours, "not given", f"laws {law}; {seen}"))
    return pl.DataFrame(rows, schema=["quantity", "ours", "paper", "difference or note"], orient="row")


def findings(tables: dict[str, pl.DataFrame], config: Config) -> tuple[Finding, ...]:
    pools = tables["phases"].filter(pl.col("hold") == "pool", ~pl.col("best_ridge"))
    right, generated = (pools.filter(pl.col("map") == name) for name in MAPS)
    best = {
        name: {rule: own.filter(pl.col("rule") == rule) for rule in COLORS}
        for name, own in (("right", right), ("generated", generated.filter(pl.col("cosine") < 1)))
    }
    hard, easy = best["right"]["hard"], best["right"]["easy"]
    poorest = right.filter(pl.col("cosine") == right["cosine"].to_numpy().min(), pl.col("ratio").log().abs() > 0.3)
    shares = {
        rule: own.height / max(generated.filter(pl.col("cosine") < 1).height, 1)
        for rule, own in best["generated"].items()
    }
    corner = best["generated"]["hard"]
    plenty = corner.filter(pl.col("ratio") == generated["ratio"].min())
    weakest, ample = (float(np.min(own["cosine"].to_numpy(), initial=1.0)) for own in (corner, plenty))
    gaps = [_gap(cell) for cell in tables["checks"].partition_by("map", "cosine", "ratio", maintain_order=True)]
    return (
        Finding(
            "With right labels, hard is best where examples abound, easy where they are scarce.",
            hard.height > 0 and easy.height > 0 and _median(hard) < _median(easy),
            f"median d/n is {_median(hard):.2g} where hard is best, {_median(easy):.2g} where easy is",
        ),
        Finding(
            "A pruner that knows nothing should not be used, away from the interpolation peak at d/n = 1.",
            (poorest["rule"] == "all").all(),
            f"at cosine {right['cosine'].min():.2g} all is best in {(poorest['rule'] == 'all').sum()} of "
            f"{poorest.height} cells",
        ),
        Finding(
            "With a generator's labels and a perfect pruner, easy is best in most of the map.",
            shares["easy"] > 0.5,
            ", ".join(f"{rule} {100 * share:.0f} %" for rule, share in shares.items()),
        ),
        Finding(
            "Hard keeps a corner of strong generators.",
            corner.height > 0 and np.median(corner["cosine"].to_numpy()) > np.median(generated["cosine"].to_numpy()),
            f"it is best from cosine {weakest:.2f}",
        ),
        Finding(
            "Where examples abound most, hard needs a stronger generator than elsewhere.",
            corner.height > 0 and ample > weakest,
            f"a cosine of {ample:.3f} at d/n = {generated['ratio'].to_numpy().min():.2g}, {weakest:.3f} at its best",
        ),
        Finding(
            "In the simulated cells the law's choice is not behind its rivals by more than two standard errors.",
            min(gaps) > -2,
            f"ahead by {min(gaps):.1f} to {max(gaps):.1f} standard errors in {len(gaps)} cells",
        ),
    )


def _median(cells: pl.DataFrame) -> float:
    return float(np.median(cells["ratio"].to_numpy())) if cells.height else np.nan


def _gap(cell: pl.DataFrame) -> float:
    """By how many standard errors the law's choice is ahead of the best of its rivals."""
    best = cell.filter("best").row(0, named=True)
    rival = cell.filter(~pl.col("best")).sort("error").row(0, named=True)
    return (rival["error"] - best["error"]) / np.hypot(rival["error_stderr"], best["error_stderr"])


def remarks(config: Config) -> str:
    return f"""
    The paper claims that less is more only with many examples and a strong generator, and its theorem says that hard
    examples are best where pruner and generator are both near the truth, easy ones where only the pruner is. These maps
    are ours, not the paper's: rules compete at their best fractions, found by descent through the exact law, at
    λ = {config.ridge:g} relative to n{" and at the best λ of each" if config.best_ridge else ""}. Axes of cosines are
    even in the angle.

    Upper row: labels are right. Lower row: labels are a generator's, and the pruner knows the truth, which nobody's
    does: it shows what the best pruner could do. Easy examples are those whose labels are right. Where contours of one
    rule crowd, the best fraction jumps: the ridge being held, the error has two minima in p, on both sides of p = d/n.
    The sliver of selection at d/n = 1 for any pruner is the interpolation peak, which any thinning leaves.

    "Pool held" asks which of n given examples to keep, "n kept held" how many to generate for each of n trained on:
    then over-sampling is free and best fractions are small. Those at {FRACTIONS[0]:g} are at the end of the range.
    Where no selection saves {config.tolerance:g} in error, the map says all.

    Cells in the table were simulated with d = {config.dimension}, {config.repeats} pools each: the best choice first,
    then its rivals, the other rule at the same fraction and keeping all.
    """


def _rule(row: dict[str, Any]) -> str:
    return "all" if row["rule"] == "random" else f"{row['rule']} {row['kept']:.2g}"
