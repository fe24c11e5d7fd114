"""The law of practice against arbitrary precision, by another derivation: a recursion through resolvents.

It loses two digits a round or so, and here it has hundreds.
"""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.scaling import (
    PracticeLaw,
    PracticeProblem,
    TwoStageProblem,
    keep_easy,
    keep_hard,
    practice_law,
    two_stage_law,
)
from infojax.scaling.practice_laws.practice_law import _check_digits


def moments(rule, p, edge, rho):
    """κ, and E[y x] in the frame (u, w_*), of an example that passed."""
    s = mp.sqrt((1 - rho) * (1 + rho))
    side, density = (-1 if rule is keep_hard else 1), mp.npdf(edge)
    chance = mp.erf if rule is keep_hard else mp.erfc
    own = side * 2 * density * mp.erf(edge * rho / s / mp.sqrt(2)) / p
    return side * 2 * edge * density / p, own, 2 * mp.npdf(0) * chance(edge / s / mp.sqrt(2)) / p


def trace(s, total):
    b = s + total - 1
    root = mp.sqrt(b * b + 4 * s)
    return 2 / (b + root) if b > 0 else (root - b) / (2 * s)


def exact(rule, p, first, added, rounds, ridge, digits=300):
    """Errors and norms, by Q_i(s) = (Q_{i−1}(s')⁻¹ + hκuuᵀ)⁻¹, s' = s + h, u made of Q_{i−1}(s*)."""
    with mp.workdps(digits):
        p, first, added, ridge = (mp.mpf(repr(float(v))) for v in (p, first, added, ridge))
        edge = mp.sqrt(2) * mp.erfinv(p if rule is keep_hard else 1 - p)
        sizes = [1 / first] + [1 / added] * rounds
        batches, found = [], []

        def forms(s, i):
            delta = trace(s, mp.fsum(sizes[: i + 1]))
            share = [size / (1 + delta) for size in sizes[: i + 1]]
            s += mp.fsum(share)
            whole, truth, power = 1 / s, mp.mpf(0), mp.mpf(0)
            for j, h in enumerate(share):
                if j == 0:
                    a = h * mp.sqrt(2 / mp.pi)
                    power, truth = power + 2 * a * truth + a * a * whole, truth + a * whole
                else:
                    at, was_truth, was_power, slope, (kappa, own, right) = batches[j - 1]
                    gap, norm = s - at, mp.sqrt(-slope)
                    ut, up = (was_truth - truth) / (gap * norm), (was_power - power) / (gap * norm)
                    uu = (-slope - (was_power - power) / gap) / (gap * norm**2)
                    less = h * kappa / (1 + h * kappa * uu)
                    whole, truth, power = whole - less * ut**2, truth - less * ut * up, power - less * up**2
                    ut, up, uu = ut - less * ut * uu, up - less * up * uu, uu - less * uu**2
                    a, b = h * right, h * own
                    power += 2 * (a * truth + b * up) + a * a * whole + 2 * a * b * ut + b * b * uu
                    truth += a * whole + b * ut
                power += sizes[j] * delta / (1 + delta)
                s -= h
            return truth, power

        for i in range(rounds + 1):
            s = mp.fsum(sizes[: i + 1]) * ridge
            step = s * mp.mpf(10) ** (-digits // 3)
            truth, power = forms(s, i)
            slope = (forms(s + step, i)[1] - forms(s - step, i)[1]) / (2 * step)
            norm = mp.sqrt(-slope)
            found.append((mp.atan2(mp.sqrt(-slope - truth**2), truth) / mp.pi, norm))
            batches.append((s, truth, power, slope, moments(rule, p, edge, truth / norm)))
        return np.array(found, float).T


@pytest.mark.parametrize(
    ("rule", "p", "first", "added", "ridge"),
    [
        (keep_hard, 0.05, 0.4, 0.67, 0.05),  # of the command line's preset, continued
        (keep_hard, 0.05, 0.1, 5.0, 0.05),
        (keep_hard, 0.05, 0.4, 2.0, 0.05),
        (keep_hard, 0.2, 0.5, 0.05, 0.2),
        (keep_hard, 0.05, 0.5, 0.05, 1e-3),
        (keep_hard, 0.005, 0.4, 0.67, 1e-6),
        (keep_hard, 0.005, 2.0, 0.67, 1e-3),
        (keep_hard, 0.005, 10.0, 10.0, 1.0),
        (keep_hard, 0.005, 0.1, 0.1, 1.0),
        (keep_easy, 0.2, 2.0, 2.0, 1e-6),
        (keep_easy, 0.005, 0.4, 0.67, 0.05),
        (keep_hard, 0.05, 0.05, 20.0, 0.2),
        (keep_hard, 0.3, 2.0, 0.1, 1e-3),
        (keep_easy, 0.3, 0.4, 0.67, 1e-6),
    ],
)
def test_forty_rounds_keep_their_digits(rule, p, first, added, ridge):
    law = practice_law(PracticeProblem(rule(p), first_ratio=first, added_ratio=added, rounds=40, ridge=ridge))
    error, norm = exact(rule, p, first, added, 40, ridge)
    np.testing.assert_allclose(law.error, error, rtol=1e-9)
    np.testing.assert_allclose(law.norm, norm, rtol=1e-9)
    np.testing.assert_allclose(law.overlap, np.cos(np.pi * error), rtol=1e-9)


@pytest.mark.parametrize("first", [1e-7, 1.0, 10.0, 1e3, 1e7])
@pytest.mark.parametrize(("added", "ridge"), [(1.0, 1e-18), (1e3, 1e-14), (1e-6, 1e-12), (1.0, 1e6)])
def test_small_ridges_and_large_ratios_are_numbers(first, added, ridge):
    law = practice_law(PracticeProblem(keep_hard(0.3), first_ratio=first, added_ratio=added, rounds=2, ridge=ridge))
    error, norm = exact(keep_hard, 0.3, first, added, 2, ridge)
    np.testing.assert_allclose(law.error, error, rtol=1e-9)
    np.testing.assert_allclose(law.norm, norm, rtol=1e-9)


def test_no_error_is_nothing():
    ratio, ridge = np.logspace(-7, 7, 12)[:, None], np.logspace(-20, 8, 11)
    for p in (0.3, 0.005):
        practice = practice_law(
            PracticeProblem(keep_hard(p), first_ratio=ratio, added_ratio=1.0, rounds=3, ridge=ridge)
        )
        second = two_stage_law(TwoStageProblem(keep_hard(p), first_ratio=0.5, second_ratio=ratio, ridge=ridge))
        for error in (practice.error, second.error):
            assert np.isfinite(error).all()
            assert (error > 0).all()


def test_float32_has_four_digits_and_so_do_its_slopes():
    def last(p):
        return practice_law(
            PracticeProblem(keep_hard(p), first_ratio=0.4, added_ratio=2 / 3, rounds=5, ridge=0.05)
        ).error[-1]

    def second(p):
        return two_stage_law(TwoStageProblem(keep_hard(p), first_ratio=0.1, second_ratio=50.0, ridge=0.05)).error

    for law in (last, second):
        value, slope = jax.jit(jax.value_and_grad(law))(0.2)
        assert value.dtype == jnp.float32
        np.testing.assert_allclose(value, law(0.2), rtol=1e-4)
        with float64():
            np.testing.assert_allclose(slope, jax.grad(law)(0.2), rtol=2e-3)


def test_where_float32_has_no_digits_it_says_nothing():
    def law(ridge):
        return practice_law(
            PracticeProblem(keep_hard(0.005), first_ratio=0.1, added_ratio=0.02, rounds=40, ridge=ridge)
        ).error

    single, double = jax.jit(law)(1e-3), law(1e-3)
    told = ~np.isnan(single)
    assert told[0]
    np.testing.assert_allclose(single[told], double[told], rtol=2e-3)


def test_too_many_rounds_are_refused_and_many_points_come_in_blocks():
    with pytest.raises(InvalidInput, match=r"rounds=1001"):
        practice_law(PracticeProblem(keep_hard(0.3), first_ratio=1.0, added_ratio=1.0, rounds=1001, ridge=0.1))
    ridge = np.geomspace(1e-3, 1, 900)
    setting = {"first_ratio": 0.5, "added_ratio": 1.0, "rounds": 40}
    many = practice_law(PracticeProblem(keep_hard(0.3), **setting, ridge=ridge))
    some = practice_law(PracticeProblem(keep_hard(0.3), **setting, ridge=ridge[::300]))
    np.testing.assert_allclose(many.error[::300], some.error, rtol=1e-11)


def test_rounds_without_digits_are_refused_by_number():
    """What has lost its digits is NaN in the law; no numbers are known at which that happens."""
    field = np.array([0.2, 0.1, np.nan])
    with pytest.raises(InvalidInput, match=r"from round 2 on .* ridge=0\.1"):
        _check_digits(PracticeLaw(field, field, field), 1.0, 1.0, 0.1)
