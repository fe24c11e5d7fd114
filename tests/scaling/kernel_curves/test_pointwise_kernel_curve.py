import jax
import numpy as np
import pytest

from infojax.data import load
from infojax.kernels import infinite_width
from infojax.models import from_stax
from infojax.scaling.kernel_curves.kernel_curve import kernel_curve
from infojax.scaling.kernel_curves.pointwise_kernel_curve import pointwise_kernel_curve
from infojax.scaling.kernel_curves.simulate_kernel_curve import simulate_kernel_curve


def two_kinds(common, rare, d, m):
    """A pool of many examples close to a line and a few far from it and each other, and a test set of both kinds."""
    rng = np.random.default_rng(0)

    def draw(n, width):
        return np.outer(rng.standard_normal(n), np.eye(d)[0]) * 3 + width * rng.standard_normal((n, d))

    pool, test = (np.vstack([draw(a, 0.1), draw(b, 2.0)]) for a, b in ((common, rare), (m // 2, m // 2)))
    weights = rng.standard_normal((d, 1))
    return pool @ pool.T, test @ pool.T, pool @ weights, test @ weights


def test_examples_that_differ_in_leverage_need_a_ridge_each():
    """Within 3 % or 4 standard errors of simulation, where one ridge for all is off by more than 8 %."""
    problem = two_kinds(200, 40, 60, 60)
    arguments = {"sizes": [30, 60, 120], "ridge": 1.0}
    found = simulate_kernel_curve(*problem, **arguments, repeats=300, key=jax.random.key(0))
    each, one = (curve(*problem, **arguments).mse for curve in (pointwise_kernel_curve, kernel_curve))
    mse, stderr = found.mean.mse, found.stderr.mse
    assert (np.abs(each - mse) < np.maximum(0.03 * mse, 4 * stderr)).all(), each / mse
    assert np.abs(one / mse - 1).max() > 0.08
    assert (stderr < 0.02 * mse).all()


def test_variance_is_the_derivative_of_the_deterministic_equivalent():
    """E[Q B Q] = −d/dε E[Q] at K + εB, the c_p solved anew by plain iteration."""
    kernel, cross, y, test = two_kinds(9, 4, 6, 4)
    part, ridge = 5 / 13, 0.3

    def equivalent(k):
        c = np.full(13, np.trace(k))
        for _ in range(3000):
            c = (ridge + (1 - part) * (1 / np.diag(np.linalg.inv(k + np.diag(c))) - c)) / part
        return np.linalg.inv(k + np.diag(c))

    mse, step = 0.0, 1e-4
    for k, target in zip(cross, test[:, 0], strict=True):
        b = np.outer(k, k) / (k @ k)
        second = -y[:, 0] @ (equivalent(kernel + step * b) - equivalent(kernel - step * b)) @ y[:, 0] / (2 * step)
        mean = k @ equivalent(kernel) @ y[:, 0]
        mse += (target**2 - 2 * target * mean + second * (k @ k)) / len(cross)
    np.testing.assert_allclose(pointwise_kernel_curve(kernel, cross, y, test, sizes=5, ridge=ridge).mse, mse, rtol=1e-4)


def test_equal_examples_have_equal_ridges():
    """Where no example differs from another, one ridge for all is the solution."""
    kernel = 0.5 * np.eye(12) + 0.5
    y = np.random.default_rng(0).standard_normal(12)
    cross, test = kernel[:4] * 0.9, y[:4]
    laws = [curve(kernel, cross, y, test, sizes=[3, 8], ridge=0.1) for curve in (kernel_curve, pointwise_kernel_curve)]
    np.testing.assert_allclose(laws[0].kappa, laws[1].kappa, rtol=1e-8)
    np.testing.assert_allclose(laws[0].bias, laws[1].bias, rtol=1e-8)


@pytest.fixture(scope="module")
def digits():
    """Parity of digits with the NTK: a random pool, and one of the examples farthest from its mean prediction."""
    from infojax.models._neural_tangents import stax

    data = load("digits").take(700, seed=1)
    network = from_stax(stax.serial(stax.Flatten(), stax.Dense(1, 2**0.5, 0.1), stax.Relu(), stax.Dense(1, 1.0, 0.1)))
    kernel, y = infinite_width(network, data.x), np.where(data.y % 2 == 1, 1.0, -1.0)
    pool, test = np.arange(400), np.arange(400, 700)
    margin = np.abs(kernel[:400, 400:] @ np.linalg.solve(kernel[400:, 400:] + 1e-3 * np.eye(300), y[400:]))
    pools = {"random": pool[:200], "easy": np.argsort(-margin)[:200]}
    return {name: (kernel[np.ix_(p, p)], kernel[np.ix_(test, p)], y[p], y[test]) for name, p in pools.items()}


@pytest.mark.parametrize("pool", ["random", "easy"])
def test_digits_keep_to_the_laws(digits, pool):
    """Real data, NTK, as docs/kernel-learning-curves.md says: mse to 10 % by one ridge, to 5 % by one for each."""
    arguments = {"sizes": [25, 50, 100, 160], "ridge": 1e-3}
    found = simulate_kernel_curve(*digits[pool], **arguments, repeats=200, key=jax.random.key(1))
    for curve, mse, error in ((kernel_curve, 0.1, 0.2), (pointwise_kernel_curve, 0.05, 0.12)):
        law = curve(*digits[pool], **arguments)
        assert np.abs(law.mse / found.mean.mse - 1).max() < mse, (law.mse / found.mean.mse, curve)
        assert np.abs(law.error / found.mean.error - 1).max() < error, (law.error / found.mean.error, curve)
