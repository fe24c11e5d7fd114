"""Training to convergence without each of many groups: which systems conjugate gradients solve, and how exactly."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from infojax.errors import InvalidInput
from infojax.linearized.leave_out.chebyshev_filters import Change
from infojax.linearized.leave_out.conjugate_gradients import solve
from infojax.linearized.products.largest_eigenvalues import Spectral
from infojax.linearized.products.products import Products


@dataclass(frozen=True)
class Trained:
    """(Θ + λ)⁻¹ r for the decay with all examples and those without a group, from which groups are left out.

    Attributes:
        columns: (size, 1 + sizes) the solutions; the first with all examples.
        shifts: λ of each.
        residuals: of each.
        smallest: no eigenvalue of Θ + λ is smaller; without decay an estimate.
        target: residual to reach, of any column.
        most: steps.
    """

    columns: jax.Array
    shifts: Float[np.ndarray, " S"]
    residuals: Float[np.ndarray, " S"]
    smallest: Float[np.ndarray, " S"]
    target: float
    most: int


def train_to_convergence(
    products: Products,
    spectral: Spectral,
    residual: Float[np.ndarray, " N"],
    shifts: Float[np.ndarray, " S"],
    *,
    error: float,
    rounding: float,
) -> Trained:
    """The solutions with all examples.

    Args:
        products: with Θ.
        spectral: what is known of its eigenvalues.
        residual: r.
        shifts: λ with all examples, then without groups of each number of examples.
        error: of ‖w − w_−g‖ to allow.
        rounding: below this times the largest, eigenvalues of Θ are no more than rounding.

    Raises:
        InvalidInput: without decay, a kernel that is singular up to rounding, or too near to it to solve for.
    """
    decayed = bool(shifts.min() > 0)
    positive = spectral.nodes[spectral.nodes > rounding * spectral.below]
    smallest = float(shifts.min()) if decayed else float(positive.min(initial=spectral.below))
    limit = 10 * products.rows + 100
    most = min(limit, int(40 * np.sqrt(spectral.above / smallest + 1)) + 20) if decayed else limit
    right = products.place(np.repeat(residual[:, None], len(shifts), axis=1))
    kept = np.zeros((products.rows, len(shifts)), bool)
    columns = jnp.zeros_like(right)
    target, residuals = np.inf, np.full(len(shifts), np.inf)
    # Without decay the smallest eigenvalue that matters is learned from solving, and with it how far to solve.
    while target > error / 3 * np.sqrt(smallest) and smallest > rounding * spectral.below:
        target = error / 4 * np.sqrt(smallest)
        solved = solve(products, right, columns, kept, shifts, largest=spectral.above, target=target, most=most)
        columns, residuals = solved.columns, solved.residuals
        smallest = smallest if decayed else min(smallest, solved.smallest)
    # A residual of more than rounding can leave says that the targets are not in the kernel's range.
    unsolved = bool(residuals[0] > 1e-3 * np.linalg.norm(residual))
    if not decayed and (unsolved or smallest <= rounding * spectral.below):
        raise InvalidInput(
            f"The training kernel is singular, or too near to it to be solved by products: it has eigenvalues of about "
            f"{smallest / spectral.below:.1g} of its largest, {spectral.below:.4g}. Give decay > 0, or "
            "GradientFlow(time) or GradientDescent instead of Converged(); or, where it can be factored, from_kernels, "
            "which takes the pseudo-inverse. Products in float64 get further than in float32."
        )
    bounds = shifts if decayed else np.full(len(shifts), smallest)
    return Trained(columns, shifts, residuals, bounds, target, most)


def without_each_converged(
    products: Products,
    trained: Trained,
    left: Bool[np.ndarray, "N B"],
    which: Int[np.ndarray, " B"],
    *,
    largest: float,
) -> tuple[Change, int]:
    """Δ of each column of `left`, trained with the decay numbered `which` without it; and the steps that it took."""
    of = which + 1 if len(trained.shifts) > 1 else which * 0
    alpha = trained.columns[:, of]
    solved = solve(
        products,
        jnp.zeros_like(alpha),
        jnp.where(products.place(left), alpha, 0),
        left,
        trained.shifts[of],
        largest=largest,
        target=trained.target,
        most=trained.most,
    )
    change, error = solved.columns, (solved.residuals + trained.residuals[of]) / np.sqrt(trained.smallest[of])
    length = error / np.sqrt(trained.smallest[of])
    if len(trained.shifts) > 1:
        change = change + trained.columns[:, :1] - alpha
        both = trained.residuals[0] / trained.smallest[0] ** 0.5 + trained.residuals[of] / trained.smallest[of] ** 0.5
        error, length = error + both, length + both / np.sqrt(trained.smallest.min())
    return Change(change, error, length), solved.steps
