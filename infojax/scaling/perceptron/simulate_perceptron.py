"""Max-margin perceptrons on pruned data, simulated: the referee of `perceptron_law`."""

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from infojax.errors import InvalidInput, OverBudget
from infojax.scaling._repeats import Simulated, at_points, averaged, check_size
from infojax.scaling.perceptron.perceptron_law import PerceptronLaw, kept_fraction, radians
from infojax.scaling.registry.problems import PerceptronProblem

MARGINS = ("unsigned", "signed")
_POOL = 50_000_000  # examples; two numbers are drawn of each


def simulate_perceptron(
    problem: PerceptronProblem,
    *,
    dimension: int,
    repeats: int,
    key: PRNGKeyArray,
    margin: str = "unsigned",
) -> Simulated[PerceptronLaw]:
    """What `perceptron_law` predicts, measured on data of a finite dimension N.

    Each repeat draws a pool of P = round(αN/f) examples x ~ N(0, I_N) with labels sign(T·x), keeps the round(αN) that
    rank first by the probe, and finds the perceptron of largest margin through the origin on them, exactly, by
    non-negative least squares (Lawson and Hanson's least distance programming). The error is that of the angle between
    student and teacher, without a test set. Of examples that are not kept, only the two coordinates are drawn that the
    rule and the label see.

    Args:
        problem: points of arrays are simulated one after the other, with keys folded from `key`.
        dimension: N ≥ 2, better 100 or more.
        repeats: independent repeats of each point, at least 2.
        key: of the pools.
        margin: what ranks examples. "unsigned" is |J_probe·x|, of which the law speaks. "signed" is y J_probe·x: with
            "hard" it keeps first what the probe gets wrong, by most. At θ = 0 they are the same; at large angles,
            with a small fraction kept, they differ hugely, and the law says nothing of the second.

    Raises `InvalidInput` on a dimension or repeats too small, an unknown `margin`, or less than one example kept;
    `OverBudget` on pools of more than fifty million.

    >>> from infojax.scaling import PerceptronProblem, keep_hard
    >>> problem = PerceptronProblem(keep_hard(0.5), alpha=2.0)
    >>> found = simulate_perceptron(problem, dimension=50, repeats=8, key=jax.random.key(0))
    >>> bool(abs(found.mean.error - 0.136) < 5 * found.stderr.error)
    True
    """
    if margin not in MARGINS:
        raise InvalidInput(f"margin={margin!r}: there is 'unsigned', |J_probe·x|, and 'signed', y J_probe·x")
    check_size(dimension, repeats)

    def simulate(point: PerceptronProblem, key: PRNGKeyArray) -> Simulated[PerceptronLaw]:
        # SciPy does the work, so that examples are NumPy's from the start.
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())
        values = np.array([_repeat(rng, point, margin, dimension) for _ in range(repeats)])
        return averaged(PerceptronLaw, values)

    return at_points(simulate, problem, key)


def _repeat(
    rng: np.random.Generator, problem: PerceptronProblem, margin: str, dimension: int
) -> tuple[float, float, float]:
    numbers = (problem.alpha, kept_fraction(problem.selection), radians(problem.angle))
    alpha, fraction, angle = (float(np.asarray(number)) for number in numbers)
    keep = "easy" if problem.selection.rule == "easy" else "hard"
    count = round(alpha * dimension)
    pool = max(count, round(alpha * dimension / fraction))
    if count < 1:
        raise InvalidInput(f"alpha={alpha:g} of dimension={dimension} is less than one example; raise one of them")
    if pool > _POOL:
        raise OverBudget(
            f"a pool of alpha·dimension/kept = {pool:.3g} examples is beyond {_POOL:,}; "
            "keep a larger fraction or lower the dimension"
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
