import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from infojax.errors import InvalidInput
from infojax.scaling._power_law import fit_power_law

SIZES = np.array([20, 40, 80, 160, 320, 640])


@given(st.floats(0.1, 2), st.floats(0.01, 100), st.floats(0, 0.8))
def test_known_laws_are_recovered(exponent, scale, share):
    """With a floor that is a share of the first error, fitted and given."""
    power = scale * SIZES**-exponent
    floor = share * power[0]
    for given_floor in (floor, None):
        law = fit_power_law(SIZES, floor + power, stderr=0.01 * (floor + power), floor=given_floor, draws=100)
        np.testing.assert_allclose(law.exponent.estimate, exponent, rtol=1e-4)
        np.testing.assert_allclose(law.scale.estimate, scale, rtol=1e-3)
        np.testing.assert_allclose(law.floor.estimate, floor, rtol=1e-3, atol=1e-4 * power[0])
        np.testing.assert_allclose(law.at(SIZES).estimate, floor + power, rtol=1e-5)


def test_without_a_floor_it_is_weighted_regression_of_logarithms():
    rng = np.random.default_rng(0)
    errors = 2 * SIZES**-0.7 * np.exp(0.1 * rng.standard_normal(6))
    stderr = errors * rng.uniform(0.02, 0.2, 6)
    law = fit_power_law(SIZES, errors, stderr=stderr, draws=4000)
    slope, intercept = np.polyfit(np.log(SIZES), np.log(errors), 1, w=errors / stderr)
    np.testing.assert_allclose([law.exponent.estimate, law.scale.estimate], [-slope, np.exp(intercept)], rtol=1e-10)
    # and the bootstrap's scatter is what the normal equations say
    rows = (errors / stderr)[:, None] * np.stack([np.ones(6), np.log(SIZES)], 1)
    covariance = np.linalg.inv(rows.T @ rows)
    np.testing.assert_allclose(law.samples[:, 0].std(), covariance[1, 1] ** 0.5, rtol=0.05)
    half = (law.exponent.high - law.exponent.low) / 2
    np.testing.assert_allclose(half, 1.96 * covariance[1, 1] ** 0.5, rtol=0.08)


@pytest.mark.parametrize("seed", range(6))
def test_a_free_floor_is_fitted_as_well_as_by_a_general_solver(seed):
    rng = np.random.default_rng(seed)
    errors = (0.1 * (seed % 3) + SIZES**-0.5) * np.exp(0.05 * rng.standard_normal(6))
    law = fit_power_law(SIZES, errors, stderr=0.05 * errors, floor=None, draws=100)

    def residual(p):
        return 20 * (np.log(p[2] + np.exp(p[1]) * SIZES ** -p[0]) - np.log(errors))

    bounds = ([-1, -9, 0], [9, 30, errors.min()])
    starts = ([0.3, 0, 1e-3], [0.8, 1, 0.5 * errors.min()], [2, 3, 0.9 * errors.min()])
    general = min(
        (least_squares(residual, x, bounds=bounds, xtol=1e-12, ftol=1e-12) for x in starts), key=lambda f: f.cost
    )
    ours = residual([law.exponent.estimate, np.log(law.scale.estimate), law.floor.estimate])
    assert ours @ ours / 2 <= general.cost * (1 + 1e-6) + 1e-9


@pytest.mark.parametrize("repeats", [0, 10])
def test_intervals_cover(repeats):
    """200 simulated curves: the 95 % interval holds the truth in about as many, in a hundred of which it may not."""
    rng = np.random.default_rng(3)
    truth = 1.5 * SIZES**-0.5
    held = 0
    for seed in range(200):
        if repeats:
            common, own = rng.standard_normal((repeats, 1)), rng.standard_normal((repeats, 6))
            law = fit_power_law(SIZES, truth * (1 + 0.08 * common + 0.1 * own), draws=300, seed=seed)
        else:
            errors = truth * np.exp(0.05 * rng.standard_normal(6))
            law = fit_power_law(SIZES, errors, stderr=0.05 * errors, draws=300, seed=seed)
        held += law.exponent.low <= 0.5 <= law.exponent.high
    assert 0.88 <= held / 200 <= 0.985


def test_one_seed_pairs_curves_that_were_measured_together():
    rng = np.random.default_rng(4)
    common = SIZES**-0.5 * (1 + 0.2 * rng.standard_normal((12, 6)))
    one, other = (fit_power_law(SIZES, factor * common) for factor in (1.0, 3.0))
    np.testing.assert_allclose(one.samples[:, 0], other.samples[:, 0], rtol=1e-9)
    assert one.samples[:, 0].std() > 0.01


def test_errors_off_a_power_law_are_a_misfit():
    bent = np.array([0.5, 0.45, 0.4, 0.2, 0.05, 0.01])
    assert fit_power_law(SIZES, bent, stderr=0.02 * bent).misfit > 10
    assert fit_power_law(SIZES, 1.0 / SIZES, stderr=0.02 / SIZES).misfit < 1e-6


def test_repeats_without_mistakes_and_without_scatter_have_a_fit():
    errors = np.tile(1.0 / SIZES, (6, 1))
    errors[:3, -1] = 0
    law = fit_power_law(SIZES, errors)
    assert np.isfinite(law.samples).all()
    assert law.exponent.low < law.exponent.estimate < law.exponent.high
    same = fit_power_law(SIZES, np.tile(1.0 / SIZES, (5, 1)))
    np.testing.assert_allclose(same.exponent, 1.0, rtol=1e-9)


ERRORS = 1.0 / SIZES


@pytest.mark.parametrize(
    ("sizes", "errors", "more", "says"),
    [
        (SIZES[:2], ERRORS[:2], {"stderr": ERRORS[:2]}, "at least 3 without"),
        (SIZES[:3], ERRORS[:3], {"stderr": ERRORS[:3], "floor": None}, "at least 4 with"),
        (SIZES, -ERRORS, {"stderr": ERRORS}, "not negative"),
        (SIZES, ERRORS * np.nan, {"stderr": ERRORS}, "nan"),
        (SIZES, ERRORS, {"stderr": ERRORS, "floor": 1e-2}, "not above the floor, 0.01"),
        (SIZES, 0 * ERRORS, {"stderr": ERRORS}, "size 20 are not above the floor"),
        (SIZES, ERRORS, {}, "need stderr"),
        (SIZES, ERRORS, {"stderr": 0 * ERRORS}, "need stderr"),
        (SIZES, ERRORS[:4], {"stderr": ERRORS}, r"\(sizes,\)"),
        (SIZES, np.stack([ERRORS] * 3), {}, "at least 4"),
        (SIZES, ERRORS, {"stderr": ERRORS, "draws": 10}, "draws=10"),
        (SIZES, ERRORS, {"stderr": ERRORS, "floor": -1.0}, "floor=-1"),
    ],
)
def test_what_cannot_be_fitted_is_refused(sizes, errors, more, says):
    with pytest.raises(InvalidInput, match=says):
        fit_power_law(sizes, errors, **more)
