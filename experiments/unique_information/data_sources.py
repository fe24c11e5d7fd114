"""How informative the examples of two data sources are, one by one and each source as a whole.

Two sources of images with the same ten classes are pooled for one ten-way task. Tables: `scores`, the unique
information of every example; `groups`, that of each source and of each class of a source, left out as a whole, beside
the sum over its examples; `summary`, how the examples of the second source score against those of the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.data import Dataset, load, over_photographs, pooled
from infojax.files import kept
from infojax.information import Information, contrast, from_linearized
from infojax.linearized import GradientDescent, linearize
from infojax.models import mlp

MEASURES = {"functional": "f_si", "weights": "si"}
# F-SI is over validation examples of both sources; these are over those of one alone.
ON_ONE = ("functional_on_first", "functional_on_second")


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    """The first source, of images with one channel."""
    seconds: tuple[str, ...] = ("photographs", "itself")
    """Second sources, each pooled with the first by itself: "photographs", other images of the first source drawn over
    random patches of photographs; "itself", other images of the first source, as a control; or the name of a data set
    with images of the same size, whose classes are taken for those of the first in their order."""
    n_train: int = 50
    """Training examples of each source."""
    n_validation: int = 100
    """Validation examples of each source."""
    mean: float = 0.5
    """Pixels enter as (value in [0, 1] − mean) / std."""
    std: float = 0.5
    width: int = 1024
    """Hidden units."""
    steps: int = 2000
    """Updates, full batch."""
    learning_rate: float = 0.008
    """Of the mean loss."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of the examples drawn, the patches and the network."""


PRESETS = {
    "quick": Config(),
    "paper": Config(
        dataset="mnist",
        seconds=("photographs", "fashion-mnist", "itself"),
        n_train=150,
        n_validation=150,
        learning_rate=6e-4,
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    scores, groups = [], []
    task = progress.add_task("sources", total=len(config.seconds) * len(config.seeds))
    for second in config.seconds:
        for seed in config.seeds:
            file, what = scratch / f"{second}-{seed}.tables", f"{config!r}, {second}, {seed}"
            pair = kept(file, what, _pair, config, second, seed)
            for name, tables in (("scores", scores), ("groups", groups)):
                tables.append(pair[name].select(pl.lit(second).alias("second"), pl.lit(seed).alias("seed"), pl.all()))
            progress.advance(task)
    table = pl.concat(scores)
    return {"scores": table, "groups": pl.concat(groups), "summary": pl.DataFrame(_summary(table))}


def _pair(config: Config, second: str, seed: int) -> dict[str, pl.DataFrame]:
    """Scores and groups of one pair of sources."""
    halves = [
        source.normalised(config.mean, config.std).split(config.n_train, config.n_validation, seed=seed)
        for source in _sources(config, second, seed)
    ]
    (train, source), (validation, _) = (pooled(*parts) for parts in zip(*halves, strict=True))
    outputs = len(train.classes)
    network = mlp(hidden=(config.width,), outputs=outputs)
    params = network.init(jax.random.key(seed), train.x.shape[1:])
    linearized = linearize(network, params, train, validation)
    training = GradientDescent(config.steps, config.learning_rate)
    each = from_linearized(linearized, training)
    halves_of_validation = (replace(linearized, cross=half) for half in np.split(linearized.validation_kernel, 2))
    on_one = (from_linearized(half, training).f_si for half in halves_of_validation)
    scores = pl.DataFrame(
        {"source": source, "label": np.array(train.classes)[train.y]}
        | {name: getattr(each, field) for name, field in MEASURES.items()}
        | dict(zip(ON_ONE, on_one, strict=True))
    )
    of_class = source * outputs + train.y
    groups = pl.concat(
        [
            _groups(kind, scores, of, from_linearized(linearized, training, groups=of))
            for kind, of in (("source", source), ("class", of_class))
        ]
    )
    return {"scores": scores, "groups": groups}


def _sources(config: Config, second: str, seed: int) -> tuple[Dataset, Dataset]:
    """Enough of both sources, in colour."""
    enough = config.n_train + config.n_validation
    first, others = load(config.dataset).split(enough, enough, seed=seed)
    if second == "photographs":
        others = over_photographs(others, seed=seed)
    elif second != "itself":
        others = replace(load(second).take(enough, seed=seed), classes=first.classes)
    return _in_colour(first), _in_colour(others)


def _in_colour(dataset: Dataset) -> Dataset:
    return replace(dataset, x=np.broadcast_to(dataset.x, (*dataset.x.shape[:3], 3)))


def _groups(kind: str, scores: pl.DataFrame, of: np.ndarray, whole: Information) -> pl.DataFrame:
    """A row for each group in ascending order of its number, which is the order of `whole`."""
    sums = [pl.col(name).sum().alias(f"{name}_sum") for name in MEASURES]
    keys = [pl.col("source").first(), pl.col("label").first() if kind == "class" else pl.lit("all").alias("label")]
    table = scores.with_columns(of=of).group_by("of").agg(*keys, pl.len().alias("examples"), *sums).sort("of")
    return table.select(
        pl.lit(kind).alias("kind"),
        pl.exclude("of"),
        *(pl.Series(name, getattr(whole, field)) for name, field in MEASURES.items()),
    )


def _summary(scores: pl.DataFrame) -> Iterator[dict[str, str | int | float]]:
    for (second, seed), own in scores.group_by("second", "seed", maintain_order=True):
        for measure in (*MEASURES, *ON_ONE):
            found = contrast(*(own.filter(source=source)[measure] for source in (1, 0)))
            yield {"second": second, "seed": seed, "measure": measure, **found._asdict()}
