"""The iterative order, from kernels with rows of zeros, against the kernels of the examples that are left."""

import numpy as np
import pytest

from experiments.unique_information.summarisation import Config, _iteratively
from infojax.information import from_kernels
from infojax.linearized import GradientDescent


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_rows_of_zeros_are_as_if_they_were_not_there(decay):
    n, m = 24, 5
    random = np.random.default_rng(0)
    j = random.normal(size=(n + m, 60)) * np.geomspace(1, 0.1, 60)
    kernel, cross, residual = j[:n] @ j[:n].T, j[n:] @ j[:n].T, random.normal(size=n)
    config = Config(steps=200, learning_rate=0.1, decay=decay, at_a_time=0.15, removed=(0.0, 0.8))
    left, gone = np.arange(n), []
    while True:
        scores = from_kernels(
            kernel[np.ix_(left, left)], cross[:, left], residual[left],
            training=GradientDescent(config.steps, config.learning_rate, decay),
        ).f_si  # fmt: skip
        order = left[np.argsort(scores)]
        if len(left) <= n - round(0.8 * n):
            break
        count = max(1, int(config.at_a_time * len(left)))
        gone, left = [*gone, *order[:count]], np.sort(order[count:])
    np.testing.assert_array_equal(_iteratively(config, kernel, cross, residual), [*gone, *order])
