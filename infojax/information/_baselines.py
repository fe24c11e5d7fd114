"""Simple scores of how suspect an example is, to hold unique information against.

All are asked of a linearized network, with the initial residual r = Y − f₀(X). With
a = φ(Θ + λ) r after training, ρ = Y − f_T(X) = r − Θa is what is left of the residual, H = Θ φ(Θ + λ) the hat matrix
(f_T = f₀ + H r), ρ^(−i) the residual of example i when the network is trained without it. The larger a score, the
more suspect the example.

    residual               ‖ρ_i‖; the loss ½‖ρ_i‖² ranks the same; EL2N where training is short (Paul et al. 2021)
    margin                 highest other output − output of the label
    gradient-norm          ‖∇_w ℓ_i‖ = √(ρ_iᵀ Θ_ii ρ_i), after training
    initial-gradient-norm  √(r_iᵀ Θ_ii r_i), GraNd (Paul et al. 2021)
    self-influence         ρ_iᵀ H_ii ρ_i, Gauss–Newton influence of i on its own loss (Koh & Liang 2017)
    leverage               tr H_ii; does not look at the labels
    loo-residual           ‖ρ_i^(−i)‖
    loo-margin             margin of the held-out prediction: self-confidence (Northcutt et al. 2021), negated

At t = ∞ with decay, H_ii = 1 − λG_ii, G = (Θ + λ)⁻¹: the influence function. At t = ∞ without decay a network that can
interpolate does, ρ is zero, and only scores that hold out, or do not use ρ, say anything.

Each gives a PrecisionWarning where the rounding of the kernel leaves it too few digits.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.files import require_room
from infojax.linearized import (
    LinearizedNetwork,
    Training,
    as_float64,
    held_out_residuals,
    require_stable_descent,
    trained_residuals,
    training_filter,
    watched,
)

Scores = Float[np.ndarray, " n"]
Labels = Int[np.ndarray, " n"]


@watched
def trained_residual(linearized: LinearizedNetwork, training: Training) -> Scores:
    """‖ρ_i‖, how far example i is from its target after training."""
    return np.linalg.norm(trained_residuals(linearized, training), axis=1)


@watched
def held_out_residual(linearized: LinearizedNetwork, training: Training) -> Scores:
    """‖ρ_i^(−i)‖, the same for the network trained without i."""
    return np.linalg.norm(held_out_residuals(linearized, training), axis=1)


@watched
def margin(linearized: LinearizedNetwork, training: Training) -> Scores:
    """The highest other output minus the output of the label, after training; for one output 1 − 2 f or 2 f − 1.

    Targets are 0 and 1 (k = 1) or one-hot. Where they are not known, they are read off the residual, and InvalidInput
    is raised where it leaves them in doubt: where initial outputs reach ¼.
    """
    return _negative_margin(linearized, trained_residuals(linearized, training))


@watched
def held_out_margin(linearized: LinearizedNetwork, training: Training) -> Scores:
    """The same for the network trained without the example: out-of-sample self-confidence, exact; see `margin`."""
    return _negative_margin(linearized, held_out_residuals(linearized, training))


@watched
def gradient_norm(linearized: LinearizedNetwork, training: Training) -> Scores:
    """‖∇_w ½‖f_w(x_i) − y_i‖²‖ of the linearized network after training."""
    left = trained_residuals(linearized, training)
    return np.sqrt(_form(_blocks(linearized, np.asarray(linearized.spectrum.values)), left))


def initial_gradient_norm(linearized: LinearizedNetwork, training: Training) -> Scores:
    """The same before training, GraNd: of the training it only matters that it does not diverge."""
    require_stable_descent(linearized, training)
    blocks = _blocks(linearized, np.asarray(linearized.spectrum.values))
    return np.sqrt(_form(blocks, linearized.residual))


@watched
def self_influence(linearized: LinearizedNetwork, training: Training) -> Scores:
    """ρ_iᵀ H_ii ρ_i: to first order, by how much i's own loss rises without i.

    The influence function at t = ∞; at finite time φ(Θ + λ) stands for the inverse.
    """
    return _form(_hat_blocks(linearized, training), trained_residuals(linearized, training))


@watched
def leverage(linearized: LinearizedNetwork, training: Training) -> Scores:
    """tr H_ii, by how much the target of i decides its own prediction, in [0, k] for flow and t = ∞."""
    return np.trace(_hat_blocks(linearized, training), axis1=1, axis2=2)


# Scores by name, each (n,).
BASELINES: dict[str, Callable[[LinearizedNetwork, Training], Scores]] = {
    "residual": trained_residual,
    "loo-residual": held_out_residual,
    "margin": margin,
    "loo-margin": held_out_margin,
    "gradient-norm": gradient_norm,
    "initial-gradient-norm": initial_gradient_norm,
    "self-influence": self_influence,
    "leverage": leverage,
}


def _hat_blocks(linearized: LinearizedNetwork, training: Training) -> Float[np.ndarray, "n k k"]:
    run = require_stable_descent(linearized, training)
    with float64():
        s = jnp.asarray(np.asarray(linearized.spectrum.values), jnp.float64)
        hat = np.asarray(s * training_filter(as_float64(run), s))
    return _blocks(linearized, hat)


def _blocks(linearized: LinearizedNetwork, diagonal: Float[np.ndarray, " N"]) -> Float[np.ndarray, "n k k"]:
    """The diagonal blocks of U D Uᵀ."""
    n, k = linearized.examples, linearized.outputs
    require_room(8.0 * n**2 * k, f"A score of {n:,} examples with {k} outputs needs", "Take fewer examples or outputs.")
    u = np.asarray(linearized.spectrum.vectors, np.float64).reshape(n, k, -1)
    return np.stack([np.einsum("idN,iN->id", u, u[:, c] * diagonal) for c in range(k)], axis=1)


def _form(blocks: Float[np.ndarray, "n k k"], vectors: Float[np.ndarray, "n k"]) -> Scores:
    return np.maximum(np.einsum("ic,icd,id->i", vectors, blocks, vectors), 0.0)


def _negative_margin(linearized: LinearizedNetwork, left: Float[np.ndarray, "n k"]) -> Scores:
    y = labels_of(linearized)
    if left.shape[1] == 1:
        return 2 * (2 * y - 1) * left[:, 0] - 1
    outputs, rows = np.eye(left.shape[1])[y] - left, np.arange(len(y))
    own = outputs[rows, y].copy()
    outputs[rows, y] = -np.inf
    return outputs.max(axis=1) - own


def labels_of(linearized: LinearizedNetwork) -> Labels:
    """Class numbers (n,) from targets that are 0 and 1 or one-hot, or else from the residual."""
    if linearized.targets is None:
        return _read_labels(linearized.residual)
    targets = np.asarray(linearized.targets)
    y = targets[:, 0].astype(np.int64) if targets.shape[1] == 1 else targets.argmax(axis=1)
    classes = y[:, None] if targets.shape[1] == 1 else np.eye(targets.shape[1])[y]
    if not ((targets == classes).all() and y.min() >= 0 and y.max() < max(targets.shape[1], 2)):
        raise InvalidInput("A margin is one of classes: it needs targets that are 0 and 1 (one output) or one-hot.")
    return y


def _read_labels(initial: Float[np.ndarray, "n k"]) -> Labels:
    # Targets apart by 1 less outputs of less than ¼ stay apart by ½.
    if initial.shape[1] == 1:
        y, doubt = (initial[:, 0] > 0.5).astype(np.int64), np.abs(initial[:, 0] - 0.5) < 0.25
    else:
        second, first = np.sort(initial, axis=1)[:, -2:].T
        y, doubt = initial.argmax(axis=1), first - second < 0.5
    if doubt.any():
        raise InvalidInput(
            f"The labels of {doubt.sum()} of {len(y)} examples cannot be read off the residual, as initial outputs are "
            "not small: give the targets, dataclasses.replace(linearized, targets=targets)."
        )
    return y
