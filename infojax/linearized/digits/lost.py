"""How many digits of the scores are right, and a warning where too few are."""

import contextlib
import contextvars
import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float

from infojax.errors import PrecisionWarning
from infojax.linearized._linearized_network import LinearizedNetwork
from infojax.linearized._training import Training, as_sum
from infojax.linearized.digits.perturbed import HARMLESS, amplification, errors, lost_in_zeros

Score = TypeVar("Score", bound=Callable[..., Any])

LOST = 0.05
"""Scores that may be off by more than this part of themselves are warned of."""

# Scores below this part of the largest count as that large: nobody reads digits of zeros.
_OF_LARGEST = 1e-9
_WATCHING = contextvars.ContextVar("watching", default=True)


def relative_error(
    scores: Float[np.ndarray, "*any"], errors: Float[np.ndarray, "*any"], of_median: float = 1e-3
) -> float:
    """By what part of itself the worst of the scores may be off; small ones count as that part `of_median`.

    >>> relative_error(np.array([2.0, 1.0, 0.0]), np.array([0.2, 0.01, 1e-6]))
    0.1
    """
    sizes = np.abs(scores)
    floor = max(of_median * float(np.median(sizes)), _OF_LARGEST * float(sizes.max(initial=0.0)))
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = np.where(errors == 0, 0.0, errors / np.maximum(sizes, floor))
    return float(np.nan_to_num(parts, nan=np.inf, posinf=np.inf).max(initial=0.0))


def remedy(rounding: float) -> str:
    """What to do, where kernels have entries of this rounding."""
    first = (
        "give parameters in float64 (jax.tree.map(lambda p: numpy.asarray(p, 'float64'), params)), or kernels made of "
        "them; or "
        if rounding > 1e-12
        else ""
    )
    return f"{first}train for a shorter time or with decay, or drop examples that nearly repeat others"


def warn_of_lost_digits(what: str, error: float, rounding: float, condition: float, *, stacklevel: int = 3) -> None:
    """A PrecisionWarning where `error`, relative, is above `LOST`; none where nobody watches."""
    if error > LOST and _WATCHING.get():
        size = f"up to {error:.0%}" if error < 1 else "all of their size"
        warnings.warn(
            f"{what} may be off by {size}: the kernel is known to {rounding:.0e}, and training amplifies that by the "
            f"condition number {condition:.1e}. For more digits {remedy(rounding)}.",
            PrecisionWarning,
            stacklevel=stacklevel,
        )


def watched(score: Score) -> Score:
    """A score of (linearized, training), with a PrecisionWarning where it has too few digits for the rounding of the
    kernel."""

    @functools.wraps(score)
    def call(linearized: LinearizedNetwork, training: Training) -> np.ndarray:
        with unwatched() as watching:
            found = np.asarray(score(linearized, training))
            if not watching:
                return found
            theta, run = linearized.spectrum, as_sum(training, linearized.examples)
            condition, lost = amplification(theta, run), lost_in_zeros(theta, run)
            if theta.rounding * condition <= HARMLESS and theta.zeros.hidden == 0 and lost <= HARMLESS:
                return found
            off = errors(theta, lambda other: np.asarray(score(replace(linearized, spectrum=other), training)))
        # Margins and residuals are small by chance, and such are compared with all.
        error = relative_error(found, off + lost * np.abs(found), of_median=1.0)
        warn_of_lost_digits(f"Scores ({score.__name__.replace('_', ' ')})", error, theta.rounding, condition)
        return found

    return call  # pyright: ignore[reportReturnType]


@contextlib.contextmanager
def unwatched() -> Iterator[bool]:
    """Inside, watched scores do not warn: what calls them does, or another score speaks for all."""
    watching = _WATCHING.get()
    token = _WATCHING.set(False)
    try:
        yield watching
    finally:
        _WATCHING.reset(token)
