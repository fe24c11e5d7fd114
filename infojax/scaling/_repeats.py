"""Means over independent repeats of a simulation, and how far they may be off."""

import numpy as np
from jaxtyping import Float


def averaged(values: Float[np.ndarray, "repeats *shape fields"]) -> Float[np.ndarray, "*shape both"]:
    """Of each field its mean over repeats and then the standard error of that, in the order of the simulations' fields.

    >>> averaged(np.array([[1.0, 5.0], [3.0, 5.0]]))
    array([2., 1., 5., 0.])
    """
    mean, stderr = values.mean(0), values.std(0, ddof=1) / np.sqrt(len(values))
    return np.stack([mean, stderr], -1).reshape(*mean.shape[:-1], -1)
