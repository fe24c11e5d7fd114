"""What the experiments on deliberate practice share: problems, runs that are kept, and what is measured of each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl

from infojax.data import Dataset
from infojax.files import partial_work as partial_work
from infojax.generation import (
    Generator,
    cosine,
    gaussian_mixture,
    log_density,
    mixture_generator,
    sample_exactly,
)
from infojax.models import mlp
from infojax.rounds import Descent, History, judge
from infojax.training import AdamW, Recipe, trapezoid


@dataclass(frozen=True)
class Problem:
    """Where examples come from, and real ones: to say when learning stalls, and to measure with, never trained on.

    `best` is the error of the Bayes classifier on the test data, where the distribution is known.
    """

    generator: Generator
    validation: Dataset
    test: Dataset
    best: float | None


@dataclass(frozen=True)
class MixtureConfig:
    """Gaussian mixtures whose score is exact; the numbers are ours, as the paper has no such problem."""

    dimension: int = 24
    """d, of the examples."""
    classes: int = 4
    """k."""
    modes: int = 12
    """Gaussians with unit covariance in each class, of equal weight."""
    spread: float = 6.0
    """Length of their means, on average: drawn from N(0, spread²/d I)."""
    n_validation: int = 2000
    """Real examples that say when learning has stalled."""
    n_test: int = 20_000
    """Real examples that errors are measured with."""


def mixture(config: MixtureConfig) -> Problem:
    """The mixture is the same for all seeds of runs, and so are the real data."""
    count = config.classes * config.modes
    means = np.random.default_rng(0).normal(size=(count, config.dimension)) * config.spread / config.dimension**0.5
    exact = gaussian_mixture(np.ones(count), means, np.ones(count), np.arange(count) % config.classes)
    validation, test = (_real(exact, n, seed) for seed, n in enumerate((config.n_validation, config.n_test)))
    classes = jnp.arange(config.classes, dtype=jnp.int32)
    x = jnp.asarray(test.x)
    log_p = [log_density(exact, x, jnp.full(len(x), label, jnp.int32)) for label in classes]
    best = float(np.mean(np.argmax(log_p, axis=0) != test.y))
    return Problem(mixture_generator(exact, cosine()), validation, test, best)


def _real(exact: Any, n: int, seed: int) -> Dataset:
    labels = np.arange(n) % exact.classes
    x = sample_exactly(exact, labels, key=jax.random.fold_in(jax.random.key(1), seed))
    return Dataset(np.asarray(x), labels, classes=[f"class {label}" for label in range(exact.classes)], name="mixture")


def test_error(problem: Problem, history: History) -> float:
    """Of the final learner, on the real test data."""
    return float(np.mean(judge(history.learner, problem.test.x).label != problem.test.y))


@dataclass(frozen=True)
class LearnerConfig:
    """A multilayer perceptron, and how it is trained."""

    width: int = 128
    """Of both hidden layers."""
    iterations: int = 1200
    """Of a run, whatever its number of examples."""
    every: int = 20
    """τ, iterations from one evaluation to the next."""
    batch: int = 64
    """Examples in a minibatch."""
    learning_rate: float = 2e-3
    """Of AdamW, at its peak."""
    weight_decay: float = 1e-2
    """Of AdamW."""


def perceptron(config: LearnerConfig, problem: Problem) -> Descent:
    """Make one for all runs, which then share a compiled program."""
    rate = trapezoid(config.learning_rate, config.iterations)
    recipe = Recipe(config.iterations, rate, config.batch, optimizer=AdamW(config.weight_decay))
    return Descent(mlp((config.width,) * 2, len(problem.test.classes)), recipe, config.every)


def kept(scratch: Path, name: str, compute: Callable[[], list[dict[str, Any]]], config: Any = None) -> pl.DataFrame:
    """Rows under a name in the scratch folder, computed where they are not there yet, whole and of this config."""
    rows = partial_work.kept(scratch / f"{name}.json", f"{config!r}, {name}", compute)
    return pl.DataFrame(rows, infer_schema_length=None)
