"""Are guided examples worth more? Unique information of generated examples when they are added, by policy.

Runs of deliberate practice on generated digits, in which each addition is generated with or without guidance by the
learner. Then, for each addition, the functional unique information (F-SI) of its examples within all that was there
with them: what each adds to the predictions on real digits, exactly, by leave-one-out of an infinitely wide network of
the learner's architecture, whose kernel knows nothing of any run. Outputs of such a network are independent, so that
F-SI is a sum over classes of that of one output.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
import polars as pl
from rich.progress import Progress
from scipy.stats import spearmanr

from infojax.data import Dataset
from infojax.files import gone_on
from infojax.generation import (
    FROZEN,
    PRACTICE,
    UNIFORM,
    by_diffusion,
    digits_generator,
    digits_parts,
    mnist_generator,
    mnist_parts,
    practise,
    prune,
)
from infojax.information import from_kernels
from infojax.kernels import infinite_width
from infojax.linearized import Converged, spectrum
from infojax.models import from_stax, mlp
from infojax.rounds import Descent, History, Plan
from infojax.training import AdamW, Recipe, trapezoid

OVER_SAMPLING = 5.0
POLICIES = {policy.name: policy for policy in (UNIFORM, prune(OVER_SAMPLING), FROZEN, PRACTICE)}


@dataclass(frozen=True)
class Config:
    """The paper has no such experiment; all of this is ours."""

    data: Literal["digits", "mnist"] = "digits"
    """What the generator was trained on."""
    start: int = 50
    """Generated examples that training begins with."""
    added: int = 50
    """Examples in an addition."""
    additions: int = 4
    """At most, in a run."""
    strength: float = 6.0
    """ω of the guidance, in nats of entropy."""
    steps: int = 25
    """Of the sampler."""
    iterations: int = 2500
    """Minibatches of a run."""
    every: int = 100
    """Minibatches from one look at the validation accuracy to the next."""
    width: int = 256
    """Hidden units of the learner."""
    validation: int = 397
    """Real examples that the loop looks at; those that F-SI is measured on are as many others."""
    decay: float = 1e-4
    """λ, of the mean loss, in the training that F-SI is exact for."""
    seeds: int = 3
    """Runs of each policy."""
    seed: int = 0
    """Of the first run."""


PRESETS = {
    "quick": Config(),
    "paper": Config(data="mnist", start=250, added=250, additions=5, iterations=8000, validation=1000, seeds=5),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables, with `policy`, `seed`, `addition` (0 is what training began with): `additions` with means over examples
    of `information` (F-SI within all examples so far) and `entropy`, the rank correlation of both, the share of labels
    that a classifier of real examples `agrees` with; `accuracy` on real examples, at each evaluation; `examples`."""
    real, validation, points = _real(config)
    judge = _Judge(config, real, points)
    generate = by_diffusion(_generator(config), strength=config.strength, steps=config.steps, tile=config.added)
    recipe = Recipe(config.iterations, trapezoid(1e-3, config.iterations), batch=64, optimizer=AdamW(1e-4))
    trainer = Descent(mlp(hidden=(config.width,), outputs=10), recipe, config.every)
    capacity = config.start + config.additions * config.added
    # a patience that does not grow, so that all additions are made
    plan = Plan(config.start, config.added, capacity, growing=False, block=max(config.start, config.added))
    rows, accuracies, examples = [], [], []
    arms = [(name, seed) for seed in range(config.seed, config.seed + config.seeds) for name in POLICIES]
    for name, seed in progress.track(arms, description="practising"):
        given = {"plan": plan, "key": jax.random.key(seed), "checkpoint": scratch / f"{name}-{seed}"}
        practising = partial(practise, generate, trainer, validation, POLICIES[name], **given)
        history = gone_on(given["checkpoint"], practising)
        where = {"policy": name, "seed": seed}
        accuracies.append(history.evaluations.select("evaluation", "accuracy").with_columns(**_literals(where)))
        for each in judge(history):
            rows.append(where | {name: value for name, value in each.items() if np.ndim(value) == 0})
            examples.append(pl.DataFrame({name: each[name] for name in ("score", "unsure", "right")}).with_columns(
                **_literals(where | {"addition": each["addition"]})
            ))  # fmt: skip
    return {
        "additions": pl.DataFrame(rows),
        "accuracy": pl.concat(accuracies),
        "examples": pl.concat(examples),
    }


class _Judge:
    """What generated examples are worth to an infinitely wide network, and whether their labels are right."""

    def __init__(self, config: Config, real: Dataset, points: Dataset):
        from infojax.models import stax

        layers = stax.serial(stax.Flatten(), stax.Dense(config.width), stax.Relu(), stax.Dense(1))
        self.network = from_stax(layers)
        self.config, self.points = config, points.x
        # kernel regression on real examples: the classifier that labels are held against
        theta = self.kernel(real.x) + len(real) * config.decay * np.eye(len(real))
        self.real, self.weights = real.x, np.linalg.solve(theta, np.eye(10)[real.y] - 0.1)

    def kernel(self, x: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
        return np.asarray(infinite_width(self.network, x, other))

    def __call__(self, history: History) -> list[dict[str, Any]]:
        x, y = history.x, history.y
        theta, cross = self.kernel(x), self.kernel(self.points, x)
        right = (self.kernel(x, self.real) @ self.weights).argmax(1) == y
        found, end = [], 0
        for number, addition in enumerate(history.additions):
            new = slice(end, end := end + len(addition.examples.y))
            scores = information(theta[:end, :end], cross[:, :end], y[:end], self.config.decay)[new]
            # the first learner has chosen nothing, and has no entropy of what it began with
            unsure = np.asarray(addition.examples.entropy, np.float64) if number else np.full(len(scores), np.nan)
            found.append(
                {
                    "addition": number,
                    "before": addition.before.examples,
                    "information": float(scores.mean()),
                    "entropy": float(unsure.mean()),
                    "rank_correlation": float(np.asarray(spearmanr(scores, unsure))[0]) if number else float("nan"),
                    "agrees": float(right[new].mean()),
                    "score": scores,
                    "unsure": unsure,
                    "right": right[new],
                }
            )
        return found


def information(theta: np.ndarray, cross: np.ndarray, y: np.ndarray, decay: float) -> np.ndarray:
    """F-SI (n,) for centred one-hot targets of ten classes, given the kernel of one output."""
    factored, training = spectrum(theta), Converged(decay)
    of_class = [from_kernels(factored, cross, (y == c) - 0.1, training=training).f_si for c in range(10)]
    return np.sum(of_class, axis=0)


def _generator(config: Config) -> Any:
    return mnist_generator() if config.data == "mnist" else digits_generator()


def _real(config: Config) -> tuple[Dataset, Dataset, Dataset]:
    """Examples that the generator has seen, 1,000 of them, and two sets that it has not; values in [−1, 1]."""
    seen, unseen = mnist_parts() if config.data == "mnist" else digits_parts()
    parts = seen.take(1000, seed=0), *unseen.split(config.validation, config.validation, seed=0)
    real, validation, points = (part.normalised(0.5, 0.5) for part in parts)
    return real, validation, points


def _literals(where: dict[str, Any]) -> dict[str, pl.Expr]:
    return {name: pl.lit(value) for name, value in where.items()}
