"""The user's network trained in closed form, factored once: every score that `infojax score` reports comes from it."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num
from rich.progress import Progress

from infojax.cli._training_options import TrainingOptions
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.information import (
    BASELINES,
    Information,
    from_kernels,
    in_float64_if_it_fits,
    initial_residual,
    trained_residuals,
)
from infojax.kernels import accelerator_with_room, empirical_ntk
from infojax.linearized import (
    LOST,
    Spectrum,
    Training,
    coefficients,
    held_out_residuals,
    spectrum,
    unwatched,
    warn_of_lost_digits,
)
from infojax.models import Network, Params

# Unique information is held against these; a margin is one of classes.
SUSPICIONS = ("si", "f-si", *BASELINES)
OF_CLASSES = ("margin", "loo-margin")


class Linearised(NamedTuple):
    """A network linearised at its initialisation, and trained on n examples; k outputs, m validation examples.

    Attributes:
        theta: spectrum of the kernel (nk, nk).
        cross: kernel (mk, nk), validation × training.
        initial: (n, k) targets minus outputs before training.
        left: (n, k) targets minus outputs after it.
        predicted, others: (n, k), (m, k) outputs after training.
        training: with the step size that was chosen.
        scores: SI and F-SI of each example, and how right they are.
        again: whether kernels were made anew in float64, for more digits.
    """

    theta: Spectrum
    cross: Num[Any, "M N"]
    initial: Float[np.ndarray, "n k"]
    left: Float[np.ndarray, "n k"]
    predicted: Float[np.ndarray, "n k"]
    others: Float[np.ndarray, "m k"]
    training: Training
    scores: Information
    again: bool


def linearise(
    network: Network,
    params: Params,
    examples: Dataset,
    others: Dataset,
    options: TrainingOptions,
    *,
    left_out: int = 1,
    workspace: int,
    progress: Progress,
    about: float | None = None,
) -> Linearised:
    """Build the kernels, factor, and train. Where no step size is asked for, half the largest stable one is taken, or
    less where it must be stable with `left_out` examples left out. `about` is how many seconds factoring takes.
    """
    n, outputs = examples.targets.shape

    def made(params: Params, again: bool) -> Linearised:
        build = partial(empirical_ntk, network, params, budget=workspace, progress=progress)
        where = accelerator_with_room(examples.targets.size)
        kernel, cross = build(examples.x, out=where), build(others.x, examples.x)
        task = progress.add_task("eigendecomposition", total=None, about=about)
        theta = spectrum(kernel)
        # A mean over fewer examples takes larger steps: η s_max / kept < 2.
        over = (n, n - left_out) if options.convention == "mean" else (1, 1)
        stable, without = (float(2 / (theta.values[-1] / kept + options.decay)) for kept in over)
        training = options.training(min(stable / 2, 0.9 * without))
        initial = initial_residual(network, params, examples)
        # Of what is trained and scored here, unique information needs the most digits: it speaks for all.
        with unwatched():
            scores = from_kernels(theta, cross, initial, outputs=outputs, training=training)
            left = trained_residuals(theta, initial, training=training)
        before_others = np.asarray(others.targets, np.float64) - initial_residual(network, params, others)
        moved = coefficients(theta, initial.reshape(-1), examples=n, training=training)
        predicted_others = before_others + (np.asarray(cross) @ moved).reshape(-1, outputs)
        progress.remove_task(task)
        predicted = examples.targets - left
        return Linearised(theta, cross, initial, left, predicted, predicted_others, training, scores, again)

    first = made(params, False)
    if first.scores.error > LOST:
        # What a kernel in float64 takes more than the one in float32.
        fits = workspace >= 4 * (first.theta.values.size**2 + first.cross.size)
        wider = in_float64_if_it_fits(network, params, examples, others) if fits else None
        first = first if wider is None else made(wider, True)
    warn_of_lost_digits("Scores", first.scores.error, first.scores.rounding, first.scores.condition)
    return first


def information(linearised: Linearised, groups: Int[np.ndarray, " n"] | None = None) -> Information:
    """SI and F-SI of every example, or of every group of examples with the same label."""
    if groups is None:
        return linearised.scores
    theta, cross, initial, *_ = linearised
    return from_kernels(theta, cross, initial, outputs=initial.shape[1], groups=groups, training=linearised.training)


def held_out(linearised: Linearised) -> Float[np.ndarray, "n k"]:
    """Targets minus outputs of the network trained without the example."""
    with unwatched():
        return held_out_residuals(linearised.theta, linearised.initial, training=linearised.training)


def baseline(linearised: Linearised, name: str, examples: Dataset) -> Float[np.ndarray, " n"]:
    """One of `BASELINES`: the larger, the more suspect the example."""
    labels = {"labels": examples.y} if name in OF_CLASSES else {}
    with unwatched():
        return BASELINES[name](linearised.theta, linearised.initial, **labels, training=linearised.training)


def classes_of(outputs: Float[np.ndarray, "b k"], data: Dataset) -> Int[np.ndarray, " b"]:
    """The class that outputs say: the nearer of the targets 0 and 1 for two classes, otherwise the largest."""
    return (outputs[:, 0] > 0.5).astype(np.int64) if len(data.classes) == 2 else outputs.argmax(axis=1)


def check_names(names: tuple[str, ...], option: str, allowed: tuple[str, ...], data: Dataset | None = None) -> None:
    """Refuse a score that is not known, and one that needs classes where there are none."""
    for name in names:
        if name not in allowed:
            raise InvalidInput(f"{option} {name!r} is not known; known are {', '.join(allowed)}.")
        if data is not None and name in OF_CLASSES and (len(data.classes) < 2 or data.y.ndim == 2):
            raise InvalidInput(f"{option} {name} needs labels of two or more classes; {data.name} has no such labels.")
