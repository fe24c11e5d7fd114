"""Unique information of a network in float32 whose examples nearly repeat others: as if it were in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax import Converged, GradientDescent, unique_information
from infojax.arrays._precision import float64
from infojax.data import Dataset
from infojax.models import mlp


@pytest.mark.slow
def test_near_duplicates_are_scored_in_float64():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 6)).astype(np.float32), np.arange(30) % 2
    x[16:20], y[16:20] = x[:4] + 3e-4 * rng.normal(size=(4, 6)), 1 - y[:4]
    train, validation = Dataset(x[:20], y[:20], classes="ab"), Dataset(x[20:], y[20:], classes="ab")
    network = mlp(hidden=(64,), outputs=1)
    params = network.init(jax.random.key(0), (6,))
    with float64():
        wide = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), params)

    exact = unique_information(network, wide, train, validation, training=Converged())
    made = unique_information(network, params, train, validation, training=Converged())
    assert made.rounding == 2.0**-52
    assert made.error < 1e-4
    np.testing.assert_allclose(made.f_si, exact.f_si, rtol=1e-6)
    weights, functional = made  # a pair, as before
    assert weights is made.si
    assert functional is made.f_si

    short = unique_information(network, params, train, validation, training=GradientDescent(200, 0.01))
    assert short.rounding == 2.0**-23
    assert short.error < 1e-3
