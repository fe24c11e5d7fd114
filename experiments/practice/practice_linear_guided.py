"""The loop of deliberate practice with a linear learner and exact guidance, against exact laws in every round.

Gaussian examples are drawn from the density tilted by e^{ωU} along the current learner's direction, U = log 4σ(t)σ(−t)
of the margin t: what entropy guidance means to sample, done exactly. To the learner, a ridge regression, this is a soft
selection (Deliberate Practice, arXiv 2502.15588, section 4), so laws know the error of the current learner's guidance
(`practice_law`), of the first learner's (`two_stage_law`), and of none. Tables: `rounds`, measured; `laws`, exact.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.data import Dataset
from infojax.generation import FROZEN, PRACTICE, UNIFORM, Policy, RidgeFit, practise, tilted_gaussians
from infojax.rounds import Plan
from infojax.scaling import (
    PracticeProblem,
    RidgeProblem,
    TwoStageProblem,
    keep_all,
    practice_law,
    ridge_law,
    soft,
    two_stage_law,
)

from ._practice import kept


@dataclass(frozen=True)
class Config:
    """The paper has no such experiment; the numbers are those of `practice_linear`."""

    dimension: int = 200
    """d, of the examples."""
    start: int = 500
    """N, random examples at the beginning."""
    added: int = 300
    """P, examples that each round adds."""
    rounds: int = 5
    """k."""
    strengths: tuple[float, ...] = (2.0, 8.0, 32.0)
    """ω."""
    ridge: float = 0.05
    """λ, relative to 1/(number of examples trained on)."""
    runs: int = 8
    """Seeds for each arm."""
    seed: int = 0
    """Of the first run."""


PRESETS = {"quick": Config(), "paper": Config(runs=100)}

# So small a fraction that the soft rule is nowhere capped at probability 1: then its p does not matter.
UNCAPPED = 0.01


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    arms: list[tuple[Policy, float]] = [(UNIFORM, 0.0)]
    arms += [(policy, strength) for strength in config.strengths for policy in (PRACTICE, FROZEN)]
    pairs = [(seed, *arm) for seed in range(config.seed, config.seed + config.runs) for arm in arms]
    rounds = []
    for seed, policy, strength in progress.track(pairs, description="practising"):
        given = (config, policy, strength, seed)
        name = f"{policy.name}-{strength:g}-{seed}"
        rounds.append(kept(scratch, name, lambda given=given: _measured(*given), config))
    return {"rounds": pl.concat(rounds), "laws": pl.concat([_law(config, *arm) for arm in arms])}


def _measured(config: Config, policy: Policy, strength: float, seed: int) -> list[dict[str, Any]]:
    """The exact error of the learner at each addition, and at the end: its angle to the truth over π."""
    d = config.dimension
    truth = np.eye(d, dtype=np.float32)[0]
    # Whatever the validation data, a refit on the same examples is no better: an addition at every other evaluation.
    x = np.random.default_rng(seed).normal(size=(100, d))
    validation = Dataset(x, (x[:, 0] > 0).astype(int), classes=("minus", "plus"))
    plan = Plan(config.start, config.added, config.start + config.rounds * config.added, growing=False)
    trainer = RidgeFit(config.ridge, evaluations=2 * config.rounds + 2)
    generate = tilted_gaussians(truth, strength, "variance")
    history = practise(generate, trainer, validation, policy, plan=plan, key=jax.random.key(seed))
    learned = [np.asarray(w) for w in (*(addition.before.state for addition in history.additions[1:]), history.state)]
    return [
        {
            "policy": policy.name,
            "strength": strength,
            "seed": seed,
            "round": number,
            "examples": config.start + number * config.added,
            "error": float(np.arccos(w[0] / np.linalg.norm(w)) / np.pi),
        }
        for number, w in enumerate(learned)
    ]


def _law(config: Config, policy: Policy, strength: float) -> pl.DataFrame:
    rounds = np.arange(config.rounds + 1)
    examples = config.start + config.added * rounds
    d, rule, ridge = config.dimension, soft(UNCAPPED, strength), config.ridge
    alone = ridge_law(RidgeProblem(keep_all(), pruner=1.0, ratio=d / examples, ridge=ridge)).error
    if policy.guide is None:
        error = alone
    elif policy.guide == "first":
        # what the first learner guides in k rounds it could in one
        ratios = d / (config.added * rounds[1:])
        later = two_stage_law(
            TwoStageProblem(rule, first_ratio=d / config.start, second_ratio=ratios, ridge=ridge)
        ).error
        error = np.concatenate([np.asarray(alone)[:1], later])
    else:
        given = {"first_ratio": d / config.start, "added_ratio": d / config.added, "ridge": ridge}
        error = practice_law(PracticeProblem(rule, rounds=config.rounds, **given)).error
    columns = {"policy": [policy.name] * len(rounds), "strength": np.full(len(rounds), strength), "round": rounds}
    return pl.DataFrame(columns | {"examples": examples, "error_law": np.asarray(error)})
