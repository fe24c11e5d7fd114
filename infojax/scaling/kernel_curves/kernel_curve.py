"""The learning curve of kernel ridge regression on training sets drawn from a selected pool, in closed form.

From a pool S of s examples, selected in whatever way, n are drawn without replacement. With ridge δ the learner is
f̂(x) = k_xX (K_XX + δI)⁻¹ y_X. If the eigenvectors of K_SS stand in no special relation to the draw, then

    c      solves  Σ_i (c − δ)/(S_i + c) = s − n,      S_i the eigenvalues of K_SS,
    f̄(x)  = k_xS (K_SS + cI)⁻¹ y_S                                                  the mean over draws,
    Var    = ‖(K_SS + cI)⁻¹ k_Sx‖² (c − δ) ‖(K_SS + cI)⁻¹ y_S‖² / Σ_i (S_i + δ)/(S_i + c)²,

at any test point x, of the pool's distribution or not. For s → ∞, κ = c/s solves n = Σ λ_i/(λ_i + κ) + δ/κ with
λ_i = S_i/s: Bordelon, Canatar & Pehlevan, ICML 2020; Simon et al. 2021; out of distribution Canatar et al., NeurIPS
2021. At n = s, c = δ and nothing is left to chance. The derivation is in docs/kernel-learning-curves.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, ArrayLike, Float, Num

from infojax.arrays import float64, real_array, require_moderate
from infojax.errors import InvalidInput
from infojax.linearized import Spectrum, spectrum

_NORMALS = 1024  # Gaussian predictions that stand for all where outputs are several


class KernelCurve(NamedTuple):
    """The law at each of the sizes (and ridges), in their broadcast shape.

    Attributes:
        mse: E (f̂(x) − y)², summed over outputs, averaged over test points and training sets.
        error: fraction of test points misclassified, f̂(x) being Gaussian over training sets: by the sign of one
            output, by the largest of several.
        bias: the part of mse that the mean predictor f̄ makes.
        kappa: κ = c/s; components of the pool with eigenvalues S_i/s above it are learned.
    """

    mse: Float[np.ndarray, "*shape"]
    error: Float[np.ndarray, "*shape"]
    bias: Float[np.ndarray, "*shape"]
    kappa: Float[np.ndarray, "*shape"]


class Pool(NamedTuple):
    """What a learning curve is made of, checked: targets (s, k), cross-kernel (m, s), test targets (m, k)."""

    targets: Float[np.ndarray, "s k"]
    cross: Float[np.ndarray, "m s"]
    test_targets: Float[np.ndarray, "m k"]


def kernel_curve(
    pool_kernel: Num[ArrayLike, "..."] | Spectrum,
    test_kernel: Num[ArrayLike, "..."],
    targets: Num[ArrayLike, "..."],
    test_targets: Num[ArrayLike, "..."],
    *,
    sizes: Num[ArrayLike, "..."] | Sequence[int],
    ridge: Num[ArrayLike, "..."] = 0.0,
) -> KernelCurve:
    """Test error of kernel ridge regression on n examples drawn without replacement from a pool, in float64.

    One eigendecomposition of the pool's kernel serves all sizes and ridges. Means over draws are within 1 % of it from
    pools of 80 on where examples are alike. Where they differ much in length or leverage it lies below at any size,
    by 4 to 7 % for log-normal lengths (σ = .7), and `pointwise_kernel_curve` does not.

    Args:
        pool_kernel: K_SS (s, s) of the examples that may be drawn, after selection; or its `spectrum`.
        test_kernel: (m, s), test points × pool. The test points need not be distributed like the pool.
        targets: (s,) or (s, k). The prior mean of kernel regression is 0, so centre them: ±1 for two classes.
        test_targets: (m,) or (m, k).
        sizes: n, 1 ≤ n ≤ s.
        ridge: δ ≥ 0, added to the diagonal of K_XX; broadcasts with sizes. With 0, n must be below the rank of K_SS.

    Raises:
        InvalidInput: a kernel that is not symmetric and positive semi-definite, shapes that do not fit, NaN,
            sizes or ridges out of range.

    >>> curve = kernel_curve(np.eye(4), np.eye(4), np.ones(4), np.ones(4), sizes=[1, 2, 4], ridge=0.0)
    >>> curve.mse  # one-hot features: what is not in the training set is predicted as 0
    array([0.75, 0.5 , 0.  ])
    """
    size = np.shape(pool_kernel.values if isinstance(pool_kernel, Spectrum) else pool_kernel)[:1]
    pool = checked_pool(size, test_kernel, targets, test_targets)
    counts, ridges = checked_sizes(sizes, ridge, *size)
    values, vectors = pool_kernel if isinstance(pool_kernel, Spectrum) else one_thread_spectrum(pool_kernel)
    values = np.asarray(values, np.float64)
    effective = effective_ridge(values, counts.ravel(), ridges.ravel())
    with float64():
        made = _curve(*(jnp.asarray(a, jnp.float64) for a in (values, vectors, *pool, effective, ridges.ravel())))
        mse, error, bias = (np.asarray(a).reshape(counts.shape) for a in made)
    return KernelCurve(mse, error, bias, effective.reshape(counts.shape) / len(values))


def one_thread_spectrum(kernel: Num[ArrayLike, "..."]) -> Spectrum:
    """`spectrum` without OpenBLAS's threads, which at some hundred rows cost more than they give where anything else
    runs. Of a large pool on an idle machine, pass the spectrum to `kernel_curve` yourself."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        return spectrum(kernel)


