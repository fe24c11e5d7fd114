"""Flattened programs: the same values and derivatives, what depends on what, and the memory at the worst moment."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from infojax.kernels.layers.program import flatten, outputs_depend_on, peak_bytes, read, run


@jax.custom_vjp
def doubled_derivative(x):
    return jnp.sin(x)


doubled_derivative.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (2 * g * jnp.cos(x),))


def function(params, x):
    inner = jax.jit(lambda w, x: jax.checkpoint(lambda x: jnp.tanh(x @ w))(x))
    x = inner(params["w"], x) + doubled_derivative(x) + jnp.asarray(np.arange(3.0, dtype=np.float32))
    x, _ = lax.scan(lambda h, _: (inner(params["w"], h), None), x, None, length=2)
    return jax.nn.relu(x), jax.nn.relu(jnp.zeros(2, x.dtype)) @ params["b"]


PARAMS = {"b": jnp.ones((2, 2)), "w": jax.random.normal(jax.random.key(0), (3, 3))}
X = jax.random.normal(jax.random.key(1), (3,))


def test_flat_program_has_same_values_and_derivatives():
    program = flatten(function, PARAMS, X)
    names = [equation.primitive.name for equation in program.jaxpr.eqns]
    assert "dot_general" in names
    assert {"custom_vjp_call", "custom_jvp_call", "scan"} <= set(names)
    assert not {"jit", "pjit", "checkpoint", "remat2"} & set(names)

    def flat(x):
        environment = run(program, [*jax.tree.leaves(PARAMS), x])
        return [read(environment, atom) for atom in program.jaxpr.outvars]

    np.testing.assert_allclose(flat(X)[0], function(PARAMS, X)[0], rtol=1e-6)
    derivative = jax.jacobian(lambda x: function(PARAMS, x)[0])(X)
    np.testing.assert_allclose(jax.jacobian(lambda x: flat(x)[0])(X), derivative, rtol=1e-5, atol=1e-7)
    # At zero the derivative of ReLU is its own, 0, and not that of a maximum, ½.
    at_zero = jax.grad(lambda b: flatten_and_call(jax.nn.relu, b))(jnp.zeros(()))
    assert at_zero == 0.0


def flatten_and_call(f, x):
    program = flatten(f, x)
    return read(run(program, [x]), program.jaxpr.outvars[0])


def test_added_values():
    program = flatten(lambda x: 3 * jnp.tanh(x), X)
    tanh = program.jaxpr.eqns[0].outvars[0]
    environment = run(program, [X], {tanh: jnp.ones(3)})
    np.testing.assert_allclose(read(environment, program.jaxpr.outvars[0]), 3 * (jnp.tanh(X) + 1), rtol=1e-6)


def test_what_depends_on_what():
    program = flatten(function, PARAMS, X)
    b, w, x = program.jaxpr.invars
    assert outputs_depend_on(program.jaxpr, [x]) == [True, False]
    assert outputs_depend_on(program.jaxpr, [w]) == [True, False]
    assert outputs_depend_on(program.jaxpr, [b]) == [False, True]


def test_peak_memory():
    ones = jnp.ones(100)  # 400 bytes
    # The input, and at any time one value and the one made from it.
    chain = jax.make_jaxpr(lambda x: jnp.sin(jnp.cos(jnp.tan(x))))(ones)
    assert peak_bytes(chain.jaxpr) == 3 * 400
    # The outer product with its two factors.
    outer = jax.make_jaxpr(lambda x: (jnp.sin(x)[:, None] * x[None, :]).sum())(ones)
    assert 40_000 + 400 <= peak_bytes(outer.jaxpr) <= 3 * 40_000 + 2000
    nested = jax.make_jaxpr(jax.jit(lambda x: (jnp.sin(x)[:, None] * x[None, :]).sum()))(ones)
    assert peak_bytes(nested.jaxpr) >= peak_bytes(outer.jaxpr) - 800
