import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from infojax.errors import InvalidInput
from infojax.precision import float64
from infojax.scaling import keep_all, keep_easy, keep_hard, keep_random

FRACTIONS = np.array([1e-8, 1e-3, 0.2, 0.5, 0.999])


def test_thresholds_keep_the_fraction():
    with float64():
        hard, easy = keep_hard(FRACTIONS).threshold(), keep_easy(FRACTIONS).threshold()
    np.testing.assert_allclose(1 - 2 * norm.sf(hard[1:]), FRACTIONS[1:], rtol=1e-12)
    np.testing.assert_allclose(hard[0], FRACTIONS[0] * np.sqrt(np.pi / 2), rtol=1e-12)
    np.testing.assert_allclose(2 * norm.sf(easy), FRACTIONS, rtol=1e-12)


@pytest.mark.parametrize("rule", [keep_hard, keep_easy, keep_random])
def test_rules_keep_that_fraction_of_gaussian_margins(rule):
    margin = jax.random.normal(jax.random.key(0), (100_000,))
    coin = jax.random.uniform(jax.random.key(1), (100_000,))
    for p in (0.1, 0.6, 1.0):
        kept = np.asarray(rule(p).keeps(margin, coin))
        assert abs(kept.mean() - p) <= 5 * np.sqrt(p * (1 - p) / margin.size)


def test_hard_and_easy_keep_what_their_names_say():
    margin, coin = jnp.array([-3.0, -0.1, 0.2, 2.0]), jnp.full(4, 0.5)
    assert keep_hard(0.5).keeps(margin, coin).tolist() == [False, True, True, False]
    assert keep_easy(0.5).keeps(margin, coin).tolist() == [True, False, False, True]
    assert keep_all().keeps(margin, coin).all()


@pytest.mark.parametrize("p", [0.0, -0.1, 1.2, float("nan"), float("inf"), np.array([0.5, 0.0])])
def test_fractions_outside_are_refused(p):
    for rule in (keep_hard, keep_easy, keep_random):
        with pytest.raises(InvalidInput, match=r"kept fraction p is .* must be in \(0, 1\]"):
            rule(p)


def test_selection_passes_through_transformations():
    doubled = jax.tree.map(lambda p: 2 * p, keep_hard(0.25))
    assert doubled == keep_hard(0.5)
    thresholds = jax.jit(jax.vmap(lambda p: keep_easy(p).threshold()))(jnp.array([0.2, 0.5]))
    np.testing.assert_allclose(thresholds, norm.isf(np.array([0.1, 0.25])), rtol=1e-5)
