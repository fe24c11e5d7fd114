"""Closed form and influence functions against retraining, network by network: Table 1 of Smooth Unique Information.

Each column of the table is a run of linearized_vs_retraining, which also runs one network with options of its own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import polars as pl
import tyro
from rich.progress import Progress

from . import linearized_vs_retraining as one_network


@dataclass(frozen=True)
class Config:
    # One network each, named in the tables by `network`. No options on the command line: their names would repeat.
    columns: Annotated[tuple[one_network.Config, ...], tyro.conf.Suppress]


_MLP = one_network.PRESETS["paper"]
_MNIST = {"dataset": "mnist", "n_train": 1000, "n_validation": 1000, "steps": 2000, "left_out": 40, "seed": 42}
_PETS = {"dataset": "cifar10", "classes": ("cat", "dog"), "n_train": 1000, "n_validation": 1000, "left_out": 40}

# The paper preset is for a data-centre GPU: a convolutional network takes minutes a model on two cores, a pretrained
# one days. Retraining that was interrupted goes on where it stopped.
PRESETS = {
    "quick": Config(
        (
            one_network.Config(width=256, n_train=40, n_validation=100, steps=200),
            one_network.Config(
                network="cnn",
                enlarge=4,
                n_train=40,
                n_validation=100,
                steps=200,
                learning_rate=0.05,
                decays=(0.0, 0.1),
                left_out=16,
            ),
        )
    ),
    "paper": Config(
        (
            _MLP,
            one_network.Config(
                network="cnn", mean=0.456, std=0.224, learning_rate=1e-2, decays=(0.0, 0.1), **_MNIST
            ),
            one_network.Config(network="cnn-drawings", learning_rate=2e-3, decays=(0.0, 1.0), **_MNIST),
            one_network.Config(
                network="efficientnet-lite0", steps=1000, learning_rate=1e-3, decays=(0.0, 1.0), seed=42, **_PETS
            ),
            one_network.Config(network="resnet50", steps=1000, learning_rate=1e-3, decays=(0.0, 1.0), seed=42, **_PETS),
        )
    ),
}  # fmt: skip


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """The tables of linearized_vs_retraining, with the columns `network` and `dataset` before theirs."""
    tables: dict[str, list[pl.DataFrame]] = {}
    for number, column in enumerate(progress.track(config.columns, description="networks")):
        folder = scratch / f"{number}-{column.network}"
        folder.mkdir(exist_ok=True)
        for name, table in one_network.run(column, folder, progress).items():
            own = {"network": column.network, "dataset": column.dataset}
            named = table.select(*(pl.lit(value).alias(key) for key, value in own.items()), pl.all())
            tables.setdefault(name, []).append(named)
    return {name: pl.concat(parts) for name, parts in tables.items()}
