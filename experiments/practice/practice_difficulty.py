"""How hard the examples that practice added were for earlier learners, and become for later ones.

As in Deliberate Practice (arXiv 2502.15588), Fig. 6: the error, on the examples of each addition, of the learner at
every addition and at the end. Those that are misclassified when they come are followed by themselves, beside the same
for examples that were added unguided: whoever picks what one learner gets wrong finds other learners better at it,
guided or not. Tables: `errors`, for each policy, seed, addition and learner; `best`, the error of the Bayes classifier.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.generation import PRACTICE, UNIFORM, Policy, by_diffusion, practise
from infojax.rounds import Descent, Plan, judge

from ._practice import LearnerConfig, MixtureConfig, Problem, kept, mixture, perceptron


@dataclass(frozen=True)
class Config:
    problem: MixtureConfig = field(default_factory=MixtureConfig)
    """Where examples come from."""
    learner: LearnerConfig = field(default_factory=lambda: LearnerConfig(iterations=3000))
    """What is trained, and how."""
    start: int = 1024
    """N, examples at the beginning."""
    added: int = 1024
    """P, examples in an addition."""
    additions: int = 6
    """k."""
    patience: int = 4
    """T_max, evaluations without progress after which examples are added; long, so that learners settle."""
    strength: float = 4.0
    """ω, of the plug-in guidance."""
    steps: int = 30
    """Of the sampler, DDIM with η = 1."""
    runs: int = 3
    """Seeds."""
    seed: int = 0
    """Of the first run."""


PRESETS = {
    "quick": Config(),
    "paper": Config(learner=LearnerConfig(iterations=20_000, every=50), added=2048, start=2048, additions=8, runs=10),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    problem = mixture(config.problem)
    trainer = perceptron(config.learner, problem)
    pairs = [(seed, p) for seed in range(config.seed, config.seed + config.runs) for p in (PRACTICE, UNIFORM)]
    tables = []
    for seed, policy in progress.track(pairs, description="practising"):
        given = (config, problem, trainer, policy, seed)
        tables.append(kept(scratch, f"{policy.name}-{seed}", lambda given=given: _followed(*given), config))
    return {"errors": pl.concat(tables), "best": pl.DataFrame({"error": [problem.best]})}


def _followed(config: Config, problem: Problem, trainer: Descent, policy: Policy, seed: int) -> list[dict[str, Any]]:
    generate = by_diffusion(problem.generator, strength=config.strength, steps=config.steps)
    capacity = config.start + config.additions * config.added
    plan = Plan(config.start, config.added, capacity, patience=config.patience, growing=False, block=config.added)
    history = practise(generate, trainer, problem.validation, policy, plan=plan, key=jax.random.key(seed))
    states = [addition.before.state for addition in history.additions[1:]] + [history.state]
    rows = []
    for number, addition in enumerate(history.additions[1:]):
        judged = [judge(trainer.learner(state), addition.examples.x) for state in states]
        wrong = np.array([each.label != addition.examples.y for each in judged])
        at_first = wrong[number]
        for other, each in enumerate(judged):
            rows.append(
                {
                    "policy": policy.name,
                    "seed": seed,
                    "addition": number + 1,
                    # additions between the one that the learner is of and this: 0, the learner when it came
                    "later": other - number,
                    "error": float(wrong[other].mean()),
                    "entropy": float(each.entropy.mean()),
                    "wrong_at_first": int(at_first.sum()),
                    "error_of_these": float(wrong[other][at_first].mean()) if at_first.any() else None,
                }
            )
    return rows
