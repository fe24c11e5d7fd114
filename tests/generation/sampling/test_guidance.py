"""Guidance against its definition, against numerically integrated h, and where entropy is flat."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.generation import (
    Cost,
    cosine,
    ddim,
    empirical,
    exact_tilt,
    gaussian_mixture,
    h_transform,
    mean_entropy,
    mixture_generator,
    normalised,
    plug_in,
    sample,
    tilted,
    total_variation,
    total_variation_floor,
)
from infojax.generation.sampling.guidance import Instant
from infojax.generation.sampling.steps import levels
from infojax.models._network import Network
from infojax.training import Learner, entropy

COVARIANCES = np.array([[[0.2, 0.05], [0.05, 0.1]], [[0.1, -0.02], [-0.02, 0.15]], [[0.15, 0.0], [0.0, 0.15]]])
MEANS = np.array([[-1.2, 0.0], [1.2, 0.2], [0.1, 1.6]])
SCHEDULE = cosine()


def _bent(w, x):
    """Log odds of three classes that are not linear in x."""
    return jnp.tanh(x @ w[:2]) @ w[2:5] + x @ w[5:]


NETWORK = Network(lambda key, shape: jax.random.normal(key, (7, 3)), _bent)


def _setting(scale=2.0):
    mixture = gaussian_mixture([1.0, 1.0, 1.0], MEANS, COVARIANCES, [0, 1, 2])
    weights = np.array([[-1, 1, 0], [-0.5, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0.5], [-1.2, 1.2, 0], [-0.5, -0.4, 1.5]])
    return mixture, Learner(NETWORK, jnp.asarray(scale * weights, float))


def _instant(generator, index, label, steps=21):
    level = jax.tree.map(lambda each: each[index], levels(SCHEDULE, steps))

    def noise(x):
        return generator.noise(x, level.t, label)

    return Instant(noise, noise, 1, level, jnp.asarray(index), label)


def test_h_transform_is_the_gradient_of_log_h_by_finite_differences_of_an_integral():
    """∇_x log ∫ p(x₀ | x) e^{ωH(x₀)} dx₀, on a grid, with SciPy's densities."""
    side = np.linspace(-4, 4, 321)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
    strength = 3.0
    with float64():
        mixture, learner = _setting(1.0)
        prior = np.stack([multivariate_normal(m, c).pdf(grid) for m, c in zip(MEANS, COVARIANCES, strict=True)])
        boost = np.exp(strength * np.asarray(entropy(learner, jnp.asarray(grid))))
        x, label = np.array([[0.2, 0.3], [-0.5, 0.8], [0.4, -0.1]]), np.array([3, 3, 1])
        for index in (6, 12, 17):
            generator = mixture_generator(mixture, SCHEDULE)
            instant = _instant(generator, index, jnp.asarray(label, jnp.int32))
            signal, noise = float(instant.level.signal), float(instant.level.noise)

            def log_h(x, label, signal=signal, noise=noise):
                joint = prior[label] if label < 3 else prior.mean(0)
                joint = joint * np.exp(-((x - np.sqrt(signal) * grid) ** 2).sum(1) / 2 / noise)
                return np.log(joint @ boost / joint.sum())

            same, found, cost = h_transform(mixture, learner, strength, points=32)(instant, jnp.asarray(x))
            gradient = [
                [(log_h(x[i] + e, label[i]) - log_h(x[i] - e, label[i])) / 2e-4 for e in 1e-4 * np.eye(2)]
                for i in range(3)
            ]
            wanted = instant.noise(jnp.asarray(x)) - np.sqrt(noise) * np.array(gradient)
            np.testing.assert_allclose(found, wanted, atol=2e-5)
            np.testing.assert_array_equal(same, x)
            assert cost == Cost(score=1, learner=3 * 32**2)


@pytest.mark.parametrize(
    ("eta", "strength"),
    [pytest.param(0.0, 2.0, marks=pytest.mark.slow), (1.0, 2.0), pytest.param(1.0, -3.0, marks=pytest.mark.slow)],
)
def test_h_transform_samples_the_exact_tilt(eta, strength):
    mixture, learner = _setting()
    target, n = exact_tilt(mixture, learner, strength, cells=16), 6000
    guidance = h_transform(mixture, learner, strength, points=8)
    generator = mixture_generator(mixture, SCHEDULE)
    x, _ = sample(
        generator, np.full(n, 3), key=jax.random.key(0), steps=60, sampler=ddim(eta), guidance=guidance, tile=1000
    )
    found, (floor, deviation) = mean_entropy(learner, x), total_variation_floor(target, n)
    assert abs(found.value - target.entropy) < 4 * found.stderr + 0.004
    assert total_variation(x, target) < floor + 4 * deviation + 0.01
    base = exact_tilt(mixture, learner, 0.0).entropy
    assert abs(base - target.entropy) > 10 * found.stderr  # what is found differs from what is not guided


