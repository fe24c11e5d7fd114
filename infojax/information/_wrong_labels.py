"""Which labels are wrong, and how many, from predictions for examples whose own labels were not trained on.

A model of both the classes and their mislabeling is fitted to the given labels ỹ. With predictions f_i (k numbers),

    q_i = softmax(W f_i + b)                          the true class of example i
    p(ỹ_i = j) = m_ij = Σ_c q_ic T[c, j]              its given label, T[c, j] the share of class c that is labeled j
    wrong_i = 1 − q_i[ỹ_i] T[ỹ_i, ỹ_i] / m_i[ỹ_i]     the chance that ỹ_i is not the true class

W = βI + D, with penalties ½ .1 ‖D‖² and .005 ‖b‖²; the rows of T are Dirichlet, with 5 pseudo-counts on the diagonal
and .5 spread over the rest. The number of wrong labels is Σ wrong_i. With β alone, without D, b and T, the ranking is
nearly as good, but the count is off by factors: what is ambiguous between classes is taken for wrong.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Integer

from infojax.arrays import float64, real_array, require_moderate
from infojax.errors import InvalidInput

DEVIATION, OFFSET = 0.1, 0.01
"""Weights of the penalties ½ DEVIATION ‖D‖² and ½ OFFSET ‖b‖²."""
RIGHT, WRONG = 5.0, 0.5
"""Pseudo-counts in a row of T: on its diagonal, and on all the rest of it together."""
FIRST_RATE = 0.05
"""The share of wrong labels that the fit starts from."""
SMALLEST = 1e-6
"""Probabilities below are taken for this, as a classifier's zeros are no certainty."""


class Flagged(NamedTuple):
    """Labels that are taken for wrong.

    Attributes:
        mask: (n,) which they are.
        precision: the expected share of them that is wrong; 1 when none is flagged.
        recall: the expected share of all wrong labels that is among them; 1 when none is expected to be wrong.
    """

    mask: Bool[np.ndarray, " n"]
    precision: float
    recall: float


