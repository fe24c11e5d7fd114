"""Which examples to keep, hard, easy or all: the best choice by the law, over how many there are and how good.

After Dohmatob et al. (arXiv 2511.03492): less is more only with many examples and a strong generator. Two maps: the
cosine of the pruner with the truth, labels being the truth's; and the cosine of the generator of the labels, the
pruner being the truth. Each over d/n. Tables: `phases`, the best rule, its fraction and ridge, and what the others
lose; `checks`, a few cells simulated, the best choice beside others.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.scaling import best_selection, deviations, with_law, with_simulation

NAMES = ("hard", "easy", "all")


@dataclass(frozen=True)
class Config:
    """The paper's qualitative claim, on maps of our own."""

    ratios: tuple[float, float] = (0.01, 4.0)
    """d/n, smallest and largest."""
    worst_pruner: float = 0.0
    """Cosine of the worst pruner with the truth; the best is the truth."""
    worst_generator: float = 0.5
    """Cosine of the worst generator of labels with the truth; the best is the truth."""
    grid: int = 60
    """Points along each axis, evenly spaced in log d/n and in the angle whose cosine is meant."""
    ridge: float = 1e-2
    """λ where it is not optimised, relative to 1/n."""
    best_ridge: bool = False
    """Whether the maps are drawn also with λ optimised for each choice; about half a minute more of compiling."""
    tolerance: float = 1e-3
    """Error that a selection must save; where none does, all is kept."""
    checks: tuple[tuple[str, float, float], ...] = (
        ("pruner", 1.0, 0.1),
        ("pruner", 0.9, 0.1),
        ("pruner", 0.9, 1.0),
        ("generator", 0.99, 0.1),
        ("generator", 0.8, 0.1),
        ("generator", 0.8, 1.0),
    )
    """Cells that are simulated: which map, its cosine, d/n; the nearest points of the grid are taken."""
    dimension: int = 200
    """d of the simulations."""
    repeats: int = 8
    """Pools drawn for each simulated point."""
    seed: int = 0
    """Of the pools."""


PRESETS = {"quick": Config(), "paper": Config(grid=200, best_ridge=True, dimension=400, repeats=100)}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    axes = _axes(config)
    settings = [("pool", False), ("kept", False), *([("pool", True)] if config.best_ridge else [])]
    # nearly all of the time goes into compiling them, which can be done side by side
    with ThreadPoolExecutor() as threads:
        maps = threads.map(lambda setting: _phases(config, axes, *setting), settings)
        phases = pl.concat(progress.track(maps, total=len(settings), description="mapping"))
    checks = with_simulation(
        _checks(config, phases),
        dimension=config.dimension,
        repeats=config.repeats,
        seed=config.seed,
        scratch=scratch,
        progress=progress,
    )
    return {"phases": phases, "checks": deviations(with_law(checks))}


def _axes(config: Config) -> dict[str, np.ndarray]:
    """Pruner, generator, both with each other, and ratio, as arrays (2 maps, cosines, ratios)."""
    worst = np.array([config.worst_pruner, config.worst_generator])
    angles = np.arccos(worst)[:, None, None] * np.linspace(0, 1, config.grid)[:, None]
    ratio = np.broadcast_to(np.geomspace(*config.ratios, config.grid), (2, config.grid, config.grid))
    cosine = np.broadcast_to(np.cos(angles), ratio.shape)
    one = np.ones_like(cosine[0])
    return {
        "pruner": np.stack([cosine[0], one]),
        "generator": np.stack([one, cosine[1]]),
        "pruner_generator": cosine,
        "ratio": ratio,
    }


def _phases(config: Config, axes: dict[str, np.ndarray], hold: str, best_ridge: bool) -> pl.DataFrame:
    """Both maps in one call, so that one program is compiled for them."""
    ridge = None if best_ridge else np.full_like(axes["ratio"], config.ridge)
    problem: dict[str, Any] = {**axes, "ridge": ridge, "hold": hold}
    choice = best_selection(tolerance=config.tolerance, **problem)
    columns: dict[str, Any] = {
        "map": np.repeat(["pruner", "generator"], axes["ratio"][0].size),
        "hold": np.full(choice.rule.size, hold),
        "best_ridge": np.full(choice.rule.size, best_ridge),
        "cosine": axes["pruner_generator"].ravel(),
        **{name: values.ravel() for name, values in axes.items()},
        "rule": np.array(NAMES)[choice.rule].ravel(),
        "kept": choice.kept.ravel(),
        "ridge": choice.ridge.ravel(),
        "error": choice.error.ravel(),
    }
    regrets = {f"regret_{name}": choice.regret[name].ravel() for name in NAMES}
    return pl.DataFrame(columns | regrets)


def _checks(config: Config, phases: pl.DataFrame) -> pl.DataFrame:
    """For each cell the law's choice and its rivals: the other rule at the same fraction (half where all is best)."""
    rows = []
    pool = phases.filter((pl.col("hold") == "pool") & ~pl.col("best_ridge"))
    for name, cosine, ratio in config.checks:
        distance = (pl.col("cosine").arccos() - np.arccos(cosine)).abs() + (pl.col("ratio") / ratio).log().abs()
        cell = pool.filter(pl.col("map") == name).sort(distance).row(0, named=True)
        kept = 0.5 if cell["rule"] == "all" else cell["kept"]
        for rule, p in (("hard", kept), ("easy", kept), ("random", 1.0)):
            chosen = (cell["rule"] == "all") if rule == "random" else (cell["rule"] == rule)
            problem = {key: cell[key] for key in ("pruner", "generator", "pruner_generator", "ratio", "ridge")}
            rows.append({"map": name, "cosine": cell["cosine"], "best": chosen, "rule": rule, "kept": p} | problem)
    return pl.DataFrame(rows)
