"""How unique information changes with training time: its size, its ranking, and what it detects.

One eigendecomposition of the kernel serves all times, with and without decay. It serves other labels too, as the
kernel does not look at labels: the same examples with a tenth of their labels flipped say when mislabelled ones stand
out.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np
import polars as pl
from jaxtyping import Float
from rich.progress import Progress
from scipy import stats
from sklearn.metrics import roc_auc_score

from infojax.data import load, symmetric_noise
from infojax.errors import InvalidInput
from infojax.information import BASELINES, from_linearized
from infojax.linearized import (
    Converged,
    GradientDescent,
    initial_residual,
    linearize,
    predictions,
    trained_residuals,
)
from infojax.models import mlp


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    classes: tuple[int, int] = (1, 8)  # target 0 and target 1
    n_train: int = 240  # examples
    n_validation: int = 110  # examples
    mean: float = 0.0  # pixels enter as (value in [0, 1] − mean) / std
    std: float = 1.0
    width: int = 1024  # hidden units
    steps: tuple[int, ...] = (2, 5, *(m * 10**e for e in range(1, 6) for m in (1, 2, 5)), 10**6)
    """Times, in updates of full-batch gradient descent; t = ∞ comes besides."""
    stop: int = 2000  # the time at which the paper stops, one of the above
    learning_rate: float = 0.02  # of the mean loss
    decays: tuple[float, ...] = (0.0, 0.25)  # of the mean loss, towards the initialisation
    noise: float = 0.1  # fraction of labels flipped where detection is measured
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
        learning_rate=1e-3,
        decays=(0.0, 1.0),
        seed=42,
    ),
}
QUANTILES = (0.1, 0.5, 0.9)


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables, a row for each decay and time (`steps`, null for t = ∞), and further keys.

    `sizes`: quantiles of each measure. `ranks`: Spearman correlation of each measure with itself at another time
    (`other`). `detection`: with noise, the AUC of each score and its median over clean and over flipped examples.
    `fit`: of the linearised network.
    """
    if config.stop not in config.steps:
        raise InvalidInput(f"stop is {config.stop}; it must be one of steps, {config.steps}.")
    data = load(config.dataset).only(*config.classes).normalised(config.mean, config.std)
    clean, validation = data.split(config.n_train, config.n_validation, seed=config.seed)
    noisy = symmetric_noise(clean, config.noise, seed=config.seed)
    network = mlp(hidden=(config.width,))
    params = network.init(jax.random.key(config.seed), clean.x.shape[1:])
    linearized = linearize(network, params, clean, validation, progress=progress)
    flipped = replace(linearized, residual=initial_residual(network, params, noisy), targets=noisy.targets)

    times = (*config.steps, None)
    tables: dict[str, list] = {"sizes": [], "ranks": [], "detection": [], "fit": []}
    task = progress.add_task("training times", total=len(config.decays) * len(times))
    for decay in config.decays:
        scores: dict[str, dict[int | None, np.ndarray]] = {"functional": {}, "weights": {}}
        for steps in times:
            training = Converged(decay) if steps is None else GradientDescent(steps, config.learning_rate, decay)
            here = {"decay": decay, "steps": steps}
            information = from_linearized(linearized, training)
            for measure, values in (("weights", information.si), ("functional", information.f_si)):
                scores[measure][steps] = values
                for quantile in QUANTILES:
                    size = float(np.quantile(values, quantile))
                    tables["sizes"].append(here | {"measure": measure, "quantile": quantile, "size": size})

            wrong = (predictions(linearized, training)[:, 0] > 0.5) != validation.y
            left = trained_residuals(linearized, training)
            tables["fit"].append(here | {"residual": _rms(left), "validation_error": float(wrong.mean())})

            with_noise = from_linearized(flipped, training)
            found = {"F-SI": with_noise.f_si, "SI": with_noise.si}
            found |= {name: BASELINES[name](flipped, training) for name in ("residual", "loo-residual")}
            for score, values in found.items():
                row = {"score": score, "auc": float(roc_auc_score(noisy.flipped, values))}
                row |= {f"median_{name}": float(np.median(values[noisy.flipped == is_flipped]))
                        for name, is_flipped in (("clean", False), ("flipped", True))}  # fmt: skip
                tables["detection"].append(here | row)
            progress.advance(task)
        for measure, by_time in scores.items():
            order = np.stack([stats.rankdata(values) for values in by_time.values()])
            for steps, row in zip(times, np.corrcoef(order), strict=True):
                tables["ranks"] += [
                    {"decay": decay, "steps": steps, "measure": measure, "other": other, "spearman": float(value)}
                    for other, value in zip(times, row, strict=True)
                ]
    return {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in tables.items()}


def _rms(values: Float[np.ndarray, "..."]) -> float:
    return float(np.sqrt(np.mean(values**2)))
