"""Information of examples in ensembles of real networks, approaching that of the infinitely wide ensemble.

Networks of growing width are trained by gradient descent from many random initialisations, with all examples and
without single ones. Mean and covariance of their predictions give the divergence of the two ensembles, beside the exact
one of infinite width (`ensemble_information`), where predictions are a Gaussian process.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from rich.progress import Progress

from infojax.data import Dataset, load
from infojax.errors import InvalidInput
from infojax.files import kept
from infojax.information import Problem, descend, divergence, ensemble_information, validate
from infojax.linearized import GradientDescent
from infojax.models import Network, from_stax


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    classes: tuple[int, int] = (4, 9)  # target 0 and target 1
    n_train: int = 20  # examples
    n_validation: int = 5  # points at which predictions are compared, jointly
    pool: int = 2  # pixels along the edge of a block that is averaged
    widths: tuple[int, ...] = (16, 48, 160, 512)  # hidden units
    members: int = 400  # networks in each ensemble
    at_once: int = 8  # networks trained together
    left_out: int = 3  # examples: the most informative, and others at even distances in rank down to the median
    bootstrap: int = 200  # resampled ensembles, for bias and error bars
    steps: int = 100  # updates, full batch
    learning_rate: float = 2.5  # of the mean loss, in the NTK parameterisation
    seed: int = 0


PRESETS = {
    "quick": Config(),
    "paper": Config(
        dataset="mnist",
        n_train=100,
        n_validation=10,
        pool=4,
        widths=(16, 32, 64, 128, 256, 512, 1024, 2048),
        members=4000,
        at_once=500,
        left_out=5,
        steps=400,
        learning_rate=1.5,
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables: `exact` (example), `ensembles` (width, example), the latter with standard errors."""
    if not 1 <= config.left_out <= config.n_train // 2:
        raise InvalidInput(f"left_out is {config.left_out}; give 1 to n_train // 2 = {config.n_train // 2} examples.")
    data = load(config.dataset).only(*config.classes)
    parts = data.split(config.n_train, config.n_validation, config.seed)
    train, validation = (_pooled(part, config.pool) for part in parts)
    descent = GradientDescent(config.steps, config.learning_rate)

    exact = ensemble_information(_network(1), train, validation, training=descent)
    assert exact.joint is not None
    ranked = np.argsort(-exact.joint)
    chosen = ranked[np.linspace(0, config.n_train // 2, config.left_out, endpoint=False).astype(int)]

    rows = []
    for width in progress.track(config.widths, description="training ensembles"):
        file, what = scratch / f"width-{width}.npy", f"{config!r}, width {width}"
        predictions = kept(file, what, _predictions, _network(width), train, validation, descent, chosen, config)
        rng = np.random.default_rng(config.seed)
        drawn = rng.integers(config.members, size=(config.bootstrap, config.members))
        for index, example in enumerate(chosen, start=1):
            pairs = predictions[:, [0, index]]
            value = _divergences(pairs)
            resampled = np.array([_divergences(pairs[members]) for members in drawn])
            # Moments of a finite sample differ by chance: the bias that resampling adds once more is taken off.
            estimate = 2 * value - resampled.mean(axis=0)
            error = resampled.std(axis=0, ddof=1)
            rows.append((width, int(example), *estimate, *error))
    names = ("width", "example", "joint", "pointwise", "joint_error", "pointwise_error")
    labels = [train.classes[label] for label in train.y[chosen]]
    return {
        "exact": pl.DataFrame(
            {
                "example": chosen,
                "label": labels,
                "joint": exact.joint[chosen],
                "pointwise": exact.pointwise[chosen],
                "rank": np.argsort(ranked)[chosen] + 1,
            }
        ),
        "ensembles": pl.DataFrame(rows, names, orient="row"),
    }


def _pooled(data: Dataset, edge: int) -> Dataset:
    n, height, width, _ = data.x.shape
    if height % edge or width % edge:
        raise InvalidInput(f"pool is {edge}; it must divide the images' {height} × {width} pixels.")
    return replace(data, x=data.x.reshape(n, height // edge, edge, width // edge, edge).mean((2, 4)).reshape(n, -1))


def _network(width: int) -> Network:
    from infojax.models import stax

    hidden = (stax.Dense(width, W_std=2**0.5, b_std=0.1), stax.Relu())
    return from_stax(stax.serial(*hidden, stax.Dense(1, W_std=1.0, b_std=0.1)))


def _predictions(
    network: Network, train: Dataset, validation: Dataset, descent: GradientDescent, left_out: Any, config: Config
) -> Any:
    """(members, 1 + left_out, m): with all examples, and without each, from the same initialisations."""
    key = jax.random.key(config.seed)
    problem = validate(network, network.init(key, train.x.shape[1:]), train, validation, descent)
    keys, without = jax.random.split(key, config.members), jnp.asarray(np.concatenate([[-1], left_out]))
    return np.asarray(_train(problem, keys, without, init=network.init, at_once=config.at_once))


@partial(jax.jit, static_argnames=("init", "at_once"))
def _train(problem: Problem, keys: Any, left_out: Any, *, init: Any, at_once: int) -> Any:
    def member(key: Any) -> Any:
        own = replace(problem, params=init(key, problem.x.shape[1:]))
        return jax.vmap(lambda index: problem.network.apply(descend(own, index), problem.validation)[:, 0])(left_out)

    return jax.lax.map(member, keys, batch_size=at_once)


def _divergences(pairs: Any) -> Any:
    """Joint, and averaged over single points, of the Gaussians with the moments of (members, 2, m)."""
    mean, other_mean = pairs.mean(axis=0)[..., None]
    covariance, other = (np.cov(part.T) for part in pairs.swapaxes(0, 1))
    variance, other_variance = np.diag(covariance), np.diag(other)
    moved = (other_mean - mean)[:, 0] ** 2 / other_variance
    points = (variance / other_variance - 1 + moved - np.log(variance / other_variance)) / 2
    return np.array([divergence(mean, covariance, other_mean, other), points.mean()])
