"""Max-margin perceptrons on pruned data, simulated: the referee of `perceptron_law`."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import ArrayLike, Float, PRNGKeyArray

from infojax.errors import InvalidInput, OverBudget
from infojax.scaling._repeats import averaged
from infojax.scaling.perceptron.perceptron_law import check_pruning

MARGINS = ("unsigned", "signed")
_POOL = 50_000_000  # examples; two numbers are drawn of each


class PerceptronSimulation(NamedTuple):
    """Means over repeats of the fields of `PerceptronLaw`, each with the standard error of the mean."""

    error: Float[np.ndarray, "*shape"]
    error_stderr: Float[np.ndarray, "*shape"]
    margin: Float[np.ndarray, "*shape"]
    margin_stderr: Float[np.ndarray, "*shape"]
    overlap: Float[np.ndarray, "*shape"]
    overlap_stderr: Float[np.ndarray, "*shape"]


def simulate_perceptron(
    *,
    alpha_kept: ArrayLike,
    fraction: ArrayLike,
    angle: ArrayLike = 0.0,
    keep: str = "hard",
    margin: str = "unsigned",
    dimension: int,
    repeats: int,
    key: PRNGKeyArray,
) -> PerceptronSimulation:
    """What `perceptron_law` predicts, measured on data of a finite dimension N.

    Each repeat draws a pool of P = round(alpha_kept N / fraction) examples x ~ N(0, I_N) with labels sign(T·x), keeps
    the round(alpha_kept N) that rank first by the probe, and finds the perceptron of largest margin through the
    origin on them, exactly, by non-negative least squares (Lawson and Hanson's least distance programming). The
    error is that of the angle between student and teacher, without a test set. Of examples that are not kept,
    only the two coordinates are drawn that the rule and the label see.

    Args:
        alpha_kept, fraction, angle, keep: as in `perceptron_law`. Arrays broadcast; their points are simulated one
            after the other, with keys folded from `key`.
        margin: what ranks examples. "unsigned" is |J_probe·x|, of which the law speaks. "signed" is y J_probe·x: with
            "hard" it keeps first what the probe gets wrong, by most. At θ = 0 they are the same; at large angles,
            with a small fraction kept, they differ hugely, and the law says nothing of the second.
        dimension: N ≥ 2, better 100 or more.
        repeats: independent repeats of each point, at least 2.

    Raises `InvalidInput` as `perceptron_law` does, and on a dimension or repeats too small, an unknown `margin`, or
    less than one example kept; `OverBudget` on pools of more than fifty million.

    >>> found = simulate_perceptron(alpha_kept=2.0, fraction=0.5, dimension=50, repeats=8, key=jax.random.key(0))
    >>> bool(abs(found.error - 0.136) < 5 * found.error_stderr)
    True
    """
    check_pruning(alpha_kept, fraction, angle, keep)
    if margin not in MARGINS:
        raise InvalidInput(f"margin={margin!r}: there is 'unsigned', |J_probe·x|, and 'signed', y J_probe·x")
    if dimension < 2:
        raise InvalidInput(f"dimension={dimension}: teacher and probe need at least 2 dimensions, better 100 or more")
    if repeats < 2:
        raise InvalidInput(f"repeats={repeats}: a standard error needs at least 2 repeats")
    points = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (alpha_kept, fraction, angle)))
    found = []
    for index, (alpha, f, theta) in enumerate(zip(*(axis.ravel().tolist() for axis in points), strict=True)):
        folded = key if points[0].ndim == 0 else jax.random.fold_in(key, index)
        # SciPy does the work, so that examples are NumPy's from the start.
        rng = np.random.default_rng(np.asarray(jax.random.key_data(folded)).ravel())
        values = np.array([_repeat(rng, alpha, f, theta, keep, margin, dimension) for _ in range(repeats)])
        found.append(averaged(values))
    return PerceptronSimulation(*(column.reshape(points[0].shape) for column in np.stack(found).T))


def _repeat(
    rng: np.random.Generator, alpha: float, fraction: float, angle: float, keep: str, margin: str, dimension: int
) -> tuple[float, float, float]:
    count = round(alpha * dimension)
    pool = max(count, round(alpha * dimension / fraction))
    if count < 1:
        raise InvalidInput(f"alpha_kept={alpha:g} of dimension={dimension} is less than one example; raise one of them")
    if pool > _POOL:
        raise OverBudget(
            f"a pool of alpha_kept·dimension/fraction = {pool:.3g} examples is beyond {_POOL:,}; "
            "raise the fraction or lower the dimension"
        )
    x = np.empty((count, dimension))
    x[:, :2], y = _kept(rng.standard_normal((pool, 2)), count, angle, keep, margin)
    x[:, 2:] = rng.standard_normal((count, dimension - 2))
    weights = max_margin(y[:, None] * x)
    norm = np.linalg.norm(weights)
    teacher = np.array([np.cos(angle), np.sin(angle)])
    along = weights[:2] @ teacher
    # arccos(overlap), without its loss of digits near overlap = 1
    outside = np.hypot(np.linalg.norm(weights[2:]), weights[0] * teacher[1] - weights[1] * teacher[0])
    return float(np.arctan2(outside, along) / np.pi), float(1 / norm), float(along / norm)


def _kept(
    seen: Float[np.ndarray, "pool 2"], count: int, angle: float, keep: str, margin: str
) -> tuple[Float[np.ndarray, "kept 2"], Float[np.ndarray, " kept"]]:
    """The kept part of a pool and its labels, in coordinates along the probe and, in its plane with T, across."""
    y = np.where(seen @ np.array([np.cos(angle), np.sin(angle)]) > 0, 1.0, -1.0)
    rank = np.abs(seen[:, 0]) if margin == "unsigned" else y * seen[:, 0]
    if count < len(seen):
        chosen = np.argpartition(rank if keep == "hard" else -rank, count)[:count]
        seen, y = seen[chosen], y[chosen]
    return seen, y


def max_margin(examples: Float[np.ndarray, "m N"]) -> Float[np.ndarray, " N"]:
    """The w of least norm with w·x ≥ 1 for all rows x = y_i x_i, whose margin is 1/‖w‖ at |J| = 1.

    Least distance programming (Lawson and Hanson, Solving Least Squares Problems, 1974, ch. 23): with u ≥ 0
    minimising ‖(Xᵀ; 1ᵀ) u − (0; 1)‖ and r its residual, w = −r_{1…N}/r_{N+1}. r = 0 where no w exists.

    Raises `InvalidInput` if no w has w·x > 0 for all rows.
    """
    from scipy.optimize import nnls

    count, dimension = examples.shape
    size = np.sqrt(dimension)  # of a row: brings both parts of the matrix to one scale
    matrix = np.concatenate([examples.T / size, np.ones((1, count))])
    target = np.append(np.zeros(dimension), 1.0)
    dual, _ = nnls(matrix, target, maxiter=30 * max(matrix.shape))
    residual = target - matrix @ dual
    if residual[-1] <= 1e-12:
        raise InvalidInput("no weights classify all rows rightly: the largest margin is not above 0")
    return -residual[:-1] / (residual[-1] * size)
