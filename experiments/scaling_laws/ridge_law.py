"""One law of ridge regression on selected data, and its simulation: an experiment to sweep.

The exact test error of keeping hard, easy, random or all examples of a pool (`infojax.scaling.ridge_law`, after
arXiv 2502.15588 and 2511.03492, corrected). Table `law`: one row with error_law, mse_law, overlap_law and norm_law;
with repeats, what was measured beside it and its standard error. A sweep computes many laws in one program.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
from rich.progress import Progress

from infojax.errors import InvalidInput
from infojax.scaling import LAWS, with_law, with_simulation

BATCHED = ("kept", "pruner", "ratio", "ridge", "generator", "pruner_generator", "seed")
PROBLEM = ("rule", "kept", "pruner", "ratio", "ridge", "generator", "label_aware")


def _cells(configs: Sequence["Config"]) -> pl.DataFrame:
    """A row for each config; pruner and generator share only the truth where nothing else is said."""
    cells = pl.DataFrame({name: [getattr(config, name) for config in configs] for name in PROBLEM})
    given = [config.pruner_generator for config in configs]
    shared = (cells["pruner"] * cells["generator"]).to_list()
    both = [other if own is None else own for own, other in zip(given, shared, strict=True)]
    return cells.with_columns(pruner_generator=pl.Series(both, dtype=pl.Float64))


# A sweep makes a million configs of few values each, so what was found allowed is not looked at again.
@lru_cache(maxsize=1 << 12)
def _check(*values: Any) -> None:
    *numbers, both = values
    given = dict(zip(PROBLEM, numbers, strict=True))
    LAWS["ridge"].pose(given | {"pruner_generator": given["pruner"] * given["generator"] if both is None else both})


@dataclass(frozen=True)
class Config:
    """A pool of n examples of dimension d, which are to one another as ratio says."""

    rule: Literal["hard", "easy", "random", "all"] = "hard"
    """Which examples are kept: those near the pruner's boundary, far from it, any, or all."""
    kept: float = 0.5
    """p, of the pool that is kept; of no effect where all is."""
    pruner: float = 0.9
    """Cosine of the pruner with the truth."""
    ratio: float = 0.1
    """d/n, dimensions per example of the pool."""
    ridge: float = 1e-2
    """λ, relative to 1/n."""
    generator: float = 1.0
    """Cosine of the labels' direction with the truth."""
    pruner_generator: float | None = None
    """Cosine of the pruner with the labels' direction; none: pruner · generator, as if they shared only the truth."""
    label_aware: bool = False
    """Whether an example is also dropped when the pruner disagrees with its label."""
    repeats: int = 0
    """Pools that are simulated; 0 computes the law alone, otherwise at least 2."""
    dimension: int = 200
    """d of the simulation."""
    seed: int = 0
    """Of the simulation."""

    def __post_init__(self) -> None:
        if self.repeats < 0 or self.repeats == 1:
            raise InvalidInput(f"repeats={self.repeats}: give at least 2, for a standard error, or 0 for the law alone")
        _check(*(getattr(self, name) for name in PROBLEM), self.pruner_generator)


PRESETS = {"quick": Config(), "paper": Config(dimension=400, repeats=100)}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    return run_batch([config], [scratch], progress)[0]


def run_batch(
    configs: Sequence[Config], scratches: Sequence[Path], progress: Progress
) -> list[dict[str, pl.DataFrame]]:
    """The laws by one program, the simulations one after the other by the same programs."""
    # a power of two of them, as each size is compiled anew
    filled = [*configs, *[configs[-1]] * (2 ** (len(configs) - 1).bit_length() - len(configs))]
    laws = [f"{name}_law" for name in LAWS["ridge"].quantities]
    rows = with_law(_cells(filled)).select(laws)
    tables = [rows[index] for index in range(len(configs))]
    if configs[0].repeats:
        pairs = progress.track(list(zip(configs, scratches, strict=True)), description="simulating")
        measured = [_simulated(config, scratch) for config, scratch in pairs]
        tables = [law.hstack(found) for law, found in zip(tables, measured, strict=True)]
    return [{"law": table} for table in tables]


def _simulated(config: Config, scratch: Path) -> pl.DataFrame:
    cell = _cells([config])
    found = with_simulation(
        cell,
        dimension=config.dimension,
        repeats=config.repeats,
        seed=config.seed,
        draw="kept",
        scratch=scratch,
    )
    return found.drop(cell.columns)
