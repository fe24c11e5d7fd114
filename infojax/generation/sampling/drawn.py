"""What sampling gives, and what it cost."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float

from infojax.errors import InvalidInput


@partial(jax.tree_util.register_dataclass, data_fields=["score", "score_gradient", "learner"], meta_fields=[])
@dataclass(frozen=True)
class Cost:
    """Numbers of evaluations, each of one example.

    Attributes:
        score: of the generator's prediction; one with class guidance is two.
        score_gradient: of its vector–Jacobian product.
        learner: of the learner, with its gradient or without.

    >>> Cost(score=100) + Cost(score=50, learner=50)
    Cost(score=150, score_gradient=0, learner=50)
    """

    score: Array | int = 0
    score_gradient: Array | int = 0
    learner: Array | int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return jax.tree.map(lambda a, b: a + b, self, other)

    def times(self, n: int) -> "Cost":
        """Of n examples, as plain numbers; not inside a traced function."""
        return jax.tree.map(lambda each: int(each) * n, self)


class Samples(NamedTuple):
    """Examples x (n, *shape), and what drawing them cost altogether."""

    x: Float[Array, "n ..."]
    cost: Cost


class Unfinished(InvalidInput):
    """Some examples could not be drawn; the others are here.

    Attributes:
        samples: all examples; those that are not finished as far as they came.
        finished: (n,) which are.
    """

    def __init__(self, message: str, samples: Samples, finished: Bool[np.ndarray, " n"]) -> None:
        super().__init__(message)
        self.samples = samples
        self.finished = finished
