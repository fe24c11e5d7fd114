"""What some forty products say of a kernel's spectrum: how large its eigenvalues are, and which of them a residual has.

Lanczos' method from a random start finds a lower bound θ of the largest eigenvalue, with

    P(s_max > θ / (1 − ε)) ≤ 1.648 √N e^{−√ε (2q − 1)}     after q steps, for a positive semi-definite kernel

(Kuczyński and Woźniakowski, "Estimating the Largest Eigenvalue by the Power and Lanczos Algorithms with a Random
Start", 1992). Masking rows and columns makes no eigenvalue larger (interlacing), so that the bound serves the kernel
without any examples, too. From the residual r as start it gives Gauss' quadrature of rᵀf(Θ)r (Golub and Meurant).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from infojax.errors import InvalidInput
from infojax.linearized.products.products import Products

STEPS = 40
RISK = 1e-9


class Spectral(NamedTuple):
    """What is known of the spectrum of a kernel.

    Attributes:
        below: never above the largest eigenvalue.
        above: below it with a probability of at most 1e-9 over the random start.
        near: within the residual of `below`, hence in practice above the largest eigenvalue, and far tighter.
        nodes, weights: Σ_i weights_i f(nodes_i) ≈ rᵀ f(Θ) r.
    """

    below: float
    above: float
    near: float
    nodes: Float[np.ndarray, " q"]
    weights: Float[np.ndarray, " q"]


def spectral(products: Products, residual: Float[np.ndarray, " N"], steps: int = STEPS) -> Spectral:
    """Bounds of the largest eigenvalue, and the residual's measure.

    Raises:
        InvalidInput: the kernel is zero, not symmetric, or has NaN or infinite entries.
    """
    n = products.rows
    start = np.stack([np.random.default_rng(0).normal(size=n), residual], axis=1)
    eps = float(np.finfo(products.dtype).eps)
    _check(start, products.of(start), eps)
    lengths = np.linalg.norm(start, axis=0)
    random, own = _lanczos(products, start / np.where(lengths > 0, lengths, 1.0)[None], min(steps, n))
    values, vectors, left = random
    if values[-1] <= 0:
        raise InvalidInput(
            f"The training kernel's largest eigenvalue is {values[-1]:.4g}; it must be positive. A kernel of zeros "
            "says nothing of the examples, and one with negative eigenvalues is no kernel."
        )
    below = float(values[-1])
    near = below * (1 + 10 * eps) + float(left * abs(vectors[-1, -1]))
    above = near
    if len(values) == steps < n:
        above = max(near, below / (1 - (np.log(1.648 * np.sqrt(n) / RISK) / (2 * steps - 1)) ** 2))
    return Spectral(below, above, near, own[0], own[1][0] ** 2 * lengths[1] ** 2)


def _check(x: np.ndarray, made: np.ndarray, eps: float) -> None:
    if not np.isfinite(made).all():
        raise InvalidInput("The training kernel has NaN or infinite entries; check inputs and parameters.")
    if abs(x[:, 0] @ made[:, 1] - x[:, 1] @ made[:, 0]) > 1e4 * eps * np.linalg.norm(made) * np.linalg.norm(x):
        raise InvalidInput(
            "The training kernel is not symmetric: xᵀΘy and yᵀΘx differ. Symmetrise it, (Θ + Θᵀ)/2, if that is "
            "rounding; otherwise its rows and columns are not the same examples."
        )


def _lanczos(products: Products, starts: np.ndarray, steps: int) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """For each start by itself: Ritz values, their vectors in Lanczos' basis, and the length of what is left."""
    n, count = starts.shape
    basis = np.zeros((count, steps + 1, n))
    basis[:, 0] = starts.T
    diagonal, off = np.zeros((count, steps)), np.zeros((count, steps))
    for q in range(steps):
        images = products.of(basis[:, q].T).T
        for c, image in enumerate(images):
            diagonal[c, q] = basis[c, q] @ image
            for _ in range(2):  # once leaves rounding that grows
                image = image - basis[c, : q + 1].T @ (basis[c, : q + 1] @ image)
            off[c, q] = np.linalg.norm(image)
            # Where the start spans no more, what is left is rounding; zeros go on as zeros.
            if off[c, q] > 1e2 * float(np.finfo(products.dtype).eps) * np.abs(diagonal[c]).max():
                basis[c, q + 1] = image / off[c, q]
    return [_ritz(d, o, b) for d, o, b in zip(diagonal, off, basis, strict=True)]


def _ritz(diagonal: np.ndarray, off: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    taken = max(1, int(np.any(basis[:-1] != 0, axis=1).sum()))
    diagonal, off = diagonal[:taken], off[:taken]
    values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1))
    return values, vectors, float(off[-1])
