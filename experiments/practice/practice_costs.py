"""Pruning against guided generation at equal numbers of examples: what either costs, and where they break even.

As in Deliberate Practice (arXiv 2502.15588), Fig. 5: a learner is trained until it stalls, one addition is made, by
keeping the hardest of r times as many or by guided sampling, and training goes on; everything up to the addition is
the same. On a mixture of Gaussians with its exact score, with costs in floating-point operations. The linear learner
has exact laws for both, pruning and an exact tilt. Tables: `runs`, `prices`, `laws`, `break_even`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.generation import (
    PRACTICE,
    UNIFORM,
    Policy,
    Prices,
    break_even,
    by_diffusion,
    generating_cost,
    practise,
    prices,
    prune,
    spending,
)
from infojax.rounds import Descent, Plan
from infojax.scaling import PracticeProblem, keep_hard, practice_law, soft
from infojax.training import Learner

from ._practice import LearnerConfig, MixtureConfig, Problem, kept, mixture, perceptron, test_error


@dataclass(frozen=True)
class LawConfig:
    """The linear learner: as in `practice_linear`."""

    first_ratio: float = 0.4
    """d/n₀ of the random examples at first."""
    added_ratio: float = 0.4
    """d/n₁ of those that are added."""
    ridge: float = 0.05
    """λ, relative to 1/(number of examples trained on)."""


@dataclass(frozen=True)
class Config:
    problem: MixtureConfig = field(default_factory=MixtureConfig)
    """Where examples come from."""
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    """What is trained, and how."""
    start: int = 1024
    """N, examples at the beginning, and as many are added once, as in the paper."""
    ratios: tuple[float, ...] = (2.0, 4.0, 8.0, 16.0)
    """r = N/m, examples generated for one that pruning keeps; 1, nothing pruned, is always among them."""
    strengths: tuple[float, ...] = (2.0, 8.0)
    """ω, of the plug-in guidance."""
    steps: int = 30
    """Of the sampler, DDIM with η = 1."""
    law: LawConfig = field(default_factory=LawConfig)
    """The linear learner."""
    runs: int = 3
    """Seeds for each point."""
    seed: int = 0
    """Of the first run."""


PRESETS = {
    "quick": Config(),
    "paper": Config(
        learner=LearnerConfig(iterations=12_000, every=60),
        start=2048,
        ratios=(2.0, 3.0, 4.0, 6.0, 9.0, 18.0, 36.0),
        strengths=(0.5, 1.0, 2.0, 4.0, 8.0, 16.0),
        runs=10,
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    problem = mixture(config.problem)
    trainer = perceptron(config.learner, problem)
    price = _prices(problem, trainer)
    arms = [(UNIFORM, 0.0), *((prune(ratio), 0.0) for ratio in config.ratios)]
    arms += [(PRACTICE, strength) for strength in config.strengths]
    pairs = [(seed, *arm) for seed in range(config.seed, config.seed + config.runs) for arm in arms]
    tables = []
    for seed, policy, strength in progress.track(pairs, description="practising"):
        name = f"{policy.name}-{policy.over_sampling:g}-{strength:g}-{seed}"
        given = (config, problem, trainer, price, policy, strength, seed)
        tables.append(kept(scratch, name, lambda given=given: [_measured(*given)], config))
    runs, laws = pl.concat(tables), _laws(config)
    even = pl.concat([_measured_break_even(runs), _break_even_of_laws(laws)])
    return {"runs": runs, "prices": pl.DataFrame([price._asdict()]), "laws": laws, "break_even": even}


def _prices(problem: Problem, trainer: Descent) -> Prices:
    network = trainer.network
    return prices(problem.generator, Learner(network, network.init(jax.random.key(0), problem.generator.shape)))


def _measured(
    config: Config, problem: Problem, trainer: Descent, price: Prices, policy: Policy, strength: float, seed: int
) -> dict[str, Any]:
    generate = by_diffusion(problem.generator, strength=strength, steps=config.steps)
    plan = Plan(config.start, config.start, 2 * config.start, block=config.start)
    history = practise(generate, trainer, problem.validation, policy, plan=plan, key=jax.random.key(seed))
    spent = spending(history, price).row(-1, named=True)
    last = history.additions[-1].examples
    judged, seconds = (float(last.report[name]) for name in ("judged", "seconds"))
    unguided = config.steps * price.score
    return {
        "kind": "guided" if policy.guide else "pruned",
        "ratio": policy.over_sampling,
        "strength": strength,
        "seed": seed,
        "examples": len(history.x),
        "error": test_error(problem, history),
        "entropy": float(last.entropy.mean()),
        # in unguided examples, for one that is added; choosing counts, as it needs the learner's entropies
        "cost": (generating_cost(last, price) + judged * price.learner) / (len(last.y) * unguided),
        "seconds": seconds,
        "generated": int(history.added["generated"].sum()),
        "trained_on": spent["trained_on"],
        "generating": spent["generating"],
        "training": spent["training"],
        "total": spent["total"],
    }


def _laws(config: Config) -> pl.DataFrame:
    """Errors of the linear learner after one addition, exact: pruned by keeping the hardest 1/r, or tilted exactly."""
    given = {"first_ratio": config.law.first_ratio, "added_ratio": config.law.added_ratio, "rounds": 1}
    ratios = np.geomspace(1, 64, 49)
    strengths = 2.0 ** np.arange(-1, 5.5, 0.5)
    pruned = practice_law(PracticeProblem(keep_hard(1 / ratios), ridge=config.law.ridge, **given)).error[:, 1]
    # the fraction is small enough for the rule not to be capped: the tilt itself, with log 4σ(t)σ(−t) for the entropy
    tilted = practice_law(PracticeProblem(soft(np.full(13, 0.01), strengths), ridge=config.law.ridge, **given)).error[
        :, 1
    ]
    kinds = ["pruned"] * len(ratios) + ["guided"] * len(strengths)
    return pl.DataFrame(
        {
            "kind": kinds,
            "ratio": np.concatenate([ratios, np.ones(13)]),
            "strength": np.concatenate([np.zeros(len(ratios)), strengths]),
            "error": np.concatenate([pruned, tilted]),
        }
    )


def _measured_break_even(runs: pl.DataFrame) -> pl.DataFrame:
    """For each strength the ratio from which pruning is as good, and what guidance cost, in unguided examples."""
    means = runs.group_by("kind", "ratio", "strength").agg(pl.mean("error"), pl.mean("cost")).sort("ratio", "strength")
    pruned, guided = (means.filter(kind=kind) for kind in ("pruned", "guided"))
    ratios, errors = pruned["ratio"].to_numpy(), pruned["error"].to_numpy()
    even = [break_even(ratios, errors, error) for error in guided["error"]]
    columns = {"source": ["measured"] * len(even), "strength": guided["strength"], "break_even": even}
    return pl.DataFrame(columns | {"cost": guided["cost"], "error": guided["error"]})


def _break_even_of_laws(laws: pl.DataFrame) -> pl.DataFrame:
    pruned, guided = (laws.filter(kind=kind) for kind in ("pruned", "guided"))
    ratios, errors = pruned["ratio"].to_numpy(), pruned["error"].to_numpy()
    even = [break_even(ratios, errors, error) for error in guided["error"]]
    columns = {"source": ["law"] * len(even), "strength": guided["strength"], "break_even": even}
    nothing = pl.Series("cost", [None] * len(even), pl.Float64)
    return pl.DataFrame(columns).with_columns(nothing, guided["error"])
