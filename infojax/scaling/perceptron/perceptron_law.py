"""The exact test error of a max-margin perceptron on pruned data, in high dimension."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from infojax.arrays import in_float64, traced
from infojax.errors import InvalidInput
from infojax.scaling._batched import withheld
from infojax.scaling.perceptron.aligned import largest_aligned_margin
from infojax.scaling.perceptron.margins import kept_examples
from infojax.scaling.perceptron.solver import largest_margin
from infojax.scaling.registry.problems import PerceptronProblem
from infojax.scaling.selection.rules import Selection

FloatArray = Float[Array, "*shape"] | Float[np.ndarray, "*shape"]
_BLOCK = 16  # laws solved together


class PerceptronLaw(NamedTuple):
    """What becomes of the student J, |J| = 1, in the limit; each field has the shape of the arguments together."""

    error: FloatArray  # P(sign(J·x) ≠ sign(T·x)) = arccos(overlap)/π
    margin: FloatArray  # κ = min over kept examples of y J·x
    overlap: FloatArray  # R = J·T


def perceptron_law(problem: PerceptronProblem) -> PerceptronLaw:
    """Test error of the perceptron of largest margin on a pruned pool, exact as N → ∞.

    A pool of examples x ~ N(0, I_N) with labels y = sign(T·x) of a teacher is pruned by a probe at an angle θ from it:
    the fraction f of smallest (hard) or largest (easy) |J_probe·x| is kept. The student J maximises min y J·x over the
    αN examples that are kept, and is tested on unpruned data. Teacher and probe do not depend on the pool.
    This is the setting of Sorscher et al., Beyond neural scaling laws (arXiv 2206.14486); the law is in
    docs/perceptron-pruning.md.

    Of concrete numbers the law is computed in float64 and returned as NumPy arrays; under `jit`, `vmap`, `grad` in the
    caller's precision (`infojax.arrays.float64` widens it).
    Where no maximum was found to the working precision all fields are NaN. None is in float64 for alpha in [0.004, 100]
    with f in [0.02, 1]; at a concrete angle of 0, which takes another way, some 400 times as fast, none is for alpha in
    [10⁻³, 10⁵] with f in [10⁻⁵, 1], while at other angles digits are lost as alpha/f grows beyond 10⁵. Derivatives in
    alpha and f, and in an angle above 0, are those of the implicit function theorem; the one in f does not exist at 1.

    Raises `InvalidInput` on numbers so extreme that float64 finds no margin.

    >>> from infojax.scaling import PerceptronProblem, keep_hard
    >>> law = perceptron_law(PerceptronProblem(keep_hard(0.5), alpha=2.0))
    >>> round(float(law.error), 6), round(float(law.margin), 6)
    (0.136097, 0.250152)
    """
    numbers = (problem.alpha, kept_fraction(problem.selection), radians(problem.angle))
    keep = "easy" if problem.selection.rule == "easy" else "hard"
    if traced(numbers):
        return _law(*numbers, keep, aligned=not traced(problem.angle) and not np.any(problem.angle))
    alpha, kept, angle = np.broadcast_arrays(*(np.asarray(number, np.float64) for number in numbers))
    law = PerceptronLaw(*(np.empty(alpha.shape) for _ in PerceptronLaw._fields))
    for aligned in (True, False):  # the short way is for perfect probes
        these = (angle == 0) == aligned
        if these.any():
            for whole, part in zip(law, _law(alpha[these], kept[these], angle[these], keep, aligned), strict=True):
                whole[these] = part
    return law


def kept_fraction(selection: Selection) -> ArrayLike:
    """f; 1 where the pool is thinned at random, which is a smaller pool."""
    return selection.kept / selection.kept if selection.rule == "random" else selection.kept


def radians(angle: ArrayLike) -> ArrayLike:
    return jnp.radians(angle) if traced(angle) else np.radians(angle)


@in_float64
def _law(alpha: ArrayLike, kept: ArrayLike, angle: ArrayLike, keep: str, aligned: bool) -> PerceptronLaw:
    given = (alpha, kept, angle)
    if traced(given):
        points = jnp.broadcast_arrays(*(jnp.asarray(v, jnp.result_type(float)) for v in given))
        law = _laws([v.ravel() for v in points], keep, aligned)
        return jax.tree.map(lambda field: field.reshape(points[0].shape), law)
    points = np.stack(np.broadcast_arrays(*(np.asarray(v, np.float64) for v in given)))
    flat = points.reshape(3, -1)
    count = flat.shape[1]
    # Blocks of one size, the last one filled up: then one program serves arrays of any size.
    filled = np.pad(flat, ((0, 0), (0, -count % _BLOCK)), mode="edge") if count else flat
    found = [np.stack(_laws(list(filled[:, i : i + _BLOCK]), keep, aligned)) for i in range(0, count, _BLOCK)]
    columns = np.concatenate([np.empty((3, 0)), *found], axis=1)[:, :count]
    lost = np.isnan(columns).any(axis=0)
    if lost.any():
        alpha, kept, angle = flat[:, lost][:, 0]
        raise InvalidInput(
            f"the largest margin at alpha={alpha:g}, kept={kept:g}, angle={np.degrees(angle):g} is not found in "
            "float64; give less extreme numbers (1e-10 to 1e10, fractions above 1e-10)"
        )
    return PerceptronLaw(*columns.reshape(points.shape))


@partial(jax.jit, static_argnums=(1, 2))
def _laws(points: list[Array], keep: str, aligned: bool) -> PerceptronLaw:
    def at(point: list[Array]) -> PerceptronLaw:
        alpha, fraction, angle = point
        return _law_at(alpha, fraction, angle, keep, aligned)

    if len(points[0]) <= _BLOCK:
        return jax.vmap(at)(points)
    return jax.lax.map(at, points, batch_size=_BLOCK)


def _law_at(alpha: Array, fraction: Array, angle: Array, keep: str, aligned: bool) -> PerceptronLaw:
    given = alpha + fraction + angle  # NaN where one is
    kept = kept_examples(fraction, angle, keep)
    student = largest_aligned_margin(alpha, kept, keep) if aligned else largest_margin(alpha, kept, keep)
    along, across = student.c
    norm = jnp.sqrt(1 + student.c @ student.c)
    # arccos(overlap), without its loss of digits near overlap = 1
    law = jnp.arctan2(jnp.sqrt(1 + across**2), along) / np.pi, student.k / norm, along / norm
    return PerceptronLaw(*(withheld(~student.found | jnp.isnan(given), value) for value in law))
