"""The errors that leave-one-out states for the rounding of kernels, against kernels that are rounded."""

from dataclasses import replace

import numpy as np
import pytest

from infojax import Converged, GradientDescent, GradientFlow
from infojax.information import from_kernels
from infojax.linearized import Spectrum, spectrum
from infojax.linearized.digits.hidden_zeros import Zeros

TRAININGS = {
    "descent": GradientDescent(2000, 0.02),
    "few steps": GradientDescent(7, 0.02),
    "flow": GradientFlow(300.0),
    "long flow": GradientFlow(1e6),
    "converged": Converged(),
}


def problem(seed, k=1, apart=0.03, n=24, m=9):
    """Kernels of features, some of whose examples nearly repeat others with other targets."""
    rng = np.random.default_rng(seed)
    j = rng.normal(size=(n + m, k, 120)) / 11
    j[n - 4 : n] = j[:4] + apart / 11 * rng.normal(size=j[:4].shape)
    j, r = j.reshape(-1, 120), rng.normal(size=n * k)
    return j[: n * k] @ j[: n * k].T, j[n * k :] @ j[: n * k].T, r


def rounded(kernel, rng, size):
    """The spectrum of another rounding: independent entries, relative to the sizes of two features."""
    root = np.sqrt(np.diag(kernel))
    noise = rng.normal(size=kernel.shape)
    moved = kernel + size * (noise + noise.T) / np.sqrt(2) * np.outer(root, root)
    # It knows of its rounding, as that of a kernel in float32 does.
    return Spectrum(*spectrum(moved, rtol=1e-15), rounding=size)


@pytest.mark.parametrize("decay", [0.0, 1e-3])
@pytest.mark.parametrize("kind", TRAININGS)
@pytest.mark.parametrize(("k", "groups"), [(1, None), (2, None), (1, np.arange(24) // 4)])
def test_covers_what_rounding_does_and_not_much_more(kind, k, groups, decay):
    how = {"outputs": k, "training": replace(TRAININGS[kind], decay=decay), "groups": groups}
    for name in ("si", "f_si"):
        ratios = []
        for seed in range(4):
            kernel, cross, r = problem(seed, k)
            exact = getattr(from_kernels(kernel, cross, r, **how), name)
            for draw in range(3):
                theta = rounded(kernel, np.random.default_rng(draw), 1e-9)
                # K* is in float64, and so it is taken at its word: only Θ is rounded.
                made = from_kernels(theta, cross, r, **how)
                ratios.append(np.abs(getattr(made, name) - exact) / getattr(made, f"{name}_error"))
        ratios = np.concatenate(ratios)
        # Errors are roots of mean squares: of normal numbers one in a hundred is 2.6 times as large.
        assert np.quantile(ratios, 0.99) < 6
        # A few steps amplify nothing, and the rounding of the last sums is counted generously.
        assert np.median(ratios) > (0.001 if kind == "few steps" else 0.1)


def test_the_rounding_of_float32_is_that_of_its_kernels():
    kernel, cross, r = problem(0, apart=0.01)
    exact = from_kernels(kernel, cross, r, training=TRAININGS["flow"])
    short = from_kernels(kernel.astype(np.float32), cross.astype(np.float32), r, training=TRAININGS["flow"])
    assert (exact.rounding, short.rounding) == (2.0**-52, 2.0**-23)
    off = np.abs(short.f_si - exact.f_si)
    assert (off < 3 * short.f_si_error).all()
    assert np.median(off / short.f_si_error) > 0.01
    widened = from_kernels(*(np.float64(np.float32(part)) for part in (kernel, cross)), r, training=TRAININGS["flow"])
    assert widened.rounding == 2.0**-23  # casting brings no digits back
    np.testing.assert_allclose(widened.f_si_error, short.f_si_error)


def test_zeros_of_equal_rows_lose_nothing_however_long_they_are_trained():
    kernel, cross, r = problem(0)
    kernel, cross = (part[:, [0, *range(24)]] for part in (kernel[[0, *range(24)]], cross))
    theta = spectrum(kernel)
    assert theta.zeros == Zeros(0.0, True)
    made = from_kernels(theta, cross, np.append(-1.0, r), training=GradientFlow(1e9))
    assert made.error < 1e-6
    assert made.condition < 1e6
    short = spectrum(kernel.astype(np.float32))
    assert short.zeros.hidden == 0


def test_zeros_that_float32_may_hide_are_not_taken_for_zeros():
    kernel, *_ = problem(0, apart=1e-4)
    theta = spectrum(kernel.astype(np.float32))
    assert 0 < theta.zeros.hidden < 1e-5 * theta.values[-1]
    assert np.linalg.eigvalsh(kernel)[0] < theta.zeros.hidden
    assert spectrum(kernel).zeros == spectrum(kernel, rtol=1e-6).zeros == Zeros()
    assert spectrum(kernel.astype(np.float32), rtol=1e-6).zeros == Zeros()  # who says where zeros begin is believed
