import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError
from scipy.stats import norm

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import RidgeProblem, keep_all, keep_easy, keep_hard, keep_random, ridge_law, soft

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


@pytest.mark.parametrize("p", [0.3 + 2j, np.array([0.3, 0.2 + 1j]), "a", b"a", None, {}, object(), ["0.2"]])
def test_what_is_no_real_number_is_refused(p):
    for rule in (keep_hard, keep_easy, keep_random, lambda p: soft(0.3, p)):
        # under the tests' checks of types, some never come so far
        with pytest.raises((InvalidInput, TypeCheckError)):
            rule(p)
    with pytest.raises((InvalidInput, TypeCheckError)):
        ridge_law(RidgeProblem(keep_hard(0.3), pruner=0.9, ratio=p, ridge=0.1))


def test_an_integer_beyond_float64_is_refused():
    with pytest.raises(InvalidInput, match="p is an integer too large for float64"):
        keep_hard(10**400)
    with pytest.raises(InvalidInput, match="ridge is an integer too large for float64"):
        ridge_law(RidgeProblem(keep_hard(0.3), pruner=0.9, ratio=0.1, ridge=10**400))


def test_of_no_fractions_there_are_no_laws():
    assert ridge_law(RidgeProblem(keep_easy(np.array([])), pruner=0.9, ratio=0.1, ridge=0.1)).error.shape == (0,)
    law = ridge_law(RidgeProblem(keep_hard(np.ones((0, 2))), pruner=0.9, ratio=0.1, ridge=0.1))
    assert {field.shape for field in law} == {(0, 2)}


def test_an_array_of_objects_that_are_numbers_is_one_of_numbers():
    numbers = np.array([0.2, 0.5], object)
    np.testing.assert_array_equal(
        ridge_law(RidgeProblem(keep_easy(numbers), pruner=0.9, ratio=0.1, ridge=0.1)).error,
        ridge_law(RidgeProblem(keep_easy(np.array([0.2, 0.5])), pruner=0.9, ratio=0.1, ridge=0.1)).error,
    )
