"""The public function: tiles and memory, precision, transformations, and what it refuses."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import pytest
from jax import lax
from rich.progress import Progress

from infojax.arrays._precision import float64
from infojax.errors import InvalidInput, OverBudget, PrecisionWarning
from infojax.kernels import empirical_ntk
from infojax.kernels._batches import cost
from infojax.kernels._contract import contract
from infojax.kernels._workspace import bytes_needed
from infojax.kernels.layers.features import features


def normal(*shape: int) -> Any:
    return jnp.asarray(np.random.default_rng(shape).normal(size=shape) / 2, jnp.float32)


# Each network: parameters, apply, the shape of an example.


def dense(k: int):
    """Layers with one position."""

    def apply(params, x):
        return jnp.tanh(x @ params["w"] + params["b"][None]) @ params["out"]

    return {"w": normal(5, 7), "b": normal(7), "out": normal(7, k)}, apply, (5,)


def convolutional(k: int):
    """A convolution by its gradients, one over pairs of positions."""

    def convolve(x, w):
        return lax.conv_general_dilated(x, w, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def apply(params, x):
        x = jnp.tanh(convolve(x, params["first"]) + params["bias"][None, None, None])
        return jnp.tanh(convolve(x, params["wide"])).mean(axis=(1, 2)) @ params["out"]

    params = {"first": normal(3, 3, 2, 4), "bias": normal(4), "wide": normal(3, 3, 4, 90), "out": normal(90, k)}
    return params, apply, (6, 5, 2)


def tied(k: int):
    """A parameter that enters twice: by its gradients alone."""
    return {"w": normal(5, 5)}, lambda p, x: (jnp.tanh(x @ p["w"]) @ p["w"].T)[:, :k], (5,)


@pytest.mark.parametrize("make", [dense, tied])
def test_jacobian_implementation_is_the_same(make):
    params, apply, shape = make(3)
    x = normal(4, *shape)
    layers, jacobian = (empirical_ntk(apply, params, x, implementation=name) for name in ("layers", "jacobian"))
    np.testing.assert_allclose(layers, jacobian, rtol=0, atol=1e-6 * np.abs(jacobian).max())


def test_float64_on_request_and_by_parameters():
    params, apply, shape = dense(2)
    x = np.asarray(normal(3, *shape))
    asked = empirical_ntk(apply, params, x, dtype=np.float64)
    given = empirical_ntk(apply, jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params), x)
    assert asked.dtype == given.dtype == np.float64
    np.testing.assert_array_equal(asked, given)
    np.testing.assert_allclose(asked, empirical_ntk(apply, params, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", [dense, tied])
def test_traced(make):
    params, apply, shape = make(2)
    x1, x2 = normal(3, *shape), normal(2, *shape)
    kernel = jax.jit(lambda params, x1, x2: empirical_ntk(apply, params, x1, x2))(params, x1, x2)
    assert isinstance(kernel, jax.Array)
    np.testing.assert_allclose(kernel, empirical_ntk(apply, params, x1, x2), rtol=1e-4, atol=1e-5)


def test_differentiable():
    with float64():
        params, apply, shape = dense(2)
        params = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), params)
        x = normal(3, *shape).astype(jnp.float64)
        jax.test_util.check_grads(
            lambda params, x: jnp.sum(empirical_ntk(apply, params, x) ** 2), (params, x), order=1, modes=["rev"]
        )


def test_every_product_is_at_highest_precision():
    params, apply, shape = convolutional(2)
    program = jax.make_jaxpr(lambda params: empirical_ntk(apply, params, normal(2, *shape)))(params)

    def precisions(jaxpr):
        for equation in jaxpr.eqns:
            if equation.primitive.name in ("dot_general", "conv_general_dilated"):
                yield equation.params["precision"]
            for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda v: hasattr(v, "eqns")):
                if hasattr(inner, "eqns"):
                    yield from precisions(getattr(inner, "jaxpr", inner))

    found = list(precisions(program.jaxpr))
    assert len(found) > 9
    assert set(found) == {(lax.Precision.HIGHEST, lax.Precision.HIGHEST)}


def test_writes_where_asked(tmp_path):
    params, apply, shape = dense(2)
    x = normal(5, *shape)
    out = np.memmap(tmp_path / "kernel", np.float32, "w+", shape=(10, 10))
    assert empirical_ntk(apply, params, x, out=out, tile=2) is out
    np.testing.assert_array_equal(out, empirical_ntk(apply, params, x, tile=2))


def test_progress_counts_tiles():
    params, apply, shape = dense(2)
    with Progress(disable=True) as progress:
        empirical_ntk(apply, params, normal(5, *shape), tile=2, progress=progress)
        empirical_ntk(apply, params, normal(5, *shape), normal(3, *shape), tile=2, progress=progress)
    assert [(task.completed, task.total) for task in progress.tasks] == [(6, 6), (6, 6)]


def test_small_budget_gives_the_same_in_smaller_tiles():
    params, apply, shape = convolutional(3)
    x = normal(12, *shape)
    with pytest.raises(OverBudget, match=r"12 × 12 examples needs [0-9,]+ bytes.*smaller tile"):
        empirical_ntk(apply, params, x, budget=400_000, tile=12)
    small = empirical_ntk(apply, params, x, budget=400_000)
    np.testing.assert_allclose(small, empirical_ntk(apply, params, x), rtol=0, atol=1e-6 * np.abs(small).max())


@pytest.mark.parametrize("make", [dense, convolutional, tied])
@pytest.mark.parametrize("layers", [True, False])
def test_estimate_of_memory_covers_what_the_compiler_takes(make, layers):
    params, apply, shape = make(3)
    x = np.asarray(normal(16, *shape))
    of_block = functools.partial(features, apply, params, layers=layers)
    block = of_block(x)
    making = features.lower(apply, params, x, layers=layers).compile().memory_analysis()
    contracting = contract.lower(block, block).compile().memory_analysis()
    taken = [a.temp_size_in_bytes + a.argument_size_in_bytes + a.output_size_in_bytes for a in (making, contracting)]
    needed = bytes_needed(cost(of_block, x), 16, 16, 1, total=16, symmetric=False)
    assert max(taken) <= needed <= 8 * max(taken)


def test_too_large_for_the_budget_or_the_machine():
    params, apply, shape = dense(3)
    with pytest.raises(OverBudget, match=r"a tile of 1 × 1 examples needs .* larger budget"):
        empirical_ntk(apply, params, normal(4, *shape), budget=100)
    with pytest.raises(OverBudget, match=r"outside of jax\.jit, .* larger budget"):
        jax.jit(lambda x: empirical_ntk(apply, params, x, budget=100))(normal(4, *shape))
    many = np.zeros((3_000_000, *shape), np.float32)
    with pytest.raises(OverBudget, match=r"numpy\.memmap"):
        empirical_ntk(apply, params, many)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x1": np.full((2, 5), np.nan, np.float32)}, "x1 has NaN"),
        ({"x2": np.full((2, 5), np.inf, np.float32)}, "x2 has NaN or infinite"),
        ({"x1": np.zeros((0, 5), np.float32)}, "x1 must have at least one example"),
        ({"x1": np.float32(1.0)}, "x1 must have at least one example"),
        ({"x1": np.ma.masked_array(np.zeros((2, 5)), mask=np.eye(2, 5))}, "x1 has 2 masked of 10"),
        ({"x2": np.full((2, 5), 1j)}, "x2 is of dtype complex128"),
        ({"x1": 1.7e9 + np.arange(10.0).reshape(2, 5) * 0.01}, "x1: examples 0 and 1 differ, .* the same in float32"),
        ({"x1": np.full((2, 5), 2**40)}, "x1 has integers up to 1099511627776.* int32 cannot hold"),
        ({"x1": 1e20 * np.ones((2, 5))}, r"values of 1e\+20, and the kernel.* beyond float32: scale the inputs"),
        ({"x2": 1e38 * np.ones((2, 5)), "x1": 1e10 * np.ones((2, 5))}, "scale the inputs"),
        ({"x1": np.zeros((2, 6), np.float32)}, r"does not take examples of shape \(6,\)"),
        ({"x2": np.zeros((2, 6), np.float32)}, "they must agree"),
        ({"params": [(np.full((5, 2), np.nan, np.float32), np.zeros(2, np.float32))]}, "params has NaN"),
        ({"params": []}, "nothing to differentiate"),
        ({"params": [np.zeros(3, np.int32)]}, "nothing to differentiate"),
        ({"network": "mlp"}, "must be a Network"),
        ({"network": lambda p, x: x[:, 0]}, r"outputs \(b, k\) for b examples; for 2 it gave float32\[2\]"),
        ({"network": lambda p, x: (x, x)}, "it gave tuple"),
        ({"network": lambda p, x: x[:, :0]}, r"it gave float32\[2, 0\]"),
        ({"network": lambda p, x: x[:1]}, r"it gave float32\[1, 5\]"),
        ({"budget": 0}, "must be at least 1"),
        ({"tile": 0}, "must be at least 1"),
        ({"implementation": "fast"}, '"layers" or "jacobian", not \'fast\''),
        ({"dtype": np.int32}, "floating-point type, not int32"),
        ({"out": b"folder"}, "out must be an array, a folder, an OnDisk or a device, not bytes"),
        ({"out": np.zeros((3, 3), np.float32)}, r"out must be float32\[6, 6\]"),
    ],
)
def test_bad_input(change, message):
    params, apply, shape = dense(3)
    arguments = {"network": apply, "params": params, "x1": normal(2, *shape)} | change
    with pytest.raises(InvalidInput, match=message):
        empirical_ntk(**arguments)


@pytest.mark.parametrize("make", [np.asarray, jnp.asarray])
def test_integers_that_float32_rounds_are_said(make):
    weights = np.ones((1, 1), np.float32)
    with pytest.warns(PrecisionWarning, match="integers up to 16777217 .*float32 rounds"):
        empirical_ntk(lambda w, x: x.astype(jnp.float32) @ w, weights, make(np.array([[2**24], [2**24 + 1]], np.int32)))
    empirical_ntk(lambda w, x: x.astype(jnp.float32) @ w, weights, make(np.array([[2**24], [2**24 - 1]], np.int32)))
