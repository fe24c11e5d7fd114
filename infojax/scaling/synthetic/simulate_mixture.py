"""Real data mixed with verified synthetic data, simulated: the referee of `mixture_law`."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray, Shaped

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.scaling._repeats import averaged
from infojax.scaling.ridge.least_squares import fit
from infojax.scaling.synthetic.mixture_law import Mixture, checked_mixture


class MixtureSimulation(NamedTuple):
    """Means over repeats of the fields of `MixtureLaw`, each with the standard error of the mean."""

    error: Float[np.ndarray, "*shape"]
    error_stderr: Float[np.ndarray, "*shape"]
    overlap: Float[np.ndarray, "*shape"]
    overlap_stderr: Float[np.ndarray, "*shape"]
    norm: Float[np.ndarray, "*shape"]
    norm_stderr: Float[np.ndarray, "*shape"]


def simulate_mixture(
    *,
    ratio: ArrayLike,
    signal: ArrayLike,
    label_noise: ArrayLike,
    keep_correct: ArrayLike,
    keep_wrong: ArrayLike,
    real_fraction: ArrayLike,
    ridge: ArrayLike,
    dimension: int,
    repeats: int,
    key: PRNGKeyArray,
) -> MixtureSimulation:
    """What `mixture_law` predicts, measured on data of a finite dimension, in float64.

    n = round(dimension/ratio) examples are drawn, of which round(real_fraction n) are real. Arrays broadcast; their
    points are simulated one after the other. The error of ŵ is computed exactly, without a test set.

    Raises `InvalidInput` as the law does, and on a dimension or a number of repeats below 2.
    """
    mixture = checked_mixture(Mixture(ratio, signal, label_noise, keep_correct, keep_wrong, real_fraction, ridge))
    for name, value in {"dimension": dimension, "repeats": repeats}.items():
        if value < 2:
            raise InvalidInput(f"{name}={value}: give at least 2")
    from threadpoolctl import threadpool_limits

    points = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in mixture))
    found = []
    for index, point in enumerate(zip(*(values.flat for values in points), strict=True)):
        keys = jax.random.split(key if points[0].ndim == 0 else jax.random.fold_in(key, index), repeats)
        rows = round(dimension / float(point[0]))
        if rows < 1:
            raise InvalidInput(
                f"ratio={point[0]:g} at dimension {dimension} is less than one example; raise one of them"
            )
        with float64(), threadpool_limits(1, user_api="blas"):  # small solves: see simulate_ridge
            one = Mixture(*(jnp.asarray(value) for value in point))
            values = np.asarray(_simulate(keys, one, rows=rows, dimension=dimension, ridgeless=bool(point[-1] == 0)))
        found.append(averaged(values))
    return MixtureSimulation(*(column.reshape(points[0].shape) for column in np.stack(found).T))


@partial(jax.jit, static_argnames=("rows", "dimension", "ridgeless"))
def _simulate(
    keys: Shaped[Array, "repeats ..."], mixture: Mixture, *, rows: int, dimension: int, ridgeless: bool
) -> Float[Array, "repeats 3"]:
    def repeat(key: PRNGKeyArray) -> Float[Array, "3"]:
        for_x, for_y, for_flips, for_kept = jax.random.split(key, 4)
        y = jnp.where(jax.random.bernoulli(for_y, 0.5, (rows,)), 1.0, -1.0)
        x = jax.random.normal(for_x, (rows, dimension))
        x = x.at[:, 0].add(y * mixture.signal)
        real = jnp.arange(rows).astype(x.dtype) < jnp.round(mixture.real_fraction * rows)
        wrong = (jax.random.uniform(for_flips, (rows,)) < mixture.label_noise) & ~real
        passes = jnp.where(wrong, mixture.keep_wrong, mixture.keep_correct)
        kept = real | (jax.random.uniform(for_kept, (rows,)) < passes)
        labels = jnp.where(wrong, -y, y)
        pool = jnp.asarray(rows, x.dtype)
        weights = fit(x, labels, kept.astype(x.dtype), pool, jnp.asarray(mixture.ridge), ridgeless)
        norm: Array = jnp.linalg.norm(weights)
        overlap = jnp.where(norm > 0, weights[0] / jnp.where(norm > 0, norm, 1), 0)
        return jnp.stack([ndtr(-overlap * mixture.signal), overlap, norm])

    return jax.lax.map(repeat, keys)
