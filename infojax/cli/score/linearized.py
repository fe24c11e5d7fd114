"""The user's network, linearized and trained in closed form: every score that `infojax score` reports comes from it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from infojax.cli._training_options import TrainingOptions
from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.information import BASELINES, Information, from_linearized
from infojax.linearized import (
    LOST,
    LinearizedNetwork,
    Training,
    held_out_predictions,
    largest_stable_rate,
    predictions,
    trained_residuals,
    unwatched,
    warn_of_lost_digits,
)

# Unique information is held against these; a margin is one of classes.
SUSPICIONS = ("si", "f-si", *BASELINES)
OF_CLASSES = ("margin", "loo-margin")


@dataclass(frozen=True)
class Scored:
    """A linearized network, trained on n examples; k outputs, m validation examples.

    Attributes:
        linearized: network with its examples.
        training: with the step size that was chosen.
        scores: SI and F-SI of each example, and how right they are.
        again: whether kernels were made anew in float64, for more digits.
    """

    linearized: LinearizedNetwork
    training: Training
    scores: Information
    again: bool = False

    def residuals(self) -> Float[np.ndarray, "n k"]:
        """Targets minus outputs after training."""
        with unwatched():  # unique information needs the most digits, and speaks for all
            return trained_residuals(self.linearized, self.training)

    def others(self) -> Float[np.ndarray, "m k"]:
        """Outputs on the validation examples."""
        return predictions(self.linearized, self.training)

    def held_out(self) -> Float[np.ndarray, "n k"]:
        """Outputs for each example of the network trained without it."""
        with unwatched():
            return held_out_predictions(self.linearized, self.training)

    def baseline(self, name: str) -> Float[np.ndarray, " n"]:
        """One of `BASELINES`: the larger, the more suspect the example."""
        with unwatched():
            return BASELINES[name](self.linearized, self.training)

    def of_groups(self, groups: Int[np.ndarray, " n"]) -> Information:
        """SI and F-SI of every group of examples with the same label."""
        return from_linearized(self.linearized, self.training, groups=groups)


def scored(linearized: LinearizedNetwork, options: TrainingOptions, left_out: int, workspace: int) -> Scored:
    """Trained as the options say, and scored; anew in float64 where that is needed and fits into the `workspace`.

    Where no step size is asked for, half the largest stable one is taken, or less where it must be stable with
    `left_out` of the examples left out.
    """
    found = _scored(linearized, options, left_out)
    # What kernels in float64 take more than those in float32.
    more = 4 * (linearized.spectrum.values.size**2 + linearized.validation_kernel.size)
    if found.scores.error > LOST and linearized.finer is not None and workspace >= more:
        finer = linearized.finer()
        found = found if finer is None else _scored(finer, options, left_out, again=True)
    error = np.inf if found.linearized.blurred else found.scores.error
    warn_of_lost_digits("Scores", error, found.scores.rounding, found.scores.condition)
    return found


def _scored(linearized: LinearizedNetwork, options: TrainingOptions, left_out: int, again: bool = False) -> Scored:
    stable, without = (
        largest_stable_rate(linearized, decay=options.decay, convention=options.convention, left_out=count)
        for count in (0, left_out)
    )
    training = options.training(min(stable / 2, 0.9 * without))
    with unwatched():
        return Scored(linearized, training, from_linearized(linearized, training), again)


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
