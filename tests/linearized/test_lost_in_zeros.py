"""Duplicates, and a filter that multiplies what float64 rounds in their directions: the error is said."""

import contextlib

import numpy as np
import pytest

from infojax import Converged, GradientFlow
from infojax.errors import PrecisionWarning
from infojax.information import from_kernels, sgd_from_kernel

ONE = np.array([[2.0, 1.0], [1.0, 3.0]])
KERNEL = np.repeat(np.repeat(ONE, 3, 0), 3, 1)
CROSS = np.repeat([[0.3, 0.7], [1.1, -0.2]], 3, 1)
RESIDUAL = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("training", "right"),
    [
        (Converged(1e-10), True),
        (Converged(1e-13), True),
        (Converged(1e-15), False),
        (Converged(1e-20), False),
        (GradientFlow(1e9), True),
        (GradientFlow(1e16), False),
    ],
)
def test_the_error_covers_what_is_lost(training, right):
    truth = from_kernels(KERNEL, CROSS, RESIDUAL, training=Converged())
    with contextlib.nullcontext() if right else pytest.warns(PrecisionWarning, match="Unique information"):
        made = from_kernels(KERNEL, CROSS, RESIDUAL, training=training)
    off = np.abs(made.f_si - truth.f_si)
    assert (off <= 5 * made.f_si_error + 1e-9).all()
    assert (made.error < 0.05) == right


def test_under_the_noise_of_sgd_too():
    settings = {"batch": 2, "learning_rate": 0.1, "ridge": 1e-6}
    with pytest.warns(PrecisionWarning, match="SGD"):
        sgd_from_kernel(KERNEL, RESIDUAL, training=Converged(1e-16), **settings)
    good = sgd_from_kernel(KERNEL, RESIDUAL, training=Converged(1e-8), **settings).si
    assert good[3] == pytest.approx(good[4], rel=1e-6)
