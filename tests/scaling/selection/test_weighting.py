"""Any weights: against the closed forms they contain, the general theorem's fixed point, and simulation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erfinv

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import RidgeProblem, keep_easy, keep_hard, ridge_law, simulate_ridge, weigh_by
from infojax.scaling.ridge.weighted import weighted_equivalent
from infojax.scaling.selection.moments import Moments

SETTING = {"pruner": 0.9, "generator": 0.6, "pruner_generator": 0.5}


def hard(size, agrees, edge):
    return size <= edge, 1.0


def hard_and_right(size, agrees, edge):
    return (size <= edge) & agrees, 1.0


def easy(size, agrees, edge):
    return size > edge, 1.0


def graded(size, agrees, slope):
    """Half of the disagreeing are kept, and what is kept weighs more the harder it is."""
    return jnp.where(agrees, 1.0, 0.5), jnp.exp(-slope * size)


@pytest.mark.parametrize("aware", [False, True])
def test_named_rules_are_weightings(aware):
    rng = np.random.default_rng(0)
    p, phi = rng.uniform(0.1, 0.9, 40), rng.uniform(0.05, 2, 40)
    edge = np.sqrt(2) * erfinv(p)
    rule = weigh_by(hard_and_right if aware else hard, edge, breaks=(edge,))
    both = {**SETTING, "ratio": phi, "ridge": rng.choice([0.0, 1e-3, 0.5], 40), "flips": rng.choice([0.0, 0.2], 40)}
    law = ridge_law(RidgeProblem(keep_hard(p), **both, label_aware=aware))
    np.testing.assert_allclose(np.stack(ridge_law(RidgeProblem(rule, **both))), np.stack(law), rtol=1e-7)


def test_easy_is_a_weighting_of_linear_labels_too():
    edge = float(keep_easy(0.3).threshold())
    both = {**SETTING, "ratio": 0.4, "ridge": 0.05, "labels": "linear", "noise": 0.5}
    np.testing.assert_allclose(
        np.stack(ridge_law(RidgeProblem(weigh_by(easy, edge, breaks=(edge,)), **both))),
        np.stack(ridge_law(RidgeProblem(keep_easy(0.3), **both))),
        rtol=1e-5,  # the threshold comes in float32
    )


@pytest.mark.parametrize("seed", range(6))
def test_solves_the_general_theorem(seed):
    """δ = ϕm, m = 1/(E h + λ), h = D/(1 + Dδ); a = (E[h GGᵀ] + λ)⁻¹ E[h y G];
    σ² = ϕm² E[h²(y − a·G)²]/(1 − ϕm² E h²), iterated in NumPy for made-up examples, weights and labels."""
    rng = np.random.default_rng(seed)
    ratio, ridge, directions = rng.uniform(0.1, 3), 10 ** rng.uniform(-3, 0.5), rng.integers(1, 4)
    g, y, d = rng.normal(size=(40, directions)), rng.normal(size=40), rng.exponential(size=40)
    delta = 1.0
    for _ in range(100_000):
        h = d / (1 + d * delta)
        delta, old = 0.5 * delta + 0.5 * ratio / (h.mean() + ridge), delta
        if abs(delta - old) < 1e-15 * delta:
            break
    m = delta / ratio
    a = np.linalg.solve((g.T * h) @ g / 40 + ridge * np.eye(directions), (g.T * h) @ y / 40)
    spread = ratio * m**2 * (h**2 * (y - g @ a) ** 2).mean() / (1 - ratio * m**2 * (h**2).mean())

    def moments(transform):
        f = transform(jnp.asarray(d)) / 40
        weighed = g.T @ (f[:, None] * g), g.T @ (f * y), f @ y**2
        return Moments(f.sum(), *weighed, jnp.eye(directions))

    with float64():
        found = jax.jit(lambda *numbers: weighted_equivalent(moments, *numbers))(jnp.asarray(ratio), jnp.asarray(ridge))
    np.testing.assert_allclose(found.weights, a, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(found.spread, spread, rtol=1e-8)


def test_law_and_simulation_agree_and_parameters_have_derivatives():
    both = {**SETTING, "ratio": 0.2, "ridge": 0.02, "flips": 0.1}
    law = ridge_law(RidgeProblem(weigh_by(graded, 0.7), **both))
    measured = simulate_ridge(
        RidgeProblem(weigh_by(graded, 0.7), **both), dimension=150, repeats=20, key=jax.random.key(1)
    )
    for name, value in law._asdict().items():
        found, stderr = getattr(measured.mean, name), getattr(measured.stderr, name)
        assert abs(found - value) < max(4 * stderr, 0.05 * abs(value)), name
    with float64():
        slope = jax.grad(lambda s: ridge_law(RidgeProblem(weigh_by(graded, s), **both)).error)(0.7)
    near = ridge_law(RidgeProblem(weigh_by(graded, np.array([0.7 - 1e-5, 0.7 + 1e-5])), **both)).error
    np.testing.assert_allclose(slope, np.diff(near)[0] / 2e-5, rtol=1e-4)


def test_no_ridge_is_the_limit_of_a_small_one():
    for phi in (0.2, 1.5):
        exact, near = (
            ridge_law(RidgeProblem(weigh_by(graded, 0.7), **SETTING, ratio=phi, ridge=ridge)).error
            for ridge in (0.0, 1e-9)
        )
        np.testing.assert_allclose(exact, near, rtol=1e-6)


GIVEN = {"pruner": 1.0, "ratio": 0.1, "ridge": 0.1}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: weigh_by(hard, 0.5, breaks=(0.5, 0.2)), "breaks=.* ascending"),
        (lambda: weigh_by(hard, 0.5, breaks=(0.0,)), "positive"),
        (lambda: weigh_by(lambda s, a: (2.0, 1.0)), "probability 2 .* out of range"),
        (lambda: weigh_by(lambda s, a: (1.0, -s)), "weight -.* out of range"),
        (lambda: ridge_law(RidgeProblem(weigh_by(graded, 0.7), **GIVEN, label_aware=True)), "told what agrees"),
        (lambda: ridge_law(RidgeProblem(keep_hard(0.3), **GIVEN, noise=0.1)), "is for labels='linear'"),
        (lambda: ridge_law(RidgeProblem(keep_hard(0.3), **GIVEN, flips=1.5)), r"flips=1\.5"),
        (lambda: RidgeProblem(keep_hard(0.3), **GIVEN, labels="linear", label_aware=True), "compares the label with"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(make, says):
    with pytest.raises(InvalidInput, match=says):
        make()
