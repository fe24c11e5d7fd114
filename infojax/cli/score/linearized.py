"""The user's network trained in closed form, factored once: every score that `infojax score` reports comes from it."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num
from rich.progress import Progress

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
        decay, convention: as asked.
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
    decay: float
    convention: Literal["mean", "sum"]
    scores: Information
    again: bool

    @property
    def how(self) -> dict[str, Any]:
        return {"training": self.training, "decay": self.decay, "convention": self.convention}


def linearise(
    network: Network,
    params: Params,
    examples: Dataset,
    others: Dataset,
    training: Callable[..., Training],
    decay: float,
    convention: Literal["mean", "sum"],
    *,
    left_out: int = 1,
    workspace: int,
    progress: Progress,
    about: float | None = None,
) -> Linearised:
    """Build the kernels, factor, and train; `training(stable=…, without=…)` is told the largest stable step sizes, with
    all examples and with as many left out at once as will be. `about` is how many seconds the eigendecomposition takes.
    """
    n, outputs = examples.targets.shape

    def made(params: Params, again: bool) -> Linearised:
        build = partial(empirical_ntk, network, params, budget=workspace, progress=progress)
        where = accelerator_with_room(examples.targets.size)
        kernel, cross = build(examples.x, out=where), build(others.x, examples.x)
        task = progress.add_task("eigendecomposition", total=None, about=about)
        theta = spectrum(kernel)
        # A mean over fewer examples takes larger steps: η s_max / kept < 2.
        over = (n, n - left_out) if convention == "mean" else (1, 1)
        stable, without = (float(2 / (theta.values[-1] / kept + decay)) for kept in over)
        how: dict[str, Any] = {"training": training(stable=stable, without=without), "decay": decay}
        how["convention"] = convention
        initial = initial_residual(network, params, examples)
        # Of what is trained and scored here, unique information needs the most digits: it speaks for all.
        with unwatched():
            scores = from_kernels(theta, cross, initial, outputs=outputs, **how)
            left = trained_residuals(theta, initial, **how)
        before_others = np.asarray(others.targets, np.float64) - initial_residual(network, params, others)
        moved = coefficients(theta, initial.reshape(-1), examples=n, **how)
        predicted_others = before_others + (np.asarray(cross) @ moved).reshape(-1, outputs)
        progress.remove_task(task)
        predicted = examples.targets - left
        return Linearised(theta, cross, initial, left, predicted, predicted_others, **how, scores=scores, again=again)

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
    return from_kernels(theta, cross, initial, outputs=initial.shape[1], groups=groups, **linearised.how)


def held_out(linearised: Linearised) -> Float[np.ndarray, "n k"]:
    """Targets minus outputs of the network trained without the example."""
    with unwatched():
        return held_out_residuals(linearised.theta, linearised.initial, **linearised.how)


def baseline(linearised: Linearised, name: str, examples: Dataset) -> Float[np.ndarray, " n"]:
    """One of `BASELINES`: the larger, the more suspect the example."""
    labels = {"labels": examples.y} if name in OF_CLASSES else {}
    with unwatched():
        return BASELINES[name](linearised.theta, linearised.initial, **labels, **linearised.how)


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
