"""Do networks agree on which examples are informative? Fully connected, convolutional and infinitely wide ones.

Every network scores the same training examples. Two initialisations of one architecture disagree too: agreement between
architectures is to be held against that. Networks are compared at equal times, in units of the largest eigenvalue of
their kernels, and where they fit the training set equally well.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl
from rich.progress import Progress
from scipy import optimize, stats

from infojax.data import Dataset, load
from infojax.errors import InvalidInput
from infojax.files import kept
from infojax.information import from_linearized
from infojax.kernels import empirical_ntk, infinite_width
from infojax.linearized import (
    GradientFlow,
    LinearizedNetwork,
    initial_residual,
    linearize_kernels,
    trained_residuals,
)
from infojax.models import Network, cnn, from_stax, mlp


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    classes: tuple[int, int] = (1, 8)  # target 0 and target 1
    n_train: int = 140  # examples
    n_validation: int = 80  # examples
    mean: float = 0.0  # pixels enter as (value in [0, 1] − mean) / std
    std: float = 1.0
    enlarge: int = 4  # each pixel becomes a square of this many pixels a side
    networks: tuple[str, ...] = (
        "MLP 256", "MLP 1024", "MLP 4096", "MLP 1024-1024", "CNN", "∞ MLP, 1 layer", "∞ MLP, 2 layers", "∞ CNN",
    )  # fmt: skip
    """Names in `NETWORKS`."""
    time: float = 1000.0  # of gradient flow on the mean loss, in units of n / (largest eigenvalue of the kernel)
    residual: float = 0.3  # norm of the training residual, relative to its start, where fits are equal
    seeds: int = 2  # initialisations of each finite network
    seed: int = 0


PRESETS = {
    "quick": Config(),
    "paper": Config(
        dataset="mnist",
        classes=(4, 9),
        n_train=1000,
        n_validation=1000,
        mean=0.456,
        std=0.224,
        enlarge=1,
        seeds=3,
        seed=42,
    ),
}


def infinite_mlp(layers: int) -> Network:
    from infojax.models import stax

    hidden = [layer for _ in range(layers) for layer in (stax.Dense(1), stax.Relu())]
    return from_stax(stax.serial(stax.Flatten(), *hidden, stax.Dense(1)))


def infinite_cnn() -> Network:
    """The convolutions of `infojax.models.cnn`, as wide as can be, without biases."""
    from infojax.models import stax

    shapes = (((4, 4), (2, 2), "SAME"), ((4, 4), (2, 2), "SAME"), ((3, 3), (2, 2), "VALID"), ((3, 3), (1, 1), "VALID"))
    hidden = [layer for shape in shapes for layer in (stax.Conv(1, *shape), stax.Relu())]
    return from_stax(stax.serial(*hidden, stax.Flatten(), stax.Dense(1), stax.Relu(), stax.Dense(1)))


NETWORKS: dict[str, Callable[[], Network]] = {
    "MLP 256": lambda: mlp((256,)),
    "MLP 1024": lambda: mlp((1024,)),
    "MLP 4096": lambda: mlp((4096,)),
    "MLP 1024-1024": lambda: mlp((1024, 1024)),
    "CNN": cnn,
    "∞ MLP, 1 layer": lambda: infinite_mlp(1),
    "∞ MLP, 2 layers": lambda: infinite_mlp(2),
    "∞ CNN": infinite_cnn,
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables: `scores` (network, initialisation, matching, example), `fits` (how far each trained, and the root mean
    square of its f₀) and `agreement` (of pairs of networks)."""
    unknown = set(config.networks) - set(NETWORKS)
    if unknown:
        raise InvalidInput(f"networks has {sorted(unknown)}; known are {', '.join(NETWORKS)}.")
    data = load(config.dataset).only(*config.classes).normalised(config.mean, config.std)
    data = replace(data, x=data.x.repeat(config.enlarge, axis=1).repeat(config.enlarge, axis=2))
    train, validation = data.split(config.n_train, config.n_validation, seed=config.seed)
    scores, fits = [], []
    for name in progress.track(config.networks, description="networks"):
        network = NETWORKS[name]()
        for number in range(1 if network.kernel else config.seeds):
            file, what = scratch / f"{name}-{number}.npz", f"{config!r}, {name}, {number}"
            key = jax.random.key(config.seed + number)
            found = kept(file, what, _kernels, network, key, train, validation, progress)
            kernel, cross, residual = (found[part] for part in ("kernel", "cross", "residual"))
            linearized = linearize_kernels(kernel, cross, residual)
            theta, who = linearized.spectrum, {"network": name, "initialisation": number}
            for matching, training in _trainings(config, linearized).items():
                information = from_linearized(linearized, training)
                left = trained_residuals(linearized, training)
                scores.append(
                    pl.DataFrame(
                        who
                        | {"matching": matching, "example": np.arange(len(train)), "functional": information.f_si}
                        | {"weights": information.si, "residual": np.abs(left[:, 0])}
                    )
                )
                time = float(training.time * theta.values[-1] / len(train))
                fit = float(np.linalg.norm(left) / np.linalg.norm(residual))
                start = float(np.sqrt(np.mean((train.targets - residual) ** 2)))
                fits.append(who | {"matching": matching, "time": time, "residual": fit, "initial_output": start})
    table = pl.concat(scores)
    return {"scores": table, "fits": pl.DataFrame(fits), "agreement": _agreement(table)}


