import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from infojax.errors import InvalidInput
from infojax.kernels import empirical_ntk
from infojax.models import from_function

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
W = jnp.asarray(np.random.default_rng(1).normal(size=(4, 6)), jnp.float32)


@pytest.mark.parametrize(
    ("function", "k"),
    [
        (lambda w, x: (x @ w)[:, 0], 1),
        (lambda w, x: (x @ w).reshape(-1, 1, 3, 2), 6),
        (lambda w, x: x @ w, 6),
    ],
)
def test_outputs_of_any_rank_are_flattened(function, k):
    kernel = empirical_ntk(from_function(function), W, X)
    np.testing.assert_allclose(kernel, np.kron(X @ X.T, np.eye(k)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("function", "k"), [(lambda w, x: x @ w, 6), (lambda w, x: jnp.sum(x @ w), 1)])
def test_functions_of_one_example(function, k):
    network = from_function(function, per_example=True)
    assert network.apply(W, X).shape == (5, k)
    assert empirical_ntk(network, W, X).shape == (5 * k, 5 * k)


def test_one_example_at_a_time_no_row_can_depend_on_another():
    network = from_function(lambda w, x: (x - x.mean(0)) @ w, per_example=True)
    np.testing.assert_allclose(network.apply(W, X), (X - X.mean(1, keepdims=True)) @ W, rtol=1e-4, atol=1e-5)
    assert empirical_ntk(network, W, X).shape == (30, 30)


def test_init_is_kept_or_asked_for():
    network = from_function(lambda w, x: x @ w, lambda key, shape: jnp.ones((*shape, 2)))
    assert network.init(jax.random.key(0), (4,)).shape == (4, 2)
    with pytest.raises(InvalidInput, match="without init"):
        from_function(lambda w, x: x @ w).init(jax.random.key(0), (4,))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: from_function(3), "not int"),
        (lambda: from_function(linen.Dense(2)), "from_linen"),
        (lambda: from_function(nnx.Linear(4, 2, rngs=nnx.Rngs(0))), "from_nnx"),
        (lambda: from_function(lambda w, x: {"a": x @ w}).apply(W, X), r"made a dict \(\['a'\] \(5, 6\)\)"),
        (lambda: from_function(lambda w, x: jnp.sum(x @ w)).apply(W, X), "first axis of the outputs must be the batch"),
        (lambda: from_function(lambda w, x: jnp.argmax(x @ w, 1)).apply(W, X), "dtype int32, which have no gradient"),
        (lambda: from_function(lambda w, x: x @ w.T).apply(W, X), "does not take float32 examples"),
    ],
)
def test_what_is_refused(make, match):
    with pytest.raises(InvalidInput, match=match):
        make()
