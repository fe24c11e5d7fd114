"""How far the weights and the predictions move when each group of examples is left out: all groups, in blocks."""

from dataclasses import replace
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.linearized._blocks import map_in_blocks
from infojax.linearized._contour import covers, resolvents
from infojax.linearized._filters import training_filter
from infojax.linearized._groups import Rows
from infojax.linearized._linearized_network import LinearizedNetwork
from infojax.linearized._spectrum import rounding_of
from infojax.linearized._training import Converged, GradientDescent, Training, as_float64, as_sum
from infojax.linearized.digits.perturbed import amplification, lost_in_zeros
from infojax.linearized.digits.rounding import errors_of_squares, sketch
from infojax.linearized.digits.scales import Scales
from infojax.linearized.leave_out.spectral import resolvent_diagonals, without_group, without_group_converged
from infojax.linearized.leave_out.step_by_step import descend_without

Method: TypeAlias = Literal["contour", "inverse", "steps"]


class LeftOut(NamedTuple):
    """How far leaving out each group moves weights and predictions.

    Attributes:
        weights: ‖w − w_−g‖² (G,).
        predictions: Σ ‖f_w(x) − f_w−g(x)‖² (G,) over the rows of K*.
        weights_error, predictions_error: by how much they may be off, for the rounding of the kernels.
        condition: the largest eigenvalue of Θ + λ times the largest value of the training filter, by which rounding of
            the kernel is amplified; at t = ∞ largest over smallest eigenvalue.
    """

    weights: Float[np.ndarray, " G"]
    predictions: Float[np.ndarray, " G"]
    weights_error: Float[np.ndarray, " G"]
    predictions_error: Float[np.ndarray, " G"]
    condition: float


def leave_each_out(
    linearized: LinearizedNetwork,
    rows: Rows,
    training: Training,
    *,
    examples: int | None = None,
    block: int | None = None,
) -> LeftOut:
    """The distances for every group g; NumPy float64.

    Args:
        linearized: network with its training and validation examples.
        rows: of the kernel, that are left out together.
        training: GradientDescent, GradientFlow or Converged.
        examples: how many there are, where some of those in the kernel are rows of zeros.
        block: how many groups are worked on at once; by default as many as keep the work space below a kernel.

    Raises:
        InvalidInput: a step size at which gradient descent diverges, and numbers beyond those of float64.
    """
    theta, cross, residual = linearized.spectrum, linearized.validation_kernel, linearized.residual.reshape(-1)
    examples = linearized.examples if examples is None else examples
    # With groups of one size all of them share rates, decay and resolvents; otherwise each has its own.
    shared = bool((rows.sizes == rows.sizes[0]).all())
    kept = float(examples - rows.sizes[0]) if shared else examples - rows.sizes.astype(np.float64)
    full, reduced = as_sum(training, examples), as_sum(training, kept)
    method = choose_method(float(theta.values[-1]), training, full, reduced)
    scales = Scales.of(theta, cross, residual, full)
    how: dict[str, Any] = {
        "shared": shared,
        "same": same_without(training),
        "method": method,
        "identical": theta.zeros.identical,
        "block": block_size(rows, *cross.shape) if block is None else block,
    }
    with float64():
        how["full"], how["reduced"] = (as_float64(scales.training(each)) for each in (full, reduced))
        values, hidden = scales.kernel(theta.values), theta.zeros.hidden
        run = partial(
            _leave_each_out,
            vectors=jnp.asarray(theta.vectors, jnp.float64),
            cross=jnp.asarray(scales.cross(cross)),
            residual=jnp.asarray(scales.residual(residual)),
            noise=np.array([theta.rounding, rounding_of(cross)]),
            rows=rows,
            **how,
        )
        made = np.stack(run(values))
        if hidden > 0:
            # What would be found if zeros were as large as rounding allows: both are possible.
            values = np.where(values == 0, scales.kernel(hidden), values)
            other = np.stack(run(values))
            made[2:] += np.abs(other[:2] - made[:2])
        condition = amplification(theta, full)
        weights, predictions, weights_error, predictions_error = scales.results(made)
        lost = lost_in_zeros(theta, full)
        weights_error, predictions_error = weights_error + lost * weights, predictions_error + lost * predictions
        return LeftOut(weights, predictions, weights_error, predictions_error, condition)


