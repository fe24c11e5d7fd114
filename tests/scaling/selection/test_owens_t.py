import jax
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import owens_t as scipy_owens_t

from infojax.precision import float64
from infojax.scaling.selection.owens_t import owens_t


@given(h=st.floats(0, 9), angle=st.floats(-np.pi / 2, np.pi / 2))
def test_matches_scipy_at_every_slope(h, angle):
    rise, run = np.sin(angle), max(np.cos(angle), 1e-16)
    with float64():
        ours = owens_t(*(jax.numpy.asarray(value) for value in (h, rise, run)))
    np.testing.assert_allclose(ours, scipy_owens_t(h, rise / run), rtol=1e-11, atol=1e-16)
