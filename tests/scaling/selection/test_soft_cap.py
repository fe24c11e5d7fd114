"""The soft rule: its probabilities, its limits, and the laws that follow, against SciPy's quadrature and simulation."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import RidgeProblem, keep_easy, keep_hard, keep_random, ridge_law, simulate_ridge, soft
from infojax.scaling.selection.kept import kept_moments

CASES = [(0.3, 2.0), (0.3, -2.0), (0.05, 20.0), (0.9, 20.0), (0.9, -20.0), (0.4, 0.0), (0.01, -0.3)]


def probability(p, strength):
    """Q(t) from its definition: min(1, c (4σ(t)σ(−t))^ω), with c found by bisection of SciPy's integral."""

    def given(log_c):
        return lambda t: np.exp(np.minimum(log_c - 2 * strength * np.log(np.cosh(t / 2)), 0))

    def kept(log_c):
        cap = np.arccosh(np.exp(log_c / (2 * strength))) * 2 if strength and log_c / strength > 0 else 0.0
        ends = np.unique(np.clip([0, cap, cap + 1, 12], 0, 12))
        return sum(
            quad(lambda t: 2 * norm.pdf(t) * given(log_c)(t), a, b, epsabs=1e-13, limit=200)[0]
            for a, b in pairwise(ends)
        )

    low, high = -150.0, 150.0
    for _ in range(70):
        middle = (low + high) / 2
        low, high = (middle, high) if kept(middle) < p else (low, middle)
    return given(low)


@pytest.mark.parametrize(("p", "strength"), CASES)
def test_probabilities_and_moments_are_the_definition(p, strength):
    t = np.linspace(0, 5, 11)
    expected = probability(p, strength)
    with float64():
        rule = soft(p, strength)
        np.testing.assert_allclose(rule.probability(jnp.asarray(t)), expected(t), rtol=1e-7, atol=1e-12)
        rho = 0.8
        problem = RidgeProblem(rule, pruner=rho, ratio=1.0, ridge=1.0)
        moments = jax.jit(kept_moments)(problem)
    edges = np.unique(np.clip([0, float(rule.threshold()), float(rule.threshold()) + 1, 12], 0, 12))

    def mean(f):
        return sum(
            quad(lambda u: 2 * norm.pdf(u) * expected(u) * f(u), a, b, epsabs=1e-13, limit=200)[0]
            for a, b in pairwise(edges)
        )

    tau = rho / np.sqrt(1 - rho**2)
    frame = np.diag([1, np.sqrt(1 - rho**2)])
    labels = [mean(lambda u: u * (2 * norm.cdf(tau * u) - 1)), mean(lambda u: 2 * norm.pdf(tau * u))]
    np.testing.assert_allclose(moments.kept, p, rtol=1e-9)
    np.testing.assert_allclose(frame @ np.asarray(moments.labels), labels, rtol=1e-7)
    second = frame @ np.asarray(moments.second) @ np.linalg.inv(frame)
    np.testing.assert_allclose(second, np.diag([mean(lambda u: u**2), p]), rtol=1e-7, atol=1e-10)


def test_it_joins_hard_random_and_easy():
    setting = {"pruner": 0.9, "ratio": 0.3, "ridge": 0.01}
    ends = ridge_law(RidgeProblem(soft(0.3, np.array([-100.0, 0.0, 100.0])), **setting)).error
    hard, random, easy = (
        ridge_law(RidgeProblem(rule(0.3), **setting)).error for rule in (keep_hard, keep_random, keep_easy)
    )
    np.testing.assert_allclose(ends, [easy, random, hard], rtol=6e-3)
    np.testing.assert_allclose(ends[1], random, rtol=1e-9)


@pytest.mark.parametrize(("strength", "rho"), [(3.0, 0.8), (3.0, 1.0), (-1.0, -1.0)])
def test_derivatives(strength, rho):
    def error(p, omega, cosine):
        return ridge_law(RidgeProblem(soft(p, omega), pruner=cosine, ratio=0.2, ridge=0.01)).error

    with float64():
        at = (jnp.asarray(0.3), jnp.asarray(strength), jnp.asarray(rho))
        found = jax.jit(jax.grad(error, argnums=(0, 1, 2)))(*at)
    steps = (1e-5, 1e-4, 1e-6)
    for index, step in enumerate(steps):
        shift = np.eye(3)[index] * step
        here = np.array([0.3, strength, rho])
        inside = abs(rho) == 1 and index == 2
        if inside:  # one-sided, towards smaller cosines
            sign = np.sign(rho)
            values = [float(error(*(here - sign * k * shift))) for k in range(3)]
            slope = sign * (3 * values[0] - 4 * values[1] + values[2]) / (2 * step)
        else:
            slope = float(error(*(here + shift)) - error(*(here - shift))) / (2 * step)
        np.testing.assert_allclose(found[index], slope, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("strength", "weighted", "extra"),
    [
        (3.0, False, {}),
        (-2.0, True, {"label_aware": True, "flips": 0.1}),
        (2.0, True, {"labels": "linear", "noise": 0.5}),
    ],
)
def test_law_and_simulation_agree(strength, weighted, extra):
    setting = {"pruner": 0.9, "generator": 0.8, "pruner_generator": 0.7, "ratio": 0.2, "ridge": 0.02} | extra
    rule = soft(0.4, strength, weighted=weighted)
    law = ridge_law(RidgeProblem(rule, **setting))
    measured = simulate_ridge(RidgeProblem(rule, **setting), dimension=150, repeats=20, key=jax.random.key(2))
    for name, value in law._asdict().items():
        found, stderr = getattr(measured.mean, name), getattr(measured.stderr, name)
        assert abs(found - value) < max(4 * stderr, 0.05 * abs(value)), name


def test_bad_strengths_are_refused():
    with pytest.raises(InvalidInput, match=r"strength=200\.0 .* \[-100, 100\]"):
        soft(0.3, 200.0)
    with pytest.raises(InvalidInput, match="draw='pool'"):
        simulate_ridge(
            RidgeProblem(soft(0.3, 1.0), pruner=1.0, ratio=0.1, ridge=0.1),
            dimension=10,
            repeats=2,
            key=jax.random.key(0),
            draw="kept",
        )
