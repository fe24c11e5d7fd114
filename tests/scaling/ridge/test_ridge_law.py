import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import RidgeProblem, Selection, keep_all, keep_easy, keep_hard, keep_random, ridge_law

# Independent evaluations of the corrected theorem, to ten digits.
GOLDEN = [
    (keep_all(), {"pruner": 1.0, "ratio": 0.4, "ridge": 1e-3}, 0.1757834654),
    (keep_hard(0.5), {"pruner": 0.8, "ratio": 0.4, "ridge": 1e-3}, 0.2482718354),
    (keep_easy(0.5), {"pruner": 0.8, "ratio": 1.5, "ridge": 0.1}, 0.3287566783),
    (keep_hard(0.2), {"pruner": 1.0, "ratio": 0.1, "ridge": 1e-2}, 0.1858256339),
    (keep_hard(0.5), {"pruner": 0.8, "ratio": 0.2, "ridge": 0.0}, 0.1223100974),
    (
        keep_hard(erf(0.67 / np.sqrt(2))),
        {"pruner": 0.9, "generator": 0.6, "pruner_generator": 0.5, "label_aware": True, "ratio": 0.1, "ridge": 0.01},
        0.1611550785,
    ),
]
rules = st.sampled_from(["hard", "easy", "random"])


@pytest.mark.parametrize(("selection", "arguments", "error"), GOLDEN)
def test_golden_values(selection, arguments, error):
    np.testing.assert_allclose(ridge_law(RidgeProblem(selection, **arguments)).error, error, rtol=1e-8)


def test_golden_value_of_regression():
    law = ridge_law(RidgeProblem(keep_hard(0.4), pruner=0.7, ratio=0.8, ridge=0.1, labels="linear", noise=0.5))
    np.testing.assert_allclose(law.mse, 0.8499124552, rtol=1e-9)


def test_fields_agree_with_each_other_and_are_numpy_float64():
    law = ridge_law(RidgeProblem(keep_hard(0.4), pruner=0.7, ratio=np.float32(0.25), ridge=0.1))
    assert all(isinstance(field, np.ndarray) and field.dtype == np.float64 for field in law)
    np.testing.assert_allclose(law.error, np.arccos(law.overlap) / np.pi, rtol=1e-12)
    mse = 1 - 2 * np.sqrt(2 / np.pi) * law.overlap * law.norm + law.norm**2
    np.testing.assert_allclose(law.mse, mse, rtol=1e-12)


@given(rule=rules, p=st.floats(0.05, 0.9), rho=st.floats(-1, 1), phi=st.floats(0.05, 3), aware=st.booleans())
def test_no_ridge_is_the_limit_of_a_small_one(rule, p, rho, phi, aware):
    if aware:
        p, rho = (
            0.5,
            abs(rho),
        )  # so that the number kept, and with it the peak, is known well enough to stay clear of it
        phi = phi if phi > 0.6 else 0.1
    elif abs(phi - p) < 0.05:
        phi = 2 * p
    exact, near = (
        ridge_law(RidgeProblem(Selection(rule, p), pruner=rho, ratio=phi, ridge=ridge, label_aware=aware))
        for ridge in (0.0, 1e-9)
    )
    np.testing.assert_allclose(exact.error, near.error, rtol=1e-4)
    np.testing.assert_allclose(exact.mse, near.mse, rtol=1e-4)


def test_interpolation_peak_without_ridge_diverges_as_documented():
    law = ridge_law(RidgeProblem(keep_hard(0.5), pruner=0.8, ratio=0.5, ridge=0.0))
    assert (law.error, law.overlap) == (0.5, 0.0)
    assert np.isinf(law.norm)
    assert np.isinf(law.mse)
    nearby = ridge_law(RidgeProblem(keep_hard(0.5), pruner=0.8, ratio=0.5, ridge=10.0 ** np.arange(-12, -4)))
    assert (np.diff(nearby.error) < 0).all()
    assert (nearby.error[0] > 0.49) & (nearby.mse[0] > 1e3)


