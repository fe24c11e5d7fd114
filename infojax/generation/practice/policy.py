"""By whose judgement examples are added: deliberate practice, and the policies that it must beat."""

from dataclasses import dataclass
from math import inf
from typing import Literal

from infojax.errors import InvalidInput


@dataclass(frozen=True)
class Policy:
    """Which examples are added: by whom their generation is guided, and how many are generated for one that is kept.

    Attributes:
        name: in tables.
        guide: the "current" learner, the learner at the "first" addition, or None.
        over_sampling: r ≥ 1; of rP examples the P of highest entropy under the current learner are kept.
        at_start: all examples are there from the beginning, and none are added.

    Raises `InvalidInput` for r below 1 or infinite.
    """

    name: str
    guide: Literal["current", "first"] | None = None
    over_sampling: float = 1.0
    at_start: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.over_sampling < inf:
            raise InvalidInput(f"Policy {self.name!r}: over_sampling={self.over_sampling}; give at least 1.")


STATIC = Policy("static", at_start=True)
UNIFORM = Policy("uniform")
PRACTICE = Policy("practice", guide="current")
FROZEN = Policy("frozen", guide="first")


def prune(over_sampling: float) -> Policy:
    """Generate r for each that is kept, unguided, and keep those of highest entropy."""
    return Policy("prune", over_sampling=over_sampling)
