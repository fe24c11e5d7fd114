"""Real data mixed with verified synthetic data, simulated: the referee of `mixture_law`."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.scaling._repeats import Simulated, at_points, averaged, check_size
from infojax.scaling.registry.problems import MixtureProblem
from infojax.scaling.ridge.least_squares import fit
from infojax.scaling.synthetic.mixture_law import MixtureLaw


def simulate_mixture(
    problem: MixtureProblem, *, dimension: int, repeats: int, key: PRNGKeyArray
) -> Simulated[MixtureLaw]:
    """What `mixture_law` predicts, measured on data of a finite dimension, in float64.

    n = round(dimension/ratio) examples are drawn, of which round(real_fraction n) are real. Points of arrays are
    simulated one after the other. The error of ŵ is computed exactly, without a test set.

    Raises `InvalidInput` on less than one example, and on a dimension or a number of repeats below 2.
    """
    check_size(dimension, repeats)
    from threadpoolctl import threadpool_limits

    def simulate(point: MixtureProblem, key: PRNGKeyArray) -> Simulated[MixtureLaw]:
        keys = jax.random.split(key, repeats)
        rows = round(dimension / float(point.ratio))
        if rows < 1:
            raise InvalidInput(
                f"ratio={point.ratio:g} at dimension {dimension} is less than one example; raise one of them"
            )
        with float64(), threadpool_limits(1, user_api="blas"):  # small solves: see simulate_ridge
            one = jax.tree.map(jnp.asarray, point)
            values = _simulate(keys, one, rows=rows, dimension=dimension, ridgeless=bool(point.ridge == 0))
            return averaged(MixtureLaw, np.asarray(values))

    return at_points(simulate, problem, key)


@partial(jax.jit, static_argnames=("rows", "dimension", "ridgeless"))
def _simulate(
    keys: Shaped[Array, "repeats ..."], mixture: MixtureProblem, *, rows: int, dimension: int, ridgeless: bool
) -> Float[Array, "repeats 3"]:
    def repeat(key: PRNGKeyArray) -> Float[Array, "3"]:
        for_x, for_y, for_flips, for_kept = jax.random.split(key, 4)
        y = jnp.where(jax.random.bernoulli(for_y, 0.5, (rows,)), 1.0, -1.0)
        x = jax.random.normal(for_x, (rows, dimension))
        x = x.at[:, 0].add(y * mixture.signal)
        real = jnp.arange(rows).astype(x.dtype) < jnp.round(mixture.real_fraction * rows)
        wrong = (jax.random.uniform(for_flips, (rows,)) < mixture.flips) & ~real
        passes = jnp.where(wrong, mixture.keep_wrong, mixture.keep_correct)
        kept = real | (jax.random.uniform(for_kept, (rows,)) < passes)
        labels = jnp.where(wrong, -y, y)
        pool = jnp.asarray(rows, x.dtype)
        weights = fit(x, labels, kept.astype(x.dtype), pool, jnp.asarray(mixture.ridge), ridgeless)
        norm: Array = jnp.linalg.norm(weights)
        overlap = jnp.where(norm > 0, weights[0] / jnp.where(norm > 0, norm, 1), 0)
        return jnp.stack([ndtr(-overlap * mixture.signal), overlap, norm])

    return jax.lax.map(repeat, keys)
