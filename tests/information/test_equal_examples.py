"""Equal examples have equal scores, and no score depends on the order of the examples: every score, at any training."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax import Converged, GradientDescent, GradientFlow
from infojax.errors import InvalidInput
from infojax.information import (
    ensemble_from_kernels,
    from_kernels,
    from_products,
    influence_from_kernels,
    sgd_from_kernel,
)
from infojax.information._baselines import BASELINES
from infojax.linearized import held_out_residuals, linearize_kernels, spectrum

N, M = 8, 4  # one shape: each score is compiled once for a kind of training
TRAININGS = [
    pytest.param(GradientDescent(300, 0.05), id="descent", marks=pytest.mark.slow),
    pytest.param(GradientFlow(200.0), id="flow", marks=pytest.mark.slow),
    pytest.param(Converged(), id="converged"),
]
SETTINGS = {"batch": 2, "learning_rate": 0.1, "ridge": 1e-3}
SCORES = {
    "unique": lambda k, c, b, y, how: np.stack(from_kernels(k, c, y, **how), 1),
    "influence": lambda k, c, b, y, how: np.stack(influence_from_kernels(k, c, y, damping=0.01, **how), 1),
    "sgd": lambda k, c, b, y, how: sgd_from_kernel(k, y, **SETTINGS, **how).si,
    "ensemble": lambda k, c, b, y, how: np.stack(
        ensemble_from_kernels(k, c, y, nngp=k, cross_nngp=c, validation_nngp=b, jitter=1e-3, **how), 1
    ),
    "held out": lambda k, c, b, y, how: held_out_residuals(linearize_kernels(k, None, y), **how),
} | {
    name: lambda k, c, b, y, how, score=score: score(linearize_kernels(k, None, y), **how)
    for name, score in BASELINES.items()
}


def kernels(seed, twice, width=20):
    """Of features, with targets 0 and 1; `twice`: examples 0 and 1 are the same."""
    rng = np.random.default_rng(seed)
    j, y = rng.normal(size=(N + M, width)) / 4, (rng.random(N) > 0.5).astype(float)
    if twice:
        j[1], y[1] = j[0], y[0]
    return j[:N] @ j[:N].T, j[N:] @ j[:N].T, j[N:] @ j[N:].T, y


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("name", SCORES)
@given(seed=st.integers(0, 10**6), twice=st.booleans(), order=st.permutations(range(N)))
@settings(max_examples=5)
def test_equal_examples_score_alike_in_any_order(name, training, seed, twice, order):
    k, c, b, y = kernels(seed, twice)
    how = {"training": replace(training, decay=0.01)}
    scores = SCORES[name](k, c, b, y, how)
    size = np.abs(scores).max()
    moved = SCORES[name](k[np.ix_(order, order)], c[:, order], b, y[list(order)], how)
    np.testing.assert_allclose(moved, scores[list(order)], rtol=1e-7, atol=1e-9 * size)
    if twice:
        np.testing.assert_allclose(scores[0], scores[1], rtol=1e-7, atol=1e-9 * size)


@given(seed=st.integers(0, 10**6), order=st.permutations(range(N)))
@settings(max_examples=5)
def test_products_do_not_look_at_the_order_either(seed, order):
    k, c, _, y = kernels(seed, True)
    how = {"training": GradientFlow(50.0), "tolerance": 1e-9}
    scores = from_products(k, c, y, **how)
    moved = from_products(k[np.ix_(order, order)], c[:, order], y[list(order)], **how)
    np.testing.assert_allclose(moved.si, scores.si[list(order)], rtol=1e-5)
    np.testing.assert_allclose(scores.f_si[0], scores.f_si[1], rtol=1e-5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_equal_gradients_are_no_noise(seed, dtype):
    # Six examples that are one: what their gradients differ by is rounding, which a relative ridge would inflate.
    kernel = np.full((6, 6), 5.0 * 1.1**seed, dtype)
    how = {"batch": 2, "ridge": 1.4e-5, "training": GradientFlow(1.0, decay=0.222), "learning_rate": 1.0}
    with pytest.raises(InvalidInput, match="gradients of all examples are equal"):
        sgd_from_kernel(kernel, np.ones(6), **how)


@pytest.mark.parametrize("apart", [1e-3, 1e-6, 1e-9])
def test_nearly_equal_gradients_of_exchangeable_examples_score_alike(apart):
    how = {"batch": 2, "ridge": 1.4e-5, "training": GradientFlow(1.0, decay=0.222), "learning_rate": 1.0}
    scores = sgd_from_kernel(np.full((6, 6), 5.0) + apart * np.eye(6), np.ones(6), **how)
    np.testing.assert_allclose(scores.si, 1.417 + 702.5 * apart, rtol=1e-5)
    assert (scores.si_error < 1e-3 * scores.si).all()


@pytest.mark.parametrize("transform", [jax.jit, jax.grad])
@pytest.mark.parametrize("name", ["unique", "sgd", "ensemble", "influence", "products", "spectrum"])
def test_traced_kernels_are_refused_by_name(name, transform):
    k, c, b, y = kernels(0, False)
    calls = SCORES | {
        "products": lambda k, c, b, y, how: from_products(k, c, y, **how).si,
        "spectrum": lambda k, c, b, y, how: spectrum(k).values,
        "sgd": lambda k, c, b, y, how: sgd_from_kernel(k, y, batch=2, learning_rate=0.1, **how).si,
        "unique": lambda k, c, b, y, how: from_kernels(k, c, y, **how).si,
    }
    with pytest.raises(InvalidInput, match=r"traced by jax\.jit, vmap or grad"):
        transform(lambda k: calls[name](k, c, b, y, {"training": Converged()}).sum())(k)
