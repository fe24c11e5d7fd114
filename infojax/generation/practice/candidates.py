"""Examples to be added: generated in blocks that are kept as they come, drawn again where NaN, the hardest taken."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
from jaxtyping import Float, Int, PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.generation.sampling.drawn import Cost, Samples, Unfinished
from infojax.rounds import RunStore, judge
from infojax.training import Learner

Generate: TypeAlias = Callable[[PRNGKeyArray, Int[np.ndarray, " n"], Learner | None], Samples]

# An example may come out NaN where guidance is strong, and another draw is as good; three in a row are not chance.
ATTEMPTS = 3


class Candidates(NamedTuple):
    """Examples x (n, *shape) with labels, redrawn where they were not finite, and what they took.

    Attributes:
        cost: evaluations of score, its gradient, and the learner, in this order.
        redrawn: examples that came out not finite, and were drawn again.
        seconds: of generating.
    """

    x: Float[np.ndarray, "n ..."]
    y: Int[np.ndarray, " n"]
    cost: Float[np.ndarray, "3"]
    redrawn: int
    seconds: float


@dataclass(frozen=True)
class Drawing:
    """How candidates are drawn: from where, of which shape, how many at a time, and where blocks of them are kept."""

    generate: Generate
    shape: tuple[int, ...]
    block: int
    store: RunStore
    name: str


def candidates(drawing: Drawing, key: PRNGKeyArray, y: Int[np.ndarray, " n"], learner: Learner | None) -> Candidates:
    """An example for each label, a block at a time; blocks that are on disk are taken from there.

    Raises:
        InvalidInput: examples of another shape, and some that are still not finite after three attempts; what is
            finite stays on disk, and the same call goes on from there.
    """
    parts = []
    for index, start in enumerate(range(0, len(y), drawing.block)):
        labels, name = y[start : start + drawing.block], f"{drawing.name}-{index:04d}"
        parts.append(_block(replace(drawing, name=name), jax.random.fold_in(key, index), labels, learner))
    x = np.concatenate([part["x"] for part in parts])
    cost, redrawn, seconds = (sum(part[field] for part in parts) for field in ("cost", "redrawn", "seconds"))
    return Candidates(x, y, np.asarray(cost), int(redrawn), float(seconds))


def _block(
    drawing: Drawing, key: PRNGKeyArray, labels: Int[np.ndarray, " n"], learner: Learner | None
) -> dict[str, Any]:
    shape = drawing.shape
    empty = {"x": np.full((len(labels), *shape), np.nan, np.float32), "cost": np.zeros(3)}
    so_far = drawing.store.read(drawing.name) or empty | {"redrawn": 0, "seconds": 0.0, "attempts": 0}
    missing = _missing(so_far["x"])
    for _ in range(ATTEMPTS):
        if not missing.any():
            return so_far
        attempt, clock = int(so_far["attempts"]), time.perf_counter()
        drawn, cost = _draw(drawing.generate, jax.random.fold_in(key, attempt), labels, learner, shape)
        x = np.where(missing.reshape(-1, *[1] * len(shape)), drawn, so_far["x"])
        missing = _missing(x)
        so_far = {
            "x": x,
            "cost": so_far["cost"] + cost,
            "redrawn": int(so_far["redrawn"]) + int(missing.sum()),
            "seconds": float(so_far["seconds"]) + time.perf_counter() - clock,
            "attempts": attempt + 1,
        }
        drawing.store.write(drawing.name, so_far)
    if missing.any():
        raise InvalidInput(
            f"{missing.sum()} of {len(labels)} generated examples are not finite, {so_far['attempts']} attempts in a "
            f"row ({'guided' if learner else 'unguided'}). Check the score, the learner's entropy and its gradient; or "
            "lower the strength. What is finite is kept where there is a checkpoint, and the same call goes on from it."
        )
    return so_far


def _draw(
    generate: Generate, key: PRNGKeyArray, labels: np.ndarray, learner: Learner | None, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Examples, NaN where they are not finished, and their cost."""
    try:
        samples, finished = generate(key, labels, learner), np.ones(len(labels), bool)
    except Unfinished as unfinished:
        samples, finished = unfinished.samples, unfinished.finished
    x = np.array(samples.x, np.float32)
    if x.shape != (len(labels), *shape):
        raise InvalidInput(
            f"generate gave examples of shape {x.shape} for {len(labels)} labels; validation data ask for "
            f"{(len(labels), *shape)}."
        )
    x[~finished] = np.nan
    cost: Cost = samples.cost
    return x, np.array([cost.score, cost.score_gradient, cost.learner], np.float64)


def _missing(x: np.ndarray) -> np.ndarray:
    return np.asarray(~np.isfinite(x).reshape(len(x), -1).all(axis=1))


def hardest(learner: Learner, drawn: Candidates, count: int) -> tuple[Candidates, Float[np.ndarray, " count"]]:
    """The `count` candidates of highest entropy in the order in which they were drawn, and their entropies."""
    entropy = judge(learner, drawn.x).entropy
    rows = np.sort(np.argsort(-entropy, kind="stable")[:count])
    return drawn._replace(x=drawn.x[rows], y=drawn.y[rows]), entropy[rows]


def labels_of(count: int, classes: int, first: int) -> Int[np.ndarray, " count"]:
    """Classes in turn, beginning where those of the `first` examples ended."""
    return (first + np.arange(count)) % classes
