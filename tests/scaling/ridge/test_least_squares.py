import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.scaling.ridge.least_squares import fit


@pytest.mark.parametrize("ridge", [0.0, 1e-6, 0.3])
@pytest.mark.parametrize("size", [30, 100])  # fewer and more examples than dimensions, fewer and more kept
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_is_weighted_least_squares(ridge, size, kept):
    """ŵ against NumPy's minimum-norm least squares on the kept rows times the roots of their weights, with rows
    √(nλ) I for the ridge."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(size, 40)), rng.normal(size=size)
    weight = np.where(rng.random(size) < kept, rng.uniform(0.5, 2, size), 0)
    with float64():
        numbers = (jnp.asarray(float(size)), jnp.asarray(ridge))
        weights = np.asarray(fit(*(jnp.asarray(v) for v in (x, y, weight)), *numbers, ridge == 0))
    root = np.sqrt(weight[weight > 0])
    rows, targets = root[:, None] * x[weight > 0], root * y[weight > 0]
    if ridge:
        rows = np.concatenate([rows, np.sqrt(size * ridge) * np.eye(40)])
        targets = np.concatenate([targets, np.zeros(40)])
    np.testing.assert_allclose(weights, np.linalg.lstsq(rows, targets)[0], rtol=1e-6, atol=1e-8)
