"""Rejection against the tilt by quadrature, class by class."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.generation import (
    Cost,
    Samples,
    Unfinished,
    exact_tilt,
    gaussian_mixture,
    mean_entropy,
    sample_by_rejection,
    sample_exactly,
    total_variation,
    total_variation_floor,
)
from infojax.models._network import Network
from infojax.training import Learner

MIXTURE = gaussian_mixture([1.0, 3.0], [[-1.0, 0.0], [1.0, 0.5]], [0.2, 0.3], [0, 1])
LEARNER = Learner(Network(lambda key, shape: jnp.ones(2), lambda w, x: x @ w[:, None]), jnp.array([3.0, -1.0]))


def _propose(labels, key):
    return Samples(sample_exactly(MIXTURE, labels, key=key), Cost(score=50 * len(labels)))


@pytest.mark.parametrize("strength", [3.0, -3.0])
def test_rejection_draws_the_tilt_of_each_class_at_the_expected_cost(strength):
    n = 3000
    labels = np.arange(n) % 3
    x, cost = sample_by_rejection(_propose, labels, LEARNER, strength, key=jax.random.key(0), batch=500)
    expected = 0.0
    for label in range(3):
        target = exact_tilt(MIXTURE, LEARNER, strength, cells=10, label=label)
        mine = x[labels == label]
        found, floor = mean_entropy(LEARNER, mine), total_variation_floor(target, len(mine))
        assert abs(found.value - target.entropy) < 4 * found.stderr
        assert total_variation(mine, target) < floor.value + 4 * floor.stderr
        expected += len(mine) * (2**strength if strength > 0 else 1) / target.normaliser
    assert cost.score == 50 * cost.learner
    # the last batches are for few places
    assert 0.9 * expected < cost.learner < 1.1 * expected + 1000


def test_a_limit_that_is_too_low_keeps_what_there_is():
    labels = np.zeros(50, int)
    with pytest.raises(Unfinished, match=r"of 50 examples after 100 proposals.*limit than 2") as caught:
        sample_by_rejection(_propose, labels, LEARNER, 30.0, key=jax.random.key(0), limit=2)
    finished = caught.value.finished
    assert 0 < finished.sum() < 50
    assert (np.abs(np.asarray(caught.value.samples.x)[finished]) > 0).all()
    assert caught.value.samples.cost.learner == 100


def test_bad_arguments_are_refused():
    for labels, strength, limit in (
        (np.zeros(0, int), 1.0, 1),
        (np.zeros(2, int), np.nan, 1),
        (np.zeros(2, int), 1.0, 0),
    ):
        with pytest.raises(InvalidInput):
            sample_by_rejection(_propose, labels, LEARNER, strength, key=jax.random.key(0), limit=limit)
