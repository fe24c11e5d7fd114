"""The isotropic law against arbitrary precision: tiny p, ridge and ratio, learners that are nearly the truth."""

import jax
import mpmath as mp
import numpy as np
import pytest

from infojax.errors import InvalidInput
from infojax.scaling import RidgeProblem, keep_all, keep_easy, keep_hard, keep_random, ridge_law, soft


def exact(rule, p, rho, ratio, ridge, aware):
    """Error and norm for labels of the truth, pruned by w_s of cosine ρ; the theorem with moments as integrals."""
    with mp.workdps(40 + 5 * round(-np.log10(p))):
        p, rho, ratio, ridge = (mp.mpf(repr(float(v))) for v in (p, rho, ratio, ridge))
        s = mp.sqrt((1 - rho) * (1 + rho))
        edge = mp.sqrt(2) * mp.erfinv(p if rule is keep_hard else 1 - p)
        turn = min(edge, 10 * s / abs(rho)) if rule is keep_hard else edge + s
        ends = [0, turn, edge] if rule is keep_hard else [edge, turn, edge + 3, edge + 12]

        def mean(f):
            return mp.quad(lambda u: 2 * mp.npdf(u) * f(u, rho * u / s), sorted(set(ends)))

        if aware:
            kept = mean(lambda u, z: mp.ncdf(z))
            k = mean(lambda u, z: u * u * mp.ncdf(z)), mean(lambda u, z: u * mp.npdf(z))
            k = *k, mean(lambda u, z: mp.ncdf(z) - z * mp.npdf(z))
            c = mean(lambda u, z: u * mp.ncdf(z)), mean(lambda u, z: mp.npdf(z))
        else:
            kept = p
            k = mean(lambda u, z: u * u), mp.mpf(0), p
            c = mean(lambda u, z: u * mp.erf(z / mp.sqrt(2))), mean(lambda u, z: 2 * mp.npdf(z))
        gap = mp.sqrt((kept - ratio) ** 2 + 2 * ridge * (kept + ratio) + ridge**2)
        top = (kept + ratio + ridge + gap) / 2
        k11, k22 = k[0] + top - kept, k[2] + top - kept
        det = k11 * k22 - k[1] ** 2
        a = (k22 * c[0] - k[1] * c[1]) / det, (k11 * c[1] - k[1] * c[0]) / det
        fit = a[0] * (k[0] * a[0] + 2 * k[1] * a[1]) + k[2] * a[1] ** 2
        spread = ratio * (kept - 2 * (a[0] * c[0] + a[1] * c[1]) + fit) / (top * gap)
        along, square = rho * a[0] + s * a[1], a[0] ** 2 + a[1] ** 2 + spread
        return float(mp.atan2(mp.sqrt(square - along**2), along) / mp.pi), float(mp.sqrt(square))


@pytest.mark.parametrize("aware", [False, True])
@pytest.mark.parametrize("rho", [0.999, 0.6, -0.6, 1e-3])
@pytest.mark.parametrize(
    ("rule", "p", "ratio", "ridge"),
    [
        (keep_hard, 1e-8, 1e-11, 1e-14),
        (keep_hard, 1e-12, 1e-15, 1e-18),
        (keep_hard, 1e-20, 1e-24, 1e-40),
        (keep_hard, 1e-4, 1e-6, 1e-12),
        (keep_easy, 1e-12, 1e-13, 1e-20),
        (keep_hard, 0.3, 1e-14, 1e-20),
        (keep_hard, 0.9, 1e4, 1e-18),
    ],
)
def test_small_numbers_keep_their_digits(rule, p, rho, ratio, ridge, aware):
    law = ridge_law(RidgeProblem(rule(p), pruner=rho, ratio=ratio, ridge=ridge, label_aware=aware))
    np.testing.assert_allclose([law.error, law.norm], exact(rule, p, rho, ratio, ridge, aware), rtol=1e-9)


def test_the_smallest_fraction_of_a_perfect_pruner():
    """At ρ = 1 y = sign(t): all of ŵ is along w_*, but for noise, and with ratio ≪ p³ the error vanishes."""
    law = ridge_law(RidgeProblem(keep_hard(1e-100), pruner=1.0, ratio=np.array([1e-90, 1e-305]), ridge=0.0))
    np.testing.assert_allclose(law.error[0], 0.5, rtol=1e-12)
    assert 0 < law.error[1] < 1e-100


@pytest.mark.parametrize("labels", ["sign", "linear"])
def test_a_learner_that_is_nearly_the_truth_has_no_error_of_zero(labels):
    """Of n examples without selection, with noise of labels of variance v, the error is √(vd/n)/π times 1/‖ŵ‖."""
    ratio = np.logspace(-30, -5, 6)
    noise = {"noise": 1.0} if labels == "linear" else {}
    law = ridge_law(RidgeProblem(keep_all(), pruner=0.5, ratio=ratio, ridge=0.0, labels=labels, **noise))
    per_norm = 1.0 if labels == "linear" else np.sqrt(1 - 2 / np.pi) / np.sqrt(2 / np.pi)
    np.testing.assert_allclose(law.error, per_norm * np.sqrt(ratio) / np.pi, rtol=1e-4)


def test_a_learner_that_is_the_truth_or_its_opposite():
    both = {"pruner": 0.5, "ratio": 0.2, "ridge": 0.0, "labels": "linear"}
    assert ridge_law(RidgeProblem(keep_hard(0.5), **both)).error < 1e-15
    opposite = ridge_law(RidgeProblem(keep_hard(0.5), **both, generator=-1.0, pruner_generator=-0.5))
    np.testing.assert_allclose([opposite.error, opposite.overlap], [1.0, -1.0], rtol=1e-12)


@pytest.mark.parametrize("rule", [keep_hard(0.3), keep_easy(1e-3), keep_random(0.01), soft(0.3, 2.0)])
@pytest.mark.parametrize("other", [{}, {"label_aware": True}, {"labels": "linear", "noise": 0.1}])
def test_no_error_is_nothing(rule, other):
    ratio, ridge = np.logspace(-7, 7, 12)[:, None], np.logspace(-20, 8, 11)
    for pruner in (1.0, 0.9, -0.3):
        law = ridge_law(RidgeProblem(rule, pruner=pruner, ratio=ratio, ridge=ridge, **other))
        assert np.isfinite(np.stack(law)).all()
        assert (law.error > 0).all()


def test_what_keeps_nothing_is_refused():
    with pytest.raises(InvalidInput, match=r"does not hold this law at kept=0\.01"):
        ridge_law(RidgeProblem(keep_easy(0.01), pruner=-(1 - 1e-9), ratio=0.1, ridge=0.1, label_aware=True))


def test_signs_of_the_cosine_under_grad_at_tiny_fractions():
    slope = jax.grad(lambda p: ridge_law(RidgeProblem(keep_hard(p), pruner=0.9, ratio=1e-4, ridge=1e-6)).error)(1e-3)
    assert np.isfinite(slope)
