"""Selected Gaussian examples, drawn in two ways that have the same distribution.

Data are isotropic, so that the pruner w_s may be the first axis, the generator w_g lie in the plane of the first two
and the truth w_* in the space of the first three.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import erfinv, ndtri
from jaxtyping import Array, Float, PRNGKeyArray

from infojax.scaling.registry.problems import RidgeProblem
from infojax.scaling.selection.rules import Selection
from infojax.scaling.selection.weighting import Weighting


class Examples(NamedTuple):
    """m examples of dimension d with what each counts in the loss, 0 where it is not kept."""

    x: Float[Array, "m d"]
    y: Float[Array, " m"]
    weight: Float[Array, " m"]


def draw_pool(key: PRNGKeyArray, problem: RidgeProblem, size: int, dimension: int) -> Examples:
    """Every coordinate of every example of a pool of the given size; the rule then says which are kept."""
    for_x, for_coins, for_labels = jax.random.split(key, 3)
    x = jax.random.normal(for_x, (size, dimension))
    y, selection = _labels(for_labels, x, problem), problem.selection
    margin, coin = x[:, 0], jax.random.uniform(for_coins, (size,))
    agrees = y * margin > 0
    if isinstance(selection, Weighting):
        probability, weight = selection(jnp.abs(margin), agrees | (problem.labels == "linear"))
    else:
        probability = selection.probability(margin)
        weight = 1 / jnp.maximum(probability, 1e-30) if selection.weighted else jnp.ones_like(margin)
    kept = (coin < probability) & (agrees | (not problem.label_aware))
    return Examples(x, y, jnp.where(kept, weight, 0))


def draw_kept(key: PRNGKeyArray, problem: RidgeProblem, pool: Float[Array, ""], rows: int, dimension: int) -> Examples:
    """Only examples that pass the rule, without drawing the rest of the pool.

    How many pass is Binomial(pool, p); the margin of each follows the normal distribution truncated to where the
    rule keeps; the other coordinates do not know of the rule. `rows` is the room there is for them.
    """
    for_x, for_margins, for_count, for_labels = jax.random.split(key, 4)
    x = jax.random.normal(for_x, (rows, dimension))
    selection = problem.selection
    assert isinstance(selection, Selection)
    p = jnp.asarray(selection.kept, x.dtype)
    x = x.at[:, 0].set(truncated_margin(for_margins, selection, x[:, 0]))
    count = jax.random.binomial(for_count, pool, p, dtype=x.dtype)
    y = _labels(for_labels, x, problem)
    kept = (jnp.arange(rows).astype(x.dtype) < count) & ((y * x[:, 0] > 0) | (not problem.label_aware))
    return Examples(x, y, kept.astype(x.dtype))


def truncated_margin(key: PRNGKeyArray, selection: Selection, free: Float[Array, " m"]) -> Float[Array, " m"]:
    """Margins of examples that passed the hard or easy rule; the free ones, standard normal, of the random rule."""
    p = jnp.asarray(selection.kept, free.dtype)
    uniform = jax.random.uniform(key, free.shape, free.dtype, minval=-1.0)
    if selection.rule == "hard":
        # P(|t| ≤ s) = erf(s/√2) for s ≤ ξ, where it reaches p
        return jnp.sqrt(2.0).astype(free.dtype) * erfinv(p * uniform)
    if selection.rule == "easy":
        # P(|t| > s) = 2Φ(−s) for s ≥ ξ, where it starts from p
        size = -ndtri(p * jnp.maximum(jnp.abs(uniform), jnp.finfo(free.dtype).tiny) / 2)
        return jnp.sign(uniform) * size
    return free


def _labels(key: PRNGKeyArray, x: Float[Array, "m d"], problem: RidgeProblem) -> Float[Array, " m"]:
    along = x[:, :2] @ directions(problem)[1, :2]
    if problem.labels == "linear":
        return along + problem.noise * jax.random.normal(key, along.shape)
    signs = jnp.where(along > 0, 1, -1).astype(x.dtype)
    return jnp.where(jax.random.uniform(key, along.shape) < problem.flips, -signs, signs)


def directions(problem: RidgeProblem) -> Float[Array, "3 3"]:
    """The unit vectors w_s, w_g, w_* (rows) in the first three coordinates."""
    s, g, sg = (jnp.asarray(c) for c in (problem.pruner, problem.generator, problem.pruner_generator))
    sine = jnp.sqrt(jnp.maximum(1 - sg**2, 0))
    # Where pruner and generator are parallel, the second axis is free: nothing of w_* need lie along it.
    parallel = sine < 1e-7
    second = jnp.where(parallel, 0, (g - sg * s) / jnp.where(parallel, 1, sine))
    third = jnp.sqrt(jnp.maximum(1 - s**2 - second**2, 0))
    zero, one = jnp.zeros_like(s), jnp.ones_like(s)
    return jnp.array([[one, zero, zero], [sg, sine, zero], [s, second, third]])
