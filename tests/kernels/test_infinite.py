import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.progress import Progress

from infojax.errors import InvalidInput, OverBudget
from infojax.kernels import _infinite as infinite
from infojax.kernels import empirical_ntk
from infojax.kernels._infinite import InfiniteKernels, infinite_width
from infojax.models import Network, from_stax, mlp
from infojax.models._neural_tangents import stax

W, B = 1.4, 0.3


def network(activation="Relu", depth=2, outputs=1, width=8):
    hidden = [layer for _ in range(depth) for layer in (stax.Dense(width, W, B), getattr(stax, activation)())]
    return from_stax(stax.serial(stax.Flatten(), *hidden, stax.Dense(outputs, W, B)))


def conv_network():
    layers = [stax.Conv(2, (3, 3), padding="SAME"), stax.Relu(), stax.Conv(2, (3, 3)), stax.Erf(), stax.GlobalAvgPool()]
    return from_stax(stax.serial(*layers, stax.Dense(2)))


def relu_expectations(k11, k12, k22):
    """E φ(u)φ(v) and E φ'(u)φ'(v) of ReLU: Cho and Saul (2009), degrees 1 and 0."""
    scale = np.sqrt(k11 * k22)
    angle = np.arccos(np.clip(k12 / scale, -1, 1))
    value = scale / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
    return value, (np.pi - angle) / (2 * np.pi)


def erf_expectations(k11, k12, k22):
    """The same of erf: Williams (1996)."""
    scale = (1 + 2 * k11) * (1 + 2 * k22)
    return 2 / np.pi * np.arcsin(2 * k12 / np.sqrt(scale)), 4 / np.pi / np.sqrt(scale - 4 * k12**2)


EXPECTATIONS = {"Relu": relu_expectations, "Erf": erf_expectations}


def recursion(activation, depth, x1, x2):
    """NNGP and NTK of a fully connected network, layer by layer, from Gaussian expectations."""
    expectations = EXPECTATIONS[activation]
    x1, x2 = (x.reshape(len(x), -1) for x in (x1, x2))
    linear = W**2 / x1.shape[1]
    k11, k22 = (linear * np.sum(x**2, axis=1) + B**2 for x in (x1, x2))
    nngp = linear * x1 @ x2.T + B**2
    ntk = nngp
    for _ in range(depth):
        value, slope = expectations(k11[:, None], nngp, k22[None, :])
        nngp = W**2 * value + B**2
        ntk = nngp + W**2 * slope * ntk
        k11, k22 = (W**2 * expectations(k, k, k)[0] + B**2 for k in (k11, k22))
    return nngp, ntk


def examples(n, *shape, seed=0):
    return np.random.default_rng(seed).normal(size=(n, *shape))


@given(
    n=st.integers(1, 7),
    m=st.integers(1, 7),
    d=st.integers(1, 4),
    depth=st.integers(0, 3),
    tile=st.integers(1, 8),
    activation=st.sampled_from(["Relu", "Erf"]),
    seed=st.integers(0, 2**31),
)
def test_is_the_recursion_over_layers(n, m, d, depth, tile, activation, seed):
    x1, x2 = examples(n, d, seed=seed), examples(m, d, seed=seed + 1)
    kernels = infinite_width(network(activation, depth), x1, x2, kind="both", tile=tile)
    # 1e-7: near an angle of zero, half of the digits of a ReLU kernel's derivative are lost on both sides.
    for kernel, expected in zip(kernels, recursion(activation, depth, x1, x2), strict=True):
        assert kernel.dtype == np.float64
        np.testing.assert_allclose(kernel, expected, rtol=1e-7)


@pytest.mark.parametrize("make", [network, conv_network])
@pytest.mark.parametrize("tile", [None, 3])
def test_symmetric_is_rectangular_with_itself(make, tile):
    x = examples(5, 4, 4, 2)
    symmetric = infinite_width(make(), x, kind="both", tile=tile)
    rectangular = infinite_width(make(), x, x, kind="both", tile=1)
    for kernel, expected in zip(symmetric, rectangular, strict=True):
        np.testing.assert_array_equal(kernel, kernel.T)
        np.testing.assert_allclose(kernel, expected, rtol=1e-7)
        assert np.linalg.eigvalsh(kernel).min() > 0