@pytest.mark.parametrize("aware", [False, True])
def test_keeping_all_is_every_rule_at_one(aware):
    arguments = {"pruner": np.linspace(0, 1, 5), "ratio": 0.3, "ridge": 0.1, "label_aware": aware}
    whole = ridge_law(RidgeProblem(keep_all(), **arguments)).error
    for rule in (keep_hard, keep_easy, keep_random):
        np.testing.assert_allclose(ridge_law(RidgeProblem(rule(1.0), **arguments)).error, whole, rtol=1e-12)


@given(p=st.floats(0.01, 1), phi=st.floats(0.05, 3), lam=st.floats(1e-6, 10))
def test_random_thinning_is_a_smaller_pool(p, phi, lam):
    thinned = ridge_law(RidgeProblem(keep_random(p), pruner=0.3, ratio=phi, ridge=lam))
    smaller = ridge_law(RidgeProblem(keep_all(), pruner=0.3, ratio=phi / p, ridge=lam / p))
    np.testing.assert_allclose(np.stack(thinned), np.stack(smaller), rtol=1e-9)


@given(rule=rules, rho=st.floats(-1, 1), phi=st.floats(0.1, 2))
def test_signs_of_directions(rule, rho, phi):
    """−w_s prunes like w_s; a generator that inverts the labels makes a learner that is wrong as often as right."""
    arguments = {"ratio": phi, "ridge": 0.1}
    one = ridge_law(RidgeProblem(Selection(rule, 0.3), pruner=rho, **arguments))
    np.testing.assert_allclose(
        ridge_law(RidgeProblem(Selection(rule, 0.3), pruner=-rho, **arguments)).error, one.error, rtol=1e-9
    )
    inverted = ridge_law(
        RidgeProblem(Selection(rule, 0.3), pruner=rho, generator=-1.0, pruner_generator=-rho, **arguments)
    )
    np.testing.assert_allclose(inverted.error, 1 - one.error, rtol=1e-9)


def test_parallel_directions_are_no_special_case():
    """ρ = 1, and everything else, is continuous; so are derivatives, where two formulas meet."""
    near = 1 - np.array([1e-6, 1e-9, 1e-12, 0.0])
    for rule in (keep_hard, keep_easy):
        error = ridge_law(RidgeProblem(rule(0.3), pruner=near, ratio=0.2, ridge=0.01)).error
        np.testing.assert_allclose(error, error[-1], rtol=1e-4)
        np.testing.assert_allclose(error[-2], error[-1], rtol=1e-9)


CASES = [
    ("hard", 0.3, 0.2, 0.05, 1.0, False),
    ("hard", 0.3, 0.7, 0.0, -0.6, False),
    ("easy", 0.3, 0.2, 0.0, 0.8, False),
    ("easy", 0.3, 0.7, 1e-2, -1.0, False),
    ("random", 0.3, 0.2, 0.05, 1.0, False),
    ("hard", 0.3, 0.1, 0.05, 1.0, True),
    ("easy", 0.3, 0.7, 0.05, 0.8, True),
]


