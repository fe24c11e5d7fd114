"""Leave-one-out the slow way, for tests and for small problems: really without the examples.

Two independent answers: the closed form on every submatrix of the kernel, and explicit gradient descent on the
parameters of the linearised network. Plain NumPy, float64, loops.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float, Int

from infojax.linearized._training import GradientDescent, GradientFlow, Training, as_sum


def submatrix_leave_out(
    kernel: Float[np.ndarray, "N N"],
    validation_kernel: Float[np.ndarray, "M N"],
    residual: Float[np.ndarray, " N"],
    groups: Iterable[Int[np.ndarray, " _"]],
    *,
    outputs: int,
    training: Training,
) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, " G"]]:
    """‖w − w_−g‖² and (1/m) Σ_x ‖f_w(x) − f_w−g(x)‖² for every group g of examples: one eigendecomposition each."""
    rows, n = len(kernel), len(kernel) // outputs
    top = np.linalg.eigvalsh(kernel)[-1]
    full = _solve(kernel, residual, as_sum(training, n), top)
    weights, functional = [], []
    for group in groups:
        left_out = (np.asarray(group)[:, None] * outputs + np.arange(outputs)[None]).ravel()
        kept = np.setdiff1d(np.arange(rows), left_out)
        without = np.zeros(rows)
        problem = as_sum(training, n - len(group))
        without[kept] = _solve(kernel[np.ix_(kept, kept)], residual[kept], problem, top)
        difference = full - without
        weights.append(difference @ kernel @ difference)
        functional.append(np.sum((validation_kernel @ difference) ** 2) * outputs / len(validation_kernel))
    return np.array(weights), np.array(functional)


def submatrix_ensembles(
    kernel: Float[np.ndarray, "n n"],
    validation_kernel: Float[np.ndarray, "m n"],
    nngp: Float[np.ndarray, "n n"],
    cross_nngp: Float[np.ndarray, "m n"],
    validation_nngp: Float[np.ndarray, "m m"],
    targets: Float[np.ndarray, "n k"],
    groups: Iterable[Int[np.ndarray, " _"]],
    *,
    training: Training,
) -> Iterator[tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "m m"]]]:
    """Mean and covariance of an infinitely wide ensemble's predictions without each group of examples."""
    n, top = len(kernel), np.linalg.eigvalsh(kernel)[-1]
    for group in groups:
        kept = np.setdiff1d(np.arange(n), group)
        problem = as_sum(training, len(kept))
        solved = _solve(kernel[np.ix_(kept, kept)], np.eye(len(kept)), problem, top)
        operator = validation_kernel[:, kept] @ solved
        carried = operator @ cross_nngp[:, kept].T
        spread = operator @ nngp[np.ix_(kept, kept)] @ operator.T
        yield operator @ targets[kept], validation_nngp - carried - carried.T + spread


def _solve(kernel, residual, training, top):
    s, u = np.linalg.eigh(kernel)
    s = np.where(s < 1e-12 * top, 0.0, s)
    z = s + float(np.asarray(training.decay))
    safe = np.where(z > 0, z, 1.0)
    if isinstance(training, GradientFlow):
        rate = float(np.asarray(training.learning_rate))
        phi = np.where(z > 0, -np.expm1(-rate * training.time * safe) / safe, rate * training.time)
    elif isinstance(training, GradientDescent):
        rate = float(np.asarray(training.learning_rate))
        phi = np.zeros_like(z)
        for _ in range(int(np.asarray(training.steps))):  # a ← a + η (r − z a): the filter is what the steps make
            phi = phi + rate * (1 - z * phi)
    else:
        phi = np.where(z > 0, 1 / safe, 0.0)
    return (u * phi) @ (u.T @ residual)


def descended_leave_out(
    jacobian: Float[np.ndarray, "N P"],
    validation_jacobian: Float[np.ndarray, "M P"],
    residual: Float[np.ndarray, " N"],
    groups: Iterable[Int[np.ndarray, " _"]],
    *,
    outputs: int,
    training: GradientDescent,
) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, " G"]]:
    """The same by gradient descent on the parameters: w ← w − η (Jᵀ(J(w − w₀) − r) + λ (w − w₀))."""
    rows, n = len(jacobian), len(jacobian) // outputs

    def descend(kept, examples):
        run = as_sum(training, examples)
        j, target, w = jacobian[kept], residual[kept], np.zeros(jacobian.shape[1])
        assert isinstance(run, GradientDescent)
        for _ in range(int(np.asarray(training.steps))):
            w = w - run.learning_rate * (j.T @ (j @ w - target) + run.decay * w)
        return w

    full = descend(np.arange(rows), n)
    weights, functional = [], []
    for group in groups:
        left_out = (np.asarray(group)[:, None] * outputs + np.arange(outputs)[None]).ravel()
        difference = full - descend(np.setdiff1d(np.arange(rows), left_out), n - len(group))
        weights.append(difference @ difference)
        functional.append(np.sum((validation_jacobian @ difference) ** 2) * outputs / len(validation_jacobian))
    return np.array(weights), np.array(functional)
