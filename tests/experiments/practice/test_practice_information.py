"""Unique information of generated examples, summed over classes, against all outputs at once."""

import numpy as np

from experiments.practice.practice_information import information
from infojax.information import from_kernels
from infojax.linearized import Converged


def test_independent_outputs_may_be_taken_one_at_a_time():
    random = np.random.default_rng(0)
    features, others = random.standard_normal((12, 6)), random.standard_normal((5, 6))
    theta, cross = features @ features.T + 0.1 * np.eye(12), others @ features.T
    y = random.integers(0, 10, 12)
    whole = from_kernels(
        np.kron(theta, np.eye(10)),
        np.kron(cross, np.eye(10)),
        np.eye(10)[y] - 0.1,
        outputs=10,
        training=Converged(0.02),
    )
    np.testing.assert_allclose(information(theta, cross, y, 0.02), whole.f_si, rtol=1e-9)
