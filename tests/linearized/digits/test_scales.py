"""Scores of kernels and residuals of any size: as the theory says they scale, or refused by name."""

import numpy as np
import pytest

from infojax import Converged, GradientDescent, GradientFlow
from infojax.errors import InvalidInput
from infojax.information import from_kernels

RNG = np.random.default_rng(0)
J = RNG.normal(size=(14, 30))
KERNEL, CROSS, R = J[:10] @ J[:10].T, J[10:] @ J[:10].T, RNG.normal(size=10)


def training(kind, c, decay):
    """The same training of a kernel that is c times as large."""
    return {
        "descent": GradientDescent(200, 0.1 / c, decay * c),
        "flow": GradientFlow(20.0, 1 / c, decay * c),
        "converged": Converged(decay * c),
    }[kind]


@pytest.mark.parametrize("kind", ["descent", "flow", "converged"])
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize(
    ("c", "d"), [(1e-200, 1.0), (1e-200, 1e-100), (1e60, 1.0), (1.0, 1e-150), (1e60, 1e74), (3.0, 7.0)]
)
def test_scores_scale_with_kernel_and_residual(kind, decay, c, d):
    if decay * c > 1e15:
        return  # no such decay is taken
    there = from_kernels(KERNEL, CROSS, R, training=training(kind, 1.0, decay))
    made = from_kernels(c * KERNEL, c * CROSS, d * R, training=training(kind, c, decay))
    np.testing.assert_allclose(made.si / d / d * c, there.si, rtol=1e-9)
    np.testing.assert_allclose(made.f_si / d / d, there.f_si, rtol=1e-9)
    assert made.error == pytest.approx(there.error, rel=0.01)
    assert made.condition == pytest.approx(there.condition)


@pytest.mark.parametrize(
    ("c", "b", "d"), [(1e-200, 1e-200, 1e70), (1e60, 1e60, 1e-150), (1e-200, 1.0, 1.0), (1.0, 1.0, 1e-170)]
)
def test_scores_beyond_float64_are_refused_by_name(c, b, d):
    with pytest.raises(InvalidInput, match="numbers of float64"):
        from_kernels(c * KERNEL, b * CROSS, d * R, training=Converged())


@pytest.mark.parametrize(("c", "d", "name"), [(1e200, 1.0, "validation_kernel"), (1.0, 1e150, "residual")])
def test_what_is_too_large_to_square_is_refused(c, d, name):
    with pytest.raises(InvalidInput, match=name):
        from_kernels(c * KERNEL, c * CROSS, d * R, training=Converged())


def test_short_training_and_large_decay_do_not_vanish():
    first = from_kernels(KERNEL, CROSS, R, training=GradientFlow(1e-100, convention="sum"))
    np.testing.assert_allclose(first.si, 1e-200 * R**2 * np.diag(KERNEL) / 2, rtol=1e-9)
    large = from_kernels(1e-150 * KERNEL, CROSS, R, training=Converged(1.0, "sum"))
    np.testing.assert_allclose(large.si, 1e-150 * R**2 * np.diag(KERNEL) / 2, rtol=1e-9)
