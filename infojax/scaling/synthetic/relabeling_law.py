"""Generations of learners, each trained on labels of the one before it: collapse, and curation against it."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray, Shaped

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.scaling._batched import batched
from infojax.scaling._repeats import averaged
from infojax.scaling.ridge.equivalent import equivalent
from infojax.scaling.ridge.least_squares import fit
from infojax.scaling.ridge.ridge_law import components
from infojax.scaling.selection.kept import kept_moments
from infojax.scaling.selection.moments import sine_of
from infojax.scaling.selection.problem import Labels, Problem, checked_problem
from infojax.scaling.selection.rules import Selection


class RelabellingLaw(NamedTuple):
    """Of each generation's learner; fields have the broadcast shape of the arguments, then the generations."""

    error: Float[np.ndarray, "*shape generations"] | Float[Array, "*shape generations"]
    pruner_overlap: Float[np.ndarray, "*shape generations"] | Float[Array, "*shape generations"]  # cosine with w_s


def relabelling_law(
    selection: Selection,
    *,
    generations: int,
    pruner: ArrayLike,
    ratio: ArrayLike,
    ridge: ArrayLike,
    label_aware: bool = False,
    flips: ArrayLike = 0.0,
) -> RelabellingLaw:
    """Test error of a chain of learners, each trained on fresh examples that the learner before it has labelled.

    The first generation's labels are the truth's. Each pool is pruned by the same w_s, which knows the truth with
    cosine `pruner`, and each learner is that of `ridge_law`, exact as d, n → ∞: with respect to the next pool, ŵ is a
    direction like any other, of which only the cosines with w_* and w_s matter. Repeated relabelling drifts away from
    the truth (model collapse); that a label-aware pruner rejects examples is what holds it (arXiv 2511.03492).

    Args:
        selection: a rule without weights.
        generations: at least 1.
        pruner, ratio, ridge, label_aware, flips: as in `ridge_law`, the same for every generation.

    Raises `InvalidInput` as `ridge_law` does, and on generations < 1 and weighted rules.

    >>> from infojax.scaling import keep_all
    >>> law = relabelling_law(keep_all(), generations=3, pruner=1.0, ratio=0.2, ridge=0.01)
    >>> [round(float(error), 3) for error in law.error]
    [0.115, 0.16, 0.194]
    """
    problem = _checked(selection, generations, pruner, ratio, ridge, label_aware, flips)
    return batched(_law_at, selection, problem, static=(Labels("sign", label_aware), generations))


def _checked(
    selection: Selection,
    generations: int,
    pruner: ArrayLike,
    ratio: ArrayLike,
    ridge: ArrayLike,
    label_aware: bool,
    flips: ArrayLike,
) -> Problem:
    if generations < 1:
        raise InvalidInput(f"generations={generations}: there is at least one")
    if not isinstance(selection, Selection) or selection.weighted:
        raise InvalidInput("relabelling knows rules without weights: keep_hard, keep_easy, keep_random, soft")
    return checked_problem(selection, pruner, ratio, ridge, 1.0, None, Labels("sign", label_aware), 0.0, flips)


def _law_at(selection: Selection, problem: Problem, labels: Labels, generations: int) -> RelabellingLaw:
    def generation(known: tuple[Array, Array, Array], _: None) -> tuple[tuple[Array, Array, Array], RelabellingLaw]:
        truth, rho, sine = known  # cosines of the labelling direction with w_* and with w_s, and the latter's sine
        moments = kept_moments(selection, problem._replace(pruner_generator=rho), labels, sine)
        weights, spread = equivalent(moments, problem.ratio, problem.ridge)
        # The part of ŵ outside of the span of w_s and w_g is orthogonal to w_* too, up to O(1/√d).
        along, across = components(weights, problem.pruner, truth, rho)
        across = across + spread
        norm = jnp.sqrt(along**2 + across)
        beside = jnp.sqrt((sine * weights[1]) ** 2 + spread)  # orthogonal to w_s
        angle = jnp.arctan2(jnp.sqrt(across), along)
        rho = jnp.clip(weights[0] / norm, -1, 1)
        return (jnp.clip(along / norm, -1, 1), rho, beside / norm), RelabellingLaw(angle / np.pi, rho)

    pruner = jnp.asarray(problem.pruner)
    start = (jnp.ones_like(problem.ratio), pruner, sine_of(pruner))
    _, laws = jax.lax.scan(generation, start, None, length=generations)
    return laws


