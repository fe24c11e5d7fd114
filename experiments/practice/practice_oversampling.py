"""Accuracy of ridge regression on a fixed number of the hardest examples, against how many they are chosen from.

Deliberate Practice (arXiv 2502.15588), Fig. 5c: m examples are kept of a pool of N, and N/m grows. Tables: `points`,
simulated with standard errors beside the law; `lines`, the law alone; `best`, the ratio at which the law is best.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.scaling import best_of_rule, deviations, with_law, with_simulation


@dataclass(frozen=True)
class Config:
    """The paper gives no parameters for this figure; all of these are ours."""

    dimension: int = 512
    """d, of the examples."""
    size: int = 2048
    """m, how many examples are kept, on average."""
    pruners: tuple[float, ...] = (1.0, 0.9, 0.8)
    """Cosines of the pruner with the truth."""
    ratios: tuple[float, ...] = (1.0, 2.0, 4.0, 9.0, 18.0)
    """N/m = 1/p, examples generated for each that is kept."""
    ridge: float = 1e-2
    """λ, relative to 1/m."""
    repeats: int = 5
    """Pools drawn for each point."""
    seed: int = 0
    """Of the pools."""


PRESETS = {
    "quick": Config(),
    "paper": Config(ratios=tuple(round(2 ** (i / 2), 3) for i in range(11)), repeats=100),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    measured = with_simulation(
        _cells(config, np.asarray(config.ratios)),
        dimension=config.dimension,
        repeats=config.repeats,
        seed=config.seed,
        draw="kept",  # a pool of many times what is kept need not be drawn whole
        scratch=scratch,
        progress=progress,
    )
    lines = _cells(config, np.geomspace(1, 1.2 * max(config.ratios), 200))
    return {"points": deviations(with_law(measured)), "lines": with_law(lines), "best": _best(config)}


def _cells(config: Config, ratios: np.ndarray) -> pl.DataFrame:
    """One cell for each pruner and ratio; the law's n and λ are those of the pool, N = m/p and pλ."""
    pruner, ratio = (grid.ravel() for grid in np.meshgrid(config.pruners, ratios, indexing="ij"))
    return pl.DataFrame(
        {
            "rule": ["hard"] * len(ratio),
            "over_sampling": ratio,
            "kept": 1 / ratio,
            "pruner": pruner,
            "ratio": config.dimension / (config.size * ratio),
            "ridge": config.ridge / ratio,
        }
    )


def _best(config: Config) -> pl.DataFrame:
    pruners = np.asarray(config.pruners)
    best = best_of_rule("hard", pruner=pruners, ratio=config.dimension / config.size, ridge=config.ridge, hold="kept")
    return pl.DataFrame({"pruner": pruners, "over_sampling": 1 / best.kept, "error_law": best.error})
