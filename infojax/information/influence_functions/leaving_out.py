"""What leaving out does to the gradient of the training loss, in both conventions.

With ridge λ (decay and damping) and curvature C, a Newton step leads from the weights on all examples to

    sum:   w_−g − w = (C + λ)⁻¹ Σ_{i∈g} g_i
    mean:  w_−g − w = n/(n − |g|) · (C + nλ')⁻¹ Σ_{i∈g} (g_i − ḡ),   ḡ = (1/n) Σ_j g_j

C is the curvature of the *sum* of the losses in both. Where training has converged, ḡ = −λ'(w − w₀): each example of a
mean brings its share of the decay, so leaving it out of a mean takes that share away too. Where it has not, ḡ is what
still pulls at the weights with and without i, and is no effect of i.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from infojax.arrays import require_not_negative
from infojax.errors import InvalidInput
from infojax.linearized import Groups, Training, check_training, rows_of_groups


def ridge(training: Training, damping: float, examples: int) -> float:
    """λ of the sum, from the decay of the training and a damping. Raises InvalidInput unless it is positive."""
    check_training(training)
    require_not_negative("damping", damping)
    decay = float(training.decay)
    if decay + damping < 1e-75:  # whose powers vanish
        raise InvalidInput(
            "decay and damping are both 0, or nearly: the curvature has directions without any, and no inverse. Give a "
            "damping, for instance 1e-3 of the largest eigenvalue of the curvature."
        )
    return float(decay + damping) * (examples if training.convention == "mean" else 1)


def mixed(products: Any, groups: Groups | None, convention: str) -> Any:
    """From products with each example's gradient, A g_i (p, n), those with Σ_i W_ig g_i (p, G), NumPy or JAX.

    w_−g − w = (C + λ)⁻¹ Σ_i W_ig g_i; by default every example is a group of its own.

    >>> mixed(np.eye(4), [[0, 1]], "mean").T
    array([[ 1.,  1., -1., -1.]])
    """
    n = products.shape[1]
    member = None if groups is None else members(groups, n)
    summed = products if member is None else products @ member
    if convention == "sum":
        return summed
    sizes = np.ones((1, 1)) if member is None else member.sum(0, keepdims=True)
    return (summed * n - sizes * products.sum(1, keepdims=True)) / (n - sizes)


def members(groups: Groups, examples: int) -> Float[np.ndarray, "n G"]:
    """1 where example i is in group g."""
    rows = rows_of_groups(groups, examples, outputs=1)
    member = np.zeros((examples, len(rows.indices)))
    for column, (indices, present) in enumerate(zip(rows.indices, rows.present, strict=True)):
        member[indices[present], column] = 1
    return member
