"""Generations of learners, each trained on labels of the one before it: collapse, and curation against it."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.scaling._batched import batched
from infojax.scaling._repeats import Simulated, at_points, averaged, check_size
from infojax.scaling.registry.checked import changed
from infojax.scaling.registry.problems import RelabellingProblem, RidgeProblem
from infojax.scaling.ridge.equivalent import equivalent
from infojax.scaling.ridge.least_squares import fit
from infojax.scaling.ridge.ridge_law import components
from infojax.scaling.selection.kept import kept_moments
from infojax.scaling.selection.moments import sine_of


class RelabellingLaw(NamedTuple):
    """Of each generation's learner; fields have the broadcast shape of the arguments, then the generations."""

    error: Float[np.ndarray, "*shape generations"] | Float[Array, "*shape generations"]
    pruner_overlap: Float[np.ndarray, "*shape generations"] | Float[Array, "*shape generations"]  # cosine with w_s


def relabelling_law(problem: RelabellingProblem) -> RelabellingLaw:
    """Test error of a chain of learners, each trained on fresh examples that the learner before it has labelled.

    The first generation's labels are the truth's. Each pool is pruned by the same w_s, which knows the truth with
    cosine `pruner`, and each learner is that of `ridge_law`, exact as d, n → ∞: with respect to the next pool, ŵ is a
    direction like any other, of which only the cosines with w_* and w_s matter. Repeated relabelling drifts away from
    the truth (model collapse); that a label-aware pruner rejects examples is what holds it (arXiv 2511.03492).

    >>> from infojax.scaling import RelabellingProblem, keep_all
    >>> problem = RelabellingProblem(keep_all(), pruner=1.0, ratio=0.2, ridge=0.01, generations=3)
    >>> [round(float(error), 3) for error in relabelling_law(problem).error]
    [0.115, 0.16, 0.194]
    """
    return batched(_law_at, first_generation(problem), static=(problem.generations,))


def first_generation(problem: RelabellingProblem) -> RidgeProblem:
    return RidgeProblem(
        problem.selection,
        pruner=problem.pruner,
        ratio=problem.ratio,
        ridge=problem.ridge,
        flips=problem.flips,
        label_aware=problem.label_aware,
    )


def _law_at(problem: RidgeProblem, generations: int) -> RelabellingLaw:
    def generation(known: tuple[Array, Array, Array], _: None) -> tuple[tuple[Array, Array, Array], RelabellingLaw]:
        truth, rho, sine = known  # cosines of the labelling direction with w_* and with w_s, and the latter's sine
        moments = kept_moments(changed(problem, {"pruner_generator": rho}), sine)
        weights, spread = equivalent(moments, jnp.asarray(problem.ratio), jnp.asarray(problem.ridge))
        # The part of ŵ outside of the span of w_s and w_g is orthogonal to w_* too, up to O(1/√d).
        along, across = components(weights, jnp.asarray(problem.pruner), truth, rho)
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


def simulate_relabelling(
    problem: RelabellingProblem, *, dimension: int, repeats: int, key: PRNGKeyArray
) -> Simulated[RelabellingLaw]:
    """What `relabelling_law` predicts, measured on data of a finite dimension, in float64.

    Points of arrays are simulated one after the other, with keys folded from `key`. Raises `InvalidInput` on a ridge of
    0, a dimension below 3 or fewer than 2 repeats.
    """
    if np.any(np.asarray(problem.ridge) == 0):
        raise InvalidInput("simulate_relabelling needs a ridge above 0; 1e-8 is as good as none")
    check_size(dimension, repeats, least=3)
    from threadpoolctl import threadpool_limits

    def simulate(point: RelabellingProblem, key: PRNGKeyArray) -> Simulated[RelabellingLaw]:
        rows = round(dimension / float(point.ratio))
        with float64(), threadpool_limits(1, user_api="blas"):  # small solves: see simulate_ridge
            values = _simulate(jax.random.split(key, repeats), point, rows, dimension)
            return averaged(RelabellingLaw, np.asarray(values))

    return at_points(simulate, problem, key)


@partial(jax.jit, static_argnames=("rows", "dimension"))
def _simulate(
    keys: Shaped[Array, "repeats ..."], problem: RelabellingProblem, rows: int, dimension: int
) -> Float[Array, "repeats generations 2"]:
    pruner, selection = jnp.asarray(problem.pruner), problem.selection
    selector = jnp.zeros(dimension).at[0].set(1.0)
    truth = jnp.zeros(dimension).at[0].set(pruner).at[1].set(jnp.sqrt(jnp.maximum(1 - pruner**2, 0)))

    def repeat(key: PRNGKeyArray) -> Array:
        def generation(labeller: Array, key: PRNGKeyArray) -> tuple[Array, Array]:
            for_x, for_coins, for_flips = jax.random.split(key, 3)
            x = jax.random.normal(for_x, (rows, dimension))
            flipped = jax.random.uniform(for_flips, (rows,)) < problem.flips
            y = jnp.sign(x @ labeller) * jnp.where(flipped, -1, 1).astype(x.dtype)
            kept = selection.keeps(x[:, 0], jax.random.uniform(for_coins, (rows,)))
            kept &= (y * x[:, 0] > 0) | (not problem.label_aware)
            learner = fit(x, y, kept.astype(x.dtype), jnp.asarray(rows, x.dtype), jnp.asarray(problem.ridge))
            learner = learner / jnp.linalg.norm(learner)
            error = jnp.arccos(jnp.clip(learner @ truth, -1, 1)) / np.pi
            return learner, jnp.stack([error, learner @ selector])

        return jax.lax.scan(generation, truth, jax.random.split(key, problem.generations))[1]

    return jax.lax.map(repeat, keys)
