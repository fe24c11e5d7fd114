"""When examples are added, and how many: the numbers of Algorithm 1 of arXiv 2502.15588.

T ← 0 where the accuracy on validation data is the best so far, T + 1 otherwise;
where T ≥ T_max and there is room: add P examples, T ← 0.
"""

from dataclasses import dataclass
from math import ceil, inf
from typing import NamedTuple

from infojax.errors import InvalidInput


@dataclass(frozen=True)
class Plan:
    """From `start` examples to `capacity` in steps of `added`, each when learning has stalled.

    Attributes:
        start: N, examples at the beginning.
        added: P, examples in an addition.
        capacity: N + kP, when no more are added.
        patience: T_max with N examples, evaluations without progress after which data are added.
        growing: whether T_max grows in proportion to the examples, rounded up ("incremental"; the paper does not say by
            which rule), so that the patience stays the same number of passes over the data.
        block: examples that a source makes at a time, and keeps on disk when they are there.

    Raises:
        InvalidInput: numbers below 1, and a capacity that is not N + kP.
    """

    start: int
    added: int
    capacity: int
    patience: int = 1
    growing: bool = True
    block: int = 1024

    def __post_init__(self) -> None:
        for name in ("start", "added", "patience", "block"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"Plan: {name}={getattr(self, name)}; give at least 1.")
        rest = self.capacity - self.start
        if rest < 0 or rest % self.added:
            below = self.start + max(rest, 0) // self.added * self.added
            raise InvalidInput(
                f"Plan: capacity={self.capacity} cannot be reached from start={self.start} in steps of "
                f"added={self.added}; give start + k·added, such as {below}."
            )


class Patience(NamedTuple):
    """T, evaluations without progress, and the best accuracy so far."""

    waited: int = 0
    best: float = -inf


def after(patience: Patience, accuracy: float) -> Patience:
    """The patience after an evaluation."""
    return Patience(0, accuracy) if accuracy > patience.best else Patience(patience.waited + 1, patience.best)


def exhausted(patience: Patience, plan: Plan, count: int) -> bool:
    """Whether `added` examples are due, and fit, with `count` there: T ≥ T_max."""
    most = ceil(plan.patience * count / plan.start) if plan.growing else plan.patience
    return patience.waited >= most and count + plan.added <= plan.capacity
