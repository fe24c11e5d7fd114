"""The loop in which every real network is trained: a state, a step, and many steps in one program.

    w ← w + optimizer(∇L_i(w)),    i = 1, 2, …

with L_i the objective at the i-th step: of a minibatch, of all examples, or of noise that is drawn then.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

from infojax.models import Params
from infojax.training._recipe import Recipe

if TYPE_CHECKING:
    import optax

Data = TypeVar("Data")

Objective: TypeAlias = Callable[[Params, Data, PRNGKeyArray], Float[Array, ""]]
"""(parameters, data, key) → the loss of one step; hashable, such as `ExampleLoss`, or another frozen dataclass."""


class TrainingState(NamedTuple):
    """Where a training stands; a pytree.

    Attributes:
        params: after the last step.
        mean: their average, where the recipe asks for it; else what it began with.
        moments: of the optimizer.
        step: the number of steps taken.
    """

    params: Params
    mean: Params
    moments: "optax.OptState"
    step: Int[Array, ""]


def begin(recipe: Recipe, params: Params) -> TrainingState:
    """The state before the first step."""
    with _as_optax_needs():
        moments = recipe.transformation().init(params)
    return TrainingState(params, params, moments, jnp.zeros((), jnp.int32))


def step(
    recipe: Recipe, objective: Objective[Data], state: TrainingState, data: Data, key: PRNGKeyArray
) -> tuple[TrainingState, Float[Array, ""]]:
    """The state after one step, and the loss before it."""
    # optax takes half of a second to import, which whoever trains nothing need not wait for.
    import optax

    loss, slope = jax.value_and_grad(objective)(state.params, data, key)
    with _as_optax_needs():
        updates, moments = recipe.transformation().update(slope, state.moments, state.params)
        params: Params = optax.apply_updates(state.params, updates)  # pyright: ignore[reportAssignmentType]
        average = recipe.average or _nothing
        mean = jax.tree.map(lambda m, p: average(m, p, state.step), state.mean, params)
    return TrainingState(params, mean, moments, state.step + 1), loss


@partial(jax.jit, static_argnames=("recipe", "objective"))
def advance(
    recipe: Recipe, objective: Objective[Data], state: TrainingState, data: Data, keys: Key[Array, " s"]
) -> tuple[TrainingState, Float[Array, " s"]]:
    """The state after s steps, one for each key, in one program; and the loss before each."""
    return jax.lax.scan(lambda state, key: step(recipe, objective, state, data, key), state, keys)


_step = jax.jit(step, static_argnames=("recipe", "objective"))


def advance_by_steps(
    recipe: Recipe, objective: Objective[Data], state: TrainingState, data: Data, keys: Key[Array, " s"]
) -> tuple[TrainingState, Float[Array, " s"]]:
    """The same, a program for each step: XLA runs convolutions in loops on a CPU more than ten times slower."""
    losses = []
    for key in keys:
        state, loss = _step(recipe, objective, state, data, key)
        losses.append(loss)
    return state, jnp.asarray(np.array(losses))


def trained_parameters(recipe: Recipe, state: TrainingState) -> Params:
    """What the training has come to: the average where the recipe asks for one."""
    return state.params if recipe.average is None else state.mean


def _nothing(mean: Array, params: Array, step: Int[Array, ""]) -> Array:
    return mean


@contextmanager
def _as_optax_needs() -> Iterator[None]:
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield
