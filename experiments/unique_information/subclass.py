"""Whether unique information finds a sub-class that a class holds too few examples of.

A class is made of two sub-classes that its labels do not tell apart, many examples of one and few of the other, and is
learned against another class. Tables: `summary`, how the few score against the many, for more and less of them and
with the two sub-classes in either part; `scores`, those of all examples where the few are fewest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import jax
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.data import Dataset, load, pooled
from infojax.files import kept
from infojax.information import contrast, unique_information
from infojax.linearized import GradientDescent
from infojax.models import Network, Params, mlp

MEASURES = {"functional": "f_si", "weights": "si"}
PARTS = ("common", "rare", "other")


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    subclasses: tuple[str, str] = ("1", "4")
    """Names of the two sub-classes of class 0."""
    other: str = "7"
    """Name of class 1."""
    common: int = 100
    """Training examples of the common sub-class."""
    others: int = 100
    """Training examples of class 1."""
    rare: tuple[int, ...] = (5, 10, 25, 50, 100)
    """Training examples of the rare sub-class, at least 2."""
    both: bool = True
    """Let each sub-class be the rare one in turn; otherwise the second alone."""
    validation: float = 0.5
    """Validation examples for each training example, of every part."""
    mean: float = 0.0
    """Pixels enter as (value in [0, 1] − mean) / std."""
    std: float = 1.0
    network: Literal["mlp", "efficientnet-lite0"] = "mlp"
    """One hidden layer from random weights, or a network pretrained on ImageNet with a new last layer."""
    width: int = 1024
    """Hidden units of the mlp."""
    size: int = 96
    """Pixels along the images that the pretrained network sees."""
    steps: int = 2000
    """Updates, full batch."""
    learning_rate: float = 0.02
    """Of the mean loss."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Of the examples drawn and the network."""


# "paper" has the paper's proportions. With its numbers, 4000, 4000 and 200, the kernel of a pretrained network is hours
# of work on two cores; with network="mlp", mean=0.5 and std=0.25 it is minutes.
PRESETS = {
    "quick": Config(),
    "paper": Config(
        dataset="cifar10",
        subclasses=("dog", "cat"),
        other="deer",
        common=500,
        others=500,
        rare=(25,),
        both=False,
        validation=0.25,
        network="efficientnet-lite0",
        steps=1000,
        learning_rate=1e-3,
        seeds=(0,),
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    data = load(config.dataset).normalised(config.mean, config.std)
    orders = [config.subclasses, config.subclasses[::-1]][: 1 + config.both]
    task = progress.add_task("sub-classes", total=len(orders) * len(config.rare) * len(config.seeds))
    network = mlp(hidden=(config.width,))
    shown, summary = [], []
    for common, rare in orders:
        for count in config.rare:
            for seed in config.seeds:
                arm = f"{common}-{rare}-{count}-{seed}".replace("/", " ")
                file, what = scratch / f"{arm}.parquet", f"{config!r}, {common!r}, {rare!r}, {count}, {seed}"
                scores = kept(file, what, _scores, config, network, data, common, rare, count, seed, progress)
                summary += _summary(scores)
                if count == min(config.rare):
                    shown.append(scores)
                progress.advance(task)
    return {"summary": pl.DataFrame(summary), "scores": pl.concat(shown)}


def _scores(
    config: Config, mlp_: Network, data: Dataset, common: str, rare: str, count: int, seed: int, progress: Progress
) -> pl.DataFrame:
    halves = _parts(config, data, common, rare, count, seed)
    (train, part), (validation, _) = (pooled(*parts) for parts in zip(*halves, strict=True))
    network, params = _network(config, mlp_, train.x.shape[1:], seed)
    training = GradientDescent(config.steps, config.learning_rate)
    found = unique_information(network, params, train, validation, training=training, progress=progress)
    return pl.DataFrame(
        {
            "common": common,
            "rare": rare,
            "count": count,
            "seed": seed,
            "part": np.array(PARTS)[part],
            **{measure: getattr(found, field) for measure, field in MEASURES.items()},
        }
    )


def _parts(
    config: Config, data: Dataset, common: str, rare: str, count: int, seed: int
) -> Iterator[tuple[Dataset, Dataset]]:
    """Training and validation examples of each part, under the labels of the two classes."""
    classes = (" or ".join(config.subclasses), config.other)
    for name, label, n in ((common, 0, config.common), (rare, 0, count), (config.other, 1, config.others)):
        held_out = max(2, round(config.validation * n))
        train, validation = (
            replace(part, y=np.full(len(part), label), classes=classes)
            for part in data.only(name).split(n, held_out, seed=seed)
        )
        yield train, validation


def _network(config: Config, mlp_: Network, shape: tuple[int, ...], seed: int) -> tuple[Network, Params]:
    key = jax.random.key(seed)
    if config.network == "mlp":
        return mlp_, mlp_.init(key, shape)
    from infojax.models import pretrained

    return pretrained(config.network, outputs=1, key=key, size=config.size)


def _summary(scores: pl.DataFrame) -> Iterator[dict[str, str | int | float]]:
    for measure in MEASURES:
        found = contrast(*(scores.filter(part=part)[measure] for part in ("rare", "common")))
        first = scores.select("common", "rare", "count", "seed").row(0, named=True)
        yield {**first, "measure": measure, **found._asdict()}
