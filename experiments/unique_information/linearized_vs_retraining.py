"""Unique information in closed form, and by influence functions, against retraining without each example.

A network is trained by gradient descent on two classes of images, once with all examples and once without each: the
true change of its weights (SI) and of its predictions (F-SI). Beside them stand what the linearised network says in
closed form, for the same number of steps and for training to convergence (t = ∞), and what influence functions say at
the trained weights; without and with decay towards the initialisation.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.data import Dataset, load
from infojax.errors import InvalidInput
from infojax.files import gone_on
from infojax.information import Information, Retraining, from_linearized, influence_information, retrain_without_each
from infojax.linearized import Converged, GradientDescent, linearize
from infojax.models import Network, Params, cnn, mlp, pretrained

ESTIMATES = ("linearized", "converged", "influence")


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    classes: tuple[str, str] = ("4", "9")  # target 0 and target 1
    enlarge: int = 1  # every pixel becomes so many by so many
    n_train: int = 60  # examples
    n_validation: int = 200  # examples
    mean: float = 0.0  # pixels enter as (value in [0, 1] − mean) / std
    std: float = 1.0
    network: str = "mlp"  # mlp, cnn, or a pretrained network of infojax.models with a new last layer
    width: int = 1024  # hidden units of the mlp
    steps: int = 400  # updates, full batch
    learning_rate: float = 0.02  # of the mean loss
    decays: tuple[float, ...] = (0.0, 0.25)  # of the mean loss, towards the initialisation
    damping: float = 0.01  # added to the curvature of the mean loss in influence functions
    left_out: int | None = None  # retrain without the first so many (of randomly drawn) examples; None for all
    most: int = 0  # and without the so many that the closed form finds most informative
    seed: int = 0


# Retraining at the paper's size is about 6·10¹² floating-point operations a model: half a minute on two cores. So the
# paper preset leaves out 40 of the 1000, and the 10 most informative: scores have long tails, on which the correlation
# over all 1000 hangs and of which 40 hold little. `left_out=None`, all of them, is for a data-centre GPU.
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
        left_out=40,
        most=10,
        seed=42,
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables: `scores` (example, decay, measure), `summary` (decay, measure, estimate) and `networks` (decay)."""
    if not 0 <= config.most <= config.n_train // 2:
        raise InvalidInput(f"most is {config.most}; give 0 to n_train // 2 = {config.n_train // 2} examples.")
    if config.left_out is not None and not 3 <= config.left_out <= config.n_train - config.most:
        raise InvalidInput(
            f"left_out is {config.left_out}; correlations need 3 to n_train − most = {config.n_train - config.most} "
            "examples, or None."
        )
    train, validation = problem(config)
    network, params = make_network(config, train)
    linearized = linearize(network, params, train, validation, progress=progress)

    scores, networks = [], []
    for decay in config.decays:
        descent = GradientDescent(config.steps, config.learning_rate, decay)
        at_step = from_linearized(linearized, descent)
        examples, weight = _chosen(config, at_step)
        checkpoint = scratch / f"decay-{decay:g}.npz"
        retrain = partial(
            retrain_without_each, network, params, train, validation, training=descent, examples=examples,
            checkpoint=checkpoint, progress=progress,
        )  # fmt: skip
        truth = gone_on(checkpoint, retrain)
        estimates = (
            at_step,
            from_linearized(linearized, Converged(decay)),
            influence_information(
                network, truth.params, train, validation, training=descent, damping=config.damping, progress=progress
            ),
        )
        labels = [train.classes[c] for c in train.y[truth.examples]]
        scores.append(_scores(decay, labels, weight, truth, dict(zip(ESTIMATES, estimates, strict=True))))
        wrong = np.mean((truth.predictions[:, 0] > 0.5) != validation.y)
        networks.append({"decay": decay, "validation_error": float(wrong)})
    table = pl.concat(scores)
    return {"scores": table, "summary": _summary(table), "networks": pl.DataFrame(networks)}


