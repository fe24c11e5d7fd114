"""By how much scores from products may be off because the entries of the kernels are rounded.

With d the mean of the diagonal of Θ and δ the rounding of its dtype, an entry is off by δd at random. To first order,
as linearized/rounding.py derives, changes Δ of the coefficients are then off by so much that

    ‖Θ^½ δΔ‖ ≤ δd (‖Δ‖ √N max √z φ(z) + ‖a‖ ‖Δ‖/√(rᵀΔ)),   ‖K* δΔ‖ ≤ √(Md) ‖Θ^½ δΔ‖ + δ ‖K*‖ ‖Δ‖,

the first as no function of Θ has a longer Frobenius norm, the second as K* Θ⁺ K*ᵀ is no more than the kernel of the M
points, whose diagonal is taken to be d as well.
"""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infojax.linearized import Change, Products, Training, training_filter

DRAWS = 8


@dataclass(frozen=True)
class Rounding:
    """Attributes:
    noise: δ.
    diagonal: d.
    largest: max √z φ(z).
    trained: ‖a‖ with all examples.
    points: M.
    residual: r.
    """

    noise: float
    diagonal: float
    largest: float
    trained: float
    points: int
    residual: Float[np.ndarray, " N"]

    @classmethod
    def of(
        cls, products: Products, kernel: Any, cross: Any, residual: np.ndarray, largest: float, trained: float
    ) -> "Rounding":
        """Of a kernel with these products; its trace is estimated from a few."""
        dtypes = [np.dtype(getattr(part, "dtype", np.float64)) for part in (kernel, cross)] + [products.dtype]
        noise = max(float(jnp.finfo(dtype).eps) for dtype in dtypes if jnp.issubdtype(dtype, jnp.floating))
        signs = np.random.default_rng(0).choice([-1.0, 1.0], (products.rows, DRAWS))
        diagonal = float(np.sum(signs * products.of(signs))) / DRAWS / products.rows
        return cls(noise, abs(diagonal), largest, trained, cross.shape[0], residual)

    def added(self, change: Change, norm: float) -> Change:
        """The change with this beside its other errors; `norm` is ‖K*‖."""
        delta = np.asarray(change.coefficients, np.float64)[: len(self.residual)]
        lengths, along = np.linalg.norm(delta, axis=0), np.abs(self.residual @ delta)
        share = np.divide(lengths, np.sqrt(along), out=np.zeros_like(lengths), where=along > 0)
        root = np.sqrt(len(self.residual)) * self.largest
        weights = self.noise * self.diagonal * (lengths * root + (self.trained + lengths) * share)
        points = np.sqrt(self.points * self.diagonal) * weights / max(norm, 1e-300) + self.noise * lengths
        return change._replace(weights_error=change.weights_error + weights, length_error=change.length_error + points)


def largest_of_root(training: Training, smallest: float, largest: float) -> float:
    """The largest √z φ(z + λ) for eigenvalues z from `smallest` to `largest`, of Θ."""
    z = jnp.geomspace(max(smallest, 1e-300), max(largest, smallest, 1e-300), 400)
    return float(jnp.max(jnp.sqrt(z) * training_filter(training, z)))
