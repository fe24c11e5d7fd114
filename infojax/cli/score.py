"""`infojax score DATA`: what each example of the user's data is worth to a network."""

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int
from rich.progress import Progress
from tyro.conf import FlagCreatePairsOff, Positional, arg

from infojax.cli.memory import memory
from infojax.cli.progress import progress_on_terminal
from infojax.cli.score_report import Scored, report
from infojax.data import Dataset, load
from infojax.errors import InvalidInput, OverBudget
from infojax.information import from_kernels
from infojax.kernels import empirical_ntk
from infojax.linearized import Converged, GradientDescent, GradientFlow, Training, coefficients, spectrum
from infojax.models import Network, cnn, mlp
from infojax.models.network import Params

# Without --train, as many examples as keep the kernel at this many rows: seconds of work on a laptop.
COMFORTABLE_ROWS = 2000
STEPS = 2000
GIB = 2**30
# In --help: what to give, without "{None}|" before it and "(default: None)" after it.
CLASSES, COUNT, NUMBER, SIZE = (
    arg(metavar=kind, help_behavior_hint="") for kind in ("NAME,NAME…", "INT", "FLOAT", "HEIGHT WIDTH")
)
# What the factorisation and leave-one-out hold at once, in float64 kernels.
KERNELS_HELD = 6
# For building the kernels, where there is more free than that.
WORKSPACE = 2 * GIB


def score(
    data: Annotated[Positional[str], arg(metavar="DATA")],
    /,
    *,
    classes: Annotated[str | None, CLASSES] = None,
    train: Annotated[int | None, COUNT] = None,
    validation: Annotated[int | None, COUNT] = None,
    size: Annotated[tuple[int, int] | None, SIZE] = None,
    network: Literal["mlp", "cnn"] = "mlp",
    hidden: int = 1024,
    steps: Annotated[int | None, COUNT] = None,
    learning_rate: Annotated[float | None, NUMBER] = None,
    time: Annotated[float | None, NUMBER] = None,
    converged: FlagCreatePairsOff[bool] = False,
    decay: float = 0.0,
    convention: Literal["mean", "sum"] = "mean",
    seed: int = 0,
    out: Path = Path("scores"),
    budget: Annotated[float | None, NUMBER] = None,
) -> None:
    """Rank the examples of a data set by how much a network learned from each.

    An example's unique information in the weights (SI) and in the predictions (F-SI) is how far the weights,
    or the predictions on validation data, would have moved had it not been there: exact leave-one-out for the
    network linearised at its initialisation.

    Writes scores.parquet, histogram.png and .pdf, record.json, and for images most_informative.png and
    least_informative.png.

    Try: infojax score digits --classes 4,9

    Args:
        data: A named set (see `infojax data list`), an .npz file with x and y, or a folder of images.
        classes: Only these classes, by name or number, with commas between: 4,9.
        train: How many examples to score; by default as many as make a kernel of 2000 rows, at most half the
            data.
        validation: How many other examples the predictions are compared on; by default as many as --train.
        size: Height and width to which the images of a folder are resized.
        network: mlp has one hidden layer; cnn is the paper's, for images of at least 28 by 28.
        hidden: Width of the mlp's hidden layer.
        steps: Steps of gradient descent; 2000 by default.
        learning_rate: Step size of gradient descent; by default half the largest at which it is stable.
        time: Train by gradient flow for this time, instead of gradient descent.
        converged: Train to convergence, instead of gradient descent.
        decay: Weight decay towards the initialisation.
        convention: Whether the loss is a mean or a sum over the training examples.
        seed: Of the choice of examples and of the initialisation.
        out: The folder to write to.
        budget: GiB of memory that may be used; by default what is free.
    """
    training = partial(_training, steps, learning_rate, time, converged)
    training(stable=1.0)  # refuses what does not fit together before any work is done
    if not 0 <= decay < float("inf"):
        raise InvalidInput(f"--decay is {decay}; give 0 or a positive number")
    examples, others, index = _examples(load(data, size=size), classes, train, validation, seed)
    outputs = examples.targets.shape[1]
    workspace = _workspace(len(examples), len(others), outputs, budget)
    _make_folder(out)
    model = cnn(outputs) if network == "cnn" else mlp((hidden,), outputs)
    params = model.init(jax.random.key(seed), examples.x.shape[1:])
    with progress_on_terminal() as progress:
        scored = _score(model, params, examples, others, training, decay, convention, workspace, progress)
    asked = {"data": data, "classes": classes, "train": len(examples), "validation": len(others)}
    asked |= {"network": network, "hidden": hidden, "decay": decay, "convention": convention, "seed": seed}
    report(examples, index, scored, asked, out)


