import jax
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput, OverBudget
from infojax.scaling.kernel_curves.simulate_kernel_curve import simulate_kernel_curve

KEY = jax.random.key(5)


def problem(s, m, outputs):
    rng = np.random.default_rng(1)
    pool, test = rng.standard_normal((s, 40)), rng.standard_normal((m, 40))
    return pool @ pool.T, test @ pool.T, rng.standard_normal((s, outputs)), rng.standard_normal((m, outputs))


@pytest.mark.parametrize("outputs", [1, 3])
def test_one_factor_gives_what_a_regression_for_each_size_does(outputs):
    kernel, cross, y, test = problem(25, 7, outputs)
    sizes, ridge = np.array([13, 1, 25, 6]), 0.2
    found = simulate_kernel_curve(kernel, cross, y, test, sizes=sizes, ridge=ridge, repeats=3, key=KEY)
    assert found.repeats.mse.shape == found.repeats.error.shape == (3, 4)
    with float64():  # as the permutations are drawn
        drawn = [np.asarray(jax.random.permutation(key, 25)) for key in jax.random.split(KEY, 3)]
    for repeat, order in enumerate(drawn):
        for column, n in enumerate(sizes):
            x = order[:n]
            predicted = cross[:, x] @ np.linalg.solve(kernel[np.ix_(x, x)] + ridge * np.eye(n), y[x])
            mse = np.mean(np.sum((predicted - test) ** 2, 1))
            np.testing.assert_allclose(found.repeats.mse[repeat, column], mse, rtol=1e-9)
            classes = [(a > 0)[:, 0] if outputs == 1 else a.argmax(1) for a in (predicted, test)]
            np.testing.assert_allclose(found.repeats.error[repeat, column], np.mean(classes[0] != classes[1]))
    np.testing.assert_allclose(found.mean.mse, found.repeats.mse.mean(0))
    np.testing.assert_allclose(found.stderr.mse, found.repeats.mse.std(0, ddof=1) / 3**0.5)
    np.testing.assert_allclose(found.stderr.mse[2], 0, atol=1e-12)  # the whole pool


def test_what_cannot_be_simulated_is_refused():
    given = dict(zip(("pool_kernel", "test_kernel", "targets", "test_targets"), problem(25, 7, 1), strict=True))
    with pytest.raises(OverBudget, match="fewer test points"):
        simulate_kernel_curve(**given, sizes=[20], ridge=1.0, repeats=2, key=KEY, memory=1000)
    with pytest.raises(InvalidInput, match="repeats=1"):
        simulate_kernel_curve(**given, sizes=[20], ridge=1.0, repeats=1, key=KEY)
    with pytest.raises(InvalidInput, match="one dimension"):
        simulate_kernel_curve(**given, sizes=np.array([[20]]), ridge=1.0, repeats=2, key=KEY)
    with pytest.raises(InvalidInput, match="not symmetric"):
        simulate_kernel_curve(**given | {"pool_kernel": np.triu(np.ones((25, 25)))}, sizes=[2], repeats=2, key=KEY)
