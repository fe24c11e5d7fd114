"""Training a learner to the end, or several of them that differ in what each example counts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jaxtyping import Array, Float, Key, PRNGKeyArray

from infojax.errors import InvalidInput
from infojax.models import Params
from infojax.training._learner import Learner
from infojax.training._loop import TrainingState, advance, advance_by_steps, begin, trained_parameters
from infojax.training._losses import Loss
from infojax.training._recipe import ExampleLoss, Recipe
from infojax.training._training_set import TrainingSet

Over: TypeAlias = Literal["map", "vmap", "steps"]
Out = TypeVar("Out")


@dataclass(frozen=True)
class Watch:
    """What is looked at while a network is trained: a number for each example, time and again.

    Attributes:
        measure: (outputs, targets) → (n,): a loss, `margins`, or another.
        every: steps from one look to the next, a divisor of the recipe's steps.
    """

    measure: Loss
    every: int


class Trained(NamedTuple):
    """A trained learner, and how it came to be.

    Attributes:
        learner: at the end.
        loss: (steps,) of each step's examples, before the step.
        watched: (looks, n) what was looked at, after each stretch of `every` steps; None where nothing was.
    """

    learner: Learner
    loss: Float[Array, " steps"]
    watched: Float[Array, "looks n"] | None


def train(
    learner: Learner,
    data: TrainingSet,
    recipe: Recipe,
    *,
    key: PRNGKeyArray | None = None,
    watch: Watch | None = None,
) -> Trained:
    """A learner trained by a recipe, in one program; to be called within `jit`, `vmap` and `grad` too.

    Args:
        learner: a network with the parameters to begin with.
        data: examples, with weights where they do not count the same.
        key: of the minibatches; without minibatches none is needed.
        watch: what to look at on the way, of all rows of the data.

    Raises:
        InvalidInput: minibatches without a key; looks at steps that do not divide those of the recipe.

    >>> from infojax.models import mlp
    >>> from infojax.training import Watch, margins, training_set
    >>> x, y = jnp.array([[0.0], [1.0], [2.0], [3.0]]), jnp.array([0, 0, 1, 1])
    >>> network = mlp((8,), 2)
    >>> learner = Learner(network, network.init(jax.random.key(0), (1,)))
    >>> trained = train(learner, training_set(x, y), Recipe(300, 1e-2), watch=Watch(margins, every=100))
    >>> trained.loss.shape, trained.watched.shape, bool((trained.watched[-1] > 0).all())
    ((300,), (3, 4), True)
    """
    keys = _keys(recipe, key)
    every = recipe.steps if watch is None else watch.every
    if every < 1 or recipe.steps % every:
        raise InvalidInput(f"train: looking every {every} steps; give a divisor of the recipe's {recipe.steps} steps.")
    return _train(learner, data, recipe, keys.reshape(-1, every), watch)


@partial(jax.jit, static_argnames=("recipe", "watch"))
def _train(
    learner: Learner, data: TrainingSet, recipe: Recipe, keys: Key[Array, "looks every"], watch: Watch | None
) -> Trained:
    objective = ExampleLoss(learner.network, recipe.loss, recipe.batch)

    def stretch(state: TrainingState, keys: Key[Array, " every"]) -> tuple[TrainingState, tuple[Array, Array | None]]:
        state, loss = advance(recipe, objective, state, data, keys)
        if watch is None:
            return state, (loss, None)
        outputs = learner.network.apply(trained_parameters(recipe, state), data.x)
        return state, (loss, watch.measure(outputs, data.y))

    state, (loss, watched) = jax.lax.scan(stretch, begin(recipe, learner.params), keys)
    return Trained(Learner(learner.network, trained_parameters(recipe, state)), loss.reshape(-1), watched)


def train_each(
    learner: Learner,
    data: TrainingSet,
    recipe: Recipe,
    weights: Float[Array, "r n"],
    *,
    key: PRNGKeyArray | None = None,
    over: Over | None = None,
    summary: Callable[[Params], Out] = lambda params: params,
) -> Out:
    """r networks trained from the same start by the same recipe, each with weights of its own for the examples.

    Args:
        weights: c of each network's loss Σ_j c_j ℓ_j; 0 leaves an example out.
        key: of the minibatches, the same for all.
        over: "map" trains one after the other in one program, "vmap" all together, "steps" one after the other with a
            program for each step. By default what was measured to be fastest: on a CPU "steps" for networks with
            convolutions and "map" for others, elsewhere "vmap".
        summary: what is kept of each network's parameters.

    Returns:
        The summaries, stacked along a new first axis; of all parameters by default.

    >>> from infojax.models import Network
    >>> from infojax.training import DecayToStart, squares, training_set
    >>> mean = Network(lambda key, shape: jnp.zeros((1, 1)), lambda w, x: x @ w)
    >>> data = training_set(jnp.ones((2, 1)), jnp.array([[1.0], [3.0]]))
    >>> recipe = Recipe(60, 0.5, loss=squares, optimizer=DecayToStart())
    >>> train_each(Learner(mean, jnp.zeros((1, 1))), data, recipe, jnp.array([[1.0, 0.0], [0.5, 0.5]])).ravel()
    Array([1., 2.], dtype=float32)
    """
    keys = _keys(recipe, key)
    over = fastest(learner, data.x) if over is None else over
    if over != "steps":
        return _together(learner, data, recipe, weights, keys, over, Partial(summary))
    ended = [summary(_parameters(learner, data._replace(weights=each), recipe, keys, over)) for each in weights]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *ended)


@partial(jax.jit, static_argnames=("recipe", "over"))
def _together(
    learner: Learner,
    data: TrainingSet,
    recipe: Recipe,
    weights: Float[Array, "r n"],
    keys: Key[Array, " steps"],
    over: Over,
    summary: Partial,
) -> Any:
    def one(weights: Float[Array, " n"]) -> Any:
        return summary(_parameters(learner, data._replace(weights=weights), recipe, keys, over))

    return jax.lax.map(one, weights) if over == "map" else jax.vmap(one)(weights)


def _parameters(learner: Learner, data: TrainingSet, recipe: Recipe, keys: Key[Array, " steps"], over: Over) -> Params:
    """At the end of the training."""
    run = advance_by_steps if over == "steps" else advance
    objective = ExampleLoss(learner.network, recipe.loss, recipe.batch)
    state, _ = run(recipe, objective, begin(recipe, learner.params), data, keys)
    return trained_parameters(recipe, state)


def fastest(learner: Learner, x: Float[Array, "n ..."]) -> Over:
    """How several networks are trained fastest here, as measured; see `train_each`."""
    if jax.default_backend() != "cpu":
        return "vmap"
    program = str(jax.make_jaxpr(learner.network.apply)(learner.params, x))
    return "steps" if "conv_general_dilated" in program else "map"


def _keys(recipe: Recipe, key: PRNGKeyArray | None) -> Key[Array, " steps"]:
    """One for each step."""
    if key is None and recipe.batch is not None:
        raise InvalidInput(f"There is no key to draw minibatches of {recipe.batch} examples with; give one.")
    return jax.random.split(jax.random.key(0) if key is None else key, recipe.steps)
