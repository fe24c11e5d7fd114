"""Test error of ridge regression against the fraction of a pool that is kept, the hardest or the easiest examples.

Deliberate Practice (arXiv 2502.15588), Fig. 7: the interpolation peak where as many examples are kept
as there are dimensions, and what a ridge does to it. Tables: `points`, simulated with standard errors beside the law
and the law averaged over the number kept (`error_counts`); `lines`, the law alone, also for a second, worse pruner.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.scaling import deviations, with_law, with_law_over_counts, with_simulation


@dataclass(frozen=True)
class Config:
    """Dimension, pools and ridges are the paper's; its pruner is not stated, ours is the truth itself."""

    dimension: int = 350
    """d, of the examples."""
    pools: tuple[int, ...] = (250, 600, 1000)
    """n, examples before pruning."""
    ridges: tuple[float, ...] = (1e-6, 1e-2)
    """λ, relative to 1/n."""
    rules: tuple[str, ...] = ("hard", "easy")
    """Which examples are kept: hard, easy or random."""
    fractions: tuple[float, ...] = (0.05, 0.12, 0.2, 0.3, 0.42, 0.5, 0.65, 0.8, 1.0)
    """p, of the pool that is kept; where d < n, p = d/n, the interpolation peak, is simulated besides."""
    pruner: float = 1.0
    """Cosine of the pruner with the truth."""
    other_pruner: float = 0.8
    """Cosine of another pruner, for which only the law is drawn."""
    repeats: int = 24
    """Pools drawn for each point."""
    seed: int = 0
    """Of the pools."""


PRESETS = {
    "quick": Config(),
    "paper": Config(fractions=tuple(round(0.04 * i, 2) for i in range(1, 26)), repeats=200),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    cells = pl.concat(_cells(config, pool, config.pruner) for pool in config.pools)
    measured = with_simulation(
        cells,
        dimension=config.dimension,
        repeats=config.repeats,
        seed=config.seed,
        scratch=scratch,
        progress=progress,
    )
    lines = pl.concat(
        _cells(config, pool, pruner, np.linspace(0.005, 1, 400))
        for pool in config.pools
        for pruner in (config.pruner, config.other_pruner)
    )
    points = with_law_over_counts(deviations(with_law(measured)), dimension=config.dimension)
    return {"points": points, "lines": with_law(lines)}


def _cells(config: Config, pool: int, pruner: float, fractions: np.ndarray | None = None) -> pl.DataFrame:
    ratio = config.dimension / pool
    grid = np.asarray(config.fractions) if fractions is None else fractions
    grid = np.union1d(grid, [ratio] if ratio < 1 else [])
    return pl.DataFrame(
        [
            {
                "pool": pool,
                "ridge": ridge,
                "rule": rule,
                "kept": float(kept),
                "pruner": pruner,
                "ratio": ratio,
            }
            for ridge in config.ridges
            for rule in config.rules
            for kept in grid
        ]
    )
