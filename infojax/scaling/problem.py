"""The arguments that the law and its simulation share, checked."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import ArrayLike

from infojax.errors import InvalidInput
from infojax.precision import traced
from infojax.scaling.selection import Selection

_ROUNDING = 1e-9  # by how much a Gram matrix of given cosines may fail to be positive semi-definite


class Problem(NamedTuple):
    """A pool of labelled examples and a learner: cosines between directions, d/n and the ridge."""

    pruner: Any  # w_s·w_*
    ratio: Any  # d/n, n the size of the pool
    ridge: Any  # λ, in the 1/n-pool normalisation
    generator: Any  # w_g·w_*
    pruner_generator: Any  # w_s·w_g


def checked_problem(
    selection: Selection,
    pruner: ArrayLike,
    ratio: ArrayLike,
    ridge: ArrayLike,
    generator: ArrayLike,
    pruner_generator: ArrayLike | None,
    label_aware: bool,
) -> Problem:
    """The arguments of `ridge_law` as a `Problem`; those that are being traced cannot be checked."""
    if pruner_generator is None:
        if traced(generator) or np.any(np.asarray(generator) != 1):
            raise InvalidInput(
                f"generator={generator} labels otherwise than the truth, so its cosine with the pruner must be "
                "given too: pruner_generator=w_s·w_g (pruner * generator if they share only the truth)"
            )
        pruner_generator = pruner
    problem = Problem(pruner, ratio, ridge, generator, pruner_generator)
    for name in ("pruner", "generator", "pruner_generator"):
        _require(name, getattr(problem, name), lambda v: np.abs(v) <= 1, "a cosine, in [-1, 1]")
    _require("ratio", ratio, lambda v: (v > 0) & np.isfinite(v), "d/n > 0, dimensions per example of the pool")
    _require("ridge", ridge, lambda v: (v >= 0) & np.isfinite(v), "≥ 0; 0 is the minimum-norm limit")
    _check_shapes(selection, problem)
    _check_realisable(problem)
    if label_aware and not traced(pruner_generator) and np.any(np.asarray(pruner_generator) == -1):
        raise InvalidInput(
            "pruner_generator=-1 with label_aware=True keeps no example: the pruner contradicts every label; "
            "give a larger cosine or label_aware=False"
        )
    return problem


def _require(name: str, value: ArrayLike, allowed: Any, meaning: str) -> None:
    if traced(value):
        return
    values = np.asarray(value, np.float64)
    bad = ~allowed(values)
    if bad.any():
        raise InvalidInput(f"{name}={values[bad].flat[0]} is not allowed: it must be {meaning}")


def _check_shapes(selection: Selection, problem: Problem) -> None:
    named = {"p": selection.fraction, **problem._asdict()}
    shapes = {name: np.shape(value) for name, value in named.items()}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError as error:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise InvalidInput(f"shapes that do not broadcast together: {listed}") from error


def _check_realisable(problem: Problem) -> None:
    cosines = (problem.pruner, problem.generator, problem.pruner_generator)
    if traced(cosines):
        return
    s, g, sg = np.broadcast_arrays(*(np.asarray(cosine, np.float64) for cosine in cosines))
    # det of the Gram matrix of (w_s, w_g, w_*)
    bad = 1 + 2 * s * g * sg - s**2 - g**2 - sg**2 < -_ROUNDING
    if bad.any():
        s, g, sg = s[bad].flat[0], g[bad].flat[0], sg[bad].flat[0]
        reach = np.sqrt((1 - s**2) * (1 - g**2))
        raise InvalidInput(
            f"no three directions have the cosines pruner={s}, generator={g}, pruner_generator={sg}: "
            f"given the first two, pruner_generator must be in [{s * g - reach:.6g}, {s * g + reach:.6g}]"
        )
