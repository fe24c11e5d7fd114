from functools import partial

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import OverBudget
from infojax.kernels import empirical_ntk
from infojax.kernels._on_device import accelerator_with_room, on_device
from infojax.models import mlp

NETWORK = mlp((7,), 2)
PARAMS = NETWORK.init(jax.random.key(0), (5,))
EXAMPLES = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)


@given(n=st.integers(1, 12), m=st.sampled_from([None, 1, 8]), tile=st.sampled_from([None, 3, 5]))
def test_kernel_that_stays_on_a_device_is_that_of_the_host(n, m, tile):
    x2 = None if m is None else EXAMPLES[12 : 12 + m]
    kernel = partial(empirical_ntk, NETWORK, PARAMS, EXAMPLES[:n], x2, tile=tile)
    device = jax.local_devices()[-1]
    stayed = kernel(out=device)
    assert isinstance(stayed, jax.Array)
    assert stayed.devices() == {device}
    np.testing.assert_array_equal(np.asarray(stayed), kernel())


def test_float64_and_several_devices():
    devices = jax.local_devices()
    stayed = empirical_ntk(NETWORK, PARAMS, EXAMPLES, out=devices[0], dtype=np.float64, devices=devices)
    assert stayed.dtype == np.float64
    np.testing.assert_allclose(np.asarray(stayed), empirical_ntk(NETWORK, PARAMS, EXAMPLES), rtol=1e-4)


def test_too_large_for_the_device_is_refused_before_anything_is_computed():
    class Small:
        def memory_stats(self):
            return {"bytes_limit": 1000, "bytes_in_use": 200}

    with pytest.raises(OverBudget, match=r"1,024 bytes.* 800 free"):
        on_device((16, 16), np.dtype(np.float32), Small())


def test_on_a_processor_kernels_are_in_main_memory():
    assert accelerator_with_room(10) is None


@pytest.mark.gpu
@pytest.mark.skipif(jax.default_backend() == "cpu", reason="needs an accelerator")
def test_on_an_accelerator_kernels_stay_where_there_is_room():
    assert accelerator_with_room(10) in jax.local_devices()
    assert accelerator_with_room(10**9) is None
