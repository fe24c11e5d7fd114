"""The estimate from random coordinates: exact when it takes all, right on average, the same in any tiles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput, OverBudget
from infojax.kernels import empirical_ntk, random_coordinate_ntk
from infojax.kernels._random_coordinates import _of_gradient, _of_product


def normal(*shape: int):
    return jnp.asarray(np.random.default_rng(shape).normal(size=shape), jnp.float32) / 2


PARAMS = {
    "convolution": normal(3, 3, 2, 40),
    "bias": normal(40),
    "scale": normal(40),
    "out": normal(40, 2),
    "last bias": normal(2),
}


def apply(params, x):
    x = jax.lax.conv_general_dilated(
        x, params["convolution"], (3, 3), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    x = jnp.tanh(x + params["bias"][None, None, None]) * params["scale"][None, None, None]
    return x.mean(axis=(1, 2)) @ params["out"] + params["last bias"][None]


X = np.asarray(normal(6, 6, 5, 2))
KEY = jax.random.key(0)


def test_all_coordinates_give_the_kernel():
    exact = empirical_ntk(apply, PARAMS, X)
    estimate = random_coordinate_ntk(apply, PARAMS, X, coordinates=720, key=KEY)
    np.testing.assert_allclose(estimate, exact, rtol=0, atol=1e-6 * np.abs(exact).max())
    fewer = random_coordinate_ntk(apply, PARAMS, X, coordinates=719, key=KEY)
    assert 0 < np.abs(fewer - exact).max() < 0.05 * np.abs(exact).max()


def test_the_same_in_tiles_and_across_kernels():
    def estimate(*x, **how):
        return random_coordinate_ntk(apply, PARAMS, *x, coordinates=20, key=KEY, **how)

    whole = estimate(X)
    close = {"rtol": 0, "atol": 1e-6 * np.abs(whole).max()}
    np.testing.assert_allclose(estimate(X, tile=2), whole, **close)
    np.testing.assert_allclose(estimate(X, budget=120_000), whole, **close)
    np.testing.assert_allclose(estimate(X, X[:3]), whole[:, :6], **close)
    assert np.linalg.eigvalsh(whole.astype(np.float64)).min() > -1e-6
    other = random_coordinate_ntk(apply, PARAMS, X, coordinates=20, key=jax.random.key(1))
    assert np.abs(other - whole).max() > 0.01 * np.abs(whole).max()
    with pytest.raises(OverBudget):
        estimate(X, budget=1000)


def right_on_average(draw, exact):
    """The mean of 400 draws is within four standard errors, everywhere, of what it estimates."""
    random = np.random.default_rng(0)
    draws = np.array([np.asarray(draw(random)) for _ in range(400)], np.float64)
    blocks = np.einsum("rkp,rlp->rkl", draws, draws)
    error = np.abs(blocks.mean(axis=0) - exact) / (blocks.std(axis=0) / 20)
    assert (blocks.std(axis=0) > 0.1 * np.abs(exact).mean()).all()
    assert error.max() < 4


def test_gradients_are_right_on_average():
    gradient = normal(3, 30)
    right_on_average(lambda random: _of_gradient(gradient, 5, random), np.asarray(gradient @ gradient.T))


@pytest.mark.parametrize("positions", [2, 40])  # gathered, and formed first
def test_products_are_right_on_average(positions):
    a, b = normal(positions, 2, 4), normal(3, positions, 2, 5)
    gradient = np.einsum("sgf,ksgo->kgfo", a, b).reshape(3, -1)
    right_on_average(lambda random: _of_product(a, b, 5, random), gradient @ gradient.T)


def test_float64():
    with float64():
        params = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), PARAMS)
    estimate = random_coordinate_ntk(apply, params, X, coordinates=20, key=KEY)
    assert estimate.dtype == np.float64
    np.testing.assert_allclose(
        estimate, random_coordinate_ntk(apply, PARAMS, X, coordinates=20, key=KEY), rtol=1e-3, atol=1e-4
    )


def test_refuses():
    with pytest.raises(InvalidInput, match="coordinates=0"):
        random_coordinate_ntk(apply, PARAMS, X, coordinates=0, key=KEY)
    with pytest.raises(InvalidInput, match=r"outside of jax\.jit"):
        jax.jit(lambda x: random_coordinate_ntk(apply, PARAMS, x, key=KEY))(X)
    with pytest.raises(InvalidInput, match="has NaN"):
        random_coordinate_ntk(apply, PARAMS, np.full_like(X, np.nan), key=KEY)
