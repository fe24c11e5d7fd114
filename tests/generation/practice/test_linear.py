import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from infojax.data import Dataset
from infojax.errors import InvalidInput
from infojax.generation.practice.linear import LINEAR, RidgeFit, log_tilt, tilted_gaussians
from infojax.generation.practice.loop import practise
from infojax.generation.practice.policy import FROZEN, PRACTICE, UNIFORM
from infojax.rounds import Plan
from infojax.scaling import (
    PracticeProblem,
    RidgeProblem,
    TwoStageProblem,
    keep_all,
    practice_law,
    ridge_law,
    soft,
    two_stage_law,
)
from infojax.training import Learner, append, empty, entropy

TRUTH = np.eye(30)[0].astype(np.float32)


def test_the_fit_is_the_ridge_regression():
    x, y = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32), np.arange(40) % 2
    fit = RidgeFit(0.3, 1)
    w, loss = fit.advance(fit.begin(jax.random.key(0), (5,)), append(empty(60, (5,)), x, y), jax.random.key(0))
    x, y = x.astype(float), 2.0 * y - 1
    exact = np.linalg.solve(x.T @ x / 40 + 0.3 * np.eye(5), x.T @ y / 40)
    np.testing.assert_allclose(w, exact, rtol=1e-4)
    np.testing.assert_allclose(loss, np.mean((x @ exact - y) ** 2) / 2, rtol=1e-4)


@pytest.mark.parametrize("utility", ["entropy", "variance"])
def test_the_tilt_is_exact(utility):
    """Margins against the tilted density by SciPy's quadrature; all else is normal; labels are the truth's."""
    w = np.random.default_rng(1).normal(size=30)
    learner = Learner(LINEAR, jnp.asarray(w, jnp.float32))
    labels = np.arange(4000) % 2
    x = np.asarray(tilted_gaussians(TRUTH, 3.0, utility)(jax.random.key(0), labels, learner).x, np.float64)
    np.testing.assert_array_equal(x[:, 0] > 0, labels == 1)
    nodes = np.linspace(-9, 9, 20001)
    density = np.exp(-(nodes**2) / 2 + 3 * log_tilt(nodes, utility))
    t = x @ w / np.linalg.norm(w)
    cdf = lambda at: np.interp(at, nodes, np.cumsum(density) / density.sum())  # noqa: E731
    assert stats.kstest(t, cdf).pvalue > 1e-3
    across = np.linalg.qr(np.stack([w, *np.eye(30)[1:]], 1))[0][:, 1:]
    assert stats.kstest((x @ across).ravel()[::7], "norm").pvalue > 1e-3
    direct = entropy(learner, jnp.asarray(x, jnp.float32)) if utility == "entropy" else None
    if direct is not None:
        np.testing.assert_allclose(log_tilt(t, utility), direct, atol=1e-5)


def _run(policy, strength, key, d=150, start=375, added=225, rounds=3, ridge=0.05):
    """Errors after each addition, the exact angle to the truth."""
    truth = np.eye(d)[0].astype(np.float32)
    x = np.random.default_rng(0).normal(size=(50, d))
    validation = Dataset(x, (x[:, 0] > 0).astype(int), classes=("minus", "plus"))
    trainer = RidgeFit(ridge, 30)
    plan = Plan(start, added, start + rounds * added, growing=False)
    history = practise(tilted_gaussians(truth, strength, "variance"), trainer, validation, policy, plan=plan, key=key)
    learned = [addition.before.state for addition in history.additions[1:]] + [history.state]
    return [np.arccos(w[0] / np.linalg.norm(w)) / np.pi for w in map(np.asarray, learned)]


@pytest.mark.parametrize(
    ("policy", "strength"), [(PRACTICE, 8.0), pytest.param(FROZEN, 8.0, marks=pytest.mark.slow), (UNIFORM, 0.0)]
)
def test_the_loop_is_what_the_laws_say(policy, strength):
    """In every round, for a learner that guides, for one that has guided from the first on, and without guidance."""
    errors = np.array([_run(policy, strength, jax.random.key(seed)) for seed in range(8)])
    rule = soft(0.05, strength)  # small enough for the rule not to be capped at 1: the tilt itself
    if policy is PRACTICE:
        law = practice_law(PracticeProblem(rule, first_ratio=0.4, added_ratio=2 / 3, rounds=3, ridge=0.05)).error
    elif policy is FROZEN:
        first = practice_law(PracticeProblem(rule, first_ratio=0.4, added_ratio=1.0, rounds=0, ridge=0.05)).error
        ratios = 2 / 3 / np.arange(1, 4)
        law = np.append(
            first, two_stage_law(TwoStageProblem(rule, first_ratio=0.4, second_ratio=ratios, ridge=0.05)).error
        )
    else:
        law = ridge_law(RidgeProblem(keep_all(), pruner=1.0, ratio=150 / (375 + 225 * np.arange(4)), ridge=0.05)).error
    stderr = errors.std(0, ddof=1) / np.sqrt(len(errors))
    assert (np.abs(errors.mean(0) - law) < 4 * stderr + 0.02 * law).all(), (errors.mean(0), law, stderr)


def test_bad_numbers_are_refused():
    with pytest.raises(InvalidInput, match="must be finite"):
        tilted_gaussians(TRUTH, np.inf)
    for ridge, evaluations in ((0.0, 3), (0.1, 0)):
        with pytest.raises(InvalidInput, match="positive ridge"):
            RidgeFit(ridge, evaluations)
