"""Attacks stay in their box and raise the margin of error; for linear networks they are the worst case."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.models import Network, fgsm, mlp, pgd
from infojax.models._attacks import error_margin

SMALL = mlp(hidden=(16,), outputs=3)
LINEAR = Network(lambda key, shape: jax.random.normal(key, (*shape, 1)), lambda w, x: x @ w)


@settings(max_examples=8)
@given(st.floats(0.01, 0.4), st.integers(0, 2**31), st.booleans())
def test_stays_in_the_box_and_raises_the_margin(radius, seed, random_start):
    random = np.random.default_rng(seed)
    x = random.uniform(size=(6, 4)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[random.integers(0, 3, 6)]
    params = SMALL.init(jax.random.key(seed), (4,))
    before = error_margin(SMALL.apply(params, x), jnp.asarray(targets))
    key = jax.random.key(seed) if random_start else None
    small = 0.01 * radius  # small enough that the margin is nearly linear in it
    for attacked, size in (
        (fgsm(SMALL, params, x, targets, radius=small), small),
        (pgd(SMALL, params, x, targets, radius=radius, steps=10, key=key), radius),
    ):
        assert np.abs(attacked - x).max() <= size + 1e-6
        assert attacked.min() >= 0
        assert attacked.max() <= 1
        assert (error_margin(SMALL.apply(params, attacked), jnp.asarray(targets)) >= before - 1e-6).all()


def test_on_a_linear_network_both_reach_the_worst_corner():
    params = LINEAR.init(jax.random.key(0), (5,))
    x = jax.random.uniform(jax.random.key(1), (4, 5), minval=0.3, maxval=0.7)
    targets = jnp.array([[0.0], [1.0], [1.0], [0.0]])
    margins = error_margin(x @ params, targets)
    worst = margins + 0.2 * jnp.abs(params).sum()  # no corner leaves [0, 1]
    for attacked in (fgsm(LINEAR, params, x, targets, radius=0.2), pgd(LINEAR, params, x, targets, radius=0.2)):
        np.testing.assert_allclose(error_margin(attacked @ params, targets), worst, rtol=1e-5, atol=1e-6)


def test_the_margin_is_positive_where_the_network_errs():
    one = error_margin(jnp.array([[0.9], [0.9], [1.2]]), jnp.array([[1.0], [0.0], [1.0]]))
    np.testing.assert_allclose(one, [-0.4, 0.4, -0.7], rtol=1e-6)
    three = error_margin(jnp.array([[0.1, 0.7, 0.2]] * 2), jnp.eye(3)[:2])
    np.testing.assert_allclose(three, [0.6, -0.5], rtol=1e-6)


def test_refuses():
    params = LINEAR.init(jax.random.key(0), (5,))
    x, targets = np.ones((2, 5), np.float32), np.ones((2, 1), np.float32)
    for attack in (fgsm, pgd):
        with pytest.raises(InvalidInput, match="radius must be positive"):
            attack(LINEAR, params, x, targets, radius=0.0)
        with pytest.raises(InvalidInput, match="Attack: x has 2 masked of 10"):
            attack(LINEAR, params, np.ma.masked_array(x, mask=np.eye(2, 5)), targets, radius=0.1)
        with pytest.raises(InvalidInput, match="low < high"):
            attack(LINEAR, params, x, targets, radius=0.1, low=1.0)
        with pytest.raises(InvalidInput, match=r"\(2, 2\)"):
            attack(LINEAR, params, x, np.ones((2, 2), np.float32), radius=0.1)
    with pytest.raises(InvalidInput, match="steps=0"):
        pgd(LINEAR, params, x, targets, radius=0.1, steps=0)
