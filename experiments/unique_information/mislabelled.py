"""Which score finds mislabelled examples: unique information, and what is simpler than it.

A tenth of the labels of two classes of images is flipped. Every score ranks the training examples, the most suspect
first; the area under the ROC curve (AUC) is the chance that a flipped example stands before one that is not. Most
scores are of the network linearised at its initialisation; those called "trained" are of the network itself, trained
in earnest.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from jaxtyping import Array, Float
from rich.progress import Progress
from sklearn.metrics import roc_auc_score, roc_curve

from infojax.data import Dataset, load, symmetric_noise
from infojax.files import kept
from infojax.information import BASELINES, Problem, descend, from_linearized, trained_residual, validate
from infojax.linearized import GradientDescent, linearize
from infojax.models import Network, mlp


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    classes: tuple[int, int] = (1, 8)  # target 0 and target 1
    noise: float = 0.1  # fraction of training labels that are flipped
    n_train: int = 240  # examples
    n_validation: int = 100  # examples, whose labels are not used
    mean: float = 0.0  # pixels enter as (value in [0, 1] − mean) / std
    std: float = 1.0
    width: int = 512  # hidden units
    steps: int = 2000  # updates, full batch
    learning_rate: float = 0.02  # of the mean loss
    decay: float = 0.0  # of the mean loss, towards the initialisation
    early: float = 0.1  # fraction of the steps after which the early residual is taken
    repeats: int = 5  # draws of examples, flips and initial weights
    trained: bool = True  # also train the network itself
    seed: int = 0


PRESETS = {
    "quick": Config(),
    "paper": Config(
        dataset="mnist",
        classes=(4, 9),
        width=1024,
        n_train=1000,
        n_validation=1000,
        mean=0.456,
        std=0.224,
        learning_rate=1e-3,
        repeats=3,
        seed=42,
    ),
}
RATES = np.geomspace(1e-3, 1, 121)  # of false alarms, at which ROC curves are averaged


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables: `examples` (a row per repeat, example and score), `detection` (per repeat and score) and `roc`."""
    data = load(config.dataset).only(*config.classes).normalised(config.mean, config.std)
    parts = []
    for repeat in progress.track(range(config.repeats), description="mislabelled examples"):
        file, what = scratch / f"{repeat}.parquet", f"{config!r}, repeat {repeat}"
        parts.append(kept(file, what, _scores, config, data, repeat))
    examples = pl.concat(parts)

    detection, curves = [], []
    for (repeat, score), group in examples.group_by("repeat", "score", maintain_order=True):
        flipped, values = group["flipped"].to_numpy(), group["value"].to_numpy()
        first = np.argsort(-values, kind="stable")[: flipped.sum()]
        auc = float(roc_auc_score(flipped, values))
        detection.append({"repeat": repeat, "score": score, "auc": auc, "found": float(flipped[first].mean())})
        curve = np.interp(RATES, *roc_curve(flipped, values)[:2])
        curves.append(pl.DataFrame({"score": score, "false": RATES, "found": curve}))
    roc = pl.concat(curves).group_by("score", "false", maintain_order=True).agg(
        pl.col("found").mean(), stderr=pl.col("found").std() / pl.len().sqrt()
    )  # fmt: skip
    return {"examples": examples, "detection": pl.DataFrame(detection), "roc": roc}


def _scores(config: Config, data: Dataset, repeat: int) -> pl.DataFrame:
    seed = config.seed + repeat
    clean, validation = data.split(config.n_train, config.n_validation, seed=seed)
    train = symmetric_noise(clean, config.noise, seed=seed)
    network = mlp(hidden=(config.width,))
    params = network.init(jax.random.key(seed), train.x.shape[1:])
    linearized = linearize(network, params, train, validation)
    training = GradientDescent(config.steps, config.learning_rate, config.decay)
    information = from_linearized(linearized, training)
    scores = {"F-SI": information.f_si, "SI": information.si}
    scores |= {name: baseline(linearized, training) for name, baseline in BASELINES.items()}
    soon = replace(training, steps=max(1, round(config.early * config.steps)))
    scores["early-residual"] = trained_residual(linearized, soon)
    if config.trained:
        scores |= _of_trained(network, validate(network, params, train, validation, training))
    rows = {"repeat": repeat, "example": np.arange(len(train)), "flipped": train.flipped}
    return pl.concat(pl.DataFrame(rows | {"score": name, "value": value}) for name, value in scores.items())


def _of_trained(network: Network, problem: Problem) -> dict[str, np.ndarray]:
    """The residual and the norm of the gradient of each example for the network itself, after training."""
    params = descend(problem, jnp.asarray(np.array(-1)))

    def loss(params, x: Array, y: Array) -> Float[Array, ""]:
        return jnp.sum((network.apply(params, x[None])[0] - y) ** 2) / 2

    @jax.jit
    def norms(params, x, y):
        def one(example):
            slope = jax.grad(loss)(params, *example)
            return jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(slope)))

        return jax.lax.map(one, (x, y), batch_size=16)

    left = np.linalg.norm(problem.y - jax.jit(network.apply)(params, problem.x), axis=1)
    return {
        "trained-residual": left.astype(np.float64),
        "trained-gradient-norm": np.asarray(norms(params, problem.x, problem.y), np.float64),
    }
