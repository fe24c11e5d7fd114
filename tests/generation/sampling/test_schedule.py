"""Schedules against their definitions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.generation.sampling.schedule import cosine, linear, tabulated


@pytest.mark.parametrize("schedule", [cosine(), linear(), tabulated([0.99, 0.5, 0.01])])
def test_signal_and_noise_are_one_and_signal_falls(schedule):
    t = jnp.linspace(0, 1, 101)
    signal, noise = schedule.signal(t), schedule.noise(t)
    np.testing.assert_allclose(signal + noise, np.ones(101), rtol=1e-6)
    assert np.all(np.diff(schedule.log_snr(t)) < 0)
    assert np.all(np.isfinite(schedule.log_snr(t)))


def test_cosine_ends_where_it_is_told():
    with float64():
        np.testing.assert_allclose(cosine(-8.0, 10.0).log_snr(jnp.array([0.0, 1.0])), [10, -8], rtol=1e-12)


def test_linear_is_the_integral_of_its_rate():
    with float64():
        for t in (0.2, 0.7, 1.0):
            rate = quad(lambda s: 0.1 + (20 - 0.1) * s, 0, t)[0]
            np.testing.assert_allclose(linear().signal(t), np.exp(-rate - 1e-5), rtol=1e-12)


def test_tabulated_has_its_table_and_is_differentiable():
    table = np.exp(-np.linspace(0.01, 5, 11))
    schedule = tabulated(table)
    np.testing.assert_allclose(schedule.signal(np.linspace(0, 1, 11)), table, rtol=1e-5)
    assert jax.grad(schedule.log_snr)(jnp.asarray(0.33)) < 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: cosine(1.0, 2.0),
        lambda: cosine(-np.inf, 2.0),
        lambda: linear(0.0, 1.0),
        lambda: linear(2.0, 1.0),
        lambda: tabulated([0.5]),
        lambda: tabulated([0.5, 0.9]),
        lambda: tabulated([1.0, 0.9]),
    ],
)
def test_impossible_schedules_are_refused(make):
    with pytest.raises(InvalidInput):
        make()
