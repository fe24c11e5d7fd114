"""Influence functions: what leaving an example out would do to the losses of others, to first order.

w_−i − w ≈ n/(n − 1) · (C + nλ')⁻¹ (g_i − ḡ), and the loss of query j rises by g_j·(w_−i − w) (leaving_out.py;
Cook 1977; Koh and Liang 2017).
"""

import warnings
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float

from infojax.errors import InvalidInput, PrecisionWarning
from infojax.information._retraining_problem import Examples
from infojax.information.influence_functions.dual import Inner
from infojax.information.influence_functions.fisher import fisher
from infojax.information.influence_functions.gauss_newton import gauss_newton
from infojax.information.influence_functions.leaving_out import members, mixed, ridge
from infojax.information.influence_functions.losses import Loss
from infojax.information.influence_functions.matrix_free import matrix_free
from infojax.information.influence_functions.problem import pose
from infojax.information.influence_functions.products import Curvature
from infojax.information.influence_functions.solvers import ConjugateGradient, Lissa
from infojax.linearized import LOST, Converged, Groups, Training
from infojax.models import Network, Params

if TYPE_CHECKING:
    from rich.progress import Progress

Solver: TypeAlias = Literal["exact", "conjugate_gradient", "lissa"] | ConjugateGradient | Lissa


class _Scores(NamedTuple):
    scores: Float[np.ndarray, "n q"]
    self_influence: Float[np.ndarray, " n"] | None
    residual: float


class Influence(_Scores):
    """Predicted rise of losses when an example (or group) is left out, in the unit of the loss.

    Attributes:
        scores: (n, q) of the loss of each query; positive for proponents, examples that help it.
        self_influence: (n,) of the example's own loss (of the sum of its members' losses for a group); None where it
            was not asked for.
        residual: the largest relative residual of the linear systems; 0 where they were solved directly.
        error: by what part of the largest score any may be off for the rounding of kernels or curvature; nan where no
            matrix was written down, and `residual` says how far the solver got.
    """

    error: float = np.nan

    def __new__(cls, scores: Any, self_influence: Any, residual: float, error: float = np.nan) -> "Influence":
        made = super().__new__(cls, scores, self_influence, residual)
        made.error = error
        return made


def influence(
    network: Network,
    params: Params,
    train: Examples,
    queries: Examples,
    *,
    curvature: Curvature | str = "gauss_newton",
    solver: Solver | str = "exact",
    damping: float,
    training: Training = Converged(),
    loss: Loss | str = "squared",
    groups: Groups | None = None,
    self_influence: bool | None = None,
    budget: int = 2**31,
    progress: "Progress | None" = None,
) -> Influence:
    """Influence of every training example on every query, and on itself, at trained weights.

    Kernels and matrix-free products are in the precision of `params`, what is left after them, n × n, in float64.

    Args:
        network: its `apply` gives (b, k).
        params: the trained weights.
        train: n examples, a Dataset or a pair of arrays (x, targets); for cross-entropy targets are class numbers
            (n,) or one-hot rows.
        queries: q examples, likewise.
        curvature: "gauss_newton", positive semi-definite and exact where the network is linear; "fisher", the empirical
            Fisher matrix, far cheaper; "hessian", which may be indefinite.
        solver: "exact": in the dual, n(k − 1) square for cross-entropy, nk for squared loss, n for "fisher"; for
            "hessian" the P × P matrix, if it fits. "conjugate_gradient" and "lissa", or a `ConjugateGradient` or
            `Lissa` with settings, never write a matrix down.
        damping: added to the curvature beside the decay; of the mean loss in convention "mean", of the sum in "sum".
        training: with which `params` were trained. Of it the decay counts, towards whatever point, and the convention.
            The classical (1/n) H⁻¹ g_i is Converged(n·decay, "sum") with n·damping.
        loss: "squared", ½‖f − y‖², or "cross_entropy", of the softmax of the outputs.
        groups: leave out groups instead of single examples: integer labels (n,), or lists of example numbers. Effects
            add up to first order.
        self_influence: whether to compute it; None where it costs nothing, which is with solver "exact" for
            "gauss_newton" and "fisher". Elsewhere it takes n linear systems more.
        budget: bytes for work space beside the kernels.
        progress: a `rich.progress.Progress`.

    Warns:
        PrecisionWarning: rounding leaves the scores too few digits, or conjugate gradients did not converge.

    Raises:
        InvalidInput: shapes that do not fit, NaN, unknown names, no damping and no decay, a damping below the
            rounding of the kernel, a solver that diverged.
        OverBudget: the work does not fit into `budget`.
    """
    problem = pose(network, params, train, queries, loss)
    n = len(problem.x)
    shift = ridge(training, damping, n)
    member = None if groups is None else members(groups, n)
    method = _solver(solver)
    limits: Any = {"budget": budget, "progress": progress}
    with problem.precision():
        match curvature, method:
            case "gauss_newton", None:
                made = gauss_newton(problem, shift, **limits)
            case "fisher", None:
                made = fisher(problem, shift, **limits)
            case "gauss_newton" | "fisher" | "hessian", _:
                made = matrix_free(problem, curvature, method, shift, examples=bool(self_influence), **limits)
            case _:
                raise InvalidInput(f'curvature is {curvature!r}; it must be "gauss_newton", "fisher" or "hessian".')
    own = None
    if made.examples is not None:
        moved = mixed(made.examples, groups, training.convention)
        own = np.diagonal(moved).copy() if member is None else np.sum(member * moved, axis=0)
    _warn(made, method)
    return Influence(mixed(made.queries, groups, training.convention).T, own, made.residual, made.error)


def _warn(made: Inner, solver: ConjugateGradient | Lissa | None) -> None:
    remedy = "give a larger damping, or parameters in float64"
    if made.error > LOST:
        size = f"up to {made.error:.0%} of the largest" if made.error < 1 else "all of their size"
        text = f"Influence may be off by {size}, for the rounding of the curvature: {remedy}."
        warnings.warn(text, PrecisionWarning, stacklevel=3)
    if isinstance(solver, ConjugateGradient) and made.residual > max(LOST, 10 * solver.tolerance):
        text = (
            f"Conjugate gradients ended after {solver.steps} steps with a relative residual of {made.residual:.2g}, "
            f"where {solver.tolerance:.2g} was asked for: allow more steps, {remedy}."
        )
        warnings.warn(text, PrecisionWarning, stacklevel=3)


def _solver(solver: Solver | str) -> ConjugateGradient | Lissa | None:
    match solver:
        case ConjugateGradient() | Lissa():
            return solver
        case "exact":
            return None
        case "conjugate_gradient":
            return ConjugateGradient()
        case "lissa":
            return Lissa()
    raise InvalidInput(
        f'solver is {solver!r}; it must be "exact", "conjugate_gradient", "lissa", or a ConjugateGradient or Lissa.'
    )
