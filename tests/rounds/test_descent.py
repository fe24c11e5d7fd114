from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.models import Network, mlp
from infojax.rounds import Descent
from infojax.training import CrossEntropy, RunningMean, append, empty, log_probabilities

from ..generation.practice.conftest import recipe

X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
Y = np.array([0, 1, 2])


def _state(descent, buffer, evaluations=1):
    state = descent.begin(jax.random.key(0), (2,))
    for index in range(evaluations):
        state, loss = descent.advance(state, buffer, jax.random.key(index))
    return state, loss


def test_rows_that_are_not_filled_do_not_count():
    """What is left of the arrays is never seen."""
    buffer = append(append(empty(16, (2,)), X, Y), X, Y)
    assert len(buffer.x) == 16
    assert buffer.filled == 6
    poisoned = buffer._replace(x=jnp.asarray(np.where(np.arange(16)[:, None] < 6, buffer.x, np.nan), jnp.float32))
    descent = Descent(mlp((4,), 3), recipe(40), every=20)
    (one, loss), (other, same) = _state(descent, buffer), _state(descent, poisoned)
    assert np.isfinite(loss)
    assert loss == same
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_more_data_need_no_new_program():
    traced = []

    def apply(params, x):
        traced.append(x.shape)
        return x @ params

    descent = Descent(Network(lambda key, shape: jnp.zeros((2, 3)), apply), recipe(50), every=5)
    buffer, state = append(empty(64, (2,)), X, Y), descent.begin(jax.random.key(0), (2,))
    state, _ = descent.advance(state, buffer, jax.random.key(0))
    first = len(traced)
    for index in range(6):
        buffer = append(buffer, X, Y)
        state, _ = descent.advance(state, buffer, jax.random.key(index))
    assert first > 0
    assert len(traced) == first
    assert buffer.filled == 21


def test_the_rate_warms_up_is_stable_and_decays():
    """Of a loss with gradient 1 AdamW without decay moves by the rate."""
    network = Network(lambda key, shape: jnp.zeros(()), lambda w, x: 0 * x[:, :2] + 1e3 * w * jnp.array([[1.0, -1.0]]))
    descent = Descent(network, recipe(100, 1e-9, weight_decay=0.0), every=1)
    state, moved = descent.begin(jax.random.key(0), (2,)), []
    buffer = append(empty(2, (2,)), X[:1], Y[:1])
    for index in range(100):
        before = state.params
        state, _ = descent.advance(state, buffer, jax.random.key(index))
        moved.append(float(state.params - before) * 1e9)
    steps = np.arange(100)
    expected = np.minimum(1, steps / 10) * np.where(steps < 80, 1, (1 + np.cos(np.pi * (steps - 80) / 20)) / 2)
    np.testing.assert_allclose(moved, expected, atol=2e-3)
    assert descent.stable == 80


def test_smoothing_spreads_the_label():
    """At p = (.9, .05, .05), label 0: the loss is that of the smoothed label."""
    p, s = jnp.array([0.9, 0.05, 0.05]), 0.3
    network = Network(lambda key, shape: jnp.log(p), lambda log_p, x: 0 * x[:, :1] + log_p[None])
    descent = Descent(network, replace(recipe(4, 1e-9), loss=CrossEntropy(s)), every=1)
    _, loss = _state(descent, append(empty(2, (2,)), X[:1], Y[:1]))
    target = (1 - s) * np.array([1, 0, 0]) + s / 3
    np.testing.assert_allclose(loss, -target @ np.log(p), rtol=1e-5)


def test_the_average_is_a_mean_at_first_and_then_forgets():
    buffer = append(empty(4, (2,)), X, Y)
    every = Descent(mlp((4,), 3), replace(recipe(8, warm_up=0.0), average=RunningMean(0.25)), every=1)
    state, mean = every.begin(jax.random.key(0), (2,)), 0.0
    for index in range(8):
        state, _ = every.advance(state, buffer, jax.random.key(index))
        newest = max(0.25, 1 / (index + 1))
        mean = mean + newest * (np.asarray(jax.tree.leaves(state.params)[0]) - mean)
    np.testing.assert_allclose(jax.tree.leaves(every.learner(state).params)[0], mean, rtol=1e-5, atol=1e-7)


def test_three_points_are_learned():
    descent = Descent(mlp((16,), 3), recipe(300, 1e-2), every=100)
    state, _ = _state(descent, append(empty(4, (2,)), X, Y), 3)
    assert (log_probabilities(descent.learner(state), jnp.asarray(X)).argmax(1) == jnp.asarray(Y)).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Descent(mlp((4,), 3), recipe(100), every=7), "divisor of steps"),
        (lambda: recipe(100, batch=0), "batch=0"),
        (lambda: Descent(mlp((4,), 3), recipe(100, batch=None), every=10), "give batch"),
        (lambda: recipe(100, float("nan")), "learning_rate=nan"),
        (lambda: CrossEntropy(1.0), "label smoothing"),
        (lambda: RunningMean(0.0), "average"),
        (lambda: recipe(100, cool_down=0.95), "below 1 - warm_up"),
        (lambda: Descent(mlp((4,), 3), recipe(100), every=100), "no evaluation comes before the cool-down"),
    ],
)
def test_bad_training_is_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        wrong()
