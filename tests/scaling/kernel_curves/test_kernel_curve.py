import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from infojax.errors import InvalidInput
from infojax.linearized._spectrum import Spectrum, spectrum
from infojax.scaling.kernel_curves.kernel_curve import effective_ridge, kernel_curve
from infojax.scaling.kernel_curves.pointwise_kernel_curve import pointwise_kernel_curve
from infojax.scaling.kernel_curves.simulate_kernel_curve import simulate_kernel_curve


def gaussian_pool(s, d, m, outputs=1, seed=0, noise=0.1):
    """Kernels and targets of Gaussian features, the test points distributed otherwise: (K, K_test, y, y_test)."""
    rng = np.random.default_rng(seed)
    scale = np.arange(1, d + 1) ** -0.4
    pool, test = rng.standard_normal((s, d)) * scale, rng.standard_normal((m, d)) * scale[::-1] + 0.02
    weights = rng.standard_normal((d, outputs))
    return pool @ pool.T, test @ pool.T, pool @ weights + noise * rng.standard_normal((s, outputs)), test @ weights


def naive(kernel, cross, y, test, n, ridge):
    """The law by dense inverses, its variance from a finite difference of the deterministic equivalent.

    E[Q B Q] = −d/dε E[Q] at K + εB, for every test point's B = k kᵀ. Single output.
    """
    s = len(kernel)

    def equivalent(k):
        trace = lambda c: (c - ridge) * np.trace(np.linalg.inv(k + c * np.eye(s))) - (s - n)  # noqa: E731
        c = brentq(trace, ridge + 1e-12, 1e6 * np.trace(k), xtol=1e-14, rtol=1e-14) if n < s else ridge
        return np.linalg.inv(k + c * np.eye(s))

    mse, error, step = 0.0, 0.0, 1e-5
    for k, target in zip(cross, test[:, 0], strict=True):
        b = np.outer(k, k) / (k @ k)
        second = -y[:, 0] @ (equivalent(kernel + step * b) - equivalent(kernel - step * b)) @ y[:, 0] / (2 * step)
        mean = k @ equivalent(kernel) @ y[:, 0]
        variance = second * (k @ k) - mean**2
        mse += ((mean - target) ** 2 + variance) / len(cross)
        error += norm.cdf(-mean * np.sign(target) / np.sqrt(max(variance, 1e-12))) / len(cross)
    return mse, error


@given(st.integers(4, 12), st.integers(1, 11), st.floats(0.01, 2), st.integers(0, 1000))
def test_law_is_the_derivative_of_the_deterministic_equivalent(s, n, ridge, seed):
    problem = gaussian_pool(s, 2 * s, 3, seed=seed)
    n = min(n, s - 1)
    curve = kernel_curve(*problem, sizes=n, ridge=ridge)
    mse, error = naive(*problem, n, ridge)
    np.testing.assert_allclose(curve.mse, mse, rtol=1e-4)
    np.testing.assert_allclose(curve.error, error, atol=1e-4)


@given(st.integers(1, 30), st.integers(0, 1000), st.sampled_from([0.0, 1e-6, 1.0]))
def test_effective_ridge_solves_its_equation(n, seed, ridge):
    rng = np.random.default_rng(seed)
    values = np.sort(rng.exponential(size=40) ** 4)
    values[: rng.integers(0, 9)] = 0
    c = effective_ridge(values, np.array([n * 1.0]), np.array([ridge]))[0]
    # in the form in which it generalises the classical n = Σ λ/(λ + κ) + δ/κ
    degrees, kappa = np.sum(values / (values + c)), c / 40
    np.testing.assert_allclose(degrees + ridge / kappa * (1 - degrees / 40), n, rtol=1e-8)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("ridge", [0.0, 1.0])
def test_law_is_what_simulation_measures(outputs, ridge):
    """Gaussian features, whose eigenvectors are those of the theory: within 4 standard errors, or 1.5 %."""
    problem = gaussian_pool(300, 150, 100, outputs)
    sizes = [10, 40, 80, *([160, 260, 300] if ridge else [])]
    law = kernel_curve(*problem, sizes=sizes, ridge=ridge)
    found = simulate_kernel_curve(*problem, sizes=sizes, ridge=ridge, repeats=150, key=jax.random.key(2))
    for name in ("mse", "error"):
        value, measured, stderr = getattr(law, name), getattr(found.mean, name), getattr(found.stderr, name)
        slack = np.maximum(4 * stderr, 0.015 * measured)
        assert (np.abs(value - measured) <= slack + 1e-9).all(), (name, value, measured, stderr)
        assert (stderr <= 0.03 * measured).all(), f"{name} is not measured well enough to test anything"


