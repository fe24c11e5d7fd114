"""How far a training set can be summarised: accuracy of the retrained network against the fraction removed.

Examples are removed in the order of a score of the network linearised at its initialisation, and the network itself is
trained on what is left, from the same initial weights, for as many steps. In the iterative order a small part of the
examples goes at a time, and the information of the rest is computed anew without them.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
from jaxtyping import Array, Float, Int
from rich.progress import Progress

from infojax.data import Dataset, load
from infojax.files import kept
from infojax.information import Problem, descend, from_linearized, trained_residual, validate
from infojax.kernels import empirical_ntk
from infojax.linearized import (
    GradientDescent,
    LinearizedNetwork,
    initial_residual,
    leave_each_out,
    linearize_kernels,
    rows_of_groups,
    spectrum,
)
from infojax.models import Network, mlp

Order = Int[np.ndarray, " n"]  # of removal, the first to go first
NOBODY = np.array(-1)  # is left out besides


@dataclass(frozen=True)
class Config:
    dataset: str = "digits"
    classes: tuple[int, int] = (1, 8)  # target 0 and target 1
    n_train: int = 180  # examples, before any is removed
    n_validation: int = 60  # examples that F-SI is measured on; their labels are not used
    n_test: int = 115  # examples that accuracy is measured on
    mean: float = 0.0  # pixels enter as (value in [0, 1] − mean) / std
    std: float = 1.0
    width: int = 256  # hidden units
    steps: int = 1000  # updates, full batch
    learning_rate: float = 0.02  # of the mean loss over what is left
    decay: float = 0.0  # of the mean loss, towards the initialisation
    removed: tuple[float, ...] = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95)  # fractions of the training set
    at_a_time: float = 0.05  # of the examples left, how many the iterative order removes before it looks again
    repeats: int = 4  # draws of examples and initial weights
    seed: int = 0


PRESETS = {
    "quick": Config(),
    # About 10¹⁴ floating-point operations a repeat: minutes on a GPU, an hour on a laptop.
    "paper": Config(
        dataset="mnist",
        classes=(4, 9),
        n_train=1000,
        n_validation=1000,
        n_test=2000,
        mean=0.456,
        std=0.224,
        width=1024,
        steps=2000,
        learning_rate=1e-3,
        repeats=3,
        seed=42,
    ),
}


def run(config: Config, scratch: Path, progress: Progress) -> dict[str, pl.DataFrame]:
    """Tables: `accuracy` (repeat, order, fraction removed) and `orders` (a row per repeat, order and example)."""
    data = load(config.dataset).only(*config.classes).normalised(config.mean, config.std)
    network = mlp(hidden=(config.width,))
    accuracies, orders = [], []
    for repeat in range(config.repeats):
        seed = config.seed + repeat
        train, rest = data.split(config.n_train, config.n_validation + config.n_test, seed=seed)
        validation, test = rest.split(config.n_validation, config.n_test, seed=seed)
        params = network.init(jax.random.key(seed), train.x.shape[1:])
        problem = validate(network, params, train, test, _training(config))
        file, what = scratch / f"orders-{repeat}.npz", f"{config!r}, orders {repeat}"
        rng = np.random.default_rng(seed)
        removal = kept(file, what, _orders, config, network, params, train, validation, rng)
        orders += [pl.DataFrame({"repeat": repeat, "order": name, "example": order}) for name, order in removal.items()]
        for fraction in progress.track(config.removed, description=f"retraining, repeat {repeat}"):
            file, what = scratch / f"{repeat}-{fraction:g}.npy", f"{config!r}, repeat {repeat}, without {fraction!r}"
            found = kept(file, what, _accuracies, problem, test, removal, fraction)
            accuracies += [
                {"repeat": repeat, "order": name, "removed": fraction, "accuracy": float(accuracy)}
                for name, accuracy in zip(removal, found, strict=True)
            ]
    return {"accuracy": pl.DataFrame(accuracies), "orders": pl.concat(orders)}


def _accuracies(
    problem: Problem, test: Dataset, removal: dict[str, Order], fraction: float
) -> Float[np.ndarray, " orders"]:
    """On the test data, after a fraction of the examples is removed in each order."""
    first = next(iter(removal.values()))
    gone = round(fraction * len(first))
    # Where nothing is removed, all orders leave the same.
    left = np.stack([np.sort(order[gone:]) for order in removal.values()][: None if gone else 1])
    correct = (np.asarray(_outputs(problem, jnp.asarray(left))) > 0.5) == test.y
    return np.broadcast_to(correct.mean(axis=1), len(removal))


def _training(config: Config) -> GradientDescent:
    return GradientDescent(config.steps, config.learning_rate, config.decay)


def _orders(
    config: Config, network: Network, params, train: Dataset, validation: Dataset, random: np.random.Generator
) -> dict[str, Order]:
    kernel = np.asarray(empirical_ntk(network, params, train.x))
    cross = np.asarray(empirical_ntk(network, params, validation.x, train.x))
    linearized = linearize_kernels(kernel, cross, initial_residual(network, params, train))
    information = from_linearized(linearized, _training(config))
    left = trained_residual(linearized, _training(config))
    least = np.argsort(information.f_si, kind="stable")
    return {
        "random": random.permutation(len(train)),
        "top": least[::-1],
        "bottom": least,
        "bottom-iterative": _iteratively(config, kernel, cross, linearized.residual[:, 0]),
        "bottom-SI": np.argsort(information.si, kind="stable"),
        "bottom-residual": np.argsort(left, kind="stable"),
    }


def _iteratively(
    config: Config, kernel: Float[np.ndarray, "n n"], cross: Float[np.ndarray, "m n"], residual: Float[np.ndarray, " n"]
) -> Order:
    """The least informative first, found anew after each part that goes, from the kernel of those left."""
    n, gone = len(kernel), np.array([], np.int64)
    training, rows = _training(config), rows_of_groups(None, n, 1)
    last = n - round(max(config.removed) * n)
    while True:
        # Rows and columns of zeros train as if they were not there, and keep shapes and programs the same.
        mask = np.ones(n, kernel.dtype)
        mask[gone] = 0.0
        left = np.flatnonzero(mask)
        rest = LinearizedNetwork(spectrum(kernel * mask * mask[:, None]), (residual * mask)[:, None], cross * mask)
        functional = leave_each_out(rest, rows, training, examples=len(left)).predictions
        order = left[np.argsort(functional[left], kind="stable")]
        if len(left) <= max(last, 2):
            return np.concatenate([gone, order])
        gone = np.concatenate([gone, order[: max(1, int(config.at_a_time * len(left)))]])


@jax.jit
def _outputs(problem: Problem, left: Int[Array, "selections kept"]) -> Float[Array, "selections test"]:
    """What networks trained in earnest on each selection of examples say of the test set."""

    def one(kept):
        chosen = replace(problem, x=problem.x[kept], y=problem.y[kept])
        return problem.network.apply(descend(chosen, NOBODY), problem.validation)[:, 0]

    # Networks trained together are faster on an accelerator, one after the other on a CPU.
    return jax.vmap(one)(left) if jax.default_backend() != "cpu" else jax.lax.map(one, left)
