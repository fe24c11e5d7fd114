"""Leaving out each example of a linear head: against refits, the kernel route, and numbers by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax.data import ArrayTiles
from infojax.errors import InvalidInput
from infojax.information import from_kernels
from infojax.linearized import (
    Converged,
    GradientDescent,
    GradientFlow,
    leave_each_out_of_head,
    linear_head,
    validation_of,
)

from .refits import train_in_steps, without

F = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 1.0]])
R = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
OTHERS, TARGETS = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]])

# By hand, in rational arithmetic or to eight digits: SI, F-SI and the change of the validation loss of four examples.
GOLDEN = {
    "converged": (
        Converged(0.5, "sum"),
        [0.10474088, 0.0151488, 0.31217067, 0.03245067],
        [0.03080614, 0.06816959, 0.60911351, 0.0499241],
        [-0.14859317, -0.30055259, 1.44125942, -0.13897791],
    ),
    "flow": (
        GradientFlow(0.3, decay=0.5, convention="sum"),
        [0.01379109, 0.00750302, 0.02398496, 0.01593005],
        [0.00071547, 0.03733735, 0.06616416, 0.04265996],
        None,
    ),
    "descent": (
        GradientDescent(50, 0.1, decay=0.5, convention="sum"),
        [0.10454461, 0.01514214, 0.30756559, 0.03244826],
        [0.03069333, 0.06814635, 0.60079108, 0.04993253],
        None,
    ),
    "least squares": (
        Converged(0.0, "sum"),
        [5 / 18, 1 / 36, 25 / 18, 1 / 18],
        [5 / 36, 1 / 9, 5 / 2, 1 / 18],
        [-7 / 36, -1 / 3, 25 / 6, -1 / 18],
    ),
}

TRAININGS = {
    "converged": lambda decay, convention: Converged(decay, convention),
    "flow": lambda decay, convention: GradientFlow(2.0, 0.3, decay=decay, convention=convention),
    "descent": lambda decay, convention: GradientDescent(60, 0.02, decay=decay, convention=convention),
    "few steps": lambda decay, convention: GradientDescent(5, 0.02, decay=decay, convention=convention),
}


def found(features, residual, others, targets, training):
    tiles = ArrayTiles(features)
    head = linear_head(tiles, residual)
    return leave_each_out_of_head(head, tiles, residual, validation_of(head, ArrayTiles(others), targets), training)


def problem(seed, n, p, k, m, twice=False):
    rng = np.random.default_rng(seed)
    features, residual = rng.normal(size=(n, p)), rng.normal(size=(n, k))
    if twice:
        features[1], features[:, -1] = features[0], features[:, 0]
    return features, residual, rng.normal(size=(m, p)), rng.normal(size=(m, k))


@pytest.mark.parametrize("name", GOLDEN)
def test_four_examples_by_hand(name):
    training, weights, predictions, loss = GOLDEN[name]
    made = found(F, R, OTHERS, TARGETS, training)
    np.testing.assert_allclose(made.weights / 2, weights, atol=6e-9)
    np.testing.assert_allclose(made.predictions / 2, predictions, atol=6e-9)
    if loss is not None:
        np.testing.assert_allclose(made.loss, loss, atol=6e-9)


def test_held_out_predictions_by_hand():
    expected = [[-0.29268293, 0.43902439], [0.41025641, 0.46153846], [-0.4137931, 0.55172414], [0.85714286, 0.85714286]]
    made = found(F, R, OTHERS, TARGETS, Converged(0.5, "sum"))
    np.testing.assert_allclose(made.held_out, expected, atol=6e-9)


# Few shapes, so that few programs are compiled: p above, at and below n, k = 1 and 3.
SHAPES = [(7, 3, 1, 2), (7, 3, 3, 9), (6, 6, 3, 4), (5, 8, 1, 3)]


@settings(max_examples=24, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(SHAPES),
    st.sampled_from(sorted(TRAININGS)),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from(["sum", "mean"]),
    st.booleans(),
)
def test_each_example_against_refits(seed, shape, name, decay, convention, twice):
    given_ = problem(seed, *shape, twice=twice)
    training = TRAININGS[name](decay, convention)
    made = found(*given_, training)
    for i in range(shape[0]):
        expected = without(*given_, training, [i])
        scale = max(expected.weights, 1e-6), max(expected.predictions, 1e-6)
        assert made.weights[i] == pytest.approx(expected.weights, rel=1e-7, abs=1e-8 * scale[0])
        assert made.predictions[i] == pytest.approx(expected.predictions, rel=1e-7, abs=1e-8 * scale[1])
        assert made.loss[i] == pytest.approx(expected.loss, rel=1e-7, abs=1e-8)
        np.testing.assert_allclose(made.held_out[i], expected.held_out[0], rtol=1e-7, atol=1e-8)


def test_few_steps_against_steps():
    given_ = problem(3, 7, 3, 3, 9)
    training = GradientDescent(5, 0.1, decay=0.2)
    made = found(*given_, training)
    for i in range(7):
        expected = without(*given_, training, [i], fit=train_in_steps)
        assert made.weights[i] == pytest.approx(expected.weights, rel=1e-9)


@pytest.mark.parametrize("name", ["converged", "descent"])
def test_the_kernel_says_the_same(name):
    """One output, so that the kernel F Fᵀ has a row for each example."""
    features, residual, others, targets = problem(5, 7, 3, 1, 2)
    training = TRAININGS[name](0.3, "mean")
    made = found(features, residual, others, targets, training)
    kernels = features @ features.T, others @ features.T
    expected = from_kernels(*kernels, residual[:, 0], training=training)
    np.testing.assert_allclose(made.weights / 2, expected[0], rtol=1e-9)
    np.testing.assert_allclose(made.predictions / (2 * len(others)), expected[1], rtol=1e-9)


def test_the_size_of_tiles_does_not_matter(monkeypatch):
    from infojax.data.tiles import tiles
    from infojax.linearized.heads import each

    given_ = problem(6, 7, 3, 3, 9)
    whole = found(*given_, Converged(0.1))
    monkeypatch.setattr(each, "WORK", 500)
    monkeypatch.setattr(tiles, "TILE", 60)
    for part, expected in zip(found(*given_, Converged(0.1)), whole, strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-12, atol=1e-15)


def test_leverages_are_those_of_the_hat_matrix():
    features, residual, others, targets = problem(7, 7, 3, 3, 9)
    hat = features @ np.linalg.solve(features.T @ features + 0.3 * np.eye(3), features.T)
    made = found(features, residual, others, targets, Converged(0.3, "sum"))
    np.testing.assert_allclose(made.leverage, np.diag(hat), rtol=1e-10)


def test_other_features_are_refused():
    head = linear_head(ArrayTiles(F), R)
    validation = validation_of(head, ArrayTiles(OTHERS), TARGETS)
    with pytest.raises(InvalidInput, match="3 rows of 2 features, the head was made of 4 of 2"):
        leave_each_out_of_head(head, ArrayTiles(F[:3]), R[:3], validation, Converged())
    with pytest.raises(InvalidInput, match="has 3 features and 2 outputs"):
        validation_of(head, ArrayTiles(np.ones((1, 3))), TARGETS)
    with pytest.raises(InvalidInput, match="diverges"):
        leave_each_out_of_head(head, ArrayTiles(F), R, validation, GradientDescent(50, 5.0))
    one = linear_head(ArrayTiles(F[:1]), R[:1])
    with pytest.raises(InvalidInput, match="one example"):
        leave_each_out_of_head(one, ArrayTiles(F[:1]), R[:1], validation_of(one, ArrayTiles(F), R), Converged())
