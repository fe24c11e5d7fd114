"""Whether adversarial examples are more informative than the images that they were made from.

A network is trained on clean images of two classes. Further images are attacked within a box of radius ε so that this
network errs (FGSM, PGD), and added with their true labels to the training set, whose unique information is scored at
the initialisation as ever; for comparison, the same images left clean, and with random signs of size ε. Tables:
`scores` of all examples where the added are fewest; `summary`, how the added score against the training set, and what
they are worth left out together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.data import Dataset, load, pooled
from infojax.files import kept
from infojax.information import Information, contrast, descend, from_linearized, validate
from infojax.linearized import GradientDescent, linearize
from infojax.models import Network, Params, fgsm, mlp, pgd

MEASURES = {"functional": "f_si", "weights": "si"}
KINDS = ("noise", "FGSM", "PGD")


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    classes: tuple[int, int] = (4, 9)
    """Target 0 and target 1."""
    n_train: int = 200
    """Clean training examples."""
    n_added: tuple[int, ...] = (5, 50)
    """Further examples, which are attacked and added together; the fewer are the first of the more."""
    n_validation: int = 100
    """Validation examples, clean."""
    mean: float = 0.0
    """Pixels enter as (value in [0, 1] − mean) / std."""
    std: float = 1.0
    radii: tuple[float, ...] = (0.1, 0.2, 0.3)
    """ε, the most that a pixel in [0, 1] is changed by."""
    pgd_steps: int = 20
    """Steps of PGD, each 2.5 ε / pgd_steps."""
    width: int = 1024
    """Hidden units."""
    steps: int = 2000
    """Updates, full batch, both of the network that is attacked and in closed form."""
    learning_rate: float = 0.02
    """Of the mean loss."""
    seeds: tuple[int, ...] = (0, 1, 2, 3)
    """Of the examples drawn, the network and the noise."""


PRESETS = {
    "quick": Config(),
    "paper": Config(
        dataset="mnist",
        n_train=1000,
        n_added=(10, 100),
        n_validation=1000,
        mean=0.456,
        std=0.224,
        learning_rate=1e-3,
        seeds=(0, 1, 2),
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    network = mlp(hidden=(config.width,))
    data = load(config.dataset).only(*config.classes).normalised(config.mean, config.std)
    found = []
    for seed in progress.track(config.seeds, description="attacks"):
        file, what = scratch / f"seed-{seed}.tables", f"{config!r}, seed {seed}"
        found.append(kept(file, what, _of_seed, config, network, data, seed))
    return {name: pl.concat([tables[name] for tables in found]) for name in ("scores", "summary")}


def _of_seed(config: Config, network: Network, data: Dataset, seed: int) -> dict[str, pl.DataFrame]:
    scores, summary = [], []
    most = max(config.n_added)
    train, rest = data.split(config.n_train, most + config.n_validation, seed=seed)
    added, validation = rest.split(most, config.n_validation, seed=seed)
    training = GradientDescent(config.steps, config.learning_rate)
    params = network.init(jax.random.key(seed), train.x.shape[1:])
    trained = descend(validate(network, params, train, validation, training), jnp.asarray(-1))
    for radius, kind, changed in _versions(config, network, trained, added, seed):
        outputs = np.asarray(network.apply(trained, jnp.asarray(changed.x)))
        moved = np.linalg.norm((changed.x - added.x).reshape(most, -1), axis=1) * config.std
        about = {
            "error": float(np.mean((outputs[:, 0] > 0.5) != changed.y)),
            "distance": float(np.mean(moved)),
        }
        for count in config.n_added:
            few = replace(changed, x=changed.x[:count], y=changed.y[:count])
            whole, source = pooled(train, few)
            found, together = _information(network, params, whole, validation, training, source)
            at = {"seed": seed, "added": count, "radius": radius, "kind": kind}
            for measure, field in MEASURES.items():
                values = getattr(found, field)
                against = contrast(values[source == 1], values[source == 0])
                sums = {"sum": float(values[source == 1].sum()), "together": float(getattr(together, field)[0])}
                summary.append({**at, **about, "measure": measure, **against._asdict(), **sums})
            if count == min(config.n_added):
                scores.append(
                    pl.DataFrame(
                        {**at, "source": source} | {name: getattr(found, field) for name, field in MEASURES.items()}
                    )
                )
    return {"scores": pl.concat(scores), "summary": pl.DataFrame(summary)}


def _information(
    network: Network, params: Params, whole: Dataset, validation: Dataset, training: GradientDescent, source: np.ndarray
) -> tuple[Information, Information]:
    """Of each example, and of all those added together."""
    linearized = linearize(network, params, whole, validation)
    added = [np.flatnonzero(source == 1)]
    each, together = (from_linearized(linearized, training, groups=g) for g in (None, added))
    return each, together


def _versions(
    config: Config, network: Network, trained: Params, added: Dataset, seed: int
) -> Iterator[tuple[float, str, Dataset]]:
    """(ε, kind, the added examples): first as they are, then in each version."""
    yield 0.0, "clean", added
    low, high = ((end - config.mean) / config.std for end in (0.0, 1.0))
    signs = np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), added.x.shape)
    for radius in config.radii:
        attacked, size = (network, trained, added.x, added.targets), radius / config.std
        inputs = (
            np.clip(added.x + np.float32(size) * signs, np.float32(low), np.float32(high)),
            fgsm(*attacked, radius=size, low=low, high=high),
            pgd(*attacked, radius=size, low=low, high=high, steps=config.pgd_steps),
        )
        for kind, x in zip(KINDS, inputs, strict=True):
            yield radius, kind, replace(added, x=np.asarray(x))