def effective_ridge(
    values: Float[np.ndarray, " s"], sizes: Float[np.ndarray, " q"], ridges: Float[np.ndarray, " q"]
) -> Float[np.ndarray, " q"]:
    """c with Σ_i (c − δ)/(S_i + c) = s − n, where the left-hand side rises from 0 at c = δ.

    Raises InvalidInput where there is none: without a ridge, n at or above the rank of a singular kernel.
    """
    s, rank = len(values), np.count_nonzero(values)
    impossible = (ridges == 0) & (sizes >= rank) & ~((sizes == s) & (rank == s))
    if impossible.any():
        raise InvalidInput(
            f"sizes has {sizes[impossible][0]:g} where the pool's kernel has rank {rank} and the ridge is 0: the error "
            "diverges there. Give a ridge > 0, or smaller sizes."
        )
    # The sum is at most #zeros + (rank) c/(S_min + c), at most s (c − δ)/c, and at least s (c − δ)/(S_max + c).
    smallest = values[values > 0].min() if rank else 0.0
    share = np.maximum(rank - sizes, 0) / max(rank, 1)
    by_rank = np.where(ridges == 0, smallest * share / np.where(share < 1, 1 - share, 1), 0)
    low = np.maximum(ridges * s / sizes, np.nan_to_num(by_rank, posinf=0))
    high = np.maximum((ridges * s + (s - sizes) * values.max()) / sizes, low)
    for _ in range(100):
        middle = np.sqrt(low * high)
        below = ((middle - ridges) / (values[:, None] + np.where(middle > 0, middle, 1))).sum(0) < s - sizes
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


@jax.jit
def _curve(
    values: Float[Array, " s"],
    vectors: Float[Array, "s s"],
    targets: Float[Array, "s k"],
    cross: Float[Array, "m s"],
    test_targets: Float[Array, "m k"],
    effective: Float[Array, " q"],
    ridges: Float[Array, " q"],
) -> tuple[Float[Array, " q"], Float[Array, " q"], Float[Array, " q"]]:
    components, projected = cross @ vectors, vectors.T @ targets  # k_xS U and Uᵀy

    def at(point: tuple[Float[Array, ""], Float[Array, ""]]) -> tuple[Float[Array, ""], ...]:
        c, ridge = point
        inverse = jnp.where(values + c > 0, 1 / (values + c), 0)
        mean = components @ (inverse[:, None] * projected)
        scale = (c - ridge) / jnp.sum((values + ridge) * inverse**2)
        covariance = scale * (projected.T @ (inverse[:, None] ** 2 * projected))  # of outputs, (k, k)
        reach = components**2 @ inverse**2  # ‖(K + c)⁻¹ k_Sx‖²
        bias = jnp.mean(jnp.sum((mean - test_targets) ** 2, 1))
        mse = bias + jnp.mean(reach) * jnp.trace(covariance)
        return mse, misclassified(mean, reach[:, None, None] * covariance[None], test_targets), bias

    return jax.lax.map(at, (effective, ridges))


