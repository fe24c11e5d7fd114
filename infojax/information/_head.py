"""Unique information for a linear head on given features: all examples and classes from p × p factors.

    SI_i = ½ ‖w − w_−i‖²     F-SI_i = 1/(2σ²m) Σ_{x in validation} ‖f_w(x) − f_{w_−i}(x)‖²

The weights w (p, k) are those of the head f(x) = F w, trained on squared loss from w = 0; the network that made the
features stays as it is. Exact at any training time, for 10⁶ examples too: features are read in tiles, twice.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Num

from infojax.arrays import float64, real_array, require_positive
from infojax.data import Tiles
from infojax.errors import InvalidInput
from infojax.linearized import (
    Groups,
    LinearHead,
    Training,
    Validation,
    as_float64,
    as_sum,
    leave_each_out_of_head,
    leave_groups_out_of_head,
    linear_head,
    training_filter,
    validation_of,
    warn_of_lost_digits,
)

# Sums of products of features are rounded to this, relative to the largest eigenvalue of FᵀF.
ROUNDING = 2.0**-52


class Labeled(NamedTuple):
    """Features that are read in tiles, and the targets of their examples.

    Attributes:
        features: F (n, p).
        targets: Y (n, k), such as a dataset's `targets`: one-hot for classes.
    """

    features: Tiles
    targets: Num[np.ndarray, "n k"]


class HeadInformation(NamedTuple):
    """What each of n examples is worth to a linear head.

    Attributes:
        si: (n,) what it adds to the weights of the head, in nats for unit smoothing.
        f_si: (n,) what it adds to the predictions on validation.
        loss: (n,) the exact change of the mean validation loss ½‖f − y‖² when it goes; positive where it helps.
        held_out: (n, k) what the head predicts of it when trained without it.
        leverage: (n,) how far its own target moves its fitted value; near 1 for outliers.
        condition: by which training amplifies float64's rounding; at t = ∞ the condition number of FᵀF + λ.
    """

    si: Float[np.ndarray, " n"]
    f_si: Float[np.ndarray, " n"]
    loss: Float[np.ndarray, " n"]
    held_out: Float[np.ndarray, "n k"]
    leverage: Float[np.ndarray, " n"]
    condition: float


class HeadGroups(NamedTuple):
    """What each of G groups of examples is worth to a linear head, (G,) each: `si`, `f_si` and `loss` as above."""

    si: Float[np.ndarray, " G"]
    f_si: Float[np.ndarray, " G"]
    loss: Float[np.ndarray, " G"]
    condition: float


def head_information(train: Labeled, validation: Labeled, training: Training, *, sigma: float = 1.0) -> HeadInformation:
    """Unique information, held-out predictions and value of every example, for a linear head on given features.

    Features are taken as they are: scale them so that decay and training time mean what they should, and add a constant
    column for an intercept, which is decayed like the rest.

    Args:
        train: n examples.
        validation: m examples with the same features and outputs.
        training: `GradientDescent`, `GradientFlow` or `Converged`, with its decay.
        sigma: standard deviation of the smoothing noise in F-SI.

    Warns:
        PrecisionWarning: rounding leaves too few digits, as features are nearly dependent and nothing decays.

    Raises:
        InvalidInput: shapes that do not fit, NaN (its row is named), one example, descent that diverges.
        OverBudget: p × p matrices do not fit into memory.

    >>> from infojax import Converged
    >>> from infojax.data import ArrayTiles
    >>> features = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 1.0]])
    >>> train = Labeled(ArrayTiles(features), np.array([[1, 0], [0, 1], [1, 0], [0, 1]]))
    >>> validation = Labeled(ArrayTiles(np.array([[1.0, 2.0]])), np.array([[1, 0]]))
    >>> head_information(train, validation, Converged(0.5, "sum")).si.round(6)
    array([0.104741, 0.015149, 0.312171, 0.032451])
    """
    sigma = _positive(sigma)
    head, kept, residual = _factored(train, validation)
    made = leave_each_out_of_head(head, train.features, residual, kept, training)
    condition = _condition(head, training)
    warn_of_lost_digits("Information of a linear head", ROUNDING * condition, ROUNDING, condition)
    scale = 2 * sigma**2 * kept.examples
    return HeadInformation(
        made.weights / 2, made.predictions / scale, made.loss, made.held_out, made.leverage, condition
    )


def head_information_of_groups(
    train: Labeled, validation: Labeled, training: Training, groups: Groups, *, sigma: float = 1.0
) -> HeadGroups:
    """The same when each group of examples goes as a whole.

    Args:
        train, validation, training, sigma: as of `head_information`.
        groups: integer labels or text (n,), or lists of example numbers or masks, which may overlap.

    Warns, Raises: as `head_information`; OverBudget too where the rows of all groups do not fit into memory.

    >>> from infojax import Converged
    >>> from infojax.data import ArrayTiles
    >>> features = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 1.0]])
    >>> train = Labeled(ArrayTiles(features), np.array([[1, 0], [0, 1], [1, 0], [0, 1]]))
    >>> validation = Labeled(ArrayTiles(np.array([[1.0, 2.0]])), np.array([[1, 0]]))
    >>> head_information_of_groups(train, validation, Converged(0.5, "sum"), [[0], [1]]).si.round(6)
    array([0.104741, 0.015149])
    """
    sigma = _positive(sigma)
    head, kept, residual = _factored(train, validation)
    made = leave_groups_out_of_head(head, train.features, residual, kept, training, groups)
    condition = _condition(head, training)
    warn_of_lost_digits("Information of a linear head", ROUNDING * condition, ROUNDING, condition)
    return HeadGroups(made.weights / 2, made.predictions / (2 * sigma**2 * kept.examples), made.loss, condition)


def _positive(sigma: float) -> float:
    require_positive("sigma", sigma)
    return float(sigma)


def _factored(train: Labeled, validation: Labeled) -> tuple[LinearHead, Validation, np.ndarray]:
    targets, others = _targets("train", train), _targets("validation", validation)
    head = linear_head(train.features, targets)
    return head, validation_of(head, validation.features, others), targets


def _targets(part: str, labeled: Labeled) -> Float[np.ndarray, "n k"]:
    targets = real_array(f"{part}.targets", labeled.targets)
    if targets.ndim != 2:
        raise InvalidInput(
            f"{part}.targets has shape {targets.shape}; give (n, k), for classes one-hot, as a dataset's `targets`."
        )
    return targets


def _condition(head: LinearHead, training: Training) -> float:
    with float64():
        run = as_float64(as_sum(training, head.examples))
        filtered = training_filter(run, jnp.asarray(head.values))
        return float((head.values[-1] + run.decay) * filtered.max())
