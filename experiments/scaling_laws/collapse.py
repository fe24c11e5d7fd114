"""Test error over generations of learners, each trained on what the one before it has labelled, curated or not.

The setting of "Why Less is More (Sometimes)" (arXiv 2511.03492) for model collapse: whether pruning what is relabelled
holds the chain. Tables: `points`, each generation simulated with standard errors beside the law; `law`, each generation
by the law for every kind of curation, with pruners from blind to perfect.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.files import kept
from infojax.scaling import RelabellingProblem, deviations, keep_hard, relabelling_law, simulate_relabelling


class Curation(NamedTuple):
    """What is kept of each pool: the fraction p nearest to the pruner's boundary, which at p = 1 is all."""

    name: str
    kept: float  # p
    label_aware: bool  # whether labels that the pruner disagrees with are rejected too
    pruner: float  # cosine of the pruner with the truth


@dataclass(frozen=True)
class Config:
    """The paper's collapse is of networks on images; this is its theory's setting, with sizes of our choice."""

    dimension: int = 100
    """d, of the examples."""
    sizes: tuple[float, ...] = (4.0, 20.0)
    """n/d, examples of each generation's pool per dimension."""
    curations: tuple[tuple[str, float, bool, float], ...] = (
        ("no curation", 1.0, False, 1.0),
        ("hard half", 0.5, False, 1.0),
        ("label-aware", 1.0, True, 1.0),
        ("label-aware, hard half", 0.5, True, 1.0),
        ("label-aware, hard half, poor pruner", 0.5, True, 0.9),
    )
    """Name, fraction kept (the hardest), label-aware or not, cosine of the pruner with the truth."""
    generations: int = 10
    """Learners in a chain."""
    ridge: float = 1e-2
    """λ, relative to 1/n."""
    repeats: int = 8
    """Chains of each curation."""
    seed: int = 0
    """Of the chains."""


PRESETS = {"quick": Config(), "paper": Config(dimension=300, generations=20, repeats=60)}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    curations = [Curation(*curation) for curation in config.curations]
    chains = [(size, curation) for size in config.sizes for curation in curations]
    measured = pl.concat(
        _simulated(config, size, curation, index, scratch)
        for index, (size, curation) in enumerate(progress.track(chains, description="chains"))
    )
    law = pl.concat(_law(config, *kind) for kind in dict.fromkeys((c.kept, c.label_aware) for c in curations))
    cell = ["size", "kept", "label_aware", "pruner", "generation"]
    points = measured.join(law, on=cell, how="left", maintain_order="left")
    return {"points": deviations(points), "law": law}


def _simulated(config: Config, size: float, curation: Curation, index: int, scratch: Path) -> pl.DataFrame:
    """A row for each generation; kept in a file of `scratch`."""

    def generations() -> dict[str, list[float]]:
        found = simulate_relabelling(
            RelabellingProblem(
                keep_hard(curation.kept),
                generations=config.generations,
                pruner=curation.pruner,
                ratio=1 / size,
                ridge=config.ridge,
                label_aware=curation.label_aware,
            ),
            dimension=config.dimension,
            repeats=config.repeats,
            key=jax.random.fold_in(jax.random.key(config.seed), index),
        )
        return {name: values.tolist() for name, values in found.columns().items()}

    found = kept(scratch / f"chain-{index}.json", f"{config!r}, chain {index}", generations)
    rows = pl.DataFrame(found).with_row_index("generation", offset=1)
    what = {"size": size, **curation._asdict()}
    return rows.with_columns(pl.col("generation").cast(pl.Int64), **{name: pl.lit(v) for name, v in what.items()})


def _law(config: Config, kept: float, label_aware: bool) -> pl.DataFrame:
    """A row for each size, pruner and generation."""
    errors = np.geomspace(0.004, 0.5, 41)  # of the pruner itself
    pruners = np.union1d(np.cos(np.pi * errors), [Curation(*curation).pruner for curation in config.curations])
    sizes = np.asarray(config.sizes)
    law = relabelling_law(
        RelabellingProblem(
            keep_hard(kept),
            generations=config.generations,
            pruner=pruners,
            ratio=1 / sizes[:, None],
            ridge=config.ridge,
            label_aware=label_aware,
        )
    )
    places = np.meshgrid(sizes, pruners, np.arange(1, config.generations + 1), indexing="ij")
    columns = dict(zip(("size", "pruner", "generation"), (place.ravel() for place in places), strict=True))
    return pl.DataFrame(
        {**columns, "error_law": np.ravel(law.error), "pruner_overlap_law": np.ravel(law.pruner_overlap)}
    ).with_columns(pl.col("generation").cast(pl.Int64), kept=pl.lit(kept), label_aware=pl.lit(label_aware))
