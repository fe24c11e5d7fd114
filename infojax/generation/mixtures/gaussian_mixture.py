"""Gaussian mixtures: data whose diffusion is known exactly, score, posterior of x₀ and all; also of a data set."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from infojax.arrays import LARGEST, plain_array, real_array, require_positive
from infojax.errors import InvalidInput


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["weights", "means", "variances", "axes", "labels"],
    meta_fields=["classes"],
)
@dataclass(frozen=True)
class Mixture:
    """Σ_j w_j N(mean_j, U_j diag(variance_j) U_jᵀ), where component j is of one class; a pytree.

    Diagonalised once, a covariance stays diagonal in its axes under any noise. Without axes all is matrix products
    of (b, d) with (d, M), so that a data set may be a mixture: `empirical`.

    Attributes:
        weights: (M,) w_j, positive, summing to one.
        means: (M, d).
        variances: (M, d) along the axes, or (M, 1) for all d of them.
        axes: (M, d, d) U_j, columns are axes; None for those of the space.
        labels: (M,) class of each component.
        classes: k; every class has a component.
    """

    weights: Float[Array, " m"]
    means: Float[Array, "m d"]
    variances: Float[Array, "m v"]
    axes: Float[Array, "m d d"] | None
    labels: Int[Array, " m"]
    classes: int


def gaussian_mixture(weights: Any, means: Any, covariances: Any, labels: Any, *, classes: int | None = None) -> Mixture:
    """A mixture from its components.

    Args:
        weights: (M,) positive; they are scaled to sum to one.
        means: (M, d).
        covariances: (M,) isotropic, (M, d) diagonal, or (M, d, d); positive definite.
        labels: (M,) from 0 to k − 1.
        classes: k; None for the largest label and one.

    Raises:
        InvalidInput: shapes that do not fit, weights or variances that are not positive, a class without components.

    >>> mixture = gaussian_mixture([1, 1], [[0.0, 0.0], [3.0, 0.0]], [0.2, 1.0], [0, 1])
    >>> mixture.variances.shape, mixture.classes
    ((2, 1), 2)
    """
    weights, means, covariances, places = (
        real_array(f"the mixture's {name}", each)
        for name, each in (("weights", weights), ("means", means), ("covariances", covariances), ("labels", labels))
    )
    labels = plain_array("the mixture's labels", labels)
    if (places != np.round(places)).any() or (np.abs(places) > 2**31).any():
        raise InvalidInput("labels of a mixture must be whole numbers, from 0 to the number of classes − 1")
    if means.ndim != 2 or not means.size or weights.shape != means.shape[:1] or labels.shape != weights.shape:
        raise InvalidInput(
            f"a mixture of weights {weights.shape}, means {means.shape}, labels {labels.shape}: give (M,), (M, d), (M,)"
        )
    m, d = means.shape
    if covariances.shape not in [(m,), (m, d), (m, d, d)]:
        raise InvalidInput(f"covariances of shape {covariances.shape}: give {(m,)}, {(m, d)} or {(m, d, d)}")
    axes = None
    if covariances.ndim == 3:
        covariances, axes = np.linalg.eigh((covariances + covariances.swapaxes(1, 2)) / 2)
    variances = covariances.reshape(m, -1)
    for name, values in (("weights", weights), ("variances", variances)):
        if not ((values > 0).all() and (values <= LARGEST**2).all()):
            raise InvalidInput(
                f"{name} of a mixture must be positive and at most {LARGEST**2:g}; they are {values.min()} "
                f"to {values.max()}"
            )
    if not (np.abs(means) <= LARGEST).all():
        raise InvalidInput(f"means of a mixture must be finite, and within ±{LARGEST:g}")
    classes = int(labels.max()) + 1 if classes is None else classes
    if not np.array_equal(np.unique(labels), np.arange(classes)):
        raise InvalidInput(
            f"labels {np.unique(labels).tolist()} with classes={classes}: each class from 0 to {classes - 1} needs a "
            "component, and there are no others"
        )
    return Mixture(
        jnp.asarray(weights / weights.sum(), float),
        jnp.asarray(means, float),
        jnp.asarray(variances, float),
        None if axes is None else jnp.asarray(axes, float),
        jnp.asarray(labels, jnp.int32),
        classes,
    )


def empirical(x: Any, y: Any, bandwidth: float, *, classes: int | None = None) -> Mixture:
    """A data set smoothed by N(0, bandwidth² I): each example is a component. A diffusion model without training.

    Its generator evaluates b × n numbers at a time, b the tile of `sample`. In float32 log-responsibilities are off by
    about 1e-7 ‖x − mean‖²/bandwidth², so keep the bandwidth above a thousandth of the data's norm.

    Args:
        x: (n, *shape), flattened here; give `mixture_generator` the shape to have it back.
        y: (n,) labels from 0 to k − 1.
        bandwidth: positive, in units of x.
        classes: k; None for the largest label and one.

    Raises:
        InvalidInput: as `gaussian_mixture`.
    """
    require_positive("empirical: bandwidth", bandwidth)
    if np.size(x) == 0:
        raise InvalidInput("empirical: there are no examples; give at least one of each class")
    x = real_array("empirical: x", x).reshape(len(x), -1)
    return gaussian_mixture(np.ones(len(x)), x, np.full(len(x), bandwidth**2), y, classes=classes)


def sample_exactly(mixture: Mixture, labels: Int[Array | np.ndarray, " n"], *, key: PRNGKeyArray) -> Array:
    """Draw (n, d) from the mixture itself; label k for any class."""
    return _sample_exactly(mixture, jnp.asarray(labels, jnp.int32), key)


@jax.jit
def _sample_exactly(mixture: Mixture, labels: Int[Array, " n"], key: PRNGKeyArray) -> Float[Array, "n d"]:
    for_component, for_normal = jax.random.split(key)
    order = jnp.argsort(mixture.labels)
    summed = jnp.cumsum(mixture.weights[order])
    # components of a class stand together: its range of the cumulated weights, or all
    first = jnp.where(labels == mixture.classes, 0, jnp.searchsorted(mixture.labels[order], labels))
    last = jnp.searchsorted(mixture.labels[order], labels, side="right") - 1
    last = jnp.where(labels == mixture.classes, len(order) - 1, last)
    low, high = jnp.where(first > 0, summed[first - 1], 0.0), summed[last]
    at = low + (high - low) * jax.random.uniform(for_component, labels.shape)
    chosen = order[jnp.clip(jnp.searchsorted(summed, at, side="right"), first, last)]
    shift = jnp.sqrt(mixture.variances[chosen]) * jax.random.normal(for_normal, (*labels.shape, mixture.means.shape[1]))
    if mixture.axes is not None:
        shift = jnp.einsum("nde,ne->nd", mixture.axes[chosen], shift)
    return mixture.means[chosen] + shift