def _kernels(
    network: Network, key: Any, train: Dataset, validation: Dataset, progress: Progress
) -> dict[str, np.ndarray]:
    """Training and validation kernel, and targets minus initial outputs; an infinitely wide network's mean is zero."""
    if network.kernel:
        kernel = infinite_width(network, train.x, progress=progress)
        cross = infinite_width(network, validation.x, train.x, progress=progress)
        residual = train.targets
    else:
        params = network.init(key, train.x.shape[1:])
        kernel = empirical_ntk(network, params, train.x, progress=progress)
        cross = empirical_ntk(network, params, validation.x, train.x, progress=progress)
        residual = initial_residual(network, params, train)
    return {"kernel": np.asarray(kernel), "cross": np.asarray(cross), "residual": np.asarray(residual)}


def _trainings(config: Config, linearized: LinearizedNetwork) -> dict[str, GradientFlow]:
    unit = linearized.examples / float(linearized.spectrum.values[-1])

    def excess(exponent: float) -> float:
        left = trained_residuals(linearized, GradientFlow(unit * 10**exponent))
        return float(np.linalg.norm(left) / np.linalg.norm(linearized.residual)) - config.residual

    fitted: Any = optimize.brentq(excess, -3, 12, xtol=1e-6)
    return {"equal time": GradientFlow(config.time * unit), "equal fit": GradientFlow(unit * 10**fitted)}


def _agreement(scores: pl.DataFrame) -> pl.DataFrame:
    """Correlations between networks a and b, over all pairs of their initialisations (different ones where a is b)."""
    rows = []
    names = scores["network"].unique(maintain_order=True).to_list()
    for (matching,), group in scores.group_by("matching", maintain_order=True):
        members = dict(group.group_by("network", "initialisation", maintain_order=True))
        for a, b in combinations_with_replacement(names, 2):
            pairs = [(p, q) for p in members for q in members if (p[0], q[0]) == (a, b) and (a != b or p[1] < q[1])]
            for measure in ("functional", "weights"):
                for first, second in pairs:
                    x, y = (members[key][measure].to_numpy() for key in (first, second))
                    spearman: Any = stats.spearmanr(x, y)
                    pearson: Any = stats.pearsonr(*(np.log(np.maximum(v, 1e-12 * v.max())) for v in (x, y)))
                    rows.append(
                        {"matching": matching, "measure": measure, "a": a, "b": b, "of_a": first[1], "of_b": second[1]}
                        | {"spearman": float(spearman.statistic), "pearson_log": float(pearson.statistic)}
                    )
    return pl.DataFrame(rows)
