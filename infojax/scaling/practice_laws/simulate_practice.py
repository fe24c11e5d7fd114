"""Deliberate practice of a linear learner, simulated: train, select with what was learned, add, train again."""

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.scaling._repeats import averaged
from infojax.scaling.selection.pools import truncated_margin
from infojax.scaling.selection.rules import Selection

Policy = Literal["adaptive", "frozen", "truth"]


class PracticeSimulation(NamedTuple):
    """After the initial training and after each round, means over repeats with standard errors; each (rounds + 1,)."""

    error: Float[np.ndarray, " stages"]
    error_stderr: Float[np.ndarray, " stages"]
    overlap: Float[np.ndarray, " stages"]
    overlap_stderr: Float[np.ndarray, " stages"]
    norm: Float[np.ndarray, " stages"]
    norm_stderr: Float[np.ndarray, " stages"]


def simulate_practice(
    selection: Selection,
    *,
    dimension: int,
    start: int,
    added: int,
    rounds: int,
    ridge: float,
    repeats: int,
    key: PRNGKeyArray,
    policy: Policy = "adaptive",
) -> PracticeSimulation:
    """Rounds of deliberate practice with ridge regression, as in `practice_law`; `two_stage_law` is its first round.

    A learner is trained on `start` random examples x ~ N(0, I_d), y = sign(w_*·x); then in each round `added` fresh
    examples that pass the rule are added and it is trained on all, with a ridge relative to 1/(number of examples).
    Examples that pass are drawn directly, from the truncated normal distribution of their margin.

    Args:
        selection: `keep_hard`, `keep_easy`, `keep_random` or `keep_all`, one number p.
        dimension: d ≥ 2.
        start, added, rounds: numbers of examples and rounds, at least 1, 1 and 0.
        ridge: λ > 0.
        repeats: at least 2.
        policy: whose margin the rule looks at: "adaptive", the current learner's; "frozen", the first learner's;
            "truth", that of w_* itself. `keep_all()` adds random examples whatever the policy.

    Raises `InvalidInput` on numbers out of range, a soft rule, or an unknown policy.
    """
    given = {"dimension": (dimension, 2), "start": (start, 1), "added": (added, 1), "rounds": (rounds, 0)}
    for name, (value, least) in (given | {"repeats": (repeats, 2)}).items():
        if value < least:
            raise InvalidInput(f"{name}={value}: give at least {least}")
    if not (np.isfinite(ridge) and ridge > 0):
        raise InvalidInput(f"ridge={ridge} is not allowed: it must be positive; 1e-8 is as good as none")
    if selection.rule == "soft" or np.ndim(selection.fraction):
        raise InvalidInput("simulate_practice draws what passes keep_hard, keep_easy or keep_random with one p")
    if policy not in ("adaptive", "frozen", "truth"):
        raise InvalidInput(f"policy={policy!r}: there are 'adaptive', 'frozen' and 'truth'")
    from threadpoolctl import threadpool_limits

    with float64(), threadpool_limits(1, user_api="blas"):  # small solves: see simulate_ridge
        values = np.asarray(
            _simulate(
                jax.random.split(key, repeats),
                jnp.asarray(ridge, jnp.float64),
                selection,
                sizes=(dimension, start, added, rounds),
                policy=policy,
            )
        )
    return PracticeSimulation(*averaged(values).T)


@partial(jax.jit, static_argnames=("sizes", "policy"))
def _simulate(
    keys: Shaped[Array, "repeats ..."],
    ridge: Float[Array, ""],
    selection: Selection,
    *,
    sizes: tuple[int, int, int, int],
    policy: Policy,
) -> Float[Array, "repeats stages 3"]:
    dimension, start, added, rounds = sizes
    truth = jnp.zeros(dimension).at[0].set(1.0)

    def repeat(key: PRNGKeyArray) -> Float[Array, "stages 3"]:
        first, *later = jax.random.split(key, rounds + 1)
        x = jax.random.normal(first, (start, dimension))
        gram, target = x.T @ x, x.T @ jnp.sign(x @ truth)
        learner = _fit(gram, target, start, ridge)
        pruner = truth if policy == "truth" else learner

        def practise(state: tuple[Array, ...], now: tuple[Array, Array]) -> tuple[tuple[Array, ...], Array]:
            gram, target, pruner = state
            for_round, count = now
            x = _passing(for_round, selection, pruner / jnp.linalg.norm(pruner), added)
            gram, target = gram + x.T @ x, target + x.T @ jnp.sign(x @ truth)
            learner = _fit(gram, target, count, ridge)
            return (gram, target, learner if policy == "adaptive" else pruner), _measure(learner, truth)

        counts = start + added * jnp.arange(1.0, rounds + 1)
        if not later:
            return _measure(learner, truth)[None]
        _, after = jax.lax.scan(practise, (gram, target, pruner), (jnp.stack(later), counts))
        return jnp.concatenate([_measure(learner, truth)[None], after])

    return jax.lax.map(repeat, keys)


def _passing(key: PRNGKeyArray, selection: Selection, pruner: Float[Array, " d"], count: int) -> Float[Array, "n d"]:
    """Examples that pass the rule: their margin from its truncated distribution, the rest as it is."""
    for_x, for_margin = jax.random.split(key)
    x = jax.random.normal(for_x, (count, len(pruner)))
    margin = x @ pruner
    wanted = truncated_margin(for_margin, selection, margin)
    return x + jnp.outer(wanted - margin, pruner)


def _fit(gram: Array, target: Array, count: Array | int, ridge: Array) -> Float[Array, " d"]:
    return cho_solve(cho_factor(gram / count + ridge * jnp.eye(len(target), dtype=gram.dtype)), target / count)


def _measure(learner: Float[Array, " d"], truth: Float[Array, " d"]) -> Float[Array, "3"]:
    norm = jnp.linalg.norm(learner)
    overlap = jnp.clip(learner @ truth / norm, -1, 1)
    return jnp.stack([jnp.arccos(overlap) / np.pi, overlap, norm])


class TwoStageSimulation(NamedTuple):
    """Means over repeats of the fields of `TwoStageLaw`, with the standard error of the mean."""

    error: float
    error_stderr: float
    pruner: float
    pruner_stderr: float
    overlap: float
    overlap_stderr: float
    norm: float
    norm_stderr: float


def simulate_two_stage(
    selection: Selection,
    *,
    first_ratio: float,
    second_ratio: float,
    ridge: float,
    dimension: int,
    repeats: int,
    key: PRNGKeyArray,
) -> TwoStageSimulation:
    """What `two_stage_law` predicts, measured on data of a finite dimension: one round of `simulate_practice`.

    Arguments are those of the law, one number each, and those of `simulate_practice`. Raises as both do.
    """
    for name, ratio in {"first_ratio": first_ratio, "second_ratio": second_ratio}.items():
        if not (np.isfinite(ratio) and 0 < ratio <= dimension):
            raise InvalidInput(f"{name}={ratio} must be positive and leave at least one example")
    start, added = round(dimension / first_ratio), round(dimension / second_ratio)
    found = simulate_practice(
        selection, dimension=dimension, start=start, added=added, rounds=1, ridge=ridge, repeats=repeats, key=key
    )
    last = {name: float(values[-1]) for name, values in found._asdict().items()}
    first = {"pruner": float(found.overlap[0]), "pruner_stderr": float(found.overlap_stderr[0])}
    return TwoStageSimulation(**last, **first)
