"""Which scores are warned of."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from infojax import Converged, GradientDescent, GradientFlow
from infojax.errors import PrecisionWarning
from infojax.information import ensemble_from_kernels, from_kernels, influence_from_kernels, sgd_from_kernel
from infojax.information._baselines import BASELINES
from infojax.linearized import held_out_residuals, linearize_kernels, trained_residuals
from infojax.linearized.digits.lost import relative_error, unwatched, warn_of_lost_digits

LONG = GradientFlow(1e7)
TRAININGS = {"converged": Converged(), "long": LONG, "short": GradientDescent(2000, 0.1)}


def problem(apart, dtype, n=20, m=8):
    """Kernels of features; four examples repeat others up to `apart`, with other targets."""
    rng = np.random.default_rng(0)
    j = rng.normal(size=(n + m, 60)) / 8
    j[n - 4 : n] = j[:4] + apart / 8 * rng.normal(size=j[:4].shape)
    y = (rng.random(n) > 0.5).astype(float)
    y[n - 4 :] = 1 - y[:4]
    kernel, cross, beyond = j[:n] @ j[:n].T, j[n:] @ j[:n].T, j[n:] @ j[n:].T
    return *(part.astype(dtype) for part in (kernel, cross, beyond)), y


SCORES = {
    "unique": lambda k, c, b, y, t: from_kernels(k, c, y, training=t),
    "groups": lambda k, c, b, y, t: from_kernels(k, c, y, training=t, groups=np.arange(20) // 2),
    "influence": lambda k, c, b, y, t: influence_from_kernels(k, c, y, training=replace(t, decay=1e-12)),
    "sgd": lambda k, c, b, y, t: sgd_from_kernel(
        k, y, batch=2, training=replace(t, decay=1e-9), learning_rate=0.1, ridge=1e-6
    ),
    "ensemble": lambda k, c, b, y, t: ensemble_from_kernels(
        k, c, y, nngp=k, cross_nngp=c, validation_nngp=b, training=t, jitter=1e-3
    ),
    "held out": lambda k, c, b, y, t: held_out_residuals(linearize_kernels(k, None, y), t),
    "loo-residual": lambda k, c, b, y, t: BASELINES["loo-residual"](linearize_kernels(k, None, y), t),
    "loo-margin": lambda k, c, b, y, t: BASELINES["loo-margin"](linearize_kernels(k, None, y), t),
}


@pytest.mark.parametrize("training", [Converged(), LONG], ids=["converged", "long"])
@pytest.mark.parametrize("name", SCORES)
def test_near_duplicates_in_float32_are_warned_of(name, training):
    with pytest.warns(PrecisionWarning, match="float64"):
        SCORES[name](*problem(1e-4, np.float32), training)


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("name", SCORES)
def test_what_is_right_is_not_warned_of(name, training):
    kinds = [(0.3, np.float32), (1e-3, np.float64)]
    for apart, dtype in kinds if name not in ("influence", "sgd", "ensemble") else [(0.3, np.float64)]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            SCORES[name](*problem(apart, dtype), TRAININGS[training])


@pytest.mark.parametrize("name", ["unique", "groups", "held out", "loo-residual", "loo-margin"])
def test_a_short_training_of_near_duplicates_is_not_warned_of(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SCORES[name](*problem(1e-4, np.float32), GradientDescent(2000, 0.1))


def test_exact_duplicates_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("unique", "held out", "loo-residual"):
            SCORES[name](*problem(0.0, np.float32), Converged())


def test_a_small_decay_counts_as_long_training():
    kernel, cross, _, y = problem(1e-4, np.float32)
    with pytest.warns(PrecisionWarning, match="condition number"):
        from_kernels(kernel, cross, y, training=Converged(1e-8))
    from_kernels(kernel, cross, y, training=Converged(1e-2))


def test_the_warning_says_how_much_and_what_to_do_and_points_at_the_caller():
    with pytest.warns(PrecisionWarning, match=r"up to 30%.*known to 1e-07.*1\.0e\+06.*float64.*decay"):
        warn_of_lost_digits("Scores", 0.3, 2.0**-23, 1e6)
    with pytest.warns(PrecisionWarning, match="all of their size") as caught:
        warn_of_lost_digits("Scores", np.inf, 2.0**-52, 1e20, stacklevel=2)
    assert "in float64" not in str(caught[0].message)
    with unwatched():
        warn_of_lost_digits("Scores", 1.0, 2.0**-23, 1e6)
        trained_residuals(linearize_kernels(problem(1e-4, np.float32)[0], None, np.ones(20)), LONG)


def test_relative_errors_of_small_scores_and_of_none():
    assert relative_error(np.array([1.0, 1.0, 1e-9]), np.array([0.0, 0.0, 1e-4])) == pytest.approx(0.1)
    assert relative_error(np.zeros(3), np.zeros(3)) == 0
    assert relative_error(np.zeros(3), np.array([0.0, 1e-9, 0.0])) == np.inf
    assert relative_error(np.array([1.0]), np.array([np.nan])) == np.inf


@pytest.mark.parametrize("apart", [3e-6, 3e-7])
@pytest.mark.parametrize("name", ["unique", "held out"])
def test_rows_that_are_equal_only_up_to_the_rounding_of_float32_are_not_taken_for_equal(name, apart):
    with pytest.warns(PrecisionWarning, match="float64"):
        SCORES[name](*problem(apart, np.float32), Converged())
