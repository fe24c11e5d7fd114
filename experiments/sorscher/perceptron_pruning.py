"""Test error of a max-margin perceptron on the hardest or the easiest part of a pool, by a perfect or a poor probe.

Sorscher et al. (arXiv 2206.14486), Figs. 1 and 2: whether to keep hard or easy examples depends on how many there are,
and on how well the probe knows the teacher. Tables: `points`, simulated with standard errors beside the law; `lines`,
the law alone. Angles are in degrees.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.scaling import deviations, with_law, with_simulation


@dataclass(frozen=True)
class Config:
    """The paper simulates N = 200; its lists of fractions and sizes are not known to us, ours span its axes."""

    dimension: int = 100
    """N, of the examples."""
    fractions: tuple[float, ...] = (1.0, 0.5, 0.2, 0.1)
    """f, of the pool that is kept."""
    totals: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    """α_tot, examples of the pool per dimension."""
    angles: tuple[float, ...] = (10.0, 20.0, 40.0)
    """Between probe and teacher, in degrees, beside the perfect probe; only hard examples are kept then."""
    most_kept: float = 5.0
    """α_kept up to which cells are simulated; the law is drawn beyond."""
    line: int = 32
    """Places on each line of the law."""
    repeats: int = 6
    """Pools drawn for each point."""
    seed: int = 0
    """Of the pools."""


PRESETS = {
    "quick": Config(),
    "paper": Config(
        dimension=200, totals=(0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0), most_kept=8.0, line=80, repeats=40
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    simulated = _cells(config, np.asarray(config.totals)).filter(pl.col("alpha") <= config.most_kept)
    points = with_simulation(
        with_law(simulated, "perceptron"),
        "perceptron",
        dimension=config.dimension,
        repeats=config.repeats,
        seed=config.seed,
        scratch=scratch,
        progress=progress,
    )
    totals = np.geomspace(0.8 * min(config.totals), 1.5 * max(config.totals), config.line)
    return {"points": deviations(points), "lines": with_law(_cells(config, totals), "perceptron")}


def _cells(config: Config, totals: np.ndarray) -> pl.DataFrame:
    panels = [("hard", 0.0), ("easy", 0.0), *(("hard", angle) for angle in config.angles)]
    return pl.DataFrame(
        [
            {
                "rule": keep,
                "angle": float(degrees),
                "kept": fraction,
                "alpha_pool": float(total),
                "alpha": fraction * float(total),
            }
            for keep, degrees in panels
            for fraction in config.fractions
            for total in totals
        ]
    )
