"""Simple scores of how suspect an example is, to hold unique information against.

All come from the spectrum of the training kernel and the initial residual r = Y − f₀(X). With
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
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from infojax.arrays import array_of_reals, float64
from infojax.errors import InvalidInput
from infojax.files import require_room
from infojax.linearized import (
    GradientDescent,
    GradientFlow,
    Spectrum,
    Training,
    as_float64,
    as_sum,
    choose_method,
    held_out_residuals,
    training_filter,
    watched,
)

Residual = Float[np.ndarray, "n k"]
Scores = Float[np.ndarray, " n"]
Labels = Int[np.ndarray, " n"]


@watched
def trained_residuals(
    theta: Spectrum,
    residual: Residual,
    *,
    training: Training,
) -> Residual:
    """ρ = Y − f_T(X) (n, k) of the linearised network, without cancellation: small where training got far.

    Args:
        theta: spectrum of the training kernel (n·k, n·k), example-major.
        residual: targets minus initial outputs.
        training: GradientDescent, GradientFlow or Converged.

    Raises:
        InvalidInput: shapes that do not fit, NaN, descent that diverges.

    >>> from infojax.linearized import Converged
    >>> trained_residuals(Spectrum(np.ones(2), np.eye(2)), np.ones((2, 1)), training=Converged(decay=0.5)).ravel()
    array([0.5, 0.5])
    """
    run = _check(theta, residual, training)
    s, u = (np.asarray(part, np.float64) for part in theta)
    z = s + run.decay
    # 1 − s φ(z) = λ/z + (s/z)(1 − zφ(z)), and 1 where z = 0.
    left = np.where(z > 0, (run.decay + s * _left(run, z)) / np.where(z > 0, z, 1.0), 1.0)
    return (u @ (left * (u.T @ residual.reshape(-1)))).reshape(residual.shape)


@watched
def trained_residual(theta: Spectrum, residual: Residual, **how: Any) -> Scores:
    """‖ρ_i‖, how far example i is from its target after training; arguments as of `trained_residuals`."""
    return np.linalg.norm(trained_residuals(theta, residual, **how), axis=1)


@watched
def held_out_residual(theta: Spectrum, residual: Residual, **how: Any) -> Scores:
    """‖ρ_i^(−i)‖, the same for the network trained without i; arguments as of `trained_residuals`."""
    _check(theta, residual, **how)
    return np.linalg.norm(held_out_residuals(theta, residual, **how), axis=1)


@watched
def margin(theta: Spectrum, residual: Residual, *, labels: Labels | None = None, **how: Any) -> Scores:
    """The highest other output minus the output of the label, after training; for one output 1 − 2 f or 2 f − 1.

    Targets are 0 and 1 (k = 1) or one-hot. Without `labels`, class numbers (n,), they are read off the residual, and
    InvalidInput is raised where it leaves them in doubt: where initial outputs reach ¼. Other arguments as of
    `trained_residuals`.
    """
    return _negative_margin(trained_residuals(theta, residual, **how), residual, labels)


@watched
def held_out_margin(theta: Spectrum, residual: Residual, *, labels: Labels | None = None, **how: Any) -> Scores:
    """The same for the network trained without the example: out-of-sample self-confidence, exact; see `margin`."""
    _check(theta, residual, **how)
    return _negative_margin(held_out_residuals(theta, residual, **how), residual, labels)


@watched
def gradient_norm(theta: Spectrum, residual: Residual, **how: Any) -> Scores:
    """‖∇_w ½‖f_w(x_i) − y_i‖²‖ of the linearised network after training; arguments as of `trained_residuals`."""
    left = trained_residuals(theta, residual, **how)
    return np.sqrt(_form(_blocks(theta, residual, np.asarray(theta.values)), left))


def initial_gradient_norm(theta: Spectrum, residual: Residual, **how: Any) -> Scores:
    """The same before training, GraNd; of the arguments of `trained_residuals` only theta and residual count."""
    _check(theta, residual, **how)
    return np.sqrt(_form(_blocks(theta, residual, np.asarray(theta.values)), residual))


@watched
def self_influence(theta: Spectrum, residual: Residual, **how: Any) -> Scores:
    """ρ_iᵀ H_ii ρ_i: to first order, by how much i's own loss rises without i; arguments as of `trained_residuals`.

    The influence function at t = ∞; at finite time φ(Θ + λ) stands for the inverse.
    """
    return _form(_hat_blocks(theta, residual, **how), trained_residuals(theta, residual, **how))


@watched
def leverage(theta: Spectrum, residual: Residual, **how: Any) -> Scores:
    """tr H_ii, by how much the target of i decides its own prediction, in [0, k] for flow and t = ∞; arguments as of
    `trained_residuals`.
    """
    return np.trace(_hat_blocks(theta, residual, **how), axis1=1, axis2=2)


# Scores by name: each takes (theta, residual (n, k), *, training) and gives (n,).
BASELINES: dict[str, Callable[..., Scores]] = {
    "residual": trained_residual,
    "loo-residual": held_out_residual,
    "margin": margin,
    "loo-margin": held_out_margin,
    "gradient-norm": gradient_norm,
    "initial-gradient-norm": initial_gradient_norm,
    "self-influence": self_influence,
    "leverage": leverage,
}


def _hat_blocks(
    theta: Spectrum,
    residual: Residual,
    *,
    training: Training,
) -> Float[np.ndarray, "n k k"]:
    run = _check(theta, residual, training)
    with float64():
        s = jnp.asarray(np.asarray(theta.values), jnp.float64)
        hat = np.asarray(s * training_filter(as_float64(run), s))
    return _blocks(theta, residual, hat)


def _blocks(theta: Spectrum, residual: Residual, diagonal: np.ndarray) -> Float[np.ndarray, "n k k"]:
    """The diagonal blocks of U D Uᵀ."""
    n, k = residual.shape
    require_room(8.0 * n**2 * k, f"A score of {n:,} examples with {k} outputs needs", "Take fewer examples or outputs.")
    u = np.asarray(theta.vectors, np.float64).reshape(*residual.shape, -1)
    return np.stack([np.einsum("idN,iN->id", u, u[:, c] * diagonal) for c in range(u.shape[1])], axis=1)


def _form(blocks: Float[np.ndarray, "n k k"], vectors: Residual) -> Scores:
    return np.maximum(np.einsum("ic,icd,id->i", vectors, blocks, vectors), 0.0)


def _negative_margin(left: Residual, initial: Residual, labels: Labels | None) -> Scores:
    n, k = left.shape
    y = _read_labels(initial) if labels is None else labels
    if len(y) != n or y.min() < 0 or y.max() >= max(k, 2):
        raise InvalidInput(f"labels must be {n} class numbers from 0 to {max(k, 2) - 1}; they are {y!r:.60}.")
    if k == 1:
        return 2 * (2 * y - 1) * left[:, 0] - 1
    outputs = np.eye(k)[y] - left
    own = outputs[np.arange(n), y].copy()
    outputs[np.arange(n), y] = -np.inf
    return outputs.max(axis=1) - own


def _read_labels(initial: Residual) -> Labels:
    # Targets apart by 1 less outputs of less than ¼ stay apart by ½.
    if initial.shape[1] == 1:
        y, doubt = (initial[:, 0] > 0.5).astype(np.int64), np.abs(initial[:, 0] - 0.5) < 0.25
    else:
        second, first = np.sort(initial, axis=1)[:, -2:].T
        y, doubt = initial.argmax(axis=1), first - second < 0.5
    if doubt.any():
        raise InvalidInput(
            f"The labels of {doubt.sum()} of {len(y)} examples cannot be read off the residual, as initial outputs are "
            "not small: give them, labels=dataset.y."
        )
    return y


def _left(training: Training, z: np.ndarray) -> np.ndarray:
    """1 − zφ(z), what training leaves of a direction."""
    if isinstance(training, GradientFlow):
        return np.exp(-np.asarray(training.learning_rate * training.time) * z)
    if isinstance(training, GradientDescent):
        return (1 - np.asarray(training.learning_rate) * z) ** np.asarray(training.steps)
    return np.zeros_like(z)


def _check(theta: Spectrum, residual: Residual, training: Training) -> Training:
    """The training, in the convention of sums."""
    residual = array_of_reals("residual", residual)
    if residual.ndim != 2 or residual.size != len(theta.values) or len(residual) < 2:
        raise InvalidInput(
            f"residual has shape {residual.shape}, the kernel {len(theta.values)} rows; it must be (n, k), with n·k "
            "rows in the kernel and n ≥ 2."
        )
    if not np.isfinite(residual).all():
        raise InvalidInput(f"residual has {np.sum(~np.isfinite(residual))} NaN or infinite entries; check the data.")
    summed = as_sum(training, len(residual))
    choose_method(float(theta.values[-1]), training, summed, summed)  # raises where descent diverges
    return summed
