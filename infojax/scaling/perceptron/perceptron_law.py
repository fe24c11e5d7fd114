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
from infojax.scaling.perceptron.margins import KEEP, kept_examples
from infojax.scaling.perceptron.solver import largest_margin
from infojax.scaling.selection.problem import require

FloatArray = Float[Array, "*shape"] | Float[np.ndarray, "*shape"]
_BLOCK = 16  # laws solved together


class PerceptronLaw(NamedTuple):
    """What becomes of the student J, |J| = 1, in the limit; each field has the shape of the arguments together."""

    error: FloatArray  # P(sign(J·x) ≠ sign(T·x)) = arccos(overlap)/π
    margin: FloatArray  # κ = min over kept examples of y J·x
    overlap: FloatArray  # R = J·T


def perceptron_law(
    *, alpha_kept: ArrayLike, fraction: ArrayLike, angle: ArrayLike = 0.0, keep: str = "hard"
) -> PerceptronLaw:
    """Test error of the perceptron of largest margin on a pruned pool, exact as N → ∞.

    A pool of α_tot N examples x ~ N(0, I_N) with labels y = sign(T·x) of a teacher is pruned by a probe at an angle
    θ from it: the fraction of smallest (hard) or largest (easy) |J_probe·x| is kept. The student J maximises
    min y J·x over what is kept, and is tested on unpruned data. Teacher and probe do not depend on the pool.
    This is the setting of Sorscher et al., Beyond neural scaling laws (arXiv 2206.14486); the law is in
    docs/perceptron-pruning.md.

    Args:
        alpha_kept: α = f α_tot > 0, kept examples per dimension.
        fraction: f in (0, 1], of the pool that is kept; at 1 nothing is pruned, whatever the probe.
        angle: θ in [0, π/2], radians, between probe and teacher.
        keep: "hard" or "easy".

    All numbers may be arrays that broadcast together. Of concrete arguments the law is computed in float64 and returned
    as NumPy arrays; under `jit`, `vmap`, `grad` in the caller's precision (`infojax.arrays.float64` widens it).
    Where no maximum was found to the working precision all fields are NaN. None is in float64 for alpha_kept in
    [0.004, 100] with fraction in [0.02, 1]; at a concrete angle of 0, which takes another way, some 400 times as fast,
    none is for alpha_kept in [10⁻³, 10⁵] with fraction in [10⁻⁵, 1], while at other angles digits are lost as
    alpha_kept/fraction grows beyond 10⁵. Derivatives in alpha_kept and fraction, and in an angle above 0, are those of
    the implicit function theorem; the one in the fraction does not exist at 1.

    Raises `InvalidInput` on alpha_kept that is not positive and finite, fraction outside (0, 1], angle outside
    [0, π/2], an unknown `keep`, shapes that do not broadcast, and numbers so extreme that float64 finds no margin.

    >>> law = perceptron_law(alpha_kept=2.0, fraction=0.5)
    >>> round(float(law.error), 6), round(float(law.margin), 6)
    (0.136097, 0.250152)
    """
    alpha_kept, fraction, angle = check_pruning(alpha_kept, fraction, angle, keep)
    aligned = not traced(angle) and not np.any(np.asarray(angle))
    return _law(alpha_kept, fraction, angle, keep, aligned)


def check_pruning(
    alpha_kept: ArrayLike, fraction: ArrayLike, angle: ArrayLike, keep: str
) -> tuple[ArrayLike, ArrayLike, ArrayLike]:
    """The numbers; what law and simulation are not defined for is refused or, where it is being traced, NaN."""
    if keep not in KEEP:
        raise InvalidInput(f"keep={keep!r}: there is 'hard', the smallest |J_probe·x|, and 'easy', the largest")
    alpha_kept = require(
        "alpha_kept", alpha_kept, lambda v: (v > 0) & (v < np.inf), "kept examples per dimension, above 0"
    )
    fraction = require(
        "fraction", fraction, lambda v: (v > 0) & (v <= 1), "the part of the pool that is kept, in (0, 1]"
    )
    meaning = "in radians, in [0, π/2]; degrees go by np.radians"
    angle = require("angle", angle, lambda v: (v >= 0) & (v <= np.pi / 2), meaning)
    shapes = {name: np.shape(v) for name, v in (("alpha_kept", alpha_kept), ("fraction", fraction), ("angle", angle))}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError as error:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise InvalidInput(f"shapes that do not broadcast together: {listed}") from error
    return alpha_kept, fraction, angle


@in_float64
def _law(alpha_kept: ArrayLike, fraction: ArrayLike, angle: ArrayLike, keep: str, aligned: bool) -> PerceptronLaw:
    given = (alpha_kept, fraction, angle)
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
        alpha, fraction, angle = flat[:, lost][:, 0]
        raise InvalidInput(
            f"the largest margin at alpha_kept={alpha:g}, fraction={fraction:g}, angle={angle:g} is not found in "
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
