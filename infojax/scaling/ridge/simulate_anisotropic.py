"""Ridge regression on selected data of any covariance, simulated: the referee of `anisotropic_law`."""

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray, Shaped

from infojax.arrays import float64
from infojax.scaling._repeats import Simulated, averaged, check_size
from infojax.scaling.registry.problems import RidgeProblem
from infojax.scaling.ridge.anisotropic_law import Geometry, checked_anisotropic
from infojax.scaling.ridge.least_squares import fit
from infojax.scaling.ridge.ridge_law import RidgeLaw
from infojax.scaling.ridge.simulate_ridge import measured
from infojax.scaling.selection.rules import Selection


def simulate_anisotropic(
    selection: Selection,
    *,
    spectrum: ArrayLike,
    truth: ArrayLike,
    pruner: ArrayLike,
    samples: int,
    ridge: float,
    repeats: int,
    key: PRNGKeyArray,
    generator: ArrayLike | None = None,
    label_aware: bool = False,
    labels: Literal["sign", "linear"] = "sign",
    noise: float = 0.0,
    flips: float = 0.0,
) -> Simulated[RidgeLaw]:
    """What `anisotropic_law` predicts, measured, in float64; arguments are the law's, one number each, and

        repeats: independent pools, at least 2.
        key: of the pools.

    Raises as the law does.
    """
    geometry, problem = checked_anisotropic(
        selection, spectrum, truth, pruner, generator, samples, ridge, noise, flips, labels, label_aware
    )
    check_size(len(geometry.spectrum), repeats, least=1)
    from threadpoolctl import threadpool_limits

    with float64(), threadpool_limits(1, user_api="blas"):  # small solves: see simulate_ridge
        problem = jax.tree.map(lambda number: jnp.asarray(number, jnp.float64), problem)
        ridgeless = bool(np.asarray(ridge) == 0)
        keys = jax.random.split(key, repeats)
        values = np.asarray(_simulate(keys, problem, geometry, int(samples), ridgeless))
    return averaged(RidgeLaw, values)


@partial(jax.jit, static_argnames=("samples", "ridgeless"))
def _simulate(
    keys: Shaped[Array, "repeats ..."], problem: RidgeProblem, geometry: Geometry, samples: int, ridgeless: bool
) -> Float[Array, "repeats 4"]:
    selection = problem.selection
    assert isinstance(selection, Selection)
    root = jnp.sqrt(jnp.asarray(geometry.spectrum))
    basis, truth, cosine = (jnp.asarray(value) for value in (geometry.basis, geometry.truth, geometry.cosine))

    def repeat(key: PRNGKeyArray) -> Float[Array, "4"]:
        for_x, for_labels, for_coins = jax.random.split(key, 3)
        white = jax.random.normal(for_x, (samples, len(root)))
        margin, beside = white @ basis[:, 0], white @ basis[:, 1]
        along = cosine * margin + jnp.sqrt(1 - cosine**2) * beside
        if problem.labels == "linear":
            y = along + problem.noise * jax.random.normal(for_labels, along.shape)
        else:
            flipped = jax.random.uniform(for_labels, along.shape) < problem.flips
            y = jnp.where(flipped, -1, 1).astype(along.dtype) * jnp.sign(along)
        kept = selection.keeps(margin, jax.random.uniform(for_coins, margin.shape))
        kept &= (y * margin > 0) | (not problem.label_aware)
        pool = jnp.asarray(samples, white.dtype)
        ridge, weight = jnp.asarray(problem.ridge), kept.astype(white.dtype)
        learner = root * fit(white * root[None], y, weight, pool, ridge, ridgeless)
        return measured(jnp.linalg.norm(learner), learner @ truth, problem.labels)

    return jax.lax.map(repeat, keys)
