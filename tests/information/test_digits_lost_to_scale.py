"""Inputs so near or so small that float32 does not tell their kernel's rows apart."""

import warnings

import jax
import numpy as np
import pytest

from infojax import Converged, unique_information
from infojax.data import Dataset
from infojax.errors import InvalidInput, PrecisionWarning
from infojax.information import from_kernels
from infojax.models import mlp

X, Y = np.random.default_rng(0).normal(size=(14, 5)), np.arange(14) % 2


def score(scale, x=X, y=Y):
    train = Dataset(np.float32(x * scale), y, classes="ab")
    net = mlp(hidden=(8,), outputs=1)
    params = net.init(jax.random.key(0), (5,))
    return unique_information(net, params, train, train, training=Converged())


def test_a_kernel_whose_rows_float32_makes_equal_is_made_in_float64():
    with pytest.warns(PrecisionWarning):
        assert score(1e-10).rounding < 1e-12


def test_near_duplicates_below_the_rounding_of_float32_are_warned_of_in_float64():
    x = np.concatenate([X, X[:2] + 1e-7])
    with pytest.warns(PrecisionWarning):
        assert score(1.0, x, np.concatenate([Y, 1 - Y[:2]])).rounding < 1e-12


def test_exact_duplicates_of_other_labels_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score(1.0, np.concatenate([X, X[:2]]), np.concatenate([Y, 1 - Y[:2]]))


def test_a_kernel_in_float32_that_underflows_is_refused():
    kernel = np.float32(X @ X.T) * np.float32(1e-38)
    with pytest.raises(InvalidInput, match="scale inputs"):
        from_kernels(kernel, kernel, np.ones(14), training=Converged())
