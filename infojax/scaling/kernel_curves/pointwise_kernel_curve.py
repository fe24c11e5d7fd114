"""The learning curve of kernel ridge regression on draws from a pool whose examples differ much from each other.

`kernel_curve` gives all examples of the pool one effective ridge c. Here example p has its own, found by
leaving it out:

    c_p     solve  (c_p − δ) Q_pp = 1 − n/s  for every p,      Q = (K_SS + diag c)⁻¹,
    f̄(x)  = k_xS Q y_S                                          the mean over draws,
    Var    = Σ_p g_p (Q k_Sx)_p²,    (diag(Q_pp/(c_p − δ)) − Q∘Q) g = (Q y_S)².

With one c for all, the first line sums up to Σ_i (c − δ)/(S_i + c) = s − n. Derived here, see
docs/kernel-learning-curves.md: no assumption on the eigenvectors, but an iteration that inverts K_SS + diag c.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, ArrayLike, Bool, Float, Num

from infojax.arrays import float64, real_array
from infojax.errors import InvalidInput
from infojax.scaling.kernel_curves.kernel_curve import (
    KernelCurve,
    checked_pool,
    checked_sizes,
    effective_ridge,
    misclassified,
    one_thread_spectrum,
)

_ITERATIONS = 2000
_TOLERANCE = 1e-10  # relative change of every c_p


def pointwise_kernel_curve(
    pool_kernel: Num[ArrayLike, "..."],
    test_kernel: Num[ArrayLike, "..."],
    targets: Num[ArrayLike, "..."],
    test_targets: Num[ArrayLike, "..."],
    *,
    sizes: Num[ArrayLike, "..."] | Sequence[int],
    ridge: Num[ArrayLike, "..."] = 0.0,
) -> KernelCurve:
    """What `kernel_curve` gives, better where examples differ much in leverage, at some twenty inversions for each n.

    Arguments and errors are those of `kernel_curve`; `kappa` is the mean of c_p/s. Also raises `InvalidInput` where
    the iteration for c does not settle, close to the interpolation threshold.

    >>> curve = pointwise_kernel_curve(np.eye(4), np.eye(4), np.ones(4), np.ones(4), sizes=[1, 2, 4], ridge=0.0)
    >>> curve.mse
    array([0.75, 0.5 , 0.  ])
    """
    kernel = real_array("pool_kernel", pool_kernel)
    pool = checked_pool(kernel.shape[:1], test_kernel, targets, test_targets)
    counts, ridges = checked_sizes(sizes, ridge, len(kernel))
    values = np.asarray(one_thread_spectrum(pool_kernel).values)
    effective_ridge(values, counts.ravel(), ridges.ravel())  # refuses what has no solution
    from threadpoolctl import threadpool_limits

    # As in `simulate_ridge`: OpenBLAS's waiting threads cost more than they give where anything else runs.
    with float64(), threadpool_limits(1, user_api="blas"):
        arrays = [jnp.asarray(array, jnp.float64) for array in (kernel, *pool)]
        points = zip(counts.ravel() / len(kernel), ridges.ravel(), strict=True)
        made = [_at(*arrays, jnp.asarray(part), jnp.asarray(delta)) for part, delta in points]
        columns = np.array([[float(value) for value in point] for point in made]).T
    if not columns[-1].all():
        raise InvalidInput(
            f"the effective ridges did not settle in {_ITERATIONS} iterations; give a larger ridge, or "
            "take kernel_curve"
        )
    return KernelCurve(*(column.reshape(counts.shape) for column in columns[:-1]))


def _leverage(kernel: Float[Array, "s s"], c: Float[Array, " s"]) -> Float[Array, "s s"]:
    """Q = (K + diag c)⁻¹."""
    return cho_solve(cho_factor(kernel + jnp.diag(c)), jnp.eye(len(kernel), dtype=kernel.dtype))


@jax.jit
def _at(
    kernel: Float[Array, "s s"],
    targets: Float[Array, "s k"],
    cross: Float[Array, "m s"],
    test_targets: Float[Array, "m k"],
    part: Float[Array, ""],
    ridge: Float[Array, ""],
) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""], Float[Array, ""], Bool[Array, ""]]:
    """mse, error, bias, κ at n = part · s, and whether the iteration settled."""
    prior = jnp.diag(kernel)

    def step(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        c, _, count = state
        # 1/Q_pp − c_p is the variance of example p that the others leave; it falls with c, so c falls from above.
        left = 1 / jnp.diag(_leverage(kernel, c)) - c
        new = (ridge + (1 - part) * jnp.clip(left, 0, prior)) / part
        return new, jnp.max(jnp.abs(new - c) / jnp.where(c > 0, c, 1)), count + 1

    start = (ridge + (1 - part) * prior) / part
    c, change, _ = jax.lax.while_loop(
        lambda state: (state[1] > _TOLERANCE) & (state[2] < _ITERATIONS),
        step,
        (start, jnp.asarray(jnp.inf, kernel.dtype), jnp.asarray(0)),
    )
    q = _leverage(kernel, c)
    dual, reach = q @ targets, cross @ q
    outer = (dual[:, :, None] * dual[:, None, :]).reshape(len(kernel), -1)  # (s, k²)
    excess = (c - ridge)[:, None]
    spread = jnp.linalg.solve(jnp.diag(jnp.diag(q)) - excess * q**2, excess * outer)
    mean = cross @ dual
    covariance = (reach**2 @ spread).reshape(len(cross), *2 * (targets.shape[1],))
    bias = jnp.mean(jnp.sum((mean - test_targets) ** 2, 1))
    mse = bias + jnp.mean(jnp.trace(covariance, axis1=1, axis2=2))
    settled = (change <= _TOLERANCE) & jnp.isfinite(mse)
    return mse, misclassified(mean, covariance, test_targets), bias, jnp.mean(c) / len(kernel), settled