def problem(config: Config) -> tuple[Dataset, Dataset]:
    """Training and validation set."""
    data = load(config.dataset).only(*config.classes).normalised(config.mean, config.std)
    if config.enlarge > 1:
        larger = np.kron(data.x, np.ones((1, config.enlarge, config.enlarge, 1), np.float32))
        data = Dataset(larger, data.y, data.classes, data.name)
    return data.split(config.n_train, config.n_validation, seed=config.seed)


def make_network(config: Config, train: Dataset) -> tuple[Network, Params]:
    """The network with its initial weights."""
    key = jax.random.key(config.seed)
    own = {"mlp": partial(mlp, hidden=(config.width,)), "cnn": cnn}
    if config.network not in own:
        return pretrained(config.network, outputs=1, key=key)
    network = own[config.network]()
    return network, network.init(key, train.x.shape[1:])


def _chosen(config: Config, at_step: Information) -> tuple[np.ndarray, np.ndarray]:
    """The examples to leave out, and of how many each is one: the most informative stand for themselves only."""
    ranked = np.argsort(-np.asarray(at_step.si) * np.asarray(at_step.f_si))
    most = np.sort(ranked[: config.most])
    drawn = np.setdiff1d(np.arange(config.n_train if config.left_out is None else config.left_out), most)
    stands_for = (config.n_train - len(most)) / len(drawn)
    return np.concatenate([drawn, most]), np.repeat([stands_for, 1.0], [len(drawn), len(most)])


def _scores(
    decay: float, labels: list[str], weight: np.ndarray, truth: Retraining, estimates: dict[str, Information]
) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame(
            {
                "decay": decay,
                "measure": measure,
                "example": truth.examples,
                "label": labels,
                "weight": weight,
                "retraining": getattr(truth, field),
            }
            | {name: np.asarray(getattr(made, field))[truth.examples] for name, made in estimates.items()}
        )
        for measure, field in (("weights", "si"), ("functional", "f_si"))
    )


def _summary(scores: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for (decay, measure), group in scores.group_by("decay", "measure", maintain_order=True):
        truth, weight = group["retraining"].to_numpy(), group["weight"].to_numpy()
        for name in ESTIMATES:
            estimate = group[name].to_numpy()
            low, high = _interval(truth, estimate, weight)
            rows.append(
                {
                    "decay": decay,
                    "measure": measure,
                    "estimate": name,
                    "pearson": float(_pearson(truth, estimate, weight)),
                    "pearson_low": low,
                    "pearson_high": high,
                    "spearman": float(_pearson(_ranks(truth, weight), _ranks(estimate, weight), weight)),
                    "median_ratio": float(_weighted_median(estimate / truth, weight)),
                    "examples": len(truth),
                }
            )
    return pl.DataFrame(rows)


def _pearson(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Pearson's correlation along the last axis, where each entry stands for `weight` many."""
    share = weight / weight.sum(-1, keepdims=True)
    a, b = (values - (share * values).sum(-1, keepdims=True) for values in (a, b))
    return (share * a * b).sum(-1) / np.sqrt((share * a**2).sum(-1) * (share * b**2).sum(-1))


def _ranks(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """How many examples lie below each, half of its own included."""
    order = np.argsort(values)
    ranks = np.empty(len(values))
    ranks[order] = np.cumsum(weight[order]) - weight[order] / 2
    return ranks


def _weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)])


def _interval(truth: np.ndarray, estimate: np.ndarray, weight: np.ndarray, repeats: int = 1000) -> tuple[float, float]:
    """Pearson's correlation as the random examples are drawn anew: the middle 68 % of a bootstrap.

    The most informative, which stand for themselves (weight 1), would be among them each time.
    """
    random = np.flatnonzero(weight > 1) if (weight > 1).any() else np.arange(len(weight))
    fixed = np.setdiff1d(np.arange(len(weight)), random)
    drawn = random[np.random.default_rng(0).integers(len(random), size=(repeats, len(random)))]
    drawn = np.concatenate([drawn, np.tile(fixed, (repeats, 1))], 1)
    low, high = np.nanquantile(_pearson(truth[drawn], estimate[drawn], weight[drawn]), (0.16, 0.84))
    return float(low), float(high)
