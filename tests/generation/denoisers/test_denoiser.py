"""Denoisers: shapes, rows on their own, what is predicted, and convolutions against JAX's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput
from infojax.generation.denoisers.denoiser import Denoiser, PatchMixer, ResidualMLP, UNet
from infojax.generation.denoisers.unet import Convolution
from infojax.generation.sampling.schedule import cosine

SCHEDULE = cosine()
CASES = [
    (ResidualMLP(width=8, blocks=2), (3,)),
    (ResidualMLP(width=8, blocks=0), (2, 3, 1)),
    (PatchMixer(patch=2, width=4, hidden=8, blocks=1), (4, 6, 2)),
    (UNet(channels=(4, 8)), (4, 8, 2)),
]


def random_params(denoiser, dtype=np.float32):
    """As no layer is zero, as some are at first."""
    random = np.random.default_rng(1)
    template = jax.eval_shape(denoiser.init, jax.random.key(0))
    return jax.tree.map(lambda a: jnp.asarray(0.3 * random.normal(size=a.shape), dtype), template)


@pytest.mark.parametrize(("architecture", "shape"), CASES)
def test_each_row_from_its_own(architecture, shape):
    denoiser = Denoiser(architecture, shape, 2, SCHEDULE)
    params = random_params(denoiser)
    x, label, t = jax.random.normal(jax.random.key(2), (3, *shape)), jnp.array([0, 1, 2]), jnp.asarray(0.4)
    predict = jax.jit(denoiser)
    noise = predict(params, x, t, label)
    assert noise.shape == x.shape
    assert noise.dtype == jnp.float32
    others = predict(params, x.at[1:].add(1.0), t, label.at[1:].set(0))
    np.testing.assert_allclose(others[0], noise[0], rtol=1e-4, atol=1e-4)
    assert np.all(np.abs(predict(params, x, t, (label + 1) % 3) - noise).reshape(3, -1).max(1) > 1e-3)
    assert np.all(np.abs(predict(params, x, t + 0.2, label) - noise).reshape(3, -1).max(1) > 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "shape"), CASES)
def test_in_double_precision_noise_and_velocity_are_one_prediction(architecture, shape):
    with float64():
        denoiser = Denoiser(architecture, shape, 2, SCHEDULE)
        params = random_params(denoiser, jnp.float64)
        x, label, t = jax.random.normal(jax.random.key(2), (3, *shape)), jnp.array([0, 1, 2]), jnp.asarray(0.3)
        noise, velocity = jax.jit(lambda params, x: (
            denoiser(params, x, t, label), denoiser.velocity(params, x, jnp.full(3, SCHEDULE.log_snr(t)), label)
        ))(params, x)  # fmt: skip
        assert noise.dtype == jnp.float64
        signal, rest = SCHEDULE.signal(t), SCHEDULE.noise(t)
        clean = (x - jnp.sqrt(rest) * noise) / jnp.sqrt(signal)
        np.testing.assert_allclose(velocity, jnp.sqrt(signal) * noise - jnp.sqrt(rest) * clean, atol=1e-12)
        single = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, jnp.float32), params)
        assert jax.eval_shape(denoiser, single, x, t, label).dtype == jnp.float64


def test_velocity_takes_a_noise_level_for_each_row():
    denoiser = Denoiser(ResidualMLP(8, 1), (3,), 2, SCHEDULE)
    params, x, label = random_params(denoiser), jnp.ones((2, 3)), jnp.array([0, 1])
    levels = jnp.array([-3.0, 4.0])
    predict = jax.jit(denoiser.velocity)
    both = predict(params, x, levels, label)
    for row in range(2):
        alone = predict(params, x, jnp.full(2, levels[row]), label)
        np.testing.assert_allclose(alone[row], both[row], rtol=1e-5, atol=1e-5)


def test_convolution_is_jaxs():
    convolution = Convolution(3, 5, nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (2, 4, 6, 3))
    kernel = convolution.linear.kernel[...].reshape(3, 3, 3, 5)
    expected = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    np.testing.assert_allclose(convolution(x), expected, atol=1e-5)


def test_equal_denoisers_share_programs():
    traced = []

    @jax.jit
    def run(params, x):
        traced.append(x.shape)
        return x

    from infojax.generation._generator import Generator

    for _ in range(2):
        denoiser = Denoiser(ResidualMLP(8, 1), (3,), 2, SCHEDULE)
        run(Generator(denoiser, denoiser.init(jax.random.key(0)), (3,), 2, SCHEDULE), jnp.ones(3))
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("architecture", "shape", "says"),
    [
        (UNet((4, 8)), (6, 8, 1), "multiples of 4"),
        (UNet((4,)), (4, 5, 1), "multiples of 2"),
        (UNet((4,)), (16,), "ResidualMLP"),
        (UNet(()), (4, 4, 1), "at least one"),
        (PatchMixer(patch=4), (28, 30, 1), "multiples of 4"),
        (PatchMixer(patch=0), (28, 28, 1), "at least 1"),
        (ResidualMLP(width=0), (3,), "width"),
    ],
)
def test_examples_that_do_not_fit(architecture, shape, says):
    with pytest.raises(InvalidInput, match=says):
        Denoiser(architecture, shape, 2, SCHEDULE).init(jax.random.key(0))


@pytest.mark.parametrize(("shape", "classes"), [((), 2), ((3, 0), 2), ((3,), 0)])
def test_nothing_to_denoise(shape, classes):
    with pytest.raises(InvalidInput, match="at least one"):
        Denoiser(ResidualMLP(8, 1), shape, classes, SCHEDULE)
