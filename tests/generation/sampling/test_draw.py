"""Samplers on Gaussians, whose scores, flows and posteriors are known; what is compiled; what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.generation import (
    Cost,
    Generator,
    Unfinished,
    ancestral,
    cosine,
    ddim,
    from_score,
    plug_in,
    probability_flow,
    sample,
)
from infojax.generation.sampling.steps import between, levels, variance_given_x0
from infojax.models._network import Network
from infojax.training import Learner, entropy

SCHEDULE = cosine()
MEANS, VARIANCES = jnp.array([[1.0, -2.0], [0.0, 3.0]]), jnp.array([[0.25, 1.0], [0.04, 0.5]])
ODDS = Network(lambda key, shape: jnp.ones(shape), lambda w, x: x @ w[:, None])


def _score(x, t, label):
    """Class c is N(mean_c, diag(variance_c)); "any class" is taken to be the first."""
    label = label % 2
    spread = SCHEDULE.signal(t) * VARIANCES[label].astype(x.dtype) + SCHEDULE.noise(t)
    return -(x - jnp.sqrt(SCHEDULE.signal(t)) * MEANS[label].astype(x.dtype)) / spread


GAUSSIAN = from_score(_score, shape=(2,), classes=2, schedule=SCHEDULE)


@pytest.mark.parametrize(
    "sampler",
    [
        ddim(0.0),
        ddim(0.5),
        pytest.param(ddim(1.0), marks=pytest.mark.slow),
        ancestral(),
        pytest.param(probability_flow(), marks=pytest.mark.slow),
    ],
)
def test_samplers_reproduce_mean_and_covariance(sampler):
    n, steps = 4000, 200
    labels = np.arange(n) % 2
    x, _ = sample(GAUSSIAN, labels, key=jax.random.key(0), steps=steps, sampler=sampler, tile=1000)
    x = np.asarray(x)
    for label in range(2):
        mine, mean, variance = x[labels == label], np.asarray(MEANS[label]), np.asarray(VARIANCES[label])
        count = len(mine)
        assert (np.abs(mine.mean(0) - mean) < 4 * np.sqrt(variance / count)).all()
        # steps of 1/200 leave 2 % besides the noise of measuring
        covariance = np.cov(mine.T) / np.sqrt(np.outer(variance, variance))
        assert (np.abs(covariance - np.eye(2)) < 0.02 + 4 * np.sqrt(2 / count)).all(), covariance


@pytest.mark.parametrize(
    ("sampler", "order"), [pytest.param(ddim(0.0), 1, marks=pytest.mark.slow), (probability_flow(), 2)]
)
def test_deterministic_samplers_follow_the_flow_of_a_gaussian_at_their_order(sampler, order):
    """The flow maps each point to that with the same standard score: x₀ = mean + s (x₁ − √ξ₁ mean)/spread₁."""
    errors = []
    with float64():
        labels, key = np.arange(6) % 2, jax.random.key(1)
        for steps in (41, 81):
            found = sample(GAUSSIAN, labels, key=key, steps=steps, sampler=sampler).x
            keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.fold_in(key, i), 0))(jnp.arange(6))
            start = np.asarray(jax.vmap(lambda key: jax.random.normal(key, (2,)))(keys))
            mean, variance = np.asarray(MEANS)[labels], np.asarray(VARIANCES)[labels]
            signal, noise = float(SCHEDULE.signal(1.0)), float(SCHEDULE.noise(1.0))
            standard = (start - np.sqrt(signal) * mean) / np.sqrt(signal * variance + noise)
            errors.append(np.abs(found - (mean + np.sqrt(variance) * standard)).max())
    assert errors[1] < 0.1**order
    assert np.log2(errors[0] / errors[1]) > order - 0.35, errors


def test_ddim_with_eta_one_is_the_reverse_step_given_x0():
    """q(x_t' | x_t, x₀) of Ho et al. (2020), eq. (6) and (7), from products of Gaussian densities."""
    with float64():
        every = levels(SCHEDULE, 9)
        for i in range(8):
            now, then = (jax.tree.map(lambda level, j=j: level[j], every) for j in (i, i + 1))
            x0, x = 0.7, jnp.array([-0.4])
            alpha = now.signal / then.signal
            precision = alpha / (1 - alpha) + 1 / then.noise
            mean = (np.sqrt(alpha) * x / (1 - alpha) + np.sqrt(then.signal) * x0 / then.noise) / precision
            noise = (x - jnp.sqrt(now.signal) * x0) / jnp.sqrt(now.noise)
            variance = variance_given_x0(now, then)
            np.testing.assert_allclose(variance, 1 / precision, rtol=1e-8)
            np.testing.assert_allclose(between(x, noise, now, then, variance), mean, rtol=1e-7, atol=1e-12)


def test_class_guidance_extrapolates_from_any_class():
    def flat(x, t, label):
        return -x / 1.0 + jnp.where(label == 0, 0.5, 0.2)[:, None]

    given = {"shape": (1,), "classes": 1, "schedule": SCHEDULE}
    key, labels = jax.random.key(0), np.zeros(4, int)
    guided = sample(from_score(flat, **given), labels, key=key, steps=8, class_guidance=2.0)
    wanted = sample(from_score(lambda x, t, label: -x + (3 * 0.5 - 2 * 0.2), **given), labels, key=key, steps=8)
    np.testing.assert_allclose(guided.x, wanted.x, atol=1e-4)
    assert (guided.cost.score, wanted.cost.score) == (2 * 8 * 4, 8 * 4)


def test_tiles_and_what_follows_change_nothing():
    labels = np.arange(10) % 3
    whole = sample(GAUSSIAN, labels, key=jax.random.key(3), steps=6).x
    tiled = sample(GAUSSIAN, labels, key=jax.random.key(3), steps=6, tile=4).x
    first = sample(GAUSSIAN, labels[:3], key=jax.random.key(3), steps=6).x
    np.testing.assert_allclose(tiled, whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(first, whole[:3], rtol=1e-5, atol=1e-6)


def test_nothing_is_compiled_anew_for_other_parameters():
    traces = 0

    def predict(mean, x, t, label):
        nonlocal traces
        traces += 1
        return jnp.sqrt(SCHEDULE.noise(t)) * (x - jnp.sqrt(SCHEDULE.signal(t)) * mean[None])

    def draw(seed, mean, weights, strength, eta, weight):
        return sample(
            Generator(predict, mean, (2,), 2, SCHEDULE),
            np.full(5, seed % 3),
            key=jax.random.key(seed),
            steps=5,
            sampler=ddim(eta),
            guidance=plug_in(Learner(ODDS, weights), strength),
            class_guidance=weight,
        ).x

    first = draw(0, jnp.zeros(2), jnp.ones(2), 1.0, 0.0, 1.0)
    after_first = traces
    for seed in (1, 2):
        other = draw(seed, seed * jnp.ones(2), jnp.ones(2) / 2, -2.0 * seed, 1.0, 0.5)
        assert not np.allclose(first, other)
    assert traces == after_first > 0


def test_plug_in_raises_entropy_and_counts_its_cost():
    sharp = Learner(ODDS, jnp.array([4.0, 0.0]))
    labels, key = np.zeros(400, int), jax.random.key(0)

    def mean_entropy(strength):
        x, cost = sample(GAUSSIAN, labels, key=key, steps=30, guidance=plug_in(sharp, strength))
        assert (cost.score, cost.score_gradient, cost.learner) == (30 * 400, 30 * 400, 30 * 400)
        return float(entropy(sharp, x).mean())

    less, base, more = mean_entropy(-4.0), mean_entropy(0.0), mean_entropy(4.0)
    assert less < 0.8 * base < base < 1.25 * base < more
    unguided = sample(GAUSSIAN, labels, key=key, steps=30).x
    flat = Learner(ODDS, jnp.zeros(2))
    np.testing.assert_allclose(
        sample(GAUSSIAN, labels, key=key, steps=30, guidance=plug_in(flat, 4.0)).x, unguided, atol=1e-4
    )


def test_a_score_that_is_not_finite_is_named_and_the_rest_is_kept():
    def broken(x, t, label):
        return jnp.where((label[:, None] == 1) & (t < 0.5), jnp.nan, _score(x, t, label))

    generator = from_score(broken, shape=(2,), classes=2, schedule=SCHEDULE)
    labels = np.array([0, 1, 0, 1, 1])
    with pytest.raises(
        Unfinished, match=r"the score is not finite, first at t = 0\.4, in the end for 3 of 5"
    ) as caught:
        sample(generator, labels, key=jax.random.key(0), steps=11, tile=2)
    np.testing.assert_array_equal(caught.value.finished, labels == 0)
    whole = sample(GAUSSIAN, labels, key=jax.random.key(0), steps=11)
    np.testing.assert_allclose(caught.value.samples.x[labels == 0], whole.x[labels == 0], rtol=1e-5)
    assert np.isfinite(caught.value.samples.x).all()


def test_a_guidance_that_is_not_finite_is_named():
    with pytest.raises(Unfinished, match="the guidance is not finite, first at t = 1, in the end for 2 of 2"):
        sample(
            GAUSSIAN,
            np.zeros(2, int),
            key=jax.random.key(0),
            steps=3,
            guidance=Partial(lambda instant, x: (x, x * jnp.nan, Cost(score=1))),
        )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"labels": np.array([0, 3])}, "label 3 is not among the classes 0 to 1"),
        ({"labels": np.array([-1])}, "label -1"),
        ({"labels": np.zeros(0, int)}, "n ≥ 1"),
        ({"labels": np.ma.masked_array([0, 1], mask=[0, 1])}, "labels has 1 masked of 2"),
        ({"steps": 1}, "steps=1"),
        ({"tile": 0}, "tile=0"),
        ({"class_guidance": np.inf}, "class_guidance=inf"),
    ],
)
def test_bad_arguments_are_refused(wrong, says):
    given = {"labels": np.zeros(2, int), "key": jax.random.key(0)} | wrong
    with pytest.raises(InvalidInput, match=says):
        sample(GAUSSIAN, given.pop("labels"), **given)


@pytest.mark.parametrize("eta", [-0.1, 1.1, np.nan])
def test_bad_eta_is_refused(eta):
    with pytest.raises(InvalidInput, match="0, deterministic, to 1"):
        ddim(eta)


def test_bad_strength_is_refused():
    with pytest.raises(InvalidInput, match="strength=nan"):
        plug_in(Learner(ODDS, jnp.ones(2)), np.nan)
