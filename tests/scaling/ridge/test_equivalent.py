"""The deterministic equivalent against the fixed-point equations that it solves in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infojax.arrays._precision import float64
from infojax.scaling.ridge.equivalent import equivalent
from infojax.scaling.selection.moments import Moments


@given(
    kept=st.floats(0.1, 1),
    ratio=st.floats(0.1, 3),
    ridge=st.floats(1e-3, 3),
    directions=st.integers(1, 3),
    seed=st.integers(0, 100),
)
def test_solves_the_general_theorem(kept, ratio, ridge, directions, seed):
    """δ = ϕm, m = 1/(p/(1+δ) + λ); a = (K/(1+δ) + λ)⁻¹ c/(1+δ); σ² = ϕm² E[q(y − a·G)²]/((1+δ)² − ϕm²p).

    Iterated to the fixed point in NumPy, for moments of made-up examples in an orthonormal frame.
    """
    rng = np.random.default_rng(seed)
    g, y = rng.normal(size=(50, directions)), rng.normal(size=50)
    second, labels, power = kept * g.T @ g / 50, kept * g.T @ y / 50, kept * y @ y / 50
    m = 1.0
    for _ in range(100_000):
        m, old = 0.5 * m + 0.5 / (kept / (1 + ratio * m) + ridge), m
        if abs(m - old) < 1e-15 * m:
            break
    delta = ratio * m
    a = np.linalg.solve(second / (1 + delta) + ridge * np.eye(directions), labels / (1 + delta))
    residual = power - 2 * a @ labels + a @ second @ a
    spread = ratio * m**2 * residual / ((1 + delta) ** 2 - ratio * m**2 * kept)

    with float64():
        moments = Moments(*(jnp.asarray(value) for value in (kept, second, labels, power, np.eye(directions))))
        found = jax.tree.map(np.asarray, equivalent(moments, jnp.asarray(ratio), jnp.asarray(ridge)))
    np.testing.assert_allclose(found.weights, a, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.spread, spread, rtol=1e-9)
