"""The arguments that the law and its simulation share, checked."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from infojax.arrays import traced
from infojax.errors import InvalidInput
from infojax.scaling._batched import withheld
from infojax.scaling.selection.rules import RESOLVED, Selection, real_numbers
from infojax.scaling.selection.weighting import Weighting

_ROUNDING = 1e-9  # by how much a Gram matrix of given cosines may fail to be positive semi-definite


class Labels(NamedTuple):
    """What labels are, and whether the selection looks at them. Static."""

    kind: Literal["sign", "linear"] = "sign"
    aware: bool = False


class Problem(NamedTuple):
    """A pool of labelled examples and a learner: cosines between directions, d/n and the ridge."""

    pruner: Any  # w_s·w_*
    ratio: Any  # d/n, n the size of the pool
    ridge: Any  # λ, in the 1/n-pool normalisation
    generator: Any  # w_g·w_*
    pruner_generator: Any  # w_s·w_g
    noise: Any = 0.0  # standard deviation of what is added to linear labels
    flips: Any = 0.0  # probability that a sign is the wrong one


def checked_problem(
    selection: Selection | Weighting,
    pruner: ArrayLike,
    ratio: ArrayLike,
    ridge: ArrayLike,
    generator: ArrayLike,
    pruner_generator: ArrayLike | None,
    labels: Labels,
    noise: ArrayLike,
    flips: ArrayLike,
) -> Problem:
    """The arguments of `ridge_law` as a `Problem`; those that are being traced are NaN where they would be refused."""
    if pruner_generator is None:
        if traced(generator) or np.any(np.asarray(generator) != 1):
            raise InvalidInput(
                f"generator={generator} labels otherwise than the truth, so its cosine with the pruner must be "
                "given too: pruner_generator=w_s·w_g (pruner * generator if they share only the truth)"
            )
        pruner_generator = pruner
    problem = Problem(
        pruner=require("pruner", pruner, _is_cosine, "a cosine, in [-1, 1]"),
        ratio=require("ratio", ratio, lambda v: (v > 0) & (v < np.inf), "d/n > 0, dimensions per example of the pool"),
        ridge=require("ridge", ridge, lambda v: (v >= 0) & (v < np.inf), "≥ 0; 0 is the minimum-norm limit"),
        generator=require("generator", generator, _is_cosine, "a cosine, in [-1, 1]"),
        pruner_generator=require("pruner_generator", pruner_generator, _is_cosine, "a cosine, in [-1, 1]"),
        noise=require("noise", noise, lambda v: (v >= 0) & (v < np.inf), "a standard deviation ≥ 0"),
        flips=require("flips", flips, lambda v: (v >= 0) & (v <= 1), "a probability, in [0, 1]"),
    )
    check_labels(selection, labels, noise, flips)
    _check_shapes(selection, problem)
    problem = _realisable(problem)
    if labels.aware and traced(pruner_generator):
        known = jnp.asarray(pruner_generator) > -1
        return problem._replace(pruner_generator=withheld(~known, jnp.asarray(problem.pruner_generator)))
    if labels.aware and np.any(np.asarray(pruner_generator) == -1):
        raise InvalidInput(
            "pruner_generator=-1 with label_aware=True keeps no example: the pruner contradicts every label; "
            "give a larger cosine or label_aware=False"
        )
    return problem


def require(name: str, value: ArrayLike, allowed: Callable[[Any], Any], meaning: str) -> Any:
    """The value. A number, or an array that holds one, that is not allowed is refused; what is being traced cannot be,
    and is NaN there, so that all that is computed of it is. `allowed` compares, and calls no functions."""
    if traced(value):
        given = jnp.asarray(value, jnp.result_type(float))
        most = min(1 / RESOLVED, float(jnp.finfo(given.dtype).max))
        return withheld(~(allowed(given) & (jnp.abs(given) <= most)), given)
    value = real_numbers(name, value)
    values = np.asarray(value, np.float64)
    bad = ~allowed(values)
    if bad.any():
        raise InvalidInput(f"{name}={values[bad].flat[0]} is not allowed: it must be {meaning}")
    bad = np.abs(values) > 1 / RESOLVED
    if bad.any():
        raise InvalidInput(f"{name}={values[bad].flat[0]} is too large for float64: give at most {1 / RESOLVED:g}")
    return value


def _is_cosine(value: Any) -> Any:
    return (value >= -1) & (value <= 1)


def check_labels(selection: Selection | Weighting, labels: Labels, noise: ArrayLike, flips: ArrayLike) -> None:
    """Refuse options of labels that do not go together."""
    if labels.kind not in ("sign", "linear"):
        raise InvalidInput(f"labels={labels.kind!r}: there is 'sign', y = sign(w_g·x), and 'linear', y = w_g·x + noise")
    if labels.kind == "linear" and labels.aware:
        raise InvalidInput("label_aware=True compares the label with a sign; give labels='sign' or label_aware=False")
    if labels.aware and isinstance(selection, Weighting):
        raise InvalidInput("label_aware=True is for named rules; the function of weigh_by is told what agrees")
    for name, value, kind in (("noise", noise, "linear"), ("flips", flips, "sign")):
        if labels.kind != kind and (traced(value) or np.any(np.asarray(value) != 0)):
            raise InvalidInput(f"{name}={value} is for labels={kind!r}, and they are {labels.kind!r}")


def _check_shapes(selection: Selection | Weighting, problem: Problem) -> None:
    if isinstance(selection, Weighting):
        given = {f"parameter {i} of the weighting": value for i, value in enumerate(selection.parameters)}
    else:
        given = {"p": selection.fraction, "strength": selection.strength}
    named = {**given, **problem._asdict()}
    shapes = {name: np.shape(value) for name, value in named.items()}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError as error:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise InvalidInput(f"shapes that do not broadcast together: {listed}") from error


def _realisable(problem: Problem) -> Problem:
    """The problem, or `InvalidInput`, or NaN where its cosines are traced and no three directions have them."""
    cosines = (problem.pruner, problem.generator, problem.pruner_generator)
    if traced(cosines):
        s, g, sg = (jnp.asarray(cosine, jnp.result_type(float)) for cosine in cosines)
        volume = 1 + 2 * s * g * sg - s**2 - g**2 - sg**2
        slack = max(_ROUNDING, 16 * float(jnp.finfo(s.dtype).eps))
        return problem._replace(pruner=withheld(volume < -slack, s))
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
    return problem
