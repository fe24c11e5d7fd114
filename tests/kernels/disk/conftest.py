import numpy as np
import pytest

from infojax.kernels import empirical_ntk
from tests.kernels.disk.small_kernel import PARAMS, X, apply, on_disk


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    return on_disk(tmp_path_factory.mktemp("kernel") / "new" / "folder")


@pytest.fixture(scope="module")
def expected():
    return np.asarray(empirical_ntk(apply, PARAMS, X, tile=3))
