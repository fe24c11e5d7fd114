"""Unique information in closed form against retraining without each example.

A ReLU network with one hidden layer is trained by gradient descent on two classes of images, once with all examples
and once without each: the true change of its weights (SI) and of its predictions (F-SI). Beside them stands what the
linearised network says in closed form, for the same number of steps and for training to convergence (t = ∞), without
and with decay towards the initialisation.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
from rich.progress import Progress
from scipy import stats

from infojax.data import load
from infojax.errors import InvalidInput
from infojax.information import Information, Retraining, retrain_without_each, unique_information
from infojax.linearized import Converged, GradientDescent
from infojax.models import mlp


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    classes: tuple[int, int] = (4, 9)  # target 0 and target 1
    n_train: int = 60  # examples
    n_validation: int = 200  # examples
    mean: float = 0.0  # pixels enter as (value in [0, 1] − mean) / std
    std: float = 1.0
    width: int = 1024  # hidden units
    steps: int = 400  # updates, full batch
    learning_rate: float = 0.02  # of the mean loss
    decays: tuple[float, ...] = (0.0, 0.25)  # of the mean loss, towards the initialisation
    left_out: int | None = None  # retrain without the first so many examples only; None for all
    seed: int = 0


# "paper" is about 10¹⁶ floating-point operations for each decay: minutes on a data-centre GPU, days on a laptop,
# where a Config with `left_out=10`, say, checks a part.
PRESETS = {
    "quick": Config(),
    "paper": Config(
        dataset="mnist",
        n_train=1000,
        n_validation=1000,
        mean=0.456,
        std=0.224,
        steps=2000,
        learning_rate=1e-3,
        decays=(0.0, 1.0),
        seed=42,
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables: `scores` (example, decay, measure), `summary` (decay, measure, training) and `networks` (decay)."""
    if config.left_out is not None and not 3 <= config.left_out <= config.n_train:
        raise InvalidInput(
            f"left_out is {config.left_out}; correlations need 3 to n_train = {config.n_train} examples, or None."
        )
    data = load(config.dataset).only(*config.classes).normalised(config.mean, config.std)
    train, validation = data.split(config.n_train, config.n_validation, seed=config.seed)
    network = mlp(hidden=(config.width,))
    params = network.init(jax.random.key(config.seed), train.x.shape[1:])
    descent = GradientDescent(config.steps, config.learning_rate)

    scores, networks = [], []
    for decay in config.decays:
        truth = retrain_without_each(
            network, params, train, validation, training=descent, decay=decay,
            examples=np.arange(config.n_train if config.left_out is None else config.left_out),
            checkpoint=scratch / f"decay-{decay:g}.npz", progress=progress,
        )  # fmt: skip
        at_t, converged = (
            unique_information(network, params, train, validation, training=training, decay=decay)
            for training in (descent, Converged())
        )
        scores.append(_scores(decay, [train.classes[c] for c in train.y[truth.examples]], truth, at_t, converged))
        wrong = np.mean((truth.predictions[:, 0] > 0.5) != validation.y)
        networks.append({"decay": decay, "validation_error": float(wrong)})
    table = pl.concat(scores)
    return {"scores": table, "summary": _summary(table), "networks": pl.DataFrame(networks)}


def _scores(
    decay: float, labels: list[str], truth: Retraining, at_t: Information, converged: Information
) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame(
            {
                "decay": decay,
                "measure": measure,
                "example": truth.examples,
                "label": labels,
                "retraining": getattr(truth, measure),
                "linearized": getattr(at_t, measure)[truth.examples],
                "converged": getattr(converged, measure)[truth.examples],
            }
        )
        for measure in ("weights", "functional")
    )


def _summary(scores: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for (decay, measure), group in scores.group_by("decay", "measure", maintain_order=True):
        truth = group["retraining"].to_numpy()
        for training in ("linearized", "converged"):
            estimate = group[training].to_numpy()
            pearson: Any = stats.pearsonr(truth, estimate)
            spearman: Any = stats.spearmanr(truth, estimate)
            rows.append(
                {
                    "decay": decay,
                    "measure": measure,
                    "training": training,
                    "pearson": float(pearson.statistic),
                    "spearman": float(spearman.statistic),
                    "median_ratio": float(np.median(estimate / truth)),
                    "examples": len(truth),
                }
            )
    return pl.DataFrame(rows)
