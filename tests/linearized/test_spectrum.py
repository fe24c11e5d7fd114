import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import InvalidInput
from infojax.linearized import spectrum
from infojax.linearized._spectrum import on_device


@given(n=st.integers(1, 20), rank=st.integers(1, 20), seed=st.integers(0, 1000))
def test_spectrum_rebuilds_the_kernel(n, rank, seed):
    j = np.random.default_rng(seed).normal(size=(n, rank))
    values, vectors = spectrum(j @ j.T)
    np.testing.assert_allclose((vectors * values) @ vectors.T, j @ j.T, atol=1e-12 * values[-1])
    assert np.sum(values == 0) == max(0, n - rank)


def test_rounding_of_a_float32_kernel_is_cut_off_and_not_an_error():
    j = np.random.default_rng(0).normal(size=(200, 30)).astype(np.float32)
    assert np.sum(spectrum(j @ j.T).values > 0) == 30


def test_kernel_given_is_left_as_it_was():
    kernel = np.diag([1.0, 2.0])
    spectrum(kernel)
    np.testing.assert_array_equal(kernel, np.diag([1.0, 2.0]))


def test_indefinite_kernel_names_its_smallest_eigenvalue_and_a_remedy():
    with pytest.raises(InvalidInput, match=r"smallest eigenvalue is -0.5.*add 0.5 to its diagonal"):
        spectrum(np.diag([-0.5, 1.0]))


def test_the_routine_for_accelerators_finds_the_same_and_leaves_vectors_where_they_are():
    j = np.random.default_rng(0).normal(size=(30, 40))
    values, vectors = on_device(j @ j.T)
    np.testing.assert_allclose(values, spectrum(j @ j.T).values, rtol=1e-12)
    assert isinstance(vectors, jax.Array)
    assert vectors.dtype == np.float64
    rebuilt = np.asarray(vectors) * values @ np.asarray(vectors).T
    np.testing.assert_allclose(rebuilt, j @ j.T, atol=1e-12 * values[-1])


def test_the_routine_for_accelerators_takes_kernels_that_lie_there():
    kernel = jax.numpy.diag(jax.numpy.array([1.0, 2.0], "float32"))
    assert on_device(kernel)[0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("kernel", "problem"),
    [
        (np.ones((2, 3)), r"shape \(2, 3\)"),
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), "NaN"),
        (np.array([[1.0, 0.5], [0.1, 1.0]]), "not symmetric"),
    ],
)
def test_both_routines_refuse_the_same(kernel, problem):
    for routine in (spectrum, on_device):
        with pytest.raises(InvalidInput, match=problem):
            routine(kernel)
