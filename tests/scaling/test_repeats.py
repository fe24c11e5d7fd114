from typing import NamedTuple

import jax
import numpy as np

from infojax.scaling._repeats import Simulated, at_points, averaged


class Law(NamedTuple):
    error: np.ndarray
    overlap: np.ndarray
    norm: np.ndarray


def test_each_mean_is_followed_by_its_standard_error():
    values = np.random.default_rng(0).standard_normal((7, 4, 3))
    found = averaged(Law, values)
    columns = found.columns()
    assert list(columns) == ["error", "error_stderr", "overlap", "overlap_stderr", "norm", "norm_stderr"]
    table = np.stack(list(columns.values()), -1)
    assert table.shape == (4, 6)
    np.testing.assert_array_equal(table[:, ::2], values.mean(0))
    np.testing.assert_allclose(table[:, 1::2], values.std(0, ddof=1) / np.sqrt(7), rtol=1e-15)


def test_points_are_simulated_in_order_with_keys_of_their_own():
    def simulate(point, key):
        error, norm = np.asarray(point["error"]), np.asarray(point["norm"])
        return Simulated(Law(error, np.asarray(jax.random.uniform(key)), norm), Law(error, error, error))

    key = jax.random.key(1)
    table = at_points(simulate, {"error": np.array([[1.0], [2.0]]), "norm": np.array([3.0, 4.0, 5.0])}, key)
    assert table.mean.overlap.shape == (2, 3)
    assert table.mean.overlap[1, 0] == jax.random.uniform(jax.random.fold_in(key, 3))
    np.testing.assert_array_equal(table.mean.error, [[1, 1, 1], [2, 2, 2]])
    np.testing.assert_array_equal(table.mean.norm, [[3, 4, 5], [3, 4, 5]])
    one = at_points(simulate, {"error": 1.0, "norm": 2.0}, key)
    assert one.mean.overlap == jax.random.uniform(key)
