"""The factor of a linear head on given features, which serves every training time, decay and example.

    f(x) = f₀(x) + F w,   H = FᵀF = V S Vᵀ,   b = VᵀFᵀR,   w_t = V φ(S + λ) b

F (n, p) are the features, R (n, k) the targets minus f₀. All k outputs share H. The kernel F Fᵀ ⊗ I_k of the same
network has n·k rows; nothing here is larger than p × p or a tile of rows.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Float

from infojax.arrays import float64
from infojax.data import Tiles, read_tiles
from infojax.errors import InvalidInput
from infojax.files import require_room

# Squares of p that are held at once: H, its eigenvectors, and LAPACK's work space.
HELD = 5.0
# Eigenvalues of H below this times the largest are zero: singular values of F below 1e-6 of the largest.
ZERO = 1e-12


@dataclass(frozen=True)
class LinearHead:
    """H = V S Vᵀ without its zero directions, and the residual that it is trained on.

    Attributes:
        values: S (r,), ascending and positive.
        vectors: V (p, r).
        pulled: b = VᵀFᵀR (r, k).
        examples: n.
    """

    values: Float[np.ndarray, " r"]
    vectors: Float[np.ndarray, "p r"]
    pulled: Float[np.ndarray, "r k"]
    examples: int

    @property
    def condition(self) -> float:
        """Largest over smallest eigenvalue of H, by which float64's rounding is amplified where nothing decays."""
        return float(self.values[-1] / self.values[0]) if len(self.values) else 1.0


@dataclass(frozen=True)
class Validation:
    """What m validation points need of their features F*, in the directions of a head.

    Attributes:
        root: B (d, r) with BᵀB = VᵀF*ᵀF*V, so that ‖F*Vx‖² = ‖Bx‖² with d = min(m, p) rows.
        pulled: VᵀF*ᵀR* (r, k), R* the targets of these points minus f₀.
        examples: m.
    """

    root: Float[np.ndarray, "d r"]
    pulled: Float[np.ndarray, "r k"]
    examples: int


def linear_head(features: Tiles, residual: Float[np.ndarray, "n k"]) -> LinearHead:
    """Factor H in one pass over the features; float64, whatever their dtype.

    Args:
        features: F (n, p); a constant column is an intercept, which is decayed like the other weights.
        residual: R = Y − f₀ (n, k).

    Raises:
        InvalidInput: numbers of rows that differ, features that are all zero, NaN (its row is named).
        OverBudget: p × p matrices that do not fit into memory.

    >>> from infojax.data import ArrayTiles
    >>> features = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 1.0]])
    >>> linear_head(ArrayTiles(features), np.eye(4)).values.round(6)
    array([1.145898, 7.854102])
    """
    _require_rows(features, residual)
    width = features.width
    require_room(
        HELD * 8.0 * width**2,
        f"The factor of {width:,} × {width:,} features needs",
        "Take fewer features, or project them onto fewer directions.",
    )
    gram, pulled = _grams(features, residual)
    values, vectors = scipy.linalg.eigh(gram, overwrite_a=True, check_finite=False, driver="evd")
    if not values[-1] > 0:
        raise InvalidInput(f"{features.name}: all features of all {features.rows:,} examples are zero.")
    kept = values > ZERO * values[-1]
    vectors = vectors[:, kept]
    return LinearHead(values[kept], vectors, vectors.T @ pulled, features.rows)


def validation_of(head: LinearHead, features: Tiles, residual: Float[np.ndarray, "m k"]) -> Validation:
    """What a head needs of validation points; of many points their p × p products alone.

    Args:
        head: of the training examples.
        features: F* (m, p).
        residual: R* (m, k), their targets minus f₀.

    Raises:
        InvalidInput: features or outputs in other numbers than the head has; NaN.
    """
    _require_rows(features, residual)
    if features.width != len(head.vectors) or residual.shape[1] != head.pulled.shape[1]:
        raise InvalidInput(
            f"{features.name} has {features.width} features and {residual.shape[1]} outputs; the training "
            f"examples have {len(head.vectors)} and {head.pulled.shape[1]}."
        )
    if features.rows <= features.width:
        (tile,) = read_tiles(features, features.rows)
        root = tile.values @ head.vectors
        return Validation(root, root.T @ residual, features.rows)
    gram, pulled = _grams(features, residual)
    values, vectors = scipy.linalg.eigh(gram, overwrite_a=True, check_finite=False, driver="evd")
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * (vectors.T @ head.vectors)
    return Validation(root, head.vectors.T @ pulled, features.rows)


def _grams(features: Tiles, residual: np.ndarray) -> tuple[Float[np.ndarray, "p p"], Float[np.ndarray, "p k"]]:
    """FᵀF and FᵀR, summed over tiles in float64."""
    with float64():
        gram, pulled = jnp.zeros((features.width,) * 2), jnp.zeros((features.width, residual.shape[1]))
        for tile in read_tiles(features):
            right = np.zeros((len(tile.values), residual.shape[1]))
            right[: tile.stop - tile.start] = residual[tile.start : tile.stop]
            gram, pulled = _add(gram, pulled, tile.values, right)
        return np.array(gram, order="F"), np.asarray(pulled)


@jax.jit
def _add(gram: jax.Array, pulled: jax.Array, tile: jax.Array, right: jax.Array) -> tuple[jax.Array, jax.Array]:
    return gram + tile.T @ tile, pulled + tile.T @ right


def _require_rows(features: Tiles, residual: np.ndarray) -> None:
    if len(residual) != features.rows:
        raise InvalidInput(
            f"{features.name} has {features.rows:,} rows, the residual has shape {residual.shape}; give (n, k), a row "
            "for each example."
        )
    if not np.isfinite(residual).all():
        row = int(np.argmin(np.isfinite(residual).all(axis=1)))
        raise InvalidInput(f"The residual has NaN or an infinite number in row {row:,} (counted from 0).")
