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

import numpy as np
import polars as pl
from jaxtyping import PRNGKeyArray
from rich.progress import Progress

from infojax.errors import InvalidInput
from infojax.scaling import (
    Labels,
    RidgeSimulation,
    checked_problem,
    keep_all,
    keep_easy,
    keep_hard,
    keep_random,
    ridge_law,
    simulate_ridge,
    simulated,
)

RULES = {"hard": keep_hard, "easy": keep_easy, "random": keep_random, "all": lambda _: keep_all()}
BATCHED = ("fraction", "pruner", "ratio", "ridge", "generator", "pruner_generator", "seed")
NUMBERS = ("pruner", "ratio", "ridge", "generator")


def _numbers(configs: Sequence[Any]) -> dict[str, Any]:
    """The cosines, ratios and ridges of configs, as arguments of `ridge_law`."""
    numbers = {name: np.array([getattr(config, name) for config in configs]) for name in NUMBERS}
    shared = numbers["pruner"] * numbers["generator"]
    given = [config.pruner_generator for config in configs]
    both = [other if own is None else own for own, other in zip(given, shared, strict=True)]
    return numbers | {"pruner_generator": np.array(both)}


# A sweep makes a million configs of few values each, so what was found allowed is not looked at again.
@lru_cache(maxsize=1 << 12)
def _check_rule(rule: str, fraction: float) -> None:
    RULES[rule](fraction)


@lru_cache(maxsize=1 << 12)
def _check_numbers(
    pruner: float, ratio: float, ridge: float, generator: float, pruner_generator: float | None, label_aware: bool
) -> None:
    both = pruner * generator if pruner_generator is None else pruner_generator
    labels = Labels("sign", label_aware)
    checked_problem(keep_all(), pruner, ratio, ridge, generator, both, labels=labels, noise=0.0, flips=0.0)


@dataclass(frozen=True)
class Config:
    """A pool of n examples of dimension d, which are to one another as ratio says."""

    rule: Literal["hard", "easy", "random", "all"] = "hard"
    """Which examples are kept: those near the pruner's boundary, far from it, any, or all."""
    fraction: float = 0.5
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
        if self.rule not in RULES:
            raise InvalidInput(f"there is no rule {self.rule!r}; rules are {', '.join(RULES)}")
        if self.repeats < 0 or self.repeats == 1:
            raise InvalidInput(f"repeats={self.repeats}: give at least 2, for a standard error, or 0 for the law alone")
        _check_rule(self.rule, self.fraction)
        _check_numbers(*(getattr(self, name) for name in NUMBERS), self.pruner_generator, self.label_aware)


PRESETS = {"quick": Config(), "paper": Config(dimension=400, repeats=100)}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    return run_batch([config], [scratch], progress)[0]


def run_batch(
    configs: Sequence[Config], scratches: Sequence[Path], progress: Progress
) -> list[dict[str, pl.DataFrame]]:
    """The laws by one program, the simulations one after the other by the same programs."""
    rule, aware = configs[0].rule, configs[0].label_aware
    # a power of two of them, as each size is compiled anew
    filled = [*configs, *[configs[-1]] * (2 ** (len(configs) - 1).bit_length() - len(configs))]
    fractions = np.array([config.fraction for config in filled])
    law = ridge_law(RULES[rule](fractions), **_numbers(filled), label_aware=aware)
    columns = {f"{name}_law": np.broadcast_to(values, len(filled)) for name, values in law._asdict().items()}
    rows = pl.DataFrame(columns)[: len(configs)]
    tables = [rows[index] for index in range(len(configs))]
    if configs[0].repeats:
        pairs = progress.track(list(zip(configs, scratches, strict=True)), description="simulating")
        measured = [_simulated(config, scratch) for config, scratch in pairs]
        tables = [law.hstack(found) for law, found in zip(tables, measured, strict=True)]
    return [{"law": table} for table in tables]


def _simulated(config: Config, scratch: Path) -> pl.DataFrame:
    numbers = {name: float(values[0]) for name, values in _numbers([config]).items()}

    def simulate(_: pl.DataFrame, key: PRNGKeyArray) -> RidgeSimulation:
        size: dict[str, Any] = {"dimension": config.dimension, "repeats": config.repeats, "draw": "kept"}
        selection = RULES[config.rule](config.fraction)
        return simulate_ridge(selection, **numbers, label_aware=config.label_aware, key=key, **size)

    settings: dict[str, int | float | str] = {"dimension": config.dimension, "repeats": config.repeats}
    settings |= {"rule": config.rule, "label_aware": config.label_aware}
    cell = numbers | {"fraction": config.fraction}
    return simulated(
        pl.DataFrame([cell]), simulate, RidgeSimulation._fields, settings=settings, seed=config.seed, scratch=scratch
    )
