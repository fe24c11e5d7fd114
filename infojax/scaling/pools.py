"""Selected Gaussian examples, drawn in two ways that have the same distribution.

Data are isotropic, so that the pruner w_s may be the first axis, the generator w_g lie in the plane of the first two
and the truth w_* in the space of the first three.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import erfinv, ndtri
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from infojax.scaling.problem import Problem
from infojax.scaling.selection import Selection


class Examples(NamedTuple):
    """m examples of dimension d with labels ±1, of which those with `kept` count."""

    x: Float[Array, "m d"]
    y: Float[Array, " m"]
    kept: Bool[Array, " m"]


def draw_pool(
    key: PRNGKeyArray, selection: Selection, problem: Problem, label_aware: bool, size: int, dimension: int
) -> Examples:
    """Every coordinate of every example of a pool of the given size; the rule then says which are kept."""
    for_x, for_coins = jax.random.split(key)
    x = jax.random.normal(for_x, (size, dimension))
    kept = selection.keeps(x[:, 0], jax.random.uniform(for_coins, (size,)))
    return _labelled(x, kept, problem, label_aware)


def draw_kept(
    key: PRNGKeyArray,
    selection: Selection,
    problem: Problem,
    label_aware: bool,
    pool: Float[Array, ""],
    rows: int,
    dimension: int,
) -> Examples:
    """Only examples that pass the rule, without drawing the rest of the pool.

    How many pass is Binomial(pool, p); the margin of each follows the normal distribution truncated to where the
    rule keeps; the other coordinates do not know of the rule. `rows` is the room there is for them.
    """
    for_x, for_margins, for_count = jax.random.split(key, 3)
    x = jax.random.normal(for_x, (rows, dimension))
    p = jnp.asarray(selection.fraction, x.dtype)
    uniform = jax.random.uniform(for_margins, (rows,), x.dtype, minval=-1.0)
    if selection.rule == "hard":
        # P(|t| ≤ s) = erf(s/√2) for s ≤ ξ, where it reaches p
        x = x.at[:, 0].set(jnp.sqrt(2.0).astype(x.dtype) * erfinv(p * uniform))
    elif selection.rule == "easy":
        # P(|t| > s) = 2Φ(−s) for s ≥ ξ, where it starts from p
        size = -ndtri(p * jnp.maximum(jnp.abs(uniform), jnp.finfo(x.dtype).tiny) / 2)
        x = x.at[:, 0].set(jnp.sign(uniform) * size)
    count = jax.random.binomial(for_count, pool, p, dtype=x.dtype)
    return _labelled(x, jnp.arange(rows).astype(x.dtype) < count, problem, label_aware)


def _labelled(x: Float[Array, "m d"], kept: Bool[Array, " m"], problem: Problem, label_aware: bool) -> Examples:
    y = jnp.where(x[:, :2] @ directions(problem)[1, :2] > 0, 1, -1).astype(x.dtype)
    if label_aware:
        kept &= y * x[:, 0] > 0
    return Examples(x, y, kept)


def directions(problem: Problem) -> Float[Array, "3 3"]:
    """The unit vectors w_s, w_g, w_* (rows) in the first three coordinates."""
    s, g, sg = (jnp.asarray(c) for c in (problem.pruner, problem.generator, problem.pruner_generator))
    sine = jnp.sqrt(jnp.maximum(1 - sg**2, 0))
    # Where pruner and generator are parallel, the second axis is free: nothing of w_* need lie along it.
    parallel = sine < 1e-7
    second = jnp.where(parallel, 0, (g - sg * s) / jnp.where(parallel, 1, sine))
    third = jnp.sqrt(jnp.maximum(1 - s**2 - second**2, 0))
    zero, one = jnp.zeros_like(s), jnp.ones_like(s)
    return jnp.array([[one, zero, zero], [sg, sine, zero], [s, second, third]])