class RelabellingSimulation(NamedTuple):
    """Means over repeats of the fields of `RelabellingLaw`, with standard errors; each (generations,)."""

    error: Float[np.ndarray, " generations"]
    error_stderr: Float[np.ndarray, " generations"]
    pruner_overlap: Float[np.ndarray, " generations"]
    pruner_overlap_stderr: Float[np.ndarray, " generations"]


def simulate_relabelling(
    selection: Selection,
    *,
    generations: int,
    pruner: float,
    ratio: float,
    ridge: float,
    dimension: int,
    repeats: int,
    key: PRNGKeyArray,
    label_aware: bool = False,
    flips: float = 0.0,
) -> RelabellingSimulation:
    """What `relabelling_law` predicts, measured on data of a finite dimension, in float64, at one point.

    Raises as the law does, and on a ridge of 0, a dimension below 3 or fewer than 2 repeats.
    """
    _checked(selection, generations, pruner, ratio, ridge, label_aware, flips)
    if np.ndim(pruner) or np.ndim(ratio) or np.ndim(ridge) or not ridge > 0:
        raise InvalidInput(f"simulate_relabelling takes one number each, and a ridge above 0; ridge={ridge}")
    if dimension < 3 or repeats < 2:
        raise InvalidInput(f"dimension={dimension}, repeats={repeats}: give at least 3 and 2")
    from threadpoolctl import threadpool_limits

    with float64(), threadpool_limits(1, user_api="blas"):  # small solves: see simulate_ridge
        numbers = tuple(jnp.asarray(value, jnp.float64) for value in (pruner, ridge, flips))
        sizes = (generations, round(dimension / ratio), dimension)
        values = np.asarray(_simulate(jax.random.split(key, repeats), selection, numbers, sizes, label_aware))
    return RelabellingSimulation(*averaged(values).T)


@partial(jax.jit, static_argnames=("sizes", "aware"))
def _simulate(
    keys: Shaped[Array, "repeats ..."],
    selection: Selection,
    numbers: tuple[Array, Array, Array],
    sizes: tuple[int, int, int],
    aware: bool,
) -> Float[Array, "repeats generations 2"]:
    pruner, ridge, flips = numbers
    generations, rows, dimension = sizes
    selector = jnp.zeros(dimension).at[0].set(1.0)
    truth = jnp.zeros(dimension).at[0].set(pruner).at[1].set(jnp.sqrt(jnp.maximum(1 - pruner**2, 0)))

    def repeat(key: PRNGKeyArray) -> Array:
        def generation(labeller: Array, key: PRNGKeyArray) -> tuple[Array, Array]:
            for_x, for_coins, for_flips = jax.random.split(key, 3)
            x = jax.random.normal(for_x, (rows, dimension))
            flipped = jax.random.uniform(for_flips, (rows,)) < flips
            y = jnp.sign(x @ labeller) * jnp.where(flipped, -1, 1).astype(x.dtype)
            kept = selection.keeps(x[:, 0], jax.random.uniform(for_coins, (rows,))) & ((y * x[:, 0] > 0) | (not aware))
            learner = fit(x, y, kept.astype(x.dtype), jnp.asarray(rows, x.dtype), ridge)
            learner = learner / jnp.linalg.norm(learner)
            error = jnp.arccos(jnp.clip(learner @ truth, -1, 1)) / np.pi
            return learner, jnp.stack([error, learner @ selector])

        return jax.lax.scan(generation, truth, jax.random.split(key, generations))[1]

    return jax.lax.map(repeat, keys)