@pytest.mark.parametrize(("rule", "p", "phi", "lam", "rho", "aware"), CASES)
def test_gradients_are_finite_differences(rule, p, phi, lam, rho, aware):
    def both(x):
        law = ridge_law(RidgeProblem(Selection(rule, x[0]), pruner=rho, ratio=x[1], ridge=x[2], label_aware=aware))
        return law.error + law.mse

    with float64():
        x = jnp.array([p, phi, lam])
        gradient = jax.grad(both)(x)
        for i, h in enumerate(1e-5 * np.maximum(x, 1e-2)):
            step = h * np.eye(3)[i]
            if x[i] == 0:  # the ridge: only one side is allowed
                difference = (-3 * both(x) + 4 * both(x + step) - both(x + 2 * step)) / (2 * h)
            else:
                difference = (8 * (both(x + step) - both(x - step)) - both(x + 2 * step) + both(x - 2 * step)) / (
                    12 * h
                )
            np.testing.assert_allclose(gradient[i], difference, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
def test_gradient_in_the_pruner_is_finite_at_its_ends(rule):
    def error(rho):
        return ridge_law(RidgeProblem(Selection(rule, 0.3), pruner=rho, ratio=0.2, ridge=0.01)).error

    with float64():
        slope = jax.grad(error)(1.0)
        np.testing.assert_allclose(slope, (error(1.0) - error(1 - 1e-7)) / 1e-7, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(jax.grad(error)(-1.0), -slope, rtol=1e-9, atol=1e-12)


def test_vmap_is_a_loop_and_broadcasting_is_both():
    p, phi = np.linspace(0.1, 1, 7), np.geomspace(0.05, 2, 7)
    arguments = {"pruner": 0.9, "ridge": 0.01}
    loop = np.array(
        [ridge_law(RidgeProblem(keep_easy(a), ratio=b, **arguments)).error for a, b in zip(p, phi, strict=True)]
    )
    with float64():
        mapped = jax.jit(jax.vmap(lambda a, b: ridge_law(RidgeProblem(keep_easy(a), ratio=b, **arguments)).error))(
            p, phi
        )
    np.testing.assert_allclose(mapped, loop, rtol=1e-13)
    np.testing.assert_allclose(ridge_law(RidgeProblem(keep_easy(p), ratio=phi, **arguments)).error, loop, rtol=1e-13)
    table = ridge_law(RidgeProblem(keep_easy(p[:, None]), ratio=phi, **arguments)).error
    np.testing.assert_allclose(np.diag(table), loop, rtol=1e-13)
    assert table.shape == (7, 7)


def test_traced_in_float32_close_to_float64():
    p = np.geomspace(0.05, 1, 9, dtype=np.float32)[:, None, None]
    phi, lam = np.float32([[0.1], [1.0], [10.0]]), np.float32([0.0, 1e-3, 1e3])
    for rule in (keep_hard, keep_easy):

        def law(p, phi, lam, rule=rule):
            return ridge_law(RidgeProblem(rule(p), pruner=0.9, ratio=phi, ridge=lam))

        exact, single = law(p, phi, lam), jax.jit(law)(p, phi, lam)
        assert single.error.dtype == jnp.float32
        np.testing.assert_allclose(single.error, exact.error, rtol=2e-3)


def test_no_overflow_in_float32():
    law = jax.jit(lambda lam: ridge_law(RidgeProblem(keep_hard(0.2), pruner=0.9, ratio=0.1, ridge=lam)))(
        jnp.float32(1e15)
    )
    assert np.isfinite(np.stack(law)).all()


GIVEN = {"pruner": 0.5, "ratio": 0.2, "ridge": 0.1}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"pruner": 1.5}, r"pruner=1\.5 .*\[-1, 1\]"),
        ({"pruner": np.nan}, "pruner=nan"),
        ({"pruner": np.array([0.1, -2.0])}, r"pruner=-2\.0"),
        ({"ratio": 0.0}, r"ratio=0\.0 .*d/n > 0"),
        ({"ratio": np.inf}, "ratio=inf"),
        ({"ridge": -1e-3}, r"ridge=-0\.001"),
        ({"generator": 0.5}, r"pruner_generator=w_s·w_g"),
        ({"generator": 1.5, "pruner_generator": 0.5}, r"generator=1\.5"),
        ({"generator": 0.9, "pruner_generator": -0.9}, r"no three directions .* must be in \[0\.07"),
        ({"pruner_generator": 0.9}, "no three directions"),
        ({"pruner": -1.0, "label_aware": True}, "keeps no example"),
        ({"pruner": np.zeros(2), "ratio": np.ones(3)}, r"pruner \(2,\), ratio \(3,\)"),
    ],
)
def test_bad_arguments_are_refused(wrong, says):
    with pytest.raises(InvalidInput, match=says):
        ridge_law(RidgeProblem(keep_hard(0.3), **{**GIVEN, **wrong}))
