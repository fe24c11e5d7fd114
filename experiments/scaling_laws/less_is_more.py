"""Test error against the fraction of a pool that is kept, hard, easy or random, labelled by a strong or weak generator.

Why Less is More (Sometimes) (arXiv 2511.03492), Fig. 1: few and many examples, a strong and a weak generator; and
curation that also rejects labels the pruner disagrees with. Tables: `points`, simulated with standard errors beside
the law; `lines`, the law alone; `window`, the law at one p and of keeping all, against the size of the pool; `limit`,
the law of infinitely many examples.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.scaling import deviations, with_law, with_simulation

INFINITELY_MANY = 1e9  # examples per dimension


@dataclass(frozen=True)
class Config:
    """The paper has pools of 100 and 5000; its dimension, cosines and ridge are not known to us, ours are guesses."""

    dimension: int = 100
    """d, of the examples."""
    sizes: tuple[float, ...] = (0.5, 25.0)
    """n/d, few and many examples in the pool; curation by labels too is drawn for the last."""
    generators: tuple[float, ...] = (1.0, 0.7)
    """ρ, cosines of the labels' direction with the truth, strong and weak."""
    pruner: float = 0.95
    """ρ*, cosine of the pruner with the truth; with the generator it is ρρ*, as if each knew the truth by itself."""
    ridge: float = 1e-2
    """λ, relative to 1/n."""
    fractions: tuple[float, ...] = (0.1, 0.3, 0.6)
    """p, of the pool that is kept; 1 is simulated besides."""
    window_pruners: tuple[float, ...] = (1.0, 0.95, 0.9)
    """Pruners of the table `window`, for the first generator."""
    window_generators: tuple[float, ...] = (0.98, 0.7)
    """Weaker generators of the table `window`, for the pruner."""
    window_fraction: float = 0.5
    """p of the table `window`."""
    limit_fraction: float = 0.2
    """p of the table `limit`."""
    repeats: int = 8
    """Pools drawn for each point."""
    seed: int = 0
    """Of the pools."""


PRESETS = {
    "quick": Config(),
    "paper": Config(dimension=200, fractions=(0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.9), repeats=100),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    panels = _panels(config, np.asarray(config.fractions))
    # at p = 1 all rules are one
    points = panels.filter((pl.col("kept") < 1) | (pl.col("rule") == "hard"))
    # keeping hard changes fastest with p near 0 and near 1
    lines = _panels(config, np.concatenate([np.geomspace(0.01, 0.1, 12), np.linspace(0.12, 0.98, 44), [0.99, 0.998]]))
    cells = {"points": points, "lines": lines, "window": _window(config), "limit": _limit(config)}
    # one table, as each new shape is compiled anew
    law = with_law(pl.concat([table.with_columns(table=pl.lit(name)) for name, table in cells.items()]))
    tables = {name: law.filter(pl.col("table") == name).drop("table") for name in cells}
    measured = with_simulation(
        tables["points"],
        dimension=config.dimension,
        repeats=config.repeats,
        seed=config.seed,
        scratch=scratch,
        progress=progress,
    )
    return tables | {"points": deviations(measured)}


def _panels(config: Config, fractions: np.ndarray) -> pl.DataFrame:
    return _cells(
        {
            "generator": generator,
            "size": size,
            "label_aware": aware,
            "rule": rule,
            "kept": float(kept),
            "pruner": config.pruner,
            "ridge": config.ridge,
        }
        for generator in config.generators
        for size, aware in [*((size, False) for size in config.sizes), (config.sizes[-1], True)]
        for rule in (("hard", "easy") if aware else ("hard", "easy", "random"))
        for kept in np.union1d(fractions, [1.0])
    )


def _window(config: Config) -> pl.DataFrame:
    pairs = [(pruner, config.generators[0]) for pruner in config.window_pruners]
    pairs += [(config.pruner, generator) for generator in config.window_generators]
    return _cells(
        {
            "generator": generator,
            "size": float(size),
            "label_aware": False,
            "rule": rule,
            "kept": kept,
            "pruner": pruner,
            "ridge": config.ridge,
        }
        for pruner, generator in pairs
        for rule, kept in (("hard", config.window_fraction), ("easy", config.window_fraction), ("random", 1.0))
        for size in np.geomspace(0.3, 1e6, 140)
    )


def _limit(config: Config) -> pl.DataFrame:
    return _cells(
        {
            "generator": generator,
            "size": INFINITELY_MANY,
            "label_aware": False,
            "rule": rule,
            "kept": config.limit_fraction,
            "pruner": pruner,
            "ridge": 0.0,
        }
        for generator in config.generators
        for pruner in (1.0, 0.99, config.pruner)
        for rule in ("hard", "easy", "random")
    )


def _cells(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows)).with_columns(
        ratio=1 / pl.col("size"), pruner_generator=pl.col("pruner") * pl.col("generator")
    )
