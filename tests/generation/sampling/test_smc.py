"""Sequential Monte Carlo against the tilt by quadrature; its resampling against its definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.generation import (
    cosine,
    exact_tilt,
    from_score,
    gaussian_mixture,
    mean_entropy,
    mixture_generator,
    sample_by_smc,
    total_variation,
    total_variation_floor,
)
from infojax.generation.sampling.smc import resample
from infojax.models._network import Network
from infojax.training import Learner

MIXTURE = gaussian_mixture([1.0, 3.0], [[-1.0, 0.0], [1.0, 0.5]], [0.2, 0.3], [0, 1])
GENERATOR = mixture_generator(MIXTURE, cosine())
LEARNER = Learner(Network(lambda key, shape: jnp.ones(2), lambda w, x: x @ w[:, None]), jnp.array([3.0, -1.0]))
RESAMPLE = jax.jit(resample, static_argnames="groups")


@pytest.mark.parametrize("strength", [3.0, -3.0])
def test_particles_have_the_tilt_of_each_class(strength):
    n = 6000
    labels = np.arange(n) % 3
    found = sample_by_smc(GENERATOR, labels, LEARNER, strength, key=jax.random.key(0), steps=60, tile=1000)
    assert (found.cost.score, found.cost.learner) == (60 * n, 61 * n)
    assert n / 2 < found.distinct <= n
    for label in range(3):
        target = exact_tilt(MIXTURE, LEARNER, strength, cells=10, label=label)
        mine = found.x[labels == label]
        entropy, floor = mean_entropy(LEARNER, mine), total_variation_floor(target, len(mine))
        # particles are dependent: twice the error of independent ones
        assert abs(entropy.value - target.entropy) < 8 * entropy.stderr
        assert total_variation(mine, target) < 1.5 * floor.value + 4 * floor.stderr


def test_without_a_tilt_nothing_is_resampled():
    found = sample_by_smc(GENERATOR, np.zeros(64, int), LEARNER, 0.0, key=jax.random.key(0), steps=5)
    np.testing.assert_allclose(found.effective, np.ones(6), rtol=1e-5)
    assert found.distinct == 64


@given(st.lists(st.floats(-8, 8), min_size=16, max_size=16), st.integers(0, 2**16))
def test_systematic_resampling_takes_each_as_often_as_its_weight_says_to_within_one(logs, seed):
    log_weight = jnp.asarray(logs, float)
    labels = jnp.asarray(np.sort(np.random.default_rng(seed).integers(0, 3, 16)), jnp.int32)
    chosen, resampled, share = RESAMPLE(log_weight, labels, 4, 1.0, jax.random.key(seed))
    labels, weight = np.asarray(labels), np.exp(np.asarray(log_weight))
    assert np.asarray(resampled).all()
    np.testing.assert_array_equal(labels[chosen], labels)
    times = np.bincount(chosen, minlength=len(labels))
    shares = []
    for label in np.unique(labels):
        mine = labels == label
        expected = weight[mine] / weight[mine].sum() * mine.sum()
        assert (np.abs(times[mine] - expected) < 1 + 1e-4).all()
        shares.append(weight[mine].sum() ** 2 / (weight[mine] ** 2).sum() / mine.sum())
    np.testing.assert_allclose(share, min(shares), rtol=1e-4)


def test_resampling_is_unbiased_and_spares_labels_that_need_none():
    log_weight, labels = jnp.log(jnp.array([1.0, 1.0, 1.0, 9.0, 1.0])), jnp.array([0, 0, 1, 1, 1])
    keys = jax.random.split(jax.random.key(0), 4000)
    chosen, resampled, _ = jax.vmap(lambda key: resample(log_weight, labels, 3, 0.6, key))(keys)
    np.testing.assert_array_equal(np.asarray(resampled)[0], [False, False, True, True, True])
    np.testing.assert_array_equal(np.asarray(chosen)[:, :2], np.tile([0, 1], (4000, 1)))
    counts = np.bincount(np.asarray(chosen).reshape(-1), minlength=5)[2:] / 4000
    np.testing.assert_allclose(counts, 3 * np.array([1, 9, 1]) / 11, atol=0.04)


def test_bad_arguments_are_refused():
    for wrong in ({"eta": 0.0}, {"eta": 1.5}, {"threshold": -0.1}, {"steps": 1}, {"strength": np.inf}):
        settings = {"strength": 1.0, "key": jax.random.key(0)} | wrong
        with pytest.raises(InvalidInput, match=next(iter(wrong))):
            sample_by_smc(GENERATOR, np.zeros(4, int), LEARNER, settings.pop("strength"), **settings)


def test_a_score_that_is_not_finite_is_named():
    broken = from_score(lambda x, t, label: jnp.where(t < 0.5, jnp.nan, -x), shape=(2,), classes=2, schedule=cosine())
    with pytest.raises(InvalidInput, match=r"not finite at t = 0\.4"):
        sample_by_smc(broken, np.zeros(8, int), LEARNER, 1.0, key=jax.random.key(0), steps=11)