def test_kinds_are_parts_of_both():
    x1, x2 = examples(4, 3), examples(2, 3, seed=1)
    both = infinite_width(network(), x1, x2, kind="both")
    assert isinstance(both, InfiniteKernels)
    np.testing.assert_allclose(infinite_width(network(), x1, x2), both.ntk, rtol=1e-12)
    np.testing.assert_allclose(infinite_width(network(), x1, x2, kind="nngp"), both.nngp, rtol=1e-12)


def test_finite_networks_come_closer_as_they_widen():
    x = examples(5, 4).astype(np.float32)
    limit = np.kron(infinite_width(network(), x), np.eye(2))

    def deviation(width):
        finite = network(outputs=2, width=width)
        keys = jax.random.split(jax.random.key(0), 6)
        kernels = [empirical_ntk(finite, finite.init(key, (4,)), x) for key in keys]
        return np.mean([np.linalg.norm(kernel - limit) / np.linalg.norm(limit) for kernel in kernels])

    # It falls as width^(-1/2): by 5.7 from 32 to 1024.
    assert 4 < deviation(32) / deviation(1024) < 8


def test_outputs_of_wide_networks_have_the_nngp_as_covariance():
    x = examples(3, 4).astype(np.float32)
    nngp = infinite_width(network("Erf"), x, kind="nngp")
    finite = network("Erf", outputs=1, width=64)
    keys = jax.random.split(jax.random.key(0), 2000)
    outputs = jax.lax.map(lambda key: finite.apply(finite.init(key, (4,)), x)[:, 0], keys, batch_size=100)
    covariance = np.asarray(outputs.T @ outputs) / 2000
    # Standard error of a second moment of Gaussians: √((k_ii k_jj + k_ij²) / samples).
    error = np.sqrt((np.outer(np.diag(nngp), np.diag(nngp)) + nngp**2) / 2000)
    assert np.abs(covariance - nngp).max() < 4 * error.max()


def test_takes_a_kernel_function_and_whole_numbers():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    kernel = infinite_width(network().kernel, pixels)
    np.testing.assert_array_equal(kernel, infinite_width(network(), pixels.astype(np.float64)))


def test_examples_of_zeros_are_no_trouble():
    without_bias = from_stax(stax.serial(stax.Dense(1), stax.Relu(), stax.Dense(1)))
    kernel = infinite_width(without_bias, np.array([[0.0, 0.0], [1.0, 2.0]]))
    np.testing.assert_array_equal(kernel[0], 0)
    assert kernel[1, 1] > 0


def test_transformations_keep_the_callers_precision():
    x = examples(4, 3).astype(np.float32)
    expected = infinite_width(network("Erf"), x)
    traced = jax.jit(lambda x: infinite_width(network("Erf"), x))(x)
    assert isinstance(traced, jax.Array)
    assert traced.dtype == jnp.float32
    np.testing.assert_allclose(traced, expected, rtol=1e-5)
    gradient = jax.grad(lambda x: jnp.sum(infinite_width(network("Erf"), x)))(x)
    assert gradient.shape == x.shape
    assert bool(jnp.isfinite(gradient).all())


def test_budget_decides_on_tiles_and_progress_counts_them():
    x = examples(8, 4, 4, 2)
    expected = infinite_width(conv_network(), x)
    counts = []
    for budget in (2**31, 2**18, 2**16):
        with Progress(disable=True) as progress:
            kernel = infinite_width(conv_network(), x, budget=budget, progress=progress)
            counts.append(progress.tasks[0].total)
            assert progress.finished
        np.testing.assert_allclose(kernel, expected, rtol=1e-7)
    assert counts[0] == 1
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("depth", [1, 4])
def test_compiled_tiles_need_no_more_than_was_estimated(depth):
    layers = [stax.Conv(2, (3, 3), padding="SAME"), stax.Relu()] * depth
    kernel = from_stax(stax.serial(*layers, stax.GlobalAvgPool(), stax.Dense(1))).kernel
    of_tile = functools.partial(infinite._of_tile, kernel=kernel, kinds=("ntk",))
    x = jax.ShapeDtypeStruct((6, 8, 8, 1), jnp.float32)
    compiled = infinite._of_tile.lower(x, x, kernel=kernel, kinds=("ntk",)).compile().memory_analysis()
    assert compiled.temp_size_in_bytes <= infinite._bytes_needed(of_tile, x, 6, 6)


