"""The best rule, fraction and ridge for given data, by descent through the law, and the regret of the usual choices."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int

from infojax.errors import InvalidInput
from infojax.scaling._batched import batched
from infojax.scaling.registry.checked import changed
from infojax.scaling.registry.problems import RidgeProblem
from infojax.scaling.ridge.ridge_law import law_at
from infojax.scaling.selection.rules import Selection, keep_all

Hold = Literal["pool", "kept"]
RULES = ("hard", "easy", "soft")

FRACTIONS = (0.005, 1.0)  # in which the best fraction is looked for
RIDGES = (1e-6, 1e2)  # and the best ridge
STRENGTH = 40.0  # and the best strength of the soft rule, from minus that to that


class Best(NamedTuple):
    """The best of one rule; each field has the shape of the arguments broadcast together."""

    error: Float[np.ndarray, "*shape"] | Float[Array, "*shape"]  # of the best choice
    kept: Float[np.ndarray, "*shape"] | Float[Array, "*shape"]  # p
    ridge: Float[np.ndarray, "*shape"] | Float[Array, "*shape"]  # λ, in the normalisation of the argument `hold`
    strength: Float[np.ndarray, "*shape"] | Float[Array, "*shape"]  # ω of the soft rule, 0 of others


class Choice(NamedTuple):
    """The best of several rules, and what the others lose; each field has the broadcast shape of the arguments."""

    rule: Int[np.ndarray, "*shape"]  # index into the rules, len(rules) where keeping all is as good
    error: Float[np.ndarray, "*shape"]
    kept: Float[np.ndarray, "*shape"]
    ridge: Float[np.ndarray, "*shape"]
    strength: Float[np.ndarray, "*shape"]
    regret: dict[str, Float[np.ndarray, "*shape"]]  # error of each rule at its best, and of "all", above `error`


def best_of_rule(
    rule: Literal["hard", "easy", "soft"],
    *,
    pruner: ArrayLike,
    ratio: ArrayLike,
    ridge: ArrayLike | None = None,
    generator: ArrayLike = 1.0,
    pruner_generator: ArrayLike | None = None,
    label_aware: bool = False,
    hold: Hold = "pool",
) -> Best:
    """The fraction p, and the ridge or strength where they are free, at which the law's error is smallest.

    The law is evaluated on a grid, and the best point of it improved by BFGS along the law's derivatives, in
    logarithms of p and λ. Grid and refinement are one compiled program over all points.

    Args:
        rule: "hard", "easy", or "soft", whose strength is optimised too.
        pruner, generator, pruner_generator, label_aware: as in `ridge_law`; arrays broadcast.
        ratio: d/n; n is what `hold` says.
        ridge: λ ≥ 0, or None to optimise it between 1e-6 and 100.
        hold: "pool" compares selections of one pool, n and λ being relative to its size: keep few or many? "kept"
            compares pools of n/p examples of which the same n are kept, n and λ relative to these: how many should be
            generated for each that is trained on?

    Fractions below 0.005 are not considered. Raises `InvalidInput` as `ridge_law` does, and on another rule or hold.

    >>> best = best_of_rule("hard", pruner=1.0, ratio=0.1, ridge=0.01)
    >>> round(float(best.kept), 2), round(float(best.error), 4)
    (0.52, 0.0416)
    """
    if rule not in RULES or hold not in ("pool", "kept"):
        raise InvalidInput(f"rule={rule!r}, hold={hold!r}: rules are {', '.join(RULES)}; 'pool' or 'kept' is held")
    problem = RidgeProblem(
        keep_all(),
        pruner=pruner,
        ratio=ratio,
        ridge=1.0 if ridge is None else ridge,
        generator=generator,
        pruner_generator=pruner_generator,
        label_aware=label_aware,
    )
    return batched(_best_at, problem, static=(rule, hold, ridge is None))


def best_selection(
    *, rules: tuple[Literal["hard", "easy", "soft"], ...] = ("hard", "easy"), tolerance: float = 1e-6, **problem: Any
) -> Choice:
    """The best of several rules, each at its best fraction, and how much worse the others are.

    Args:
        rules: which are compared. "soft" contains random, and hard and easy nearly, and takes a hundred times as long.
        tolerance: in error; where no rule beats keeping all by more, all is kept.
        problem: the arguments of `best_of_rule` after the rule.

    >>> choice = best_selection(pruner=np.array([1.0, 0.3]), ratio=np.array([0.05, 1.0]), ridge=0.01)
    >>> [("hard", "easy", "all")[rule] for rule in choice.rule]
    ['hard', 'easy']
    """
    found = {rule: best_of_rule(rule, **problem) for rule in rules}
    every = _keeping_all(**problem)
    errors = np.stack([np.asarray(best.error) for best in found.values()] + [np.asarray(every.error)])
    best = np.where(errors[:-1].min(0) < errors[-1] - tolerance, errors[:-1].argmin(0), len(rules))
    lists = [*found.values(), every]

    def chosen(name: str) -> np.ndarray:
        values = np.stack([np.broadcast_to(np.asarray(getattr(entry, name)), best.shape) for entry in lists])
        return np.asarray(np.take_along_axis(values, best[None], 0)[0])

    error = chosen("error")
    regret = {name: values - error for name, values in zip((*rules, "all"), errors, strict=True)}
    return Choice(best, error, chosen("kept"), chosen("ridge"), chosen("strength"), regret)


def _keeping_all(
    *,
    pruner: ArrayLike,
    ratio: ArrayLike,
    ridge: ArrayLike | None = None,
    generator: ArrayLike = 1.0,
    pruner_generator: ArrayLike | None = None,
    **_: Any,  # what is held and whether labels are looked at make no difference to it
) -> Best:
    """The law without selection, at its best ridge where that is free."""
    problem = RidgeProblem(
        keep_all(),
        pruner=pruner,
        ratio=ratio,
        ridge=1.0 if ridge is None else ridge,
        generator=generator,
        pruner_generator=pruner_generator,
    )
    return batched(_all_at, problem, static=(ridge is None,))


def _all_at(problem: RidgeProblem, free_ridge: bool) -> Best:
    one = jnp.ones_like(problem.ratio)

    def error(ridge: Float[Array, ""]) -> Any:
        return law_at(changed(problem, {"ridge": ridge})).error

    if not free_ridge:
        return Best(error(problem.ridge), one, problem.ridge, 0 * one)
    low, high = np.log(RIDGES)
    grid = jnp.linspace(low, high, 33).astype(one.dtype)[:, None]
    ends = jnp.stack([one * low]), jnp.stack([one * high])
    logs, least = _descend(lambda logs: error(jnp.exp(logs[0])), grid, *ends)
    return Best(least, one, jnp.exp(logs[0]), 0 * one)


def _best_at(problem: RidgeProblem, rule: str, hold: str, free_ridge: bool) -> Best:
    """Coordinates are log p, then log λ where it is free, then ω of the soft rule."""
    dtype = problem.ratio.dtype
    lows, highs = [np.log(FRACTIONS[0])], [np.log(FRACTIONS[1])]
    axes = [np.log(np.geomspace(*FRACTIONS, 40))]
    if free_ridge:
        lows.append(np.log(RIDGES[0]))
        highs.append(np.log(RIDGES[1]))
        axes.append(np.linspace(lows[-1], highs[-1], 17))
    if rule == "soft":
        lows.append(-STRENGTH)
        highs.append(STRENGTH)
        axes = [axis[::3] for axis in axes]
        axes.append(np.array([-30.0, -6.0, -1.5, 0.5, 2.0, 6.0, 30.0]))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))

    def parts(point: Float[Array, " k"]) -> tuple[Array, Array, Array]:
        fraction = jnp.exp(jnp.minimum(point[0], 0))
        ridge = jnp.exp(point[1]) if free_ridge else problem.ridge
        strength = point[-1] if rule == "soft" else jnp.zeros_like(fraction)
        return fraction, ridge, strength

    def error(point: Float[Array, " k"]) -> Any:
        fraction, ridge, strength = parts(point)
        # n and λ are relative to the pool in the law: a pool of n/p, λ' relative to the kept is pλ' to the pool
        scale = fraction if hold == "kept" else 1.0
        posed = {"ratio": problem.ratio * scale, "ridge": ridge * scale}
        return law_at(changed(problem, {"selection": Selection(rule, fraction, strength), **posed})).error

    bounds = (jnp.asarray(np.array(ends), dtype) for ends in (lows, highs))
    point, least = _descend(error, jnp.asarray(grid, dtype), *bounds)
    return Best(least, *parts(point))


def _descend(
    error: Callable[[Array], Array], grid: Float[Array, "points k"], low: Float[Array, " k"], high: Float[Array, " k"]
) -> tuple[Float[Array, " k"], Float[Array, ""]]:
    """The best of a grid, improved by BFGS within bounds; of eight lengths of each step the best that descends."""
    values: Array = jax.lax.map(error, grid, batch_size=min(64, len(grid)))
    start = grid[jnp.argmin(jnp.where(jnp.isnan(values), jnp.inf, values))]
    cell = (high - low) / 8
    sizes = jnp.asarray(2.0 ** np.arange(1, -13, -2), grid.dtype)
    measure = jax.vmap(jax.value_and_grad(error))  # one program, not two, for errors and slopes
    # at first, a step along the gradient as long as a cell of the grid
    inverse = jnp.diag(cell**2)

    def inward(point: Array, gradient: Array) -> Array:
        outward = ((point <= low) & (gradient > 0)) | ((point >= high) & (gradient < 0))
        return jnp.where(outward, 0, jnp.nan_to_num(gradient))

    def step(_: Any, state: tuple[Array, ...]) -> tuple[Array, ...]:
        point, least, gradient, inverse = state
        move = -inverse @ inward(point, gradient)
        move = move / jnp.maximum(jnp.max(jnp.abs(move) / cell), 1)
        tried = jnp.clip(point[None] + jnp.outer(sizes, move), low[None], high[None])
        errors: Array
        slopes: Array
        errors, slopes = measure(tried)
        errors = jnp.nan_to_num(errors, nan=jnp.inf)
        best = jnp.argmin(errors)
        better = errors[best] < least
        new = jnp.where(better, tried[best], point)
        slope = jnp.nan_to_num(jnp.where(better, slopes[best], gradient))
        moved, turned = new - point, slope - gradient
        curved = moved @ turned
        usable = better & (curved > 1e-12 * jnp.linalg.norm(moved) * jnp.linalg.norm(turned))
        scale = 1 / jnp.where(usable, curved, 1)
        left = jnp.eye(len(point), dtype=point.dtype) - scale * jnp.outer(moved, turned)
        updated = left @ inverse @ left.T + scale * jnp.outer(moved, moved)
        # where a step fails, the next one is along the gradient again, and shorter
        inverse = jnp.where(usable, updated, jnp.where(better, inverse, jnp.diag(jnp.diag(inverse)) / 16))
        return new, jnp.where(better, errors[best], least), slope, inverse

    # the first step goes nowhere: it finds error and slope at the start
    first = (start, jnp.full_like(low[0], jnp.inf), jnp.zeros_like(start), inverse)
    point, least, *_ = jax.lax.fori_loop(0, 17, step, first)
    return point, least