def misclassified(
    mean: Float[Array, "m k"], covariance: Float[Array, "m k k"], targets: Float[Array, "m k"]
) -> Float[Array, ""]:
    """P(misclassified), averaged over test points, of predictions that are Gaussian over training sets."""
    if mean.shape[1] == 1:
        margin = jnp.where(targets > 0, mean, -mean)[:, 0]
        deviation = jnp.sqrt(jnp.maximum(covariance[:, 0, 0], 0))
        # Without spread the class is certain; ndtr(±∞) says so, and nothing is divided by zero.
        sure = jnp.where(margin > 0, jnp.inf, -jnp.inf)
        return jnp.mean(ndtr(-jnp.where(deviation > 0, margin / jnp.where(deviation > 0, deviation, 1), sure)))
    values, vectors = jnp.linalg.eigh(covariance)
    root = vectors * jnp.sqrt(jnp.maximum(values, 0))[:, None, :]
    half = jax.random.normal(jax.random.key(0), (_NORMALS // 2, mean.shape[1]), mean.dtype)
    right = jnp.argmax(targets, 1)

    def wrong(direction: Float[Array, " k"]) -> Float[Array, ""]:
        return jnp.mean(jnp.argmax(mean + root @ direction, 1) != right, dtype=mean.dtype)

    return jnp.mean(jax.lax.map(wrong, jnp.concatenate([half, -half])))


def checked_pool(
    size: tuple[int, ...],
    test_kernel: Num[ArrayLike, "..."],
    targets: Num[ArrayLike, "..."],
    test_targets: Num[ArrayLike, "..."],
) -> Pool:
    """The arguments as arrays of float64 that fit each other; `size` is (s,), of the pool's kernel."""
    names = ("test_kernel", "targets", "test_targets")
    cross, y, test = map(real_array, names, (test_kernel, targets, test_targets))
    y, test = (a[:, None] if a.ndim == 1 else a for a in (y, test))
    s = size[0] if size else 0
    fits = cross.ndim == y.ndim == test.ndim == 2 and cross.shape == (len(test), s) and len(y) == s
    if not fits or y.shape[1] != test.shape[1] or 0 in (s, *test.shape):
        raise InvalidInput(
            f"Shapes do not fit: pool_kernel has {s} rows, test_kernel is {cross.shape}, targets {np.shape(targets)}, "
            f"test_targets {np.shape(test_targets)}. For s examples of the pool, m test points and k outputs they are "
            "(s, s), (m, s), (s, k), (m, k)."
        )
    for name, array in zip(names, (cross, y, test), strict=True):
        require_moderate(name, array)
    return Pool(y, cross, test)


def checked_sizes(
    sizes: Num[ArrayLike, "..."] | Sequence[int], ridge: Num[ArrayLike, "..."], s: int
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """Sizes and ridges, broadcast together; InvalidInput unless 1 ≤ n ≤ s are integers and ridges finite, ≥ 0."""
    n, delta = real_array("sizes", sizes), real_array("ridge", ridge)
    try:
        n, delta = np.broadcast_arrays(n, delta)
    except ValueError as error:
        raise InvalidInput(f"sizes {n.shape} and ridge {delta.shape} do not broadcast together") from error
    wrong = ~((n >= 1) & (n <= s) & (n == np.round(n)))
    if n.size == 0 or wrong.any():
        raise InvalidInput(
            f"sizes has {n[wrong][0] if n.size else 'no entry'}; each must be an integer from 1 to {s}, the pool's size"
        )
    bad = ~((delta >= 0) & np.isfinite(delta))
    if bad.any():
        raise InvalidInput(f"ridge={delta[bad][0]}; it must be finite and not negative")
    require_moderate("ridge", delta)
    if ((delta > 0) & (delta < 1e-75)).any():  # whose powers vanish
        raise InvalidInput(f"ridge={delta[delta > 0].min()}; give 0, or 1e-75 and more")
    return n, delta
