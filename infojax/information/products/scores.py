"""SI and F-SI of changes Δ of the coefficients, and by how much they may be off."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infojax.errors import InvalidInput
from infojax.linearized import Change, Products, row_blocks


class Scores(NamedTuple):
    """SI and F-SI, their errors, and the products that they took; NaN where not computed yet."""

    si: Float[np.ndarray, " G"]
    f_si: Float[np.ndarray, " G"]
    si_error: Float[np.ndarray, " G"]
    f_si_error: Float[np.ndarray, " G"]
    steps: int


def scores(products: Products, change: Change, cross: Any, norm: float, scale: float) -> tuple[np.ndarray, ...]:
    """SI = ½ ΔᵀΘΔ and F-SI = ‖K*Δ‖²/(2 scale), and their errors.

    Args:
        products: with Θ.
        change: Δ.
        cross: K* (M, N), read in blocks of rows.
        norm: ‖K*‖, of Frobenius.
        scale: σ²m.
    """
    delta, eps = change.coefficients, 2 * float(np.finfo(products.dtype).eps)
    image = products(delta)
    squares = np.asarray(_dots(delta, image))
    # Rounding of ΔᵀΘΔ is relative to its factors, which may cancel.
    length, images = np.sqrt(np.asarray(_dots(delta, delta))), np.sqrt(np.asarray(_dots(image, image)))
    weights_error = _of_square(squares, change.weights_error) + eps * length * images
    one = jax.device_put(delta, products.first)[: products.rows]
    moved = np.zeros(delta.shape[1])
    for block in row_blocks(cross, products.dtype.itemsize):
        moved += np.asarray(_moved(jnp.asarray(np.asarray(cross[block], products.dtype)), one))
    functional_error = _of_square(moved, norm * (change.length_error + eps * length))
    return squares / 2, moved / (2 * scale), weights_error, functional_error / scale


def norm_of_rows(cross: Any) -> float:
    """‖K*‖ of Frobenius, no smaller than the spectral norm. Raises InvalidInput where there are NaN or infinities."""
    total = sum(float(np.sum(np.asarray(cross[block], np.float64) ** 2)) for block in row_blocks(cross, 8))
    if not np.isfinite(total):
        raise InvalidInput("validation_kernel has NaN or infinite entries; check the data.")
    return float(np.sqrt(total))


def _of_square(square: np.ndarray, error: np.ndarray) -> np.ndarray:
    """By how much half the square of a length may be off, where the length may be by `error`."""
    return error * (np.sqrt(np.maximum(square, 0.0)) + error / 2)


@jax.jit
def _dots(x, y):
    return jnp.sum(x.astype(jnp.float64) * y.astype(jnp.float64), axis=0)


@jax.jit
def _moved(cross, delta):
    return jnp.sum(jnp.matmul(cross, delta, precision="highest").astype(jnp.float64) ** 2, axis=0)
