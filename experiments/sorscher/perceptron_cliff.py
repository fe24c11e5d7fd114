"""How low the test error of a perceptron can be brought with a fixed number of kept examples, by ever larger pools.

Sorscher et al. (arXiv 2206.14486) argue that a good pruning metric can turn a power law in the number of examples into
an exponential one. Here the probe is perfect and the hardest examples are kept. Tables: `frontier`, the least error by
the law over fractions f ≥ `floor`, against α_kept; `lines`, the law along f at fixed α_kept; `points`, simulated on
those lines with standard errors.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.scaling import deviations, with_law, with_simulation


@dataclass(frozen=True)
class Config:
    """The fractions that the paper's frontiers run over are not known to us."""

    dimension: int = 100
    """N, of the examples."""
    alphas: tuple[float, ...] = (1.5, 1.8, 2.0, 2.2, 2.5, 4.0)
    """α of the lines, examples kept per dimension."""
    fractions: tuple[float, ...] = (1.0, 0.1, 0.01, 0.001)
    """f that are simulated on each line."""
    floors: tuple[float, ...] = (0.3, 0.1, 0.01, 0.001, 0.0001)
    """The smallest f that each frontier may take."""
    frontier: int = 36
    """Places along α_kept of each frontier, and along f of each line."""
    repeats: int = 6
    """Pools drawn for each point."""
    seed: int = 0
    """Of the pools."""


PRESETS = {"quick": Config(), "paper": Config(dimension=200, frontier=120, repeats=40)}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    smallest = min(config.floors)
    # 2 falls on the grid
    kept = np.unique(np.concatenate([np.geomspace(0.5, 2, config.frontier), np.geomspace(2, 8, config.frontier)]))
    fractions = np.geomspace(smallest, 1, 2 * config.frontier)
    everywhere = with_law(_cells(kept, np.union1d(fractions, config.floors)), "perceptron")
    frontier = pl.concat(
        everywhere.filter(pl.col("kept") >= floor)
        .sort("error_law")
        .group_by("alpha", maintain_order=True)
        .first()
        .with_columns(floor=pl.lit(floor))
        .sort("alpha")
        for floor in config.floors
    )
    points = with_simulation(
        with_law(_cells(config.alphas, config.fractions), "perceptron"),
        "perceptron",
        dimension=config.dimension,
        repeats=config.repeats,
        seed=config.seed,
        scratch=scratch,
        progress=progress,
    )
    lines = with_law(_cells(config.alphas, fractions), "perceptron")
    return {"frontier": frontier, "lines": lines, "points": deviations(points)}


def _cells(kept: np.ndarray | tuple[float, ...], fractions: np.ndarray | tuple[float, ...]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "rule": "hard",
                "angle": 0.0,
                "alpha": float(alpha),
                "kept": float(fraction),
                "alpha_pool": float(alpha / fraction),
            }
            for alpha in kept
            for fraction in fractions
        ]
    )
