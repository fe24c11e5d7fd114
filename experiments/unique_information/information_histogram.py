"""How much information each example of a training set holds: all scores, and the images at both ends.

Smooth unique information in the predictions (F-SI) and in the weights (SI) of every training example, in closed form
for a network linearised at its initialisation, at the end of gradient descent.
"""

from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.data import load
from infojax.information import unique_information
from infojax.linearized import GradientDescent
from infojax.models import mlp


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    classes: tuple[int, int] = (4, 9)  # target 0 and target 1
    n_train: int = 280  # examples
    n_validation: int = 80  # examples
    mean: float = 0.0  # pixels enter as (value in [0, 1] − mean) / std
    std: float = 1.0
    width: int = 1024  # hidden units
    steps: int = 2000  # updates, full batch
    learning_rate: float = 0.02  # of the mean loss
    decay: float = 0.0  # of the mean loss, towards the initialisation
    ends: int = 10  # images shown of the least, and of the most informative
    seed: int = 0


PRESETS = {
    "quick": Config(),
    "paper": Config(
        dataset="mnist",
        n_train=1000,
        n_validation=1000,
        mean=0.456,
        std=0.224,
        learning_rate=1e-3,
        seed=42,
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables: `scores` (a row per example) and `images` (the least and the most informative by F-SI, with pixels)."""
    data = load(config.dataset).only(*config.classes)
    pictures, _ = data.split(config.n_train, config.n_validation, seed=config.seed)
    train, validation = data.normalised(config.mean, config.std).split(
        config.n_train, config.n_validation, seed=config.seed
    )
    network = mlp(hidden=(config.width,))
    params = network.init(jax.random.key(config.seed), train.x.shape[1:])
    information = unique_information(
        network, params, train, validation,
        training=GradientDescent(config.steps, config.learning_rate, config.decay), progress=progress,
    )  # fmt: skip
    labels = np.array(train.classes)[train.y]
    scores = pl.DataFrame(
        {
            "example": np.arange(config.n_train),
            "label": labels,
            "weights": np.asarray(information.si),
            "functional": np.asarray(information.f_si),
        }
    )

    order = np.argsort(scores["functional"].to_numpy(), kind="stable")
    height, width = pictures.x.shape[1:3]
    ends = {"least": order[: config.ends], "most": order[::-1][: config.ends]}
    images = pl.concat(
        scores[shown.tolist()].with_columns(
            end=pl.lit(end),
            rank=pl.Series(np.arange(1, config.ends + 1)),
            height=pl.lit(height),
            width=pl.lit(width),
            pixels=pl.Series(pictures.x[shown].mean(axis=-1).reshape(config.ends, -1).tolist()),
        )
        for end, shown in ends.items()
    )
    return {"scores": scores, "images": images}
