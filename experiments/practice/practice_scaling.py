"""Accuracy of ridge regression against the number of examples it is trained on, when those are the hardest of a pool.

Deliberate Practice (arXiv 2502.15588), Fig. 3: for each fraction p, a pool of 1/p times as many Gaussian
examples as are to be kept is pruned to the fraction p nearest to the decision boundary of a pruner, and a ridge
regression on what is kept is tested on unpruned data. Tables: `points`, simulated with standard errors beside the law;
`lines`, the law alone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.scaling import deviations, with_law, with_simulation


@dataclass(frozen=True)
class Config:
    """The paper gives the dimension and the fractions; its pruner and ridge are not stated, ours are guesses."""

    dimension: int = 512
    """d, of the examples."""
    fractions: tuple[float, ...] = (0.1, 0.5, 0.8, 0.9, 1.0)
    """p, of the pool that is kept."""
    sizes: tuple[int, ...] = (512, 640, 768, 1024, 1280)
    """How many examples are kept, on average."""
    pruner: float = 1.0
    """Cosine of the pruner with the truth."""
    ridge: float = 1e-2
    """λ, relative to 1/(number kept)."""
    repeats: int = 24
    """Pools drawn for each point."""
    seed: int = 0
    """Of the pools."""


PRESETS = {
    "quick": Config(),
    "paper": Config(sizes=tuple(round(512 * 2 ** (i / 8)) for i in range(11)), repeats=100),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    points = with_simulation(
        _cells(config, np.asarray(config.sizes)),
        dimension=config.dimension,
        repeats=config.repeats,
        seed=config.seed,
        draw="kept",  # a pool of ten times what is kept need not be drawn whole
        scratch=scratch,
        progress=progress,
    )
    sizes = np.geomspace(min(config.sizes) / 1.03, max(config.sizes) * 1.03, 200)
    return {"points": deviations(with_law(points)), "lines": with_law(_cells(config, sizes))}


def _cells(config: Config, sizes: np.ndarray) -> pl.DataFrame:
    """One cell for each fraction and size: pools are whole, so p·pool is the size to within p/2."""
    kept, size = (grid.ravel() for grid in np.meshgrid(config.fractions, sizes, indexing="ij"))
    pool = size / kept if sizes.dtype.kind == "f" else np.round(size / kept)
    return pl.DataFrame(
        {
            "rule": ["hard"] * len(kept),
            "size": size.astype(float),
            "kept": kept,
            "pruner": np.full(len(kept), config.pruner),
            "ratio": config.dimension / pool,
            "ridge": kept * config.ridge,  # the law's ridge is relative to 1/pool
        }
    )
