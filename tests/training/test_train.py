"""The loop against training as anyone would write it, a step at a time, with the optimizers of optax."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.models import cnn, mlp
from infojax.training import (
    AdamW,
    DecayToStart,
    ExampleLoss,
    Learner,
    Rate,
    Recipe,
    RunningMean,
    Watch,
    cross_entropy,
    fastest,
    log_probabilities,
    margins,
    squares,
    train,
    train_each,
    training_set,
    trapezoid,
)

N = 6
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(N, 3)).astype(np.float32), np.arange(N) % 3
NETWORK = mlp((5,), 3, activation=jnp.tanh)
LEARNER = Learner(NETWORK, NETWORK.init(jax.random.key(0), (3,)))


def plainly(params, x, y, optimizer, steps, weights=None):
    """All examples at each step; the parameters after each."""

    def loss(w):
        log_p = jax.nn.log_softmax(NETWORK.apply(w, x), axis=1)
        losses = -log_p[jnp.arange(len(x)), y]
        return jnp.mean(losses) if weights is None else jnp.sum(weights * losses)

    state, all_params = optimizer.init(params), []
    slope = jax.jit(jax.grad(loss))
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        for _ in range(steps):
            updates, state = optimizer.update(slope(params), state, params)
            params = optax.apply_updates(params, updates)
            all_params.append(params)
    return all_params


def close(one, other, rtol=2e-5):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-6), one, other)


@pytest.mark.parametrize(
    ("recipe", "optimizer"),
    [
        (Recipe(20, 0.1), optax.adam(0.1)),
        (Recipe(20, 0.1, optimizer=AdamW(0.3, b2=0.9, clip=0.1)), optax.chain(
            optax.clip_by_global_norm(0.1), optax.adamw(0.1, b2=0.9, weight_decay=0.3))),
        (Recipe(20, Rate(0.1, 5, 5, 16)), optax.adam(optax.warmup_cosine_decay_schedule(0.0, 0.1, 5, 21))),
        (Recipe(20, Rate(0.1, 0, 0, 20)), optax.adam(optax.cosine_decay_schedule(0.1, 20))),
        (Recipe(20, 0.1, optimizer=optax.sgd), optax.sgd(0.1)),
        (Recipe(20, 0.1, optimizer=DecayToStart()), optax.sgd(0.1)),
    ],
)  # fmt: skip
def test_training_is_what_optax_does_step_by_step(recipe, optimizer):
    trained = train(LEARNER, training_set(X, Y), recipe)

    close(trained.learner.params, plainly(LEARNER.params, X, Y, optimizer, 20)[-1])
    assert trained.loss.shape == (20,)
    assert trained.loss[-1] < trained.loss[0]


def test_decay_to_the_start_is_that_of_the_definition():
    recipe = Recipe(9, 0.2, optimizer=DecayToStart(0.7))
    params, start = LEARNER.params, LEARNER.params
    for _ in range(9):
        slope = jax.grad(lambda w: cross_entropy(NETWORK.apply(w, jnp.asarray(X)), jnp.asarray(Y)).mean())(params)
        params = jax.tree.map(lambda w, g, w0: w - 0.2 * (g + 0.7 * (w - w0)), params, slope, start)

    close(train(LEARNER, training_set(X, Y), recipe).learner.params, params)


def test_weights_leave_examples_out_and_repeat_them():
    recipe, weights = Recipe(15, 0.1), np.array([0, 2, 1, 1, 0, 1], np.float32) / 5
    rows = np.array([1, 1, 2, 3, 5])

    weighted = train(LEARNER, training_set(X, Y, weights), recipe).learner
    repeated = train(LEARNER, training_set(X[rows], Y[rows]), recipe).learner

    close(weighted.params, repeated.params, rtol=1e-4)


def test_minibatches_estimate_the_weighted_loss_without_bias():
    weights = RNG.uniform(size=N).astype(np.float32)
    data = training_set(X, Y, weights)
    each = jax.vmap(lambda key: ExampleLoss(NETWORK, cross_entropy, 4)(LEARNER.params, data, key))
    estimates = each(jax.random.split(jax.random.key(1), 20_000))
    exact = ExampleLoss(NETWORK, cross_entropy, None)(LEARNER.params, data, jax.random.key(0))

    assert abs(estimates.mean() - exact) < 4 * estimates.std() / 20_000**0.5


def test_the_average_is_the_learner():
    recipe = Recipe(8, 0.1, average=RunningMean(0.25))
    mean = 0.0
    for step, params in enumerate(plainly(LEARNER.params, X, Y, optax.adam(0.1), 8)):
        newest = max(0.25, 1 / (step + 1))
        mean = jax.tree.map(lambda m, p, a=newest: m + a * (p - m), mean if step else params, params)

    close(train(LEARNER, training_set(X, Y), recipe).learner.params, mean)


def test_what_is_watched_is_that_of_the_learner_at_the_time():
    watched = train(LEARNER, training_set(X, Y), Recipe(12, 0.1), watch=Watch(margins, every=4))
    others = [train(LEARNER, training_set(X, Y), Recipe(steps, 0.1)).learner for steps in (4, 8, 12)]

    for found, learner in zip(watched.watched, others, strict=True):
        log_p = np.asarray(log_probabilities(learner, jnp.asarray(X)))
        own = log_p[np.arange(N), Y]
        best = np.where(np.arange(3) == Y[:, None], -np.inf, log_p).max(1)
        np.testing.assert_allclose(found, own - best, rtol=1e-4, atol=1e-5)
    close(watched.learner.params, others[-1].params)


def test_several_at_once_are_each_by_itself():
    weights = (1 - np.eye(N)[:3]).astype(np.float32) / (N - 1)
    recipe, data = Recipe(10, 0.1), training_set(X, Y)
    alone = [train(LEARNER, training_set(X, Y, each), recipe).learner.params for each in weights]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *alone)

    for over in ("map", "vmap", "steps"):
        close(train_each(LEARNER, data, recipe, jnp.asarray(weights), over=over), stacked)
        sizes = train_each(LEARNER, data, recipe, jnp.asarray(weights), over=over, summary=_size)
        np.testing.assert_allclose(sizes, [_size(params) for params in alone], rtol=1e-5)


def _size(params):
    return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params))


def test_convolutions_are_trained_a_program_a_step_on_a_cpu():
    network, x = cnn(1), jnp.ones((2, 28, 28, 1))
    assert fastest(Learner(network, network.init(jax.random.key(0), (28, 28, 1))), x) == "steps"
    assert fastest(LEARNER, jnp.asarray(X)) == "map"


def test_training_is_mapped_over_seeds():
    recipe, data = Recipe(10, 0.1, batch=2), training_set(X, Y)
    keys = jax.random.split(jax.random.key(0), 3)

    together = jax.vmap(lambda key: train(LEARNER, data, recipe, key=key).loss)(keys)

    for key, losses in zip(keys, together, strict=True):
        np.testing.assert_allclose(losses, train(LEARNER, data, recipe, key=key).loss, rtol=1e-5)


def test_precision_is_that_of_the_parameters():
    with float64():
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), LEARNER.params)
        recipe = Recipe(10, 0.1, loss=squares, optimizer=DecayToStart(0.1))
        data = training_set(X.astype(np.float64), np.eye(3)[Y])
        trained = train(Learner(NETWORK, params), data, recipe).learner
        assert {leaf.dtype for leaf in jax.tree.leaves(trained.params)} == {np.dtype(np.float64)}
        start, params = params, params
        for _ in range(10):
            loss = lambda w: squares(NETWORK.apply(w, data.x), data.y).mean()  # noqa: E731
            params = jax.tree.map(
                lambda w, g, w0: w - 0.1 * (g + 0.1 * (w - w0)), params, jax.grad(loss)(params), start
            )
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), trained.params, params)


def test_equal_recipes_share_a_program():
    traced = []

    def apply(params, x):
        traced.append(x.shape)
        return NETWORK.apply(params, x)

    learner = Learner(replace(NETWORK, apply=apply), LEARNER.params)
    for _ in range(3):
        train(learner, training_set(X, Y), Recipe(5, trapezoid(0.1, 5), optimizer=AdamW(0.1)))
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Recipe(0, 0.1), "steps=0"),
        (lambda: Recipe(5, -0.1), r"learning_rate=-0\.1"),
        (lambda: Recipe(5, 0.1, batch=0), "batch=0"),
        (lambda: AdamW(-1.0), r"weight_decay=-1\.0"),
        (lambda: Rate(0.1, warm_up=5, falls_from=3), "warm_up ≤ falls_from"),
        (lambda: train(LEARNER, training_set(X, Y), Recipe(5, 0.1, batch=2)), "no key"),
        (lambda: train(LEARNER, training_set(X, Y), Recipe(5, 0.1), watch=Watch(margins, 2)), "divisor"),
    ],
)
def test_bad_input_is_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        wrong()
