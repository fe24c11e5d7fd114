"""Any number of rounds of deliberate practice, exactly: each learner selects what is added to its own training set.

Batch j of n_j examples was selected along u_j = w_{j−1}/‖w_{j−1}‖ by the learner w_i = Q_i(N_iλ) B_i, i = j − 1, with

    Q_i(s) = (Σ_{j≤i} X_jᵀX_j + s)⁻¹,    B_i = Σ_{j≤i} X_jᵀy_j,    N_i = Σ_{j≤i} n_j.

Learner by learner, their overlaps with the truth and with each other follow from linear equations: see overlaps.py.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from infojax.arrays import traced
from infojax.errors import InvalidInput
from infojax.scaling._batched import batched, withheld
from infojax.scaling.practice_laws.overlaps import Batches, Overlaps, learn, nothing_yet, sizes_of
from infojax.scaling.registry.checked import assumed
from infojax.scaling.registry.problems import PracticeProblem, RidgeProblem
from infojax.scaling.selection.kept import kept_moments
from infojax.scaling.selection.rules import Selection

FloatArray = Float[Array, "*shape rounds"] | Float[np.ndarray, "*shape rounds"]


class PracticeLaw(NamedTuple):
    """The learner at first and after each round, in the limit d → ∞; fields have the broadcast shape of the arguments,
    then 1 + rounds entries."""

    error: FloatArray  # P(sign(w·x) ≠ sign(w_*·x)) on unselected data
    overlap: FloatArray  # cosine of the learner with the truth
    norm: FloatArray  # length of the learner


def practice_law(problem: PracticeProblem) -> PracticeLaw:
    """Test error of ridge regression in rounds of deliberate practice, each selecting with the current learner.

    A learner is trained on n₀ random examples x ~ N(0, I_d), y = sign(w_*·x). In each round fresh examples that pass a
    rule on w·x, w the current learner, are added until n₁ more are there, and it is trained again on all. Exact as
    d → ∞, the dependence of each pruner on the data that are trained on again included; docs/scaling-laws.md has the
    derivation. `simulate_practice` measures the same. Precision and derivatives are as in `ridge_law`.

    Digits: float64 holds forty rounds to 1e-12 for p ≥ .005 and ridges from 1e-6 to 1, and a few rounds for any ratios
    and ridges. The law is computed twice, once for a ridge that differs in its last digits, which shows what it holds.

    Raises `InvalidInput`, naming the round, where fewer than nine digits are left. Under a transformation all that is
    NaN, in float32 below four digits.

    >>> from infojax.scaling import PracticeProblem, keep_hard
    >>> problem = PracticeProblem(keep_hard(0.2), first_ratio=0.4, added_ratio=2 / 3, ridge=0.05, rounds=5)
    >>> [round(float(error), 4) for error in practice_law(problem).error]
    [0.1702, 0.1056, 0.0737, 0.0562, 0.0457, 0.039]
    """
    law = batched(law_at, problem, lost=True, block=_block(problem.rounds))
    _check_digits(law, problem.first_ratio, problem.added_ratio, problem.ridge)
    return law


def _block(rounds: int) -> int:
    """As many points together as keep some thirty matrices of 2(rounds + 1) rows for each within a GiB."""
    return max(1, 2**30 // (240 * (2 * rounds + 3) ** 2))


def _check_digits(law: PracticeLaw, *given: ArrayLike) -> None:
    """Refuse to say what has no digits; where the law is traced it is NaN."""
    if traced(law):
        return
    lost = np.asarray(np.isnan(np.stack(law)).any(axis=0))
    if lost.any():
        first = int(np.argmax(np.any(lost.reshape(-1, lost.shape[-1]), axis=0)))
        at = [float(np.broadcast_to(value, lost.shape[:-1])[lost[..., first]].flat[0]) for value in given]
        raise InvalidInput(
            f"from round {first} on float64 does not hold the law at first_ratio={at[0]:g}, added_ratio={at[1]:g}, "
            f"ridge={at[2]:g}: give fewer rounds or less extreme numbers"
        )


def law_at(problem: PracticeProblem) -> PracticeLaw:
    """The law of one checked problem, all numbers scalars of one floating type."""
    ridge = jnp.asarray(problem.ridge)
    eps = float(jnp.finfo(ridge.dtype).eps)
    # The same again for a ridge that differs in the last digits says how many digits the law holds.
    ridges = jnp.stack([ridge, jax.lax.stop_gradient(ridge) * (1 + 16 * eps)])
    law, other = (
        PracticeLaw(*fields) for fields in zip(*jax.vmap(lambda ridge: _chain(problem, ridge))(ridges), strict=True)
    )
    off = jnp.stack([jnp.abs(a - b) - eps**0.6 * jnp.abs(a) for a, b in zip(law, other, strict=True)])
    holds = jnp.cumsum((~(off <= 0)).any(0).astype(int)) == 0  # in no round up to this one
    return PracticeLaw(*(withheld(~holds, field) for field in law))


def _chain(problem: PracticeProblem, ridge: Array) -> PracticeLaw:
    rounds, learners = problem.rounds, problem.rounds + 1
    first_ratio, added_ratio = jnp.asarray(problem.first_ratio), jnp.asarray(problem.added_ratio)
    sizes = sizes_of(jnp.concatenate([1 / first_ratio[None], jnp.full(rounds, 1, ridge.dtype) / added_ratio]), ridge)
    # No learner selected the first batch.
    mean = jnp.asarray(np.sqrt(2 / np.pi), ridge.dtype)  # of |w_*·x|
    nothing = jnp.zeros(learners, ridge.dtype)
    batches = Batches(nothing, nothing, nothing, nothing, nothing.at[0].set(mean))

    def practise(state: tuple[Overlaps, Batches], i: Array) -> tuple[tuple[Overlaps, Batches], PracticeLaw]:
        known, batches = state
        known = learn(i, sizes, batches, known)
        along, across = known.truth[i], jnp.sqrt(known.across[i, i])
        norm = jnp.sqrt(along**2 + known.across[i, i])
        found = _batch(problem.selection, along / norm, across / norm, norm)
        batches = jax.tree.map(lambda values, value: values.at[i + 1].set(value, mode="drop"), batches, found)
        # arccos(overlap), without its loss of digits near overlap = 1
        return (known, batches), PracticeLaw(jnp.arctan2(across, along) / np.pi, along / norm, norm)

    return jax.lax.scan(practise, (nothing_yet(sizes), batches), jnp.arange(learners))[1]


def _batch(selection: Selection, rho: Float[Array, ""], sine: Float[Array, ""], norm: Float[Array, ""]) -> Batches:
    """What a learner of cosine ρ selects, per example that passed."""
    zero, one = jnp.zeros_like(rho), jnp.ones_like(rho)
    known = {"pruner": rho, "ratio": one, "ridge": zero, "pruner_generator": rho, "noise": zero, "flips": zero}
    moments = kept_moments(assumed(RidgeProblem, {"selection": selection, **known}), sine)
    # E[y x] = along u + side (w_* − ρ u)
    along, side = moments.labels / moments.kept
    return Batches(rho, 1 / norm, moments.second[0, 0] / moments.kept - 1, along - rho * side, side)
