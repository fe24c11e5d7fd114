"""A problem small enough to practise on in a second: four Gaussians on the corners of a square, two classes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.data import Dataset
from infojax.generation.sampling.drawn import Cost, Samples, Unfinished
from infojax.models import mlp
from infojax.rounds import Descent
from infojax.training import AdamW, Learner, Recipe, entropy, trapezoid

CORNERS = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]], np.float32)  # of class 0, 1, 0, 1


class Corners:
    """Generates by drawing; a learner guides by the choice of the harder of two. Keeps what it was asked for.

    It may fail at one call, or give one example that is not finite in the first guided ones, by itself or as `sample`
    would say so.
    """

    def __init__(self, fails_at=None, breaks=0, unfinished=False):
        self.asked, self.fails_at, self.breaks, self.unfinished = [], fails_at, breaks, unfinished

    def __call__(self, key, labels, learner):
        if len(self.asked) == self.fails_at:
            raise ConnectionError("the GPU is gone")
        self.asked.append((np.asarray(labels), learner))
        pair = _draw(key, np.repeat(labels, 2))
        x, cost = pair[::2].copy(), Cost(score=len(labels))
        if learner is not None:
            hard = np.asarray(_entropy(learner, pair)).reshape(-1, 2).argmax(1)
            x = pair.reshape(-1, 2, 2)[np.arange(len(labels)), hard]
            cost = Cost(score=len(labels), learner=2 * len(labels))
        if learner is not None and self.breaks:
            self.breaks -= 1
            x[2] = np.nan
            if self.unfinished:
                raise Unfinished("not finite", Samples(jnp.asarray(x), cost), np.arange(len(x)) != 2)
        return Samples(jnp.asarray(x), cost)


_entropy = jax.jit(entropy)


def _draw(key, labels):
    random = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    corner = random.integers(2, size=len(labels)) * 2 + labels
    return CORNERS[corner] + 0.5 * random.normal(size=(len(labels), 2)).astype(np.float32)


@pytest.fixture
def corners():
    return Corners()


@pytest.fixture(scope="session")
def validation():
    labels = np.arange(200) % 2
    return Dataset(_draw(jax.random.key(99), labels), labels, classes=("even", "odd"))


@pytest.fixture(scope="session")
def descent():
    return Descent(mlp((16,), 1), recipe(200, 1e-2, batch=16), every=5)


def recipe(steps, rate=1e-3, batch=64, weight_decay=1e-4, **parts):
    """As the paper trains."""
    return Recipe(steps, trapezoid(rate, steps, **parts), batch, optimizer=AdamW(weight_decay))


def same(one: Learner, other: Learner) -> bool:
    """Whether two learners are equal to the last bit."""
    leaves = zip(jax.tree.leaves(one.params), jax.tree.leaves(other.params), strict=True)
    return all(np.array_equal(a, b) for a, b in leaves)
