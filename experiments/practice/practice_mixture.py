"""Error against the number of examples: deliberate practice, static data, pruning, frozen guidance, on exact scores.

The scaling of Deliberate Practice (arXiv 2502.15588), Fig. 1, where everything but the learner is exact: a mixture of
Gaussians, its score in closed form, a multilayer perceptron, and test data from the mixture itself. Every policy gives
its learner the same number of examples, iterations and minibatches. Points of a policy that adds data as it goes are
branches of one run. Tables: `runs`, an error for each policy, number of examples and seed; `best`, the Bayes error.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import polars as pl
from rich.progress import Progress

from infojax.generation import (
    FROZEN,
    PRACTICE,
    STATIC,
    UNIFORM,
    Policy,
    branch_out,
    by_diffusion,
    practise,
    prune,
)
from infojax.rounds import Descent, History, Plan

from ._practice import LearnerConfig, MixtureConfig, Problem, kept, mixture, perceptron, test_error


@dataclass(frozen=True)
class Config:
    problem: MixtureConfig = field(default_factory=MixtureConfig)
    """Where examples come from."""
    start: int = 512
    """N, examples at the beginning."""
    added: int = 512
    """P, examples in an addition."""
    sizes: tuple[int, ...] = (1024, 2048, 4096)
    """Numbers of examples N + kP at which errors are measured; the last is the capacity."""
    patience: int = 1
    """T_max, evaluations without progress after which examples are added."""
    strength: float = 5.0
    """ω, of the plug-in guidance."""
    steps: int = 30
    """Of the sampler, DDIM with η = 1."""
    over_sampling: tuple[float, ...] = (4.0,)
    """r, examples that are generated for one that pruning keeps."""
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    """What is trained, and how."""
    runs: int = 3
    """Seeds for each point."""
    seed: int = 0
    """Of the first run."""


PRESETS = {
    "quick": Config(),
    "paper": Config(
        sizes=(1024, 2048, 4096, 8192, 16384),
        over_sampling=(4.0, 16.0),
        runs=10,
        learner=LearnerConfig(iterations=12_000, every=60),
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    problem = mixture(config.problem)
    trainer = perceptron(config.learner, problem)
    arms = [STATIC, UNIFORM, PRACTICE, FROZEN, *(prune(ratio) for ratio in config.over_sampling)]
    pairs = [(seed, policy) for seed in range(config.seed, config.seed + config.runs) for policy in arms]
    tables = []
    for seed, policy in progress.track(pairs, description="practising"):
        name = f"{label_of(policy)}-{seed}"
        tables.append(kept(scratch, name, lambda s=seed, p=policy: _measured(config, problem, trainer, p, s), config))
    return {"runs": pl.concat(tables, how="vertical_relaxed"), "best": pl.DataFrame({"error": [problem.best]})}


def label_of(policy: Policy) -> str:
    """Its name in the tables."""
    return f"prune {policy.over_sampling:g}" if policy.over_sampling > 1 else policy.name


def _measured(config: Config, problem: Problem, trainer: Descent, policy: Policy, seed: int) -> list[dict[str, Any]]:
    """An error at each size: of a run each where data are static, otherwise of branches of one run."""
    generate = by_diffusion(problem.generator, strength=config.strength, steps=config.steps)

    def whole(size: int) -> History:
        plan = Plan(config.start, config.added, size, patience=config.patience, growing=False, block=config.added)
        return practise(generate, trainer, problem.validation, policy, plan=plan, key=jax.random.key(seed))

    if policy.at_start:
        histories = [whole(size) for size in config.sizes]
    else:
        last = whole(config.sizes[-1])
        reached = len(last.x)
        smaller = [size for size in config.sizes if size < reached]
        histories = [*(branch_out(last, trainer, problem.validation, examples=size) for size in smaller), last]
    return [
        {
            "policy": label_of(policy),
            "seed": seed,
            "examples": len(history.x),
            "generated": int(history.added["generated"].sum()),
            "error": test_error(problem, history),
            "entropy": history.added["entropy"][-1],
            "last_addition": int(history.added["evaluation"][-1]),
        }
        for history in histories
    ]