def test_plug_in_is_its_formula():
    with float64():
        mixture, learner = _setting()
        label = jnp.array([0, 3], jnp.int32)
        instant = _instant(mixture_generator(mixture, SCHEDULE), 12, label)
        x, signal, noise = jnp.array([[0.3, 0.2], [-0.4, 0.9]]), instant.level.signal, instant.level.noise

        def plugged(x):
            return entropy(learner, (x - jnp.sqrt(noise) * instant.noise(x)) / jnp.sqrt(signal))

        shifts = [1e-5 * jnp.eye(2)[i][None] for i in range(2)]
        gradient = jnp.stack([(plugged(x + s) - plugged(x - s)) / 2e-5 for s in shifts], 1)
        same, found, cost = plug_in(learner, 2.5)(instant, x)
        np.testing.assert_allclose(found, instant.noise(x) - jnp.sqrt(noise) * 2.5 * gradient, rtol=1e-6)
        np.testing.assert_array_equal(same, x)
        assert cost == Cost(score=1, score_gradient=1, learner=1)


def test_normalised_moves_x_by_a_share_of_its_length_uphill_every_fifth_step():
    with float64():
        mixture, learner = _setting()
        label, x = jnp.array([0, 3], jnp.int32), jnp.array([[0.3, 0.2], [-0.4, 0.9]])
        generator = mixture_generator(mixture, SCHEDULE)
        for strength in (1e-4, -1e-4):
            guide = normalised(learner, strength)
            instant = _instant(generator, 10, label)
            share, signal, noise = jnp.sqrt(instant.level.noise), instant.level.signal, instant.level.noise

            def mixed(x, instant=instant, share=share, signal=signal, noise=noise):
                clean = (x - jnp.sqrt(noise) * instant.noise(x)) / jnp.sqrt(signal)
                return entropy(learner, share * clean + (1 - share) * x)

            moved, predicted, cost = guide(instant, x)
            length = np.linalg.norm(moved - x, axis=1)
            np.testing.assert_allclose(length, abs(strength) * np.linalg.norm(x, axis=1), rtol=1e-9)
            np.testing.assert_allclose(predicted, instant.noise(x), rtol=1e-12)
            assert (np.sign(mixed(moved) - mixed(x)) == np.sign(strength)).all()
            assert (int(cost.score), int(cost.score_gradient), int(cost.learner)) == (1, 1, 1)
        moved, _, cost = guide(_instant(generator, 11, label), x)
        np.testing.assert_array_equal(moved, x)
        assert (int(cost.score), int(cost.score_gradient), int(cost.learner)) == (1, 0, 0)


@pytest.mark.slow
def test_entropy_rises_with_positive_and_falls_with_negative_strength():
    mixture, learner = _setting(1.0)
    generator, n = mixture_generator(mixture, SCHEDULE), 1000

    def mean(guidance):
        x, cost = sample(generator, np.full(n, 3), key=jax.random.key(0), steps=30, guidance=guidance, tile=n)
        return mean_entropy(learner, x).value, cost

    base = mean(plug_in(learner, 0.0))[0]
    for kind, strength in ((plug_in, 2.0), (normalised, 0.1)):
        (less, cost), (more, _) = mean(kind(learner, -strength)), mean(kind(learner, strength))
        assert less < base - 0.01 < base + 0.01 < more, kind
        guided = 30 if kind is plug_in else 6
        assert (cost.score, cost.score_gradient, cost.learner) == (30 * n, guided * n, guided * n)


@pytest.mark.parametrize("kind", [plug_in, normalised])
def test_flat_entropy_guides_nowhere(kind):
    mixture, learner = _setting(0.0)
    generator, labels, key = mixture_generator(mixture, SCHEDULE), np.full(8, 3), jax.random.key(0)
    guided = sample(generator, labels, key=key, steps=11, guidance=kind(learner, 5.0)).x
    np.testing.assert_allclose(guided, sample(generator, labels, key=key, steps=11).x, atol=2e-4)


def test_class_guidance_and_normalised_guidance_together():
    mixture, learner = _setting()
    labels = np.array([0, 1, 2])
    x, cost = sample(
        mixture_generator(mixture, SCHEDULE),
        labels,
        key=jax.random.key(0),
        steps=11,
        guidance=normalised(learner, 0.05),
        class_guidance=1.0,
    )
    assert np.isfinite(x).all()
    assert (cost.score, cost.score_gradient) == (3 * (2 * 11 + 3), 3 * 3)


def test_tilted_data_have_weights_of_their_entropy():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 2)), np.arange(50) % 3
    _, learner = _setting()
    data = tilted(empirical(x, y, 0.1), learner, 2.0)
    wanted = np.exp(2 * np.asarray(entropy(learner, jnp.asarray(x, float))))
    np.testing.assert_allclose(data.weights, wanted / wanted.sum(), rtol=1e-5)


def test_bad_arguments_are_refused():
    mixture, learner = _setting()
    with pytest.raises(InvalidInput, match=r"4 dimensions.*tilted"):
        h_transform(empirical(np.ones((2, 4)), np.array([0, 1]), 0.1), learner, 1.0)
    with pytest.raises(InvalidInput, match="points=0"):
        h_transform(mixture, learner, 1.0, points=0)
    with pytest.raises(InvalidInput, match="every=0"):
        normalised(learner, 0.1, every=0)
    for make in (normalised, lambda learner, w: h_transform(mixture, learner, w), lambda f, w: tilted(mixture, f, w)):
        with pytest.raises(InvalidInput, match="must be finite"):
            make(learner, np.inf)
