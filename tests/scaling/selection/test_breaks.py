"""Jumps and kinks that the maker of a rule did not name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import RidgeProblem, ridge_law, weigh_by

SETTING = {"pruner": 0.9, "ratio": 0.1, "ridge": 0.01}


def band(size, agrees, low, high):
    return (size > low) & (size < high), 1.0


def stairs(size, agrees, steps):
    return jnp.floor(size * steps) % 2, 1.0


def tent(size, agrees, top):
    return jnp.abs(jnp.minimum(size, 2 * top) - top) / top, 1.0


def weighed(size, agrees, edge):
    return (size <= edge) & agrees, jnp.where(size < edge / 2, 2.0, 1.0)


def steep(size, agrees, width):
    return jax.nn.sigmoid((size - 1) / width), 1.0


def smooth(size, agrees, slope):
    return jnp.where(agrees, 1.0, 0.5), jnp.exp(-slope * size)


def wave(size, agrees, speed):
    return 0.5 + 0.5 * jnp.cos(speed * size), 1.0


@pytest.mark.parametrize(
    ("function", "parameters", "breaks"),
    [
        (band, (0.3, 1.0), (0.3, 1.0)),
        (band, (0.3, 0.33), (0.3, 0.33)),
        (band, (0.75, 1.5), (0.75, 1.5)),
        (weighed, (0.67,), (0.335, 0.67)),
        (tent, (0.7,), (0.7, 1.4)),
        (stairs, (3.0,), tuple(np.arange(1, 36) / 3)),
    ],
)
def test_breaks_are_found(function, parameters, breaks):
    given = ridge_law(RidgeProblem(weigh_by(function, *parameters, breaks=breaks), **SETTING))
    found = ridge_law(RidgeProblem(weigh_by(function, *parameters), **SETTING))
    np.testing.assert_allclose(np.stack(found), np.stack(given), rtol=1e-8)
    some = ridge_law(RidgeProblem(weigh_by(function, *parameters, breaks=breaks[:1]), **SETTING))
    np.testing.assert_allclose(np.stack(some), np.stack(given), rtol=1e-8)


def test_a_band_that_was_fourteen_percent_off():
    """.0851, and .0861 ± .0025 simulated, where one quadrature without breaks gives .0970."""
    np.testing.assert_allclose(ridge_law(RidgeProblem(weigh_by(band, 0.3, 1.0), **SETTING)).error, 0.0850616, rtol=1e-6)


def test_breaks_of_arrays_are_each_their_own():
    low = np.array([[0.1], [0.5], [0.9]])
    rule = weigh_by(band, low, np.array([1.0, 2.0]))
    assert len(rule.breaks) == 2
    found = ridge_law(RidgeProblem(rule, **SETTING)).error
    for i, j in ((0, 0), (2, 1)):
        alone = ridge_law(RidgeProblem(weigh_by(band, float(low[i, 0]), [1.0, 2.0][j]), **SETTING)).error
        np.testing.assert_allclose(found[i, j], alone, rtol=1e-9)


def test_what_is_smooth_gets_none_and_what_is_steep_is_resolved():
    assert weigh_by(smooth, 0.7).breaks == ()
    assert weigh_by(band, 0.0, 0.5, breaks=(0.5,)).breaks == (0.5,)
    hard = ridge_law(RidgeProblem(weigh_by(lambda u, a: (u > 1.0, 1.0), breaks=(1.0,)), **SETTING)).error
    for width in (1e-3, 1e-6):
        np.testing.assert_allclose(ridge_law(RidgeProblem(weigh_by(steep, width), **SETTING)).error, hard, rtol=width)


def test_a_rule_that_no_quadrature_resolves_is_refused():
    with pytest.raises(InvalidInput, match=r"two quadratures .* breaks="):
        ridge_law(RidgeProblem(weigh_by(wave, 1e4), **SETTING))


def test_without_numbers_a_missing_break_is_nan_and_a_given_one_is_right():
    right = ridge_law(RidgeProblem(weigh_by(band, 0.3, 1.0), **SETTING)).error

    def missing(high):
        return ridge_law(RidgeProblem(weigh_by(band, 0.3, high), **SETTING)).error

    def given(high):
        return ridge_law(RidgeProblem(weigh_by(band, 0.3, high, breaks=(0.3, high)), **SETTING)).error

    assert np.isnan(jax.jit(missing)(1.0))
    np.testing.assert_allclose(jax.jit(given)(1.0), right, rtol=1e-4)
    assert np.isfinite(jax.jit(lambda slope: ridge_law(RidgeProblem(weigh_by(smooth, slope), **SETTING)).error)(0.7))
    with float64():
        assert np.isnan(jax.jit(missing)(1.0))
        np.testing.assert_allclose(jax.jit(given)(1.0), right, rtol=1e-9)
