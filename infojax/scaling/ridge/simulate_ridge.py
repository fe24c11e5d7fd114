"""Ridge regression on selected data, simulated: the referee of `ridge_law`."""

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from infojax.arrays import float64
from infojax.errors import InvalidInput, OverBudget
from infojax.scaling._repeats import Simulated, at_points, averaged, check_size
from infojax.scaling.registry.problems import RidgeProblem
from infojax.scaling.ridge.least_squares import fit
from infojax.scaling.ridge.ridge_law import RidgeLaw
from infojax.scaling.selection.pools import directions, draw_kept, draw_pool
from infojax.scaling.selection.weighting import Weighting

Draw = Literal["pool", "kept"]


def simulate_ridge(
    problem: RidgeProblem,
    *,
    dimension: int,
    repeats: int,
    key: PRNGKeyArray,
    draw: Draw = "pool",
    memory: int = 4 * 2**30,
) -> Simulated[RidgeLaw]:
    """What `ridge_law` predicts, measured on data of a finite dimension, in float64.

    Each repeat draws n = round(dimension / ratio) examples, labels and prunes them, and solves for ŵ by Cholesky
    (by eigendecomposition where ridge = 0 leaves directions undetermined). The test quantities of ŵ are then
    computed exactly, without a test set. The three directions are put in the first three coordinates, which
    loses nothing as the data are isotropic. A repeat that keeps nothing has ŵ = 0, overlap 0 and error 1/2.

    Args:
        problem: points of arrays are simulated one after the other, with keys folded from `key`.
        dimension: d ≥ 3.
        repeats: independent repeats of each point, at least 2.
        key: of the pools.
        draw: "pool" draws every coordinate of every example of the pool and throws away what is not kept. "kept" draws
            only examples that pass the rule, by its truncated normal margin, and how many they are: the same
            distribution, at a cost that does not grow with 1/p. Of hard, easy and random only.
        memory: bytes that the repeats computed at once may take. A CPU computes one repeat after the other, a GPU as
            many together as fit.

    Raises `InvalidInput` on a dimension below 3, fewer than 2 repeats, an unknown `draw`, or a pool of which less than
    one example is kept on average; `OverBudget` if one repeat takes more than `memory`.
    """
    if draw not in ("pool", "kept"):
        raise InvalidInput(f"draw={draw!r}: there is 'pool', the whole pool, and 'kept', only what passes the rule")
    selection = problem.selection
    if draw == "kept" and (isinstance(selection, Weighting) or selection.rule == "soft" or selection.weighted):
        raise InvalidInput("draw='kept' knows the hard, easy and random rules without weights; use draw='pool'")
    check_size(dimension, repeats, least=3)

    def simulate(point: RidgeProblem, key: PRNGKeyArray) -> Simulated[RidgeLaw]:
        keys = jax.random.split(key, repeats)
        with float64():
            return averaged(RidgeLaw, _simulate_point(point, dimension, keys, draw, memory))

    return at_points(simulate, problem, key)


def _simulate_point(
    problem: RidgeProblem, dimension: int, keys: Shaped[Array, "repeats ..."], draw: Draw, memory: int
) -> Float[np.ndarray, "repeats 4"]:
    from threadpoolctl import threadpool_limits

    pool = round(dimension / float(problem.ratio))
    p = 1.0 if isinstance(problem.selection, Weighting) else float(problem.selection.kept)
    if p * pool < 1:
        raise InvalidInput(
            f"of a pool of n = dimension/ratio = {pool} examples a fraction p = {p:g} is less than one example; "
            "raise the dimension or p, or lower the ratio"
        )
    rows = pool if draw == "pool" else _room(pool, p)
    # examples and what is kept of them; the matrix of the normal equations, its factor and a work space
    needed = 8 * (2 * rows * dimension + 3 * min(rows, dimension) ** 2)
    if needed > memory:
        remedies = (
            "allow more" if draw == "kept" else "allow more, or draw='kept', which leaves out what is thrown away"
        )
        raise OverBudget(
            f"one repeat with {rows} examples of dimension {dimension} takes {needed / 2**30:.1f} GiB, and "
            f"memory={memory / 2**30:.1f} GiB is allowed; lower the dimension, {remedies}"
        )
    block = 1 if jax.default_backend() == "cpu" else memory // needed
    # The Cholesky factor of a few hundred rows takes a millisecond, of which OpenBLAS's waiting threads make ten or a
    # hundred where anything else runs on the machine.
    with threadpool_limits(1, user_api="blas"):
        return np.asarray(
            _simulate(
                keys,
                problem,
                jnp.asarray(pool, jnp.float64),
                draw=draw,
                rows=rows,
                dimension=dimension,
                ridgeless=bool(problem.ridge == 0),
                block=min(block, len(keys)),
            )
        )


def _room(pool: int, p: float) -> int:
    """Rows for Binomial(pool, p) examples: six standard deviations above the mean (exceeded once in 10⁹ repeats),
    rounded up so that nearby problems share one compiled program."""
    return 256 * int(np.ceil((p * pool + 6 * np.sqrt(pool * p * (1 - p))) / 256))


@partial(jax.jit, static_argnames=("draw", "rows", "dimension", "ridgeless", "block"))
def _simulate(
    keys: Shaped[Array, "repeats ..."],
    problem: RidgeProblem,
    pool: Float[Array, ""],
    *,
    draw: Draw,
    rows: int,
    dimension: int,
    ridgeless: bool,
    block: int,
) -> Float[Array, "repeats 4"]:
    def repeat(key: PRNGKeyArray) -> Float[Array, "4"]:
        if draw == "pool":
            examples = draw_pool(key, problem, rows, dimension)
        else:
            examples = draw_kept(key, problem, pool, rows, dimension)
        weights = fit(*examples, pool, problem.ridge, ridgeless)
        along = directions(problem)[2] @ weights[:3]
        return measured(jnp.linalg.norm(weights), along, problem.labels)

    return jax.lax.map(repeat, keys, batch_size=None if block == 1 else block)


def measured(norm: Float[Array, ""], along: Float[Array, ""], labels: str) -> Float[Array, "4"]:
    """The fields of `RidgeLaw`, in closed form for Gaussian test data, of one learner of that length, ŵ·w_* = along."""
    overlap = jnp.where(norm > 0, along / jnp.where(norm > 0, norm, 1), 0)
    mse = 1 - 2 * (1.0 if labels == "linear" else np.sqrt(2 / np.pi)) * along + norm**2
    return jnp.stack([jnp.arccos(jnp.clip(overlap, -1, 1)) / np.pi, mse, overlap, norm])
