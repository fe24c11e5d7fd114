"""Kernel ridge regression on training sets drawn from a pool: the referee of `kernel_curve`.

The Cholesky factor of the first n rows is the first n rows of the Cholesky factor. So with K_XX + δI = LLᵀ,
z = L⁻¹y and V = k_xX L⁻ᵀ the predictions after n examples are f̂_n(x) = Σ_{j ≤ n} V_xj z_j: one factor of the
largest training set gives the curve of all the smaller ones that it contains.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, ArrayLike, Float, Int, Num, PRNGKeyArray, Shaped

from infojax.arrays import float64
from infojax.errors import InvalidInput, OverBudget
from infojax.linearized import map_in_blocks, symmetric
from infojax.scaling._repeats import averaged
from infojax.scaling.kernel_curves.kernel_curve import checked_pool, checked_sizes


class KernelErrors(NamedTuple):
    """The fields of `KernelCurve` that can be measured, at each size."""

    mse: Float[np.ndarray, "*repeats sizes"]
    error: Float[np.ndarray, "*repeats sizes"]


class KernelSimulation(NamedTuple):
    """What `kernel_curve` predicts, measured.

    Attributes:
        mean: over repeats.
        stderr: standard errors of the means.
        repeats: each curve, (repeats, sizes).
    """

    mean: KernelErrors
    stderr: KernelErrors
    repeats: KernelErrors


def simulate_kernel_curve(
    pool_kernel: Num[ArrayLike, "..."],
    test_kernel: Num[ArrayLike, "..."],
    targets: Num[ArrayLike, "..."],
    test_targets: Num[ArrayLike, "..."],
    *,
    sizes: Num[ArrayLike, "..."] | Sequence[int],
    ridge: float = 0.0,
    repeats: int,
    key: PRNGKeyArray,
    memory: int = 4 * 2**30,
) -> KernelSimulation:
    """Test error of kernel ridge regression, measured on training sets drawn from a pool, in float64.

    Each repeat draws max(sizes) examples without replacement; the smaller training sets are the first of them.
    So the values of one repeat depend on each other, those of different repeats only through the pool.

    Args:
        pool_kernel, test_kernel, targets, test_targets, ridge: as in `kernel_curve`.
        sizes: n, one dimension.
        repeats: at least 2.
        memory: bytes that the repeats computed at once may take. A CPU computes one after the other, an
            accelerator as many together as fit.

    Raises:
        InvalidInput: as `kernel_curve` does; a kernel whose training sets are singular at this ridge.
        OverBudget: one repeat takes more than `memory`.

    >>> found = simulate_kernel_curve(np.eye(4), np.eye(4), np.ones(4), np.ones(4), sizes=[1, 2, 4], repeats=2,
    ...                               key=jax.random.key(0))
    >>> found.mean.mse
    array([0.75, 0.5 , 0.  ])
    """
    kernel = symmetric(pool_kernel)
    pool = checked_pool(kernel.shape[:1], test_kernel, targets, test_targets)
    counts, ridges = checked_sizes(sizes, ridge, len(kernel))
    if counts.ndim != 1 or np.ndim(ridge) != 0:
        raise InvalidInput(
            f"sizes {np.shape(sizes)} must have one dimension, and ridge {np.shape(ridge)} be one number"
        )
    if repeats < 2:
        raise InvalidInput(f"repeats={repeats}: a standard error needs at least 2")
    largest, outputs = int(counts.max()), pool.targets.shape[1]
    needed = 8 * (3 * largest**2 + 3 * largest * len(pool.cross) + 3 * counts.size * outputs * len(pool.cross))
    if needed > memory:
        raise OverBudget(
            f"one training set of {largest} examples with {len(pool.cross)} test points takes "
            f"{needed / 2**30:.1f} GiB, and memory={memory / 2**30:.1f} GiB is allowed; allow more, or "
            "take fewer test points"
        )
    from threadpoolctl import threadpool_limits

    # As in `simulate_ridge`: OpenBLAS's waiting threads cost more than they give where anything else runs.
    with float64(), threadpool_limits(1, user_api="blas"):
        values = _simulate(
            jax.random.split(key, repeats),
            *(jnp.asarray(a, jnp.float64) for a in (kernel, *pool, ridges[0])),
            jnp.asarray(counts, jnp.int32),
            largest=largest,
            block=1 if jax.default_backend() == "cpu" else memory // needed,
        )
        mse, error = (np.asarray(a) for a in values)
    if not np.isfinite(mse).all():
        raise InvalidInput(
            f"the kernel of a training set plus ridge={ridge:g} is not positive definite in float64; give a larger "
            "ridge, smaller sizes, or take duplicates out of the pool"
        )
    found = averaged(KernelErrors, np.stack([mse, error], -1))
    return KernelSimulation(found.mean, found.stderr, KernelErrors(mse, error))


@partial(jax.jit, static_argnames=("largest", "block"))
def _simulate(
    keys: Shaped[Array, "repeats ..."],
    kernel: Float[Array, "s s"],
    targets: Float[Array, "s k"],
    cross: Float[Array, "m s"],
    test_targets: Float[Array, "m k"],
    ridge: Float[Array, ""],
    sizes: Int[Array, " sizes"],
    *,
    largest: int,
    block: int,
) -> tuple[Float[Array, "repeats sizes"], Float[Array, "repeats sizes"]]:
    def repeat(key: PRNGKeyArray) -> tuple[Float[Array, " sizes"], Float[Array, " sizes"]]:
        drawn = jax.random.permutation(key, len(kernel))[:largest]
        factor = jnp.linalg.cholesky(kernel[drawn][:, drawn] + ridge * jnp.eye(largest, dtype=kernel.dtype))
        z = solve_triangular(factor, targets[drawn], lower=True)
        v = solve_triangular(factor, cross[:, drawn].T, lower=True)  # Vᵀ, (n, m)
        first = (jnp.arange(largest, dtype=sizes.dtype)[:, None] < sizes[None]).astype(z.dtype)
        seen = (first[:, :, None] * z[:, None, :]).reshape(largest, -1)  # z of the first n, zeros after
        predictions = (v.T @ seen).reshape(-1, *first.shape[1:], z.shape[1]).swapaxes(0, 1)  # (sizes, m, k)
        mse = jnp.mean(jnp.sum((predictions - test_targets[None]) ** 2, -1), 1)
        return mse, jnp.mean(_classes(predictions) != _classes(test_targets)[None], 1, dtype=kernel.dtype)

    if block == 1:
        return jax.lax.map(repeat, keys)
    return map_in_blocks(repeat, keys, block)


def _classes(outputs: Float[Array, "*points k"]) -> Int[Array, "*points"]:
    return (outputs[..., 0] > 0).astype(jnp.int32) if outputs.shape[-1] == 1 else jnp.argmax(outputs, -1)
