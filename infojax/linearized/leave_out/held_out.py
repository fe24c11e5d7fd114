"""What the linearised network says of each training example when it is trained without it.

    y_i − f^(−i)(x_i) = r_i − Θ[i, :] a^(−i),   a^(−i) = φ(Θ^(−i) + λ) r^(−i), padded with zeros

All n held-out residuals at any training time come from one eigendecomposition: cross-validation with n folds.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.linearized._blocks import map_in_blocks
from infojax.linearized._filters import training_filter
from infojax.linearized._groups import rows_of_groups
from infojax.linearized._linearized_network import LinearizedNetwork
from infojax.linearized._training import Training, as_float64, as_sum
from infojax.linearized.digits.lost import watched
from infojax.linearized.leave_out.each import block_size, choose_method, require_stable_descent, resolvent_terms
from infojax.linearized.leave_out.spectral import without_group, without_group_converged
from infojax.linearized.leave_out.step_by_step import descend_without


@watched
def held_out_residuals(linearized: LinearizedNetwork, training: Training) -> Float[np.ndarray, "n k"]:
    """Targets minus the predictions of the network trained without the example, for each example; NumPy float64.

    At t = ∞ this is (G_ii)⁻¹ (G r)_i with G = (Θ + λ)⁻¹, the residual of cross-validated ridge regression.

    Args:
        linearized: network with its n training examples.
        training: GradientDescent, GradientFlow or Converged.

    Warns:
        PrecisionWarning: the rounding of the kernel leaves too few digits.

    Raises:
        InvalidInput: descent that diverges.

    >>> from infojax.linearized import Converged, linearize_kernels
    >>> linearized = linearize_kernels(np.array([[2.0, 1.0], [1.0, 2.0]]), None, np.array([1.0, 0.0]))
    >>> held_out_residuals(linearized, Converged()).round(6)
    array([[ 1. ],
           [-0.5]])
    """
    theta, n, outputs = linearized.spectrum, linearized.examples, linearized.outputs
    rows, reduced = rows_of_groups(None, n, outputs), as_sum(training, n - 1)
    require_stable_descent(linearized, training)
    with float64():
        held_out = _held_out(
            *(jnp.asarray(array, jnp.float64) for array in (*theta, linearized.residual)),
            rows.indices,
            as_float64(reduced),
            method=choose_method(float(theta.values[-1]), training, reduced, reduced),
            block=block_size(rows, 1, n * outputs),
        )
        return np.asarray(held_out)


def held_out_predictions(linearized: LinearizedNetwork, training: Training) -> Float[np.ndarray, "n k"]:
    """What the network says of each training example when it is trained without it; see `held_out_residuals`.

    Raises:
        InvalidInput: targets that are not known, as after `linearize_kernels`.
    """
    if linearized.targets is None:
        raise InvalidInput(
            "The targets are not known: give them, dataclasses.replace(linearized, targets=targets), or take "
            "held_out_residuals, which are targets minus predictions."
        )
    return linearized.targets - held_out_residuals(linearized, training)


@partial(jax.jit, static_argnames=("method", "block"))
def _held_out(values, vectors, residual, indices, training, *, method, block):
    flat = residual.reshape(-1)
    rotated = vectors.T @ flat
    present = jnp.ones(indices.shape[1], bool)
    terms = resolvent_terms(values, training) if method == "contour" else ()
    kernel = (vectors * values[None]) @ vectors.T if method == "steps" else vectors

    def one(own):
        u = vectors[own]
        if method == "steps":
            kept = jnp.ones(len(flat), bool).at[own].set(False)
            return flat[own] - kernel[own] @ descend_without(kernel, flat, kept, training)
        if method == "inverse":
            change = without_group_converged(u, present, rotated, values + training.decay)
        else:
            change = without_group(u, present, rotated, *terms)
        # Uᵀ a^(−i): training all with the rates of n − 1 examples, less what example i changes.
        without = rotated * training_filter(training, values) - change
        return flat[own] - u @ (values * without)

    return map_in_blocks(one, indices, block)