def test_a_budget_too_small_for_one_tile_is_an_error():
    with pytest.raises(OverBudget, match="budget is 1,000"):
        infinite_width(conv_network(), examples(2, 4, 4, 2), budget=1000)
    with pytest.raises(OverBudget, match="smaller tile"):
        infinite_width(conv_network(), examples(20, 4, 4, 2), tile=20, budget=2**20)


def test_a_kernel_larger_than_memory_is_an_error():
    huge = np.lib.stride_tricks.as_strided(np.ones(1), (2_000_000, 1), (0, 8))
    with pytest.raises(OverBudget, match="fewer examples"):
        infinite_width(network(), huge)


def test_refuses_networks_without_a_kernel():
    with pytest.raises(InvalidInput, match="from_stax"):
        infinite_width(mlp(hidden=(4,)), examples(2, 3))
    with pytest.raises(InvalidInput, match="from_stax"):
        infinite_width(Network(lambda key, shape: (), lambda params, x: x), examples(2, 3))
    with pytest.raises(InvalidInput, match="not None"):
        infinite_width(None, examples(2, 3))


@pytest.mark.parametrize(
    ("x1", "x2", "options", "message"),
    [
        (np.array([[1.0, np.nan]]), None, {}, "x1 has NaN"),
        (examples(2, 3), np.array([[1.0, np.inf, 0.0]]), {}, "x2 has NaN"),
        (np.ma.masked_array(examples(2, 3), mask=np.eye(2, 3)), None, {}, "has 2 masked of 6"),
        (examples(2, 3), np.ma.masked_array(np.ones((2, 3), int), mask=np.eye(2, 3)), {}, "has 2 masked of 6"),
        ([["a", "b", "c"]], None, {}, "x1 is of dtype <U1"),
        (examples(2, 3), examples(2, 4), {}, "must agree"),
        (np.zeros((0, 3)), None, {}, "at least one example"),
        (np.float64(3), None, {}, "at least one example"),
        (examples(2, 3), None, {"tile": 0}, "at least 1"),
        (examples(2, 3), None, {"budget": 0}, "at least 1"),
    ],
)
def test_refuses_bad_examples_and_options(x1, x2, options, message):
    with pytest.raises(InvalidInput, match=message):
        infinite_width(network(), x1, x2, **options)


def test_refuses_examples_that_do_not_fit_the_network():
    with pytest.raises(InvalidInput, match=r"no kernel for examples of shape \(3,\)"):
        infinite_width(conv_network(), examples(2, 3))
    with pytest.raises(InvalidInput, match="Flatten"):
        infinite_width(stax.Dense(1)[2], examples(2, 3, 3))


def test_on_disk(tmp_path):
    x, y = examples(7, 3), examples(4, 3, seed=1)
    both = infinite_width(network(), x, tile=3, kind="both")
    for kind, expected in (("ntk", both.ntk), ("nngp", both.nngp)):
        kernel = infinite_width(network(), x, tile=3, kind=kind, out=tmp_path / kind)
        assert kernel.dtype == np.float64
        np.testing.assert_array_equal(kernel, expected)
    kernel.discard(["c/0/1", "c/2/2"])
    with Progress(disable=True) as progress:
        infinite_width(network(), x, kind="nngp", out=tmp_path / "nngp", progress=progress)
    assert progress.tasks[0].completed == 2
    np.testing.assert_array_equal(kernel, both.nngp)
    across = infinite_width(network(), x, y, tile=3, out=str(tmp_path / "across"))
    np.testing.assert_array_equal(across, infinite_width(network(), x, y, tile=3))
    for change, named in (({"kind": "ntk"}, "kind"), ({"x1": x + 1}, "x1"), ({"network": network("Erf")}, "network")):
        with pytest.raises(InvalidInput, match=f"other inputs: .*{named}"):
            infinite_width(**{"network": network(), "x1": x, "kind": "nngp", "out": tmp_path / "nngp"} | change)
    with pytest.raises(InvalidInput, match="a folder holds one kernel"):
        infinite_width(network(), x, kind="both", out=tmp_path / "both")
