"""A linear head trained without a group, by brute force in NumPy: in parameter space, from the rows that are left."""

from typing import NamedTuple

import numpy as np

from infojax.linearized import Converged, GradientDescent


class Moved(NamedTuple):
    """‖w − w_−g‖², Σ‖f_w − f_−g‖², the change of the validation loss, and what w_−g predicts of the group."""

    weights: float
    predictions: float
    loss: float
    held_out: np.ndarray


def train(features, residual, training):
    """Weights (p, k), from the singular values of the features; those below 1e-6 of the largest are zero."""
    n = len(features)
    mean = training.convention == "mean"
    decay = float(training.decay) * (n if mean else 1)
    left, singular, right = np.linalg.svd(features, full_matrices=False)
    kept = singular > 1e-6 * singular[0]
    left, singular, right = left[:, kept], singular[kept], right[kept]
    z = singular**2 + decay
    if isinstance(training, Converged):
        filtered = 1 / z
    else:
        rate = float(training.learning_rate) / (n if mean else 1)
        if isinstance(training, GradientDescent):
            filtered = (1 - (1 - rate * z) ** int(training.steps)) / z
        else:
            filtered = -np.expm1(-rate * float(training.time) * z) / z
    return right.T @ ((filtered * singular)[:, None] * (left.T @ residual))


def train_in_steps(features, residual, training):
    """The same by gradient descent, step by step."""
    n = len(features)
    scale = 1 / n if training.convention == "mean" else 1.0
    weights = np.zeros((features.shape[1], residual.shape[1]))
    for _ in range(int(training.steps)):
        gradient = scale * features.T @ (features @ weights - residual) + float(training.decay) * weights
        weights -= float(training.learning_rate) * gradient
    return weights


def without(features, residual, others, targets, training, group, fit=train):
    """What leaving out `group` changes, from two trainings."""
    kept = np.setdiff1d(np.arange(len(features)), group)
    full, reduced = fit(features, residual, training), fit(features[kept], residual[kept], training)
    before, after = others @ full - targets, others @ reduced - targets
    loss = (np.sum(after**2) - np.sum(before**2)) / (2 * len(others))
    moved = np.sum((full - reduced) ** 2), np.sum((before - after) ** 2), loss
    return Moved(*moved, features[group] @ reduced)
