"""Error of a linear learner in rounds of deliberate practice: whose judgement of what is hard should be used.

Deliberate Practice (arXiv 2502.15588), section 4.2.2, argues that the pruner must be refreshed as the learner improves;
here that is measured. A ridge regression is trained on random examples; each round adds the hardest of many fresh
ones and trains on all. Hard is what is near to the boundary of the current learner (adaptive), of the first one
(frozen), of the truth, or nothing is selected (uniform). Tables: `rounds`, simulated with standard errors; `laws`,
exact, and "naive", which takes the frozen pruner to be independent of the data.
"""

from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from jaxtyping import Array, Float
from rich.progress import Progress
from scipy.stats import norm

from infojax.files import kept
from infojax.scaling import (
    Policy,
    PracticeProblem,
    RidgeProblem,
    TwoStageProblem,
    keep_all,
    keep_hard,
    practice_law,
    ridge_law,
    simulate_practice,
    two_stage_law,
    weigh_by,
)

SELECTING: tuple[Policy, ...] = ("adaptive", "frozen", "truth")


@dataclass(frozen=True)
class Config:
    """The paper has no such experiment; all of this is ours."""

    dimension: int = 200
    """d, of the examples."""
    start: int = 500
    """Random examples that the first learner is trained on."""
    added: int = 300
    """Examples that each round adds."""
    rounds: int = 5
    """Rounds of practice."""
    fractions: tuple[float, ...] = (0.5, 0.2, 0.05)
    """p, of fresh examples, the hardest, from which a round's are taken."""
    ridge: float = 0.05
    """λ, relative to 1/(number of examples trained on)."""
    repeats: int = 20
    """Independent runs."""
    seed: int = 0
    """Of the runs."""


PRESETS = {"quick": Config(), "paper": Config(repeats=400)}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    arms = [(None, 1.0), *((policy, p) for p in config.fractions for policy in SELECTING)]
    root = jax.random.key(config.seed)
    rounds = [
        kept(
            scratch / f"arm-{index}.parquet",
            f"{config!r}, arm {index}",
            *(_simulated, config, policy, p, jax.random.fold_in(root, index)),
        )
        for index, (policy, p) in enumerate(progress.track(arms, description="practising"))
    ]
    laws = [_uniform_law(config), *(_selected_laws(config, p) for p in config.fractions)]
    return {"rounds": pl.concat(rounds), "laws": pl.concat(laws)}


def _simulated(config: Config, policy: Policy | None, p: float, key: Array) -> pl.DataFrame:
    found = simulate_practice(
        PracticeProblem(
            keep_hard(p) if policy else keep_all(),
            first_ratio=config.dimension / config.start,
            added_ratio=config.dimension / config.added,
            rounds=config.rounds,
            ridge=config.ridge,
        ),
        dimension=config.dimension,
        repeats=config.repeats,
        policy=policy or "adaptive",
        key=key,
    )
    stages = np.arange(config.rounds + 1)
    where = {"policy": [policy or "uniform"] * len(stages), "kept": np.full(len(stages), p), "round": stages}
    return pl.DataFrame(where | {"examples": config.start + config.added * stages.astype(float)} | found.columns())


def _table(config: Config, policy: str, p: float, added: np.ndarray, error: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "policy": [policy] * len(added),
            "kept": np.full(len(added), p),
            "examples": config.start + added,
            "error_law": error,
        }
    )


def _added(config: Config) -> np.ndarray:
    """Numbers of added examples to draw lines through; those of the rounds are among them."""
    return config.added * np.arange(12 * config.rounds + 1) / 12


def _uniform_law(config: Config) -> pl.DataFrame:
    added = _added(config)
    law = ridge_law(
        RidgeProblem(keep_all(), pruner=1.0, ratio=config.dimension / (config.start + added), ridge=config.ridge)
    )
    return _table(config, "uniform", 1.0, added, np.asarray(law.error))


def _selected_laws(config: Config, p: float) -> pl.DataFrame:
    """Frozen: the two-stage law at every round, as what a frozen pruner adds in k rounds it could add in one.

    Naive: wrong; the first learner's cosine is right, but it is taken as independent of what it was trained on.
    """
    added = _added(config)
    frozen = two_stage_law(
        TwoStageProblem(
            keep_hard(p),
            first_ratio=config.dimension / config.start,
            second_ratio=config.dimension / added[1:],
            ridge=config.ridge,
        )
    )
    first = float(frozen.pruner[0])  # the same for all
    adaptive = practice_law(
        PracticeProblem(
            keep_hard(p),
            first_ratio=config.dimension / config.start,
            added_ratio=config.dimension / config.added,
            rounds=config.rounds,
            ridge=config.ridge,
        )
    )
    at_rounds = config.added * np.arange(config.rounds + 1.0)
    return pl.concat(
        [
            _table(config, "adaptive", p, at_rounds, np.asarray(adaptive.error)),
            _table(config, "frozen", p, added[1:], np.asarray(frozen.error)),
            _table(config, "truth", p, added, _union_law(config, p, 1.0)),
            _table(config, "naive", p, added, _union_law(config, p, first)),
        ]
    )


def _union_law(config: Config, p: float, pruner: float) -> np.ndarray:
    """The law of n₀ random examples and n₁ hard ones, for a pruner that is independent of both.

    Of a pool of n₀ + n₁/p, keep whatever is hard, and of the rest a fraction n₀/(n₀ + n₁/p): the same density.
    """
    added = _added(config)
    pool = config.start + added / p
    edge = norm.ppf((1 + p) / 2)
    rule = weigh_by(_hard_and_some, edge, config.start / pool, breaks=(edge,))
    ridge = config.ridge * (config.start + added) / pool
    return np.asarray(ridge_law(RidgeProblem(rule, pruner=pruner, ratio=config.dimension / pool, ridge=ridge)).error)


def _hard_and_some(
    size: Float[Array, " n"], agrees: Array, edge: Float[Array, ""], others: Float[Array, ""]
) -> tuple[Array, float]:
    return jnp.where(size <= edge, 1.0, others), 1.0