def _training(
    steps: int | None, learning_rate: float | None, time: float | None, converged: bool, *, stable: float
) -> Training:
    """How to train, where gradient descent is stable below the step size `stable`."""
    descent = steps is not None or learning_rate is not None
    if descent + (time is not None) + converged > 1:
        raise InvalidInput(
            "--steps and --learning-rate (gradient descent), --time (gradient flow) and --converged (t = ∞) "
            "exclude each other; give one of the three"
        )
    if converged:
        return Converged()
    if time is not None:
        return GradientFlow(time)
    return GradientDescent(STEPS if steps is None else steps, stable / 2 if learning_rate is None else learning_rate)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--out {out} is no folder that can be written to ({error}); give another") from error


def _examples(
    data: Dataset, classes: str | None, train: int | None, validation: int | None, seed: int
) -> tuple[Dataset, Dataset, Int[np.ndarray, " n"]]:
    """The examples to score, others to compare predictions on, and where the former stand in `data`."""
    # Positions are drawn as the examples are: only and split look at labels and seed, not at inputs.
    positions = dataclasses.replace(data, x=np.arange(len(data))[:, None])
    if classes is not None:
        names = [name.strip() for name in classes.split(",")]
        data, positions = data.only(*names), positions.only(*names)
    if train is None:
        train = max(2, min(COMFORTABLE_ROWS // data.targets.shape[1], len(data) // 2))
    if validation is None:
        validation = max(2, min(train, len(data) - train))
    examples, others = data.split(train, validation, seed=seed)
    index = positions.split(train, validation, seed=seed)[0].x[:, 0].astype(np.int64)
    return examples, others, index


def _workspace(n: int, m: int, outputs: int, budget: float | None) -> int:
    """Bytes left for building the kernels, once it is known that all of the work fits into memory."""
    if budget is not None and not 0 < budget < float("inf"):
        raise InvalidInput(f"--budget is {budget}; give a positive number of GiB")
    free = memory()
    if budget is None and free is None:
        return WORKSPACE
    limit = int(budget * GIB) if budget is not None else free[0] if free else 0
    rows, others = n * outputs, m * outputs
    needed = 8 * (KERNELS_HELD * rows**2 + 2 * rows * others)
    if needed > limit:
        raise OverBudget(
            f"{n} examples with {outputs} outputs, {m} more for validation, need about {needed / GIB:.3g} "
            "GiB; "
            f"{'free are' if budget is None else '--budget allows'} {limit / GIB:.3g} GiB. "
            "Take fewer with --train and --validation, or fewer --classes."
        )
    left = limit - 4 * (rows**2 + rows * others)
    return left if budget is not None else min(left, WORKSPACE)


def _score(
    network: Network,
    params: Params,
    examples: Dataset,
    others: Dataset,
    training: Callable[..., Training],
    decay: float,
    convention: Literal["mean", "sum"],
    workspace: int,
    progress: Progress,
) -> Scored:
    """`unique_information` step by step, as step size and residual are read off the same spectrum."""
    build = partial(empirical_ntk, network, params, budget=workspace, progress=progress)
    kernel, cross = build(examples.x), build(others.x, examples.x)
    task = progress.add_task("eigendecomposition and leave-one-out", total=None)
    theta = spectrum(kernel)
    n, outputs = examples.targets.shape
    stable = 2 / (theta.values[-1] / (n if convention == "mean" else 1) + decay)
    trained = training(stable=float(stable))
    before = jax.jit(network.apply)(params, jnp.asarray(examples.x))
    residual = examples.targets.astype(np.float64) - np.asarray(before, np.float64)
    how = {"training": trained, "decay": decay, "convention": convention}
    weights, functional = from_kernels(theta, cross, residual, outputs=outputs, **how)
    moved = coefficients(theta, residual.reshape(-1), examples=n, **how)
    left = residual.reshape(-1) - theta.vectors @ (theta.values * (theta.vectors.T @ moved))
    progress.remove_task(task)
    distances = np.linalg.norm(left.reshape(n, outputs), axis=1)
    return Scored(np.asarray(weights), np.asarray(functional), distances, trained)
