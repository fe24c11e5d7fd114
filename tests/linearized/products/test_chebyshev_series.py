"""The filter as a Chebyshev series: against the filter itself, and against descent as what it does step by step."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infojax import GradientDescent, GradientFlow
from infojax.arrays._precision import float64
from infojax.linearized._filters import training_filter
from infojax.linearized.products.chebyshev_series import chebyshev_series, terms_needed


def worst(training, largest, series, last):
    """The largest difference between the filter and the terms up to `last`, for eigenvalues of all sizes."""
    s = largest * np.concatenate([[0.0], np.geomspace(1e-9, 1.0, 500)])
    with float64():
        run = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), training)
        exact = np.asarray(training_filter(run, jnp.asarray(s)))
    cut = np.polynomial.chebyshev.chebval(2 * s / largest - 1, series.coefficients[: last + 1])
    return np.abs(cut - exact).max(), exact.max()


@given(
    product=st.floats(0.01, 1.99),
    steps=st.integers(1, 3000),
    descent=st.booleans(),
    decay=st.floats(0.0, 0.5),
    largest=st.floats(1e-3, 1e3),
    error=st.sampled_from([1e-3, 1e-6, 1e-9]),
)
def test_tails_bound_what_is_cut_off(product, steps, descent, decay, largest, error):
    decay = decay * largest
    rate = product / (largest + decay)
    kind, length = (GradientDescent, steps) if descent else (GradientFlow, float(steps))
    training = kind(length, rate, decay, "sum")
    series = chebyshev_series(training, largest)
    _, scale = worst(training, largest, series, 0)
    last = terms_needed(series, error * scale)
    found, scale = worst(training, largest, series, last)
    # Near −1, Chebyshev polynomials amplify the rounding of their argument by the square of their degree.
    assert found <= series.tails[last] + 1e-15 * (last + 1) ** 2 * scale
    assert series.tails[last] <= error * scale
    assert last <= 6 * np.sqrt(product * steps) + 30


def test_descent_of_few_steps_is_its_polynomial():
    series = chebyshev_series(GradientDescent(steps=3, learning_rate=0.4, convention="sum"), 2.0)
    s = np.linspace(0, 2, 7)
    a = np.zeros(7)
    for _ in range(3):
        a = a + 0.4 * (1 - s * a)
    np.testing.assert_allclose(np.polynomial.chebyshev.chebval(s - 1, series.coefficients), a, rtol=1e-13)
    assert len(series.coefficients) == 3
