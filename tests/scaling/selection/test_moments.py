"""Closed-form moments against quadrature of what they are moments of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from infojax.arrays._precision import float64
from infojax.scaling import Selection
from infojax.scaling.selection.moments import sign_moments


def by_quadrature(rule, p, rho, agreeing):
    """p, K, c in the orthonormal basis (w_s, v), w_g = ρ w_s + √(1−ρ²) v, by integrals over u = |w_s·x|.

    Given u, the label agrees with the pruner with probability Φ(τu); and where it does, with Z = ±v·x the coordinate
    on the side of the label, E[Z; Z > −τu] = φ(τu) and E[Z²; Z > −τu] = Φ(τu) − τu φ(τu).
    """
    tau = rho / np.sqrt(1 - rho**2)
    low, high = {"hard": (0, norm.isf((1 - p) / 2)), "easy": (norm.isf(p / 2), 12), "random": (0, 12)}[rule]
    coin = p if rule == "random" else 1

    def mean(f):
        return coin * quad(lambda u: 2 * norm.pdf(u) * f(u), low, high, epsabs=1e-13, epsrel=1e-12, limit=200)[0]

    if agreeing:
        kept = mean(lambda u: norm.cdf(tau * u))
        k11 = mean(lambda u: u**2 * norm.cdf(tau * u))
        k12 = mean(lambda u: u * norm.pdf(tau * u))
        k22 = mean(lambda u: norm.cdf(tau * u) - tau * u * norm.pdf(tau * u))
        c = [mean(lambda u: u * norm.cdf(tau * u)), mean(lambda u: norm.pdf(tau * u))]
    else:
        kept, k11, k12 = mean(lambda u: 1), mean(lambda u: u**2), 0.0
        k22 = kept
        c = [mean(lambda u: u * (2 * norm.cdf(tau * u) - 1)), mean(lambda u: 2 * norm.pdf(tau * u))]
    return kept, np.array([[k11, k12], [k12, k22]]), np.array(c)


@pytest.mark.parametrize("agreeing", [False, True])
@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.3, 0.9, 0.999])
def test_moments_are_the_integrals(rule, rho, agreeing):
    for p in (0.1, 0.7):
        kept, second, labels = by_quadrature(rule, p, rho, agreeing)
        with float64():
            moments = jax.tree.map(np.asarray, sign_moments(Selection(rule, p), jnp.asarray(rho), agreeing))
        # from the frame (w_s, w_g − ρ w_s) to the orthonormal basis
        frame = np.diag([1, np.sqrt(1 - rho**2)])
        np.testing.assert_allclose(moments.kept, kept, rtol=1e-10)
        np.testing.assert_allclose(moments.power, kept, rtol=1e-10)
        np.testing.assert_allclose(frame @ moments.labels, labels, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(frame @ moments.second @ np.linalg.inv(frame), second, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(moments.gram, frame.T @ frame, atol=1e-15)


@pytest.mark.parametrize("agreeing", [False, True])
@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
def test_parallel_directions_are_the_limit(rule, agreeing):
    """At ρ = 1 the label is the pruner's: E[q y x] = E[q|t|] w_s, E[q x xᵀ] w_s = E[q t²] w_s."""
    with float64():
        moments = jax.tree.map(np.asarray, sign_moments(Selection(rule, 0.3), jnp.asarray(1.0), agreeing))
    _, second, labels = by_quadrature(rule, 0.3, 1 - 1e-15, False)
    np.testing.assert_allclose(moments.labels[0], labels[0], rtol=1e-7)
    np.testing.assert_allclose(moments.second[:, 0] * moments.gram.diagonal(), [second[0, 0], 0], rtol=1e-7)
