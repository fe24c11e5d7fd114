"""What matters in deliberate practice: the strength of guidance, the patience, the sampler, by the error at the end.

The ablations of Deliberate Practice (arXiv 2502.15588), Table 4, on a mixture of Gaussians with its exact score: each
arm changes one thing. Table `runs`: an error for each arm, value and seed, with the number of examples that it reached.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import polars as pl
from rich.progress import Progress

from infojax.generation import (
    PRACTICE,
    STATIC,
    UNIFORM,
    Generate,
    Policy,
    by_diffusion,
    ddim,
    normalised,
    practise,
)
from infojax.rounds import Descent, Plan

from ._practice import LearnerConfig, MixtureConfig, Problem, kept, mixture, perceptron, test_error


@dataclass(frozen=True)
class Config:
    problem: MixtureConfig = field(default_factory=MixtureConfig)
    """Where examples come from."""
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    """What is trained, and how."""
    start: int = 512
    """N, examples at the beginning."""
    added: int = 512
    """P, examples in an addition."""
    capacity: int = 3072
    """N + kP."""
    patience: int = 1
    """T_max where it is not varied."""
    strength: float = 4.0
    """ω where it is not varied."""
    strengths: tuple[float, ...] = (1.0, 4.0, 16.0)
    """ω of the plug-in guidance, DDIM with η = 1."""
    deterministic: tuple[float, ...] = (4.0,)
    """ω with η = 0."""
    normalised: tuple[float, ...] = (0.05,)
    """ω of the authors' normalised update, at every fifth step."""
    patiences: tuple[int, ...] = (2,)
    """Other T_max."""
    growing: tuple[int, ...] = (1,)
    """T_max at first, where it grows with the data."""
    steps: int = 30
    """Of the sampler."""
    runs: int = 3
    """Seeds for each point."""
    seed: int = 0
    """Of the first run."""


PRESETS = {
    "quick": Config(),
    "paper": Config(
        learner=LearnerConfig(iterations=20_000, every=50),
        capacity=8192,
        strengths=(0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0),
        deterministic=(1.0, 2.0, 4.0, 8.0, 16.0),
        normalised=(0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.2),
        patiences=(2, 4, 8, 14),
        growing=(1, 2),
        runs=10,
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    problem = mixture(config.problem)
    trainer = perceptron(config.learner, problem)
    arms = [("static", 0.0), ("uniform", 0.0), *(("strength", v) for v in config.strengths)]
    arms += [("deterministic", v) for v in config.deterministic] + [("normalised", v) for v in config.normalised]
    arms += [("patience", float(v)) for v in config.patiences] + [("growing", float(v)) for v in config.growing]
    triples = [(seed, *arm) for seed in range(config.seed, config.seed + config.runs) for arm in arms]
    tables = []
    for seed, arm, value in progress.track(triples, description="practising"):
        given = (config, problem, trainer, arm, value, seed)
        tables.append(kept(scratch, f"{arm}-{value:g}-{seed}", lambda given=given: [_measured(*given)], config))
    return {"runs": pl.concat(tables, how="vertical_relaxed")}


def _measured(config: Config, problem: Problem, trainer: Descent, arm: str, value: float, seed: int) -> dict[str, Any]:
    policy: Policy = {"static": STATIC, "uniform": UNIFORM}.get(arm, PRACTICE)
    waits = round(value) if arm in ("patience", "growing") else config.patience
    plan = Plan(
        config.start, config.added, config.capacity, patience=waits, growing=arm == "growing", block=config.added
    )
    key = jax.random.key(seed)
    history = practise(_source(config, problem, arm, value), trainer, problem.validation, policy, plan=plan, key=key)
    return {
        "arm": arm,
        "value": value,
        "seed": seed,
        "examples": len(history.x),
        "error": test_error(problem, history),
        "entropy": history.added["entropy"][-1],
    }


def _source(config: Config, problem: Problem, arm: str, value: float) -> Generate:
    if arm == "normalised":
        return by_diffusion(problem.generator, strength=value, guidance=normalised, steps=config.steps)
    strength = value if arm in ("strength", "deterministic") else config.strength
    eta = 0.0 if arm == "deterministic" else 1.0
    return by_diffusion(problem.generator, strength=strength, steps=config.steps, sampler=ddim(eta))
