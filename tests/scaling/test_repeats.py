import numpy as np

from infojax.scaling._repeats import averaged


def test_each_mean_is_followed_by_its_standard_error():
    values = np.random.default_rng(0).standard_normal((7, 4, 3))
    found = averaged(values)
    assert found.shape == (4, 6)
    np.testing.assert_array_equal(found[:, ::2], values.mean(0))
    np.testing.assert_allclose(found[:, 1::2], values.std(0, ddof=1) / np.sqrt(7), rtol=1e-15)
