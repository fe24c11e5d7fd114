"""Deliberate practice of a linear learner, simulated: train, select with what was learned, add, train again."""

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from infojax.arrays import float64
from infojax.errors import InvalidInput
from infojax.scaling._repeats import Simulated, at_points, averaged, check_size
from infojax.scaling.practice_laws.practice_law import PracticeLaw
from infojax.scaling.practice_laws.two_stage_law import TwoStageLaw, one_round
from infojax.scaling.registry.problems import PracticeProblem, TwoStageProblem
from infojax.scaling.selection.pools import truncated_margin
from infojax.scaling.selection.rules import Selection

Policy = Literal["adaptive", "frozen", "truth"]


def simulate_practice(
    problem: PracticeProblem, *, dimension: int, repeats: int, key: PRNGKeyArray, policy: Policy = "adaptive"
) -> Simulated[PracticeLaw]:
    """Rounds of deliberate practice with ridge regression, as in `practice_law`; `two_stage_law` is its first round.

    A learner is trained on dimension/first_ratio random examples x ~ N(0, I_d), y = sign(w_*·x); then in each round
    dimension/added_ratio fresh examples that pass the rule are added and it is trained on all, with a ridge relative to
    1/(number of examples). Examples that pass are drawn directly, from the truncated normal distribution of their
    margin.

    Args:
        problem: points of arrays are simulated one after the other, with keys folded from `key`.
        dimension: d ≥ 2.
        repeats: at least 2.
        key: of the examples.
        policy: whose margin the rule looks at: "adaptive", the current learner's; "frozen", the first learner's;
            "truth", that of w_* itself. `keep_all()` adds random examples whatever the policy.

    Raises `InvalidInput` on sizes too small, a soft rule, or an unknown policy.
    """
    check_size(dimension, repeats)
    for name, ratio in {"first_ratio": problem.first_ratio, "added_ratio": problem.added_ratio}.items():
        if np.any(np.asarray(ratio) > dimension):
            raise InvalidInput(f"{name}={np.max(ratio)} must leave at least one example of dimension {dimension}")
    if problem.selection.rule == "soft":
        raise InvalidInput("simulate_practice draws what passes keep_hard, keep_easy or keep_random")
    if policy not in ("adaptive", "frozen", "truth"):
        raise InvalidInput(f"policy={policy!r}: there are 'adaptive', 'frozen' and 'truth'")
    from threadpoolctl import threadpool_limits

    def simulate(point: PracticeProblem, key: PRNGKeyArray) -> Simulated[PracticeLaw]:
        first, added = (round(dimension / float(ratio)) for ratio in (point.first_ratio, point.added_ratio))
        sizes = (dimension, first, added, point.rounds)
        with float64(), threadpool_limits(1, user_api="blas"):  # small solves: see simulate_ridge
            ridge = jnp.asarray(point.ridge, jnp.float64)
            values = _simulate(jax.random.split(key, repeats), ridge, point.selection, sizes=sizes, policy=policy)
            return averaged(PracticeLaw, np.asarray(values))

    return at_points(simulate, problem, key)


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


def simulate_two_stage(
    problem: TwoStageProblem, *, dimension: int, repeats: int, key: PRNGKeyArray
) -> Simulated[TwoStageLaw]:
    """What `two_stage_law` predicts, measured on data of a finite dimension: one round of `simulate_practice`.

    Raises as that does.
    """
    found = simulate_practice(one_round(problem), dimension=dimension, repeats=repeats, key=key)
    both = (found.mean, found.stderr)
    return Simulated(
        *(TwoStageLaw(of.error[..., -1], of.overlap[..., 0], of.overlap[..., -1], of.norm[..., -1]) for of in both)
    )
