import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

from infojax.arrays._precision import float64
from infojax.scaling._roots import root


def test_root_and_two_derivatives():
    """y + log y = x, rising, and x − y − log y, falling; dy/dx = y/(1 + y), d²y/dx² = y/(1 + y)³."""

    def solve(x, sign, geometric):
        low = jnp.asarray(1e-9)
        return root(lambda y: sign * (y + jnp.log(y) - x), low, jnp.asarray(20.0), geometric=geometric)

    for x in (-2.0, 0.5, 7.0):
        y = brentq(lambda y, x: y + np.log(y) - x, 1e-9, 20, args=(x,), xtol=1e-15)
        for sign in (1.0, -1.0):
            for geometric in (False, True):
                with float64():
                    slope = jax.grad(solve)
                    values = [f(x, sign, geometric) for f in (solve, slope, jax.grad(slope))]
                np.testing.assert_allclose(values, [y, y / (1 + y), y / (1 + y) ** 3], rtol=1e-9)


def test_a_step_out_of_the_bracket_is_not_taken():
    with float64():
        flat = root(lambda y: jnp.where(y < 1, -1.0, 1.0) + 0 * y, jnp.asarray(0.0), jnp.asarray(3.0))
    np.testing.assert_allclose(flat, 1.0)