@partial(jax.jit, static_argnames=("shared", "same", "method", "identical", "block"))
def _leave_each_out(
    values, *, vectors: Array, cross, residual, noise, rows, full, reduced, shared, same, method, identical, block
):
    rotated = vectors.T @ residual
    projected = cross @ vectors
    filtered = training_filter(full, values)
    trained = rotated * filtered
    terms = resolvent_terms(values, reduced) if shared and method == "contour" else None
    kernel = (vectors * values[None]) @ vectors.T if method == "steps" else vectors
    known = sketch(values, vectors, cross, projected, filtered, trained, noise, identical=identical)

    def one(group):
        present: Array
        indices, present, own = group
        training = reduced if shared else own
        u = jnp.where(present[:, None], vectors[indices], 0.0)
        if method == "steps":
            kept = jnp.ones(len(residual), bool).at[indices].min(~present)
            change = trained - vectors.T @ descend_without(kernel, residual, kept, training)
            return distances(u, present, change)
        if method == "inverse":
            change = without_group_converged(u, present, rotated, values + training.decay)
        else:
            change = without_group(u, present, rotated, *(terms or resolvent_terms(values, training)))
        # With equal rates and decay, with the group and without, this difference is zero, and skipped.
        if not same:
            change = change + trained - rotated * training_filter(training, values)
        return distances(u, present, change)

    def distances(u, present, change):
        moved = projected @ change
        errors = errors_of_squares(known, values, u, present, change, moved)
        return values @ change**2, jnp.sum(moved**2), *errors

    count = len(rows.sizes)
    own = None if shared else jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count,)), reduced)
    return map_in_blocks(one, (rows.indices, rows.present, own), block)


def same_without(training: Training) -> bool:
    """Whether training without some examples is, written for a sum, the same as with all."""
    return training.convention == "sum" or (isinstance(training, Converged) and bool(training.decay == 0))


def resolvent_terms(values, training):
    """D_j (q, N) and w_j (q,): what `without_group` takes of a training for a finite time."""
    terms = resolvents(training)
    return resolvent_diagonals(terms, values + training.decay), terms.weights


def require_stable_descent(linearized: LinearizedNetwork, training: Training) -> Training:
    """The training, written for a sum over the examples. Raises InvalidInput for descent that diverges."""
    summed = as_sum(training, linearized.examples)
    choose_method(float(linearized.spectrum.values[-1]), training, summed, summed)
    return summed


def choose_method(largest: float, training: Training, full: Training, reduced: Training) -> Method:
    """Which formula serves this training, written for sums `full` and `reduced`; raises where descent diverges."""
    if isinstance(training, Converged):
        return "inverse"
    if not isinstance(training, GradientDescent):
        return "contour"
    rates = [each.learning_rate for each in (full, reduced) if isinstance(each, GradientDescent)]
    rate, decay = (max(map(np.max, values)) for values in (rates, (full.decay, reduced.decay)))
    product = float(rate * (largest + decay))
    if product >= 2:
        raise InvalidInput(
            f"Gradient descent with learning_rate {float(training.learning_rate):.6g} diverges: η s_max = "
            f"{product:.4g}, where s_max is the largest eigenvalue of the kernel plus decay. Use a learning_rate below "
            f"{2 * float(training.learning_rate) / product:.4g}."
        )
    return "contour" if covers(replace(training, learning_rate=float(rate)), float(largest + decay)) else "steps"


def block_size(rows: Rows, validation_rows: int, train_rows: int) -> int:
    """As many groups at once as keep the work space below half a kernel, or 32 MiB."""
    size = rows.indices.shape[1]
    per_group = train_rows * (min(size, 28) * size + 4 * size + 4) + validation_rows
    return max(1, int(max(train_rows**2 / 2, 2**22) // per_group))
