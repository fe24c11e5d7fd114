"""How large the eigenvalues may be in truth that the rounding of a kernel makes look like zeros.

A zero among the eigenvalues of a float64 kernel is a zero: fewer parameters than rows, or examples that are there
twice. In float32 it may as well be an eigenvalue of 1e-8 of the largest, as two pictures have that differ by noise in
the third digit; and training to convergence divides by it. Only examples whose rows of the kernel are equal are
known to make zeros.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float

# Rounding of the factorisation, of the largest eigenvalue, in units of the rounding of float64.
FACTORED = 50
# Rows of the kernel are equal if they differ by less than so many roundings of each entry.
EQUAL = 8
# A zero direction is that of equal rows if no more of its length than this is outside of their differences.
OUTSIDE = 0.3
# Rows that are equal to the last bit come out of the factorisation with this, of the largest eigenvalue.
IDENTICAL = 1e-12
# Rows this close, of their length, have an eigenvalue that float64 does not tell from zero, though they are not equal.
NEAR = 3e-6


class Zeros(NamedTuple):
    """What is known of eigenvalues that are taken as zero.

    Attributes:
        hidden: the largest that they may be in truth; 0 where they are known to be zero.
        identical: they come from rows that are equal to the last bit, so that their rounding is equal too and moves
            nothing in their directions.
    """

    hidden: float = 0.0
    identical: bool = False


def look_at_zeros(
    values: Float[np.ndarray, " N"],
    vectors: Float[Array | np.ndarray, "N N"],
    zero: Bool[np.ndarray, " N"],
    rounding: float,
) -> Zeros:
    """What is known of the `zero` ones.

    Args:
        values: eigenvalues as they were computed, ascending.
        vectors: eigenvectors in columns.
        zero: which eigenvalues are taken as zero.
        rounding: of the entries of the kernel, relative to the root of the product of two diagonal ones.
    """
    below, largest, n = float(np.abs(values[zero]).max()), float(values[-1]), len(values)
    # Rounding of entries moves eigenvalues by the norm of a random matrix with such entries.
    moved = rounding * 2 * np.sqrt(n) * float(np.abs(values).sum()) / n
    u, zeros = np.asarray(vectors, np.float64), Zeros(max(below, moved))
    if rounding < 1e-12 and below <= FACTORED * 2.0**-52 * largest + moved:
        zeros = Zeros()
        if _near_but_not_equal(values, u, zero, rounding):
            return Zeros(max(below, moved))
    # Rows that are equal up to the rounding of float32 may be those of near-duplicates; those of float64, not.
    labels, apart = _equal_rows(values, u, rounding)
    if apart > IDENTICAL * largest:
        return Zeros(max(below, moved))
    counts = np.bincount(labels)
    if len(counts) == n:
        return zeros
    # What is left of each zero direction when it is averaged over rows that are equal.
    means = np.zeros((len(counts), int(zero.sum())))
    np.add.at(means, labels, u[:, zero])
    outside = np.sqrt(np.sum(means**2 / counts[:, None], axis=0))
    return Zeros(0.0, True) if (outside < OUTSIDE).all() else zeros


def _equal_rows(values: np.ndarray, u: np.ndarray, rounding: float) -> tuple[np.ndarray, float]:
    """The same number for rows of U S Uᵀ that are equal up to rounding, and how far apart such rows are at most."""
    order, apart, allowed = _neighbors(values, u, rounding)
    equal = apart <= allowed
    labels = np.empty(len(values), np.int64)
    labels[order] = np.concatenate([[0], np.cumsum(~equal)])
    return labels, float(apart[equal].max(initial=0.0))


def _near_but_not_equal(values: np.ndarray, u: np.ndarray, zero: np.ndarray, rounding: float) -> bool:
    """Whether two rows that are not equal up to rounding differ in a direction of zeros alone."""
    order, apart, allowed = _neighbors(values, u, rounding)
    length = np.linalg.norm(u * values[None], axis=1)[order[1:]]
    near = np.flatnonzero((apart > allowed) & (apart <= NEAR * length))
    inside = np.sum((u[order[near + 1]][:, zero] - u[order[near]][:, zero]) ** 2, axis=1)
    return bool((inside > 2 * (1 - OUTSIDE**2)).any())


def _neighbors(values: np.ndarray, u: np.ndarray, rounding: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of U S Uᵀ in an order in which equal ones stand together, how far each is from the one before, and how far
    equal ones may be."""
    scaled = u * values[None]  # rows at the distances that the kernel's have
    diagonal = np.maximum(np.sum(u * scaled, axis=1), 0.0)
    allowed = EQUAL * rounding * np.sqrt(2 * diagonal * diagonal.sum()) + 1e-14 * abs(values[-1])
    # Equal rows have equal projections.
    order = np.argsort(scaled @ np.random.default_rng(0).normal(size=len(values)), kind="stable")
    return order, np.linalg.norm(scaled[order[1:]] - scaled[order[:-1]], axis=1), allowed[order[1:]]


def blurred(kernel: Any, x: Any) -> bool:
    """Whether the rounding of a kernel makes examples equal that differ, or leaves nothing of it."""
    rows, x = np.asarray(kernel), np.asarray(x)
    if np.abs(rows).max(initial=0.0) < 1e-30:
        return True
    each = rows[:: len(rows) // len(x)]
    return len({row.tobytes() for row in each}) < len({row.tobytes() for row in x})