@dataclass(frozen=True)
class WrongLabels:
    """What the fitted model says of every label.

    Attributes:
        scores: (n,) 1 − q_i[ỹ_i]: ranks suspects, the most suspicious highest. On symmetric noise it ranks better than
            `posterior`, on noise that prefers certain classes worse.
        posterior: (n,) the chance that the label is wrong, given the label too.
        true_classes: (n, k) q_i, the chances of the true classes.
        transition: (k, k) T[c, j], the share of class c that is labeled j.
        converged: whether the fit came to its optimum.
    """

    scores: Float[np.ndarray, " n"]
    posterior: Float[np.ndarray, " n"]
    true_classes: Float[np.ndarray, "n k"]
    transition: Float[np.ndarray, "k k"]
    converged: bool

    @property
    def number(self) -> float:
        """How many labels are expected to be wrong."""
        return float(self.posterior.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """An interval for the number of wrong labels, number ± (2 √(number + 1) + .2 number), from 0 on.

        Its width is empirical: the spread of a bootstrap is too narrow, as it does not see that the model is one. Below
        five percent of wrong labels, examples that are ambiguous by nature cannot be told from rare wrong labels.
        """
        width = 2 * float(np.sqrt(self.number + 1)) + 0.2 * self.number
        return max(0.0, self.number - width), self.number + width

    def flag(self, threshold: float = 0.5) -> Flagged:
        """The labels whose posterior is above `threshold`, a number from 0 to 1.

        Raises:
            InvalidInput: the threshold is outside.
        """
        if not 0 <= threshold <= 1:
            raise InvalidInput(f"threshold is {threshold}; it must be a chance, from 0 to 1.")
        return self._flagged(self.posterior > threshold)

    def flag_with_precision(self, precision: float) -> Flagged:
        """As many labels as can be flagged, those with the highest posterior, for an expected precision.

        Raises:
            InvalidInput: the precision is not from 0 to 1.
        """
        if not 0 <= precision <= 1:
            raise InvalidInput(f"precision is {precision}; it must be a share, from 0 to 1.")
        order = np.argsort(-self.posterior, kind="stable")
        expected = np.cumsum(self.posterior[order]) / np.arange(1, len(order) + 1)
        mask = np.zeros(len(order), bool)
        mask[order[expected >= precision]] = True  # the mean of the highest falls with their number
        return self._flagged(mask)

    def _flagged(self, mask: Bool[np.ndarray, " n"]) -> Flagged:
        among = float(self.posterior[mask].sum())
        precision = among / mask.sum() if mask.any() else 1.0
        return Flagged(mask, float(precision), among / self.number if self.number > 0 else 1.0)


def wrong_labels(predictions: object, labels: object) -> WrongLabels:
    """Fits the model to predictions that did not see the labels, such as leave-one-out predictions of one-hot labels.

    Args:
        predictions: (n, k) held-out outputs, one for each class, highest for the class that is predicted.
        labels: (n,) the given labels, whole numbers from 0 to k − 1.

    Raises:
        InvalidInput: fewer than two classes, shapes that do not fit, entries that are not finite, labels beyond k.

    >>> held_out = [[0.9, 0.1], [0.2, 0.8], [0.95, 0.0], [0.1, 1.0]] * 50
    >>> found = wrong_labels([*held_out, [0.9, 0.1]], [0, 1, 0, 1] * 50 + [1])
    >>> int(found.scores.argmax()), round(found.number)
    (200, 1)
    """
    f, given = _checked("predictions", predictions, labels)
    return _fit(f, given)


def wrong_labels_of_probabilities(probabilities: object, labels: object) -> WrongLabels:
    """The same from any classifier's out-of-sample probabilities, whose logarithms are the predictions.

    Args:
        probabilities: (n, k) from 0 to 1, each row with a sum of 1 (to 1e-3). Those below 1e-6 are taken for 1e-6.
        labels: (n,) the given labels, whole numbers from 0 to k − 1.

    Raises:
        InvalidInput: as `wrong_labels`, and for rows that are no probabilities.
    """
    p, given = _checked("probabilities", probabilities, labels)
    wrong = (p < 0).any(axis=1) | (np.abs(p.sum(axis=1) - 1) > 1e-3)
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidInput(
            f"probabilities has {wrong.sum()} rows that are none, first row {row}: {p[row][:10]} with the sum "
            f"{p[row].sum():.4g}; give numbers ≥ 0 with the sum 1, or give outputs of another kind to wrong_labels."
        )
    return _fit(np.log(np.maximum(p, SMALLEST)), given)


class _Parameters(NamedTuple):
    slope: Float[Array, ""]  # β
    deviation: Float[Array, "k k"]  # D
    offset: Float[Array, " k"]  # b
    transition: Float[Array, "k k"]  # log T, up to a constant for each row

    def true_classes(self, f: Float[Array, "n k"]) -> Float[Array, "n k"]:
        """log q_i = log softmax(W f_i + b)."""
        return jax.nn.log_softmax(self.slope * f + f @ self.deviation.T + self.offset[None, :])

    def transitions(self) -> Float[Array, "k k"]:
        """log T."""
        return jax.nn.log_softmax(self.transition)


def _first(classes: int) -> _Parameters:
    """Classes as they are predicted, labels wrong in `FIRST_RATE`."""
    off = FIRST_RATE / (classes - 1)
    transition = np.full((classes, classes), np.log(off)) + np.eye(classes) * (np.log(1 - FIRST_RATE) - np.log(off))
    zeros = np.zeros((classes, classes))
    return _Parameters(jnp.asarray(1.0), jnp.asarray(zeros), jnp.asarray(zeros[0]), jnp.asarray(transition))


def _loss(at: _Parameters, f: Float[Array, "n k"], given: Integer[Array, " n"]) -> Float[Array, ""]:
    """− Σ_i log m_i[ỹ_i] − log prior."""
    q, t, classes = at.true_classes(f), at.transitions(), f.shape[1]
    likelihood = jax.nn.logsumexp(q + t.T[given], axis=1).sum()
    counts = np.full((classes, classes), WRONG / (classes - 1)) + np.eye(classes) * (RIGHT - WRONG / (classes - 1))
    penalty = DEVIATION / 2 * (at.deviation**2).sum() + OFFSET / 2 * (at.offset**2).sum()
    return penalty - likelihood - (jnp.asarray(counts, t.dtype) * t).sum()


def _fit(f: Float[np.ndarray, "n k"], given: Integer[np.ndarray, " n"]) -> WrongLabels:
    with float64():
        at, converged = _optimum(jnp.asarray(f), jnp.asarray(given))
        q, t = (np.exp(np.asarray(log)) for log in (at.true_classes(jnp.asarray(f)), at.transitions()))
    given_class = q[np.arange(len(f)), given]
    right = given_class * t[given, given] / np.einsum("nc,cn->n", q, t[:, given])
    return WrongLabels(1 - given_class, 1 - right, q, t, converged)


def _optimum(f: Float[Array, "n k"], given: Integer[Array, " n"]) -> tuple[_Parameters, bool]:
    """By L-BFGS, and whether it got there."""
    flat, as_parameters = ravel_pytree(_first(f.shape[1]))
    start = np.asarray(flat)
    loss = jax.jit(jax.value_and_grad(lambda at: _loss(as_parameters(at), f, given)))

    def evaluated(at: Float[np.ndarray, " p"]) -> tuple[float, Float[np.ndarray, " p"]]:
        value, slope = loss(jnp.asarray(at))
        return float(value), np.asarray(slope)

    def with_slope(log_slope: float) -> Float[np.ndarray, " p"]:
        return np.concatenate([[np.exp(log_slope)], start[1:]])

    # β first, alone: nobody has told on what scale the predictions are.
    middle = -float(np.log(np.maximum(np.sqrt(np.mean(np.square(f))), 1e-75)))
    best, *_ = scipy.optimize.fminbound(
        lambda slope: evaluated(with_slope(slope))[0], middle - 5, middle + 5, full_output=True
    )
    exact = {"maxiter": 3000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-6 * len(f)}
    found = scipy.optimize.minimize(evaluated, with_slope(float(best)), jac=True, method="L-BFGS-B", options=exact)
    return as_parameters(jnp.asarray(found.x)), bool(found.success)


def _checked(name: str, outputs: object, labels: object) -> tuple[Float[np.ndarray, "n k"], Integer[np.ndarray, " n"]]:
    f, given = real_array(name, outputs), real_array("labels", labels)
    if f.ndim != 2 or f.shape[1] < 2 or len(f) == 0:
        raise InvalidInput(f"{name} has shape {f.shape}; it must be (examples, classes), with two classes or more.")
    if given.shape != f.shape[:1]:
        raise InvalidInput(f"labels has shape {given.shape} and {name} {f.shape}; give one label for each row.")
    require_moderate(name, f)
    strange = (given != np.floor(given)) | (given < 0) | (given >= f.shape[1])
    if strange.any():
        where = int(strange.argmax())
        raise InvalidInput(
            f"labels[{where}] is {given[where]:g}; with {f.shape[1]} classes labels are whole numbers from 0 to "
            f"{f.shape[1] - 1}."
        )
    return f, given.astype(np.int64)