@pytest.mark.parametrize("curve", [kernel_curve, pointwise_kernel_curve])
def test_all_of_the_pool_is_one_regression(curve):
    kernel, cross, y, test = gaussian_pool(30, 50, 20)
    predicted = cross @ np.linalg.solve(kernel + 0.3 * np.eye(30), y)
    law = curve(kernel, cross, y, test, sizes=30, ridge=0.3)
    np.testing.assert_allclose(law.mse, np.mean((predicted - test) ** 2), rtol=1e-9)
    np.testing.assert_allclose(law.error, np.mean((predicted > 0) != (test > 0)), atol=1e-9)
    np.testing.assert_allclose(law.kappa, 0.3 / 30, rtol=1e-9)


def test_large_pools_have_the_classical_law():
    """Simon et al.'s n = Σ L, E = n/(n − Σ L²) Σ (1 − L)² v² on the training distribution, as s grows at fixed n."""
    n, relative = 20, []
    for s in (400, 1600):
        values = np.arange(1, s + 1) ** -1.5
        target = np.random.default_rng(0).standard_normal(s) / np.arange(1, s + 1)
        kappa = brentq(lambda k, values=values: np.sum(values / (values + k)) - n, 1e-9, 1)
        learned = values / (values + kappa)
        classical = n / (n - learned @ learned) * ((1 - learned) ** 2 @ target**2)
        pool = Spectrum(values[::-1], np.eye(s)[:, ::-1])  # one-hot features: the pool is its own eigenbasis
        ours = kernel_curve(pool, np.diag(values), target, target, sizes=n).mse * s
        relative.append(ours / classical - 1)
    assert abs(relative[1]) < abs(relative[0]) < 0.05
    assert abs(relative[1]) < 0.01


def test_one_eigendecomposition_serves_and_shapes_broadcast():
    kernel, cross, y, test = gaussian_pool(20, 30, 10)
    table = kernel_curve(kernel, cross, y, test, sizes=np.array([5, 10, 20]), ridge=np.array([[0.1], [1.0]]))
    again = kernel_curve(spectrum(kernel), cross, y[:, 0], test[:, 0], sizes=10, ridge=1.0)
    assert table.mse.shape == (2, 3)
    np.testing.assert_allclose([field[1, 1] for field in table], again, rtol=1e-10)
    assert (table.bias <= table.mse + 1e-12).all()


@pytest.mark.parametrize("curve", [kernel_curve, pointwise_kernel_curve])
def test_two_outputs_classify_as_one_does(curve):
    kernel, cross, y, test = gaussian_pool(60, 80, 50)
    one = curve(kernel, cross, y, test, sizes=[10, 30], ridge=0.1)
    two = curve(kernel, cross, np.hstack([y, -y]), np.hstack([test, -test]), sizes=[10, 30], ridge=0.1)
    np.testing.assert_allclose(two.mse, 2 * one.mse, rtol=1e-10)
    np.testing.assert_allclose(two.error, one.error, atol=0.01)


KERNEL, CROSS, Y, TEST = gaussian_pool(6, 4, 3)  # of rank 4
ALL = [
    kernel_curve,
    pointwise_kernel_curve,
    lambda *a, **k: simulate_kernel_curve(*a, **k, repeats=2, key=jax.random.key(0)),
]


@pytest.mark.parametrize("curve", ALL)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sizes": [3, 7]}, "7"),
        ({"sizes": [2.5]}, "2.5"),
        ({"sizes": [0]}, "integer from 1 to 6"),
        ({"ridge": -1.0}, "ridge=-1"),
        ({"ridge": np.nan}, "ridge=nan"),
        ({"targets": Y[:5]}, "Shapes do not fit"),
        ({"test_kernel": CROSS * np.nan}, "test_kernel has 18 NaN"),
        ({"pool_kernel": KERNEL * np.nan}, "finite|NaN"),
        ({"pool_kernel": KERNEL[:, :5]}, "square"),
        ({"ridge": 0.0, "sizes": [6]}, "rank 4|not positive definite"),
    ],
)
def test_bad_arguments_are_refused(curve, change, says):
    given = {
        "pool_kernel": KERNEL,
        "test_kernel": CROSS,
        "targets": Y,
        "test_targets": TEST,
        "sizes": [3],
        "ridge": 0.1,
    }
    given |= change
    arrays = [given.pop(name) for name in ("pool_kernel", "test_kernel", "targets", "test_targets")]
    with pytest.raises(InvalidInput, match=says):
        curve(*arrays, **{**given, "sizes": np.array(given["sizes"])})


@pytest.mark.parametrize("curve", [kernel_curve, pointwise_kernel_curve])
@pytest.mark.parametrize(
    ("wrong", "says"), [(KERNEL - 9 * np.eye(6), "semi-definite"), (np.triu(KERNEL), "not symmetric")]
)
def test_what_is_no_kernel_is_refused(curve, wrong, says):
    with pytest.raises(InvalidInput, match=says):
        curve(wrong, CROSS, Y, TEST, sizes=3, ridge=0.1)
