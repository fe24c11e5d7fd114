"""Unique information by its definition: train the real network again, without each example.

    w, w_−i  gradient descent from the same w₀, with all examples and without example i
    SI_i   = ½ ‖w − w_−i‖²
    F-SI_i = 1/(2σ²m) Σ_{x in validation} ‖f_w(x) − f_{w_−i}(x)‖²

(Harutyunyan et al. 2021.) No linearisation: the ground truth that `unique_information` is held against.
"""

from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int

from infojax.arrays import plain_array, require_positive
from infojax.errors import InvalidInput, OverBudget
from infojax.files import checkpoint as checkpoints
from infojax.files import require_room
from infojax.information._retraining_problem import Examples, Problem, validate, weights_without
from infojax.linearized import GradientDescent, Scalar
from infojax.models import Network, Params
from infojax.training import ExampleLoss, Learner, Over, begin, fastest, step, train_each, training_set

# Floating-point operations in a block on a CPU: some ten seconds, which is what Ctrl-C may lose.
BLOCK_WORK = 1e12


class Retraining(NamedTuple):
    """Unique information by retraining, of the e examples that were left out.

    Attributes:
        si: SI (e,), in nats for unit smoothing.
        f_si: F-SI (e,), likewise.
        examples: (e,) the numbers of the examples.
        params: trained on all examples.
        predictions: theirs on the validation set (m, k).
    """

    si: Float[np.ndarray, " e"]
    f_si: Float[np.ndarray, " e"]
    examples: Int[np.ndarray, " e"]
    params: Params
    predictions: Float[np.ndarray, "m k"]


def retrain_without_each(
    network: Network,
    params: Params,
    train: Examples,
    validation: Examples,
    *,
    training: GradientDescent,
    examples: Any = None,
    sigma: Scalar = 1.0,
    block: int | None = None,
    budget: int = 2**30,
    over: Over | Literal["auto"] = "auto",
    checkpoint: Path | None = None,
    progress: Any = None,
) -> Retraining:
    """Unique information by retraining without each example, in the precision of `params`.

    With a `checkpoint` an interrupted call loses at most the block in progress: the same call goes on from
    there, and ends with the same numbers to the last bit.

    Args:
        network: its `apply` gives (b, k).
        params: the initialisation, from which every run starts.
        train: n examples, a Dataset or a pair of arrays (x, targets).
        validation: m examples, likewise; their targets are not used.
        training: full-batch gradient descent, with decay towards `params`.
        examples: numbers of the examples to leave out, each by itself; by default all.
        sigma: standard deviation of the noise that smooths the predictions in F-SI.
        block: most runs between two checkpoints; by default what fits into the budget with "vmap", and
            some ten seconds of work otherwise.
        budget: bytes of work space.
        over: "map" trains one model after the other in one program, "vmap" a block of them together, "steps" one
            after the other with a program for each step; "auto" takes what the benchmark shows to be
            fastest: on a CPU "steps" for networks with convolutions and "map" for others, elsewhere "vmap".
        checkpoint: file (npz) that keeps what is done.
        progress: a `rich.progress.Progress`, advanced after each block.

    Raises:
        InvalidInput: shapes that do not fit, NaN, n < 2, examples that do not exist, a
            checkpoint of another problem, and training that diverges.
        OverBudget: one model, or `block` models at once, need more than `budget`.
        CorruptData: `checkpoint` is a file of another kind.
    """
    require_positive("sigma", sigma, "the smoothing noise needs a positive, finite standard deviation")
    sigma = float(sigma)
    problem = validate(network, params, train, validation, training)
    chosen = _chosen(examples, len(problem.x))
    way = _resolve(over, problem)
    size = _block(block, way, len(chosen), problem, budget)
    data = training_set(problem.x, problem.y)
    each = partial(train_each, problem.learner, data, problem.recipe)
    weights_of = jax.jit(jax.vmap(partial(weights_without, problem)))

    mark = checkpoints.fingerprint(problem, checkpoints.identity([problem.recipe, problem.convention]))
    kept = None if checkpoint is None else checkpoints.read(checkpoint, mark)
    if kept is None:
        alone = each(weights_of(_nobody()[None]), over="steps" if way == "steps" else "map")
        full, squares = jax.tree.map(lambda leaf: leaf[0], alone), np.full((len(problem.x), 2), np.nan)
    else:
        leaves, structure = jax.tree.flatten(problem.params)
        full = structure.unflatten([jnp.asarray(kept[f"leaf{i}"]) for i in range(len(leaves))])
        squares = kept["squares"]
    predictions = jax.jit(network.apply)(full, problem.validation)
    if not all(bool(jnp.isfinite(leaf).all()) for leaf in (predictions, *jax.tree.leaves(full))):
        raise _diverged(training, "on all examples")
    if kept is not None:
        _require_same_network(predictions, kept["predictions"], checkpoint)

    moved = Partial(_moved, Learner(network, full), problem.validation, predictions)
    missing = chosen[np.isnan(squares[chosen, 0])]
    done = len(chosen) - len(missing)
    task = None if progress is None else progress.add_task("retraining", total=len(chosen), completed=done)
    for start in range(0, len(missing), size):
        left_out = missing[start : start + size]
        # The last block is filled up with repetitions: one shape, one compilation.
        made = each(weights_of(jnp.asarray(np.resize(left_out, size))), over=way, summary=moved)
        squares[left_out] = np.asarray(made, np.float64)[: len(left_out)]
        if not np.isfinite(squares[left_out]).all():
            raise _diverged(training, f"without one of the examples {left_out.tolist()}")
        if checkpoint is not None:
            state = {f"leaf{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(full))}
            checkpoints.write(checkpoint, mark, state | {"squares": squares, "predictions": np.asarray(predictions)})
        if progress is not None:
            progress.advance(task, len(left_out))

    weights, functional = squares[chosen].T
    return Retraining(weights / 2, functional / (2 * sigma**2), chosen, full, np.asarray(predictions))


@jax.jit
def _moved(
    full: Learner, x: Float[Array, "m ..."], predictions: Float[Array, "m k"], params: Params
) -> Float[Array, " 2"]:
    """‖w − w_−i‖² and (1/m) Σ_x ‖f_w(x) − f_w−i(x)‖²."""
    apart = jax.tree.map(lambda a, b: jnp.sum((a - b) ** 2), params, full.params)
    moved = full.network.apply(params, x) - predictions
    return jnp.stack([sum(jax.tree.leaves(apart)), jnp.sum(moved**2) / len(moved)])


def _block(block: int | None, over: Over, count: int, problem: Problem, budget: int) -> int:
    """Examples in a block: within the budget, and blocks of nearly equal size, as the last is filled up."""
    if block is not None and block < 1:
        raise InvalidInput(f"block is {block}; it must be at least 1, or None.")
    model = _work_space(problem)
    at_once = min(block or 1, count) if over == "vmap" else 1
    if at_once * model > budget:
        remedy = f', a block of at most {budget // model}, or over="map"' if at_once > 1 else ", or fewer examples"
        raise OverBudget(
            f"Training {at_once} model(s) at once takes {at_once * model} bytes of work space, the budget is "
            f"{budget}. Give a larger budget{remedy}."
        )
    what = f"Training {at_once} model(s) at once needs"
    require_room(at_once * model, what, "Give a smaller block, or fewer examples.", device=jax.local_devices()[0])
    size = sum(leaf.size for leaf in jax.tree.leaves(problem.params))
    work = 6 * problem.recipe.steps * len(problem.x) * size
    most = budget // model if over == "vmap" else int(BLOCK_WORK / work)
    blocks = -(-count // (block or max(1, most)))
    return -(-count // blocks)


def _work_space(problem: Problem) -> int:
    """Bytes that a step of one model needs besides data and parameters; the compiler knows."""
    recipe, data = problem.recipe, training_set(problem.x, problem.y, weights_without(problem, _nobody()))
    objective = ExampleLoss(problem.network, recipe.loss, recipe.batch)
    lowered = jax.jit(step, static_argnums=(0, 1)).lower(
        recipe, objective, begin(recipe, problem.params), data, jax.random.key(0)
    )
    analysis = lowered.compile().memory_analysis()
    held = sum(leaf.nbytes for leaf in jax.tree.leaves(problem.params))
    return 2 * held + (4 * held if analysis is None else analysis.temp_size_in_bytes)


def _nobody() -> Int[Array, ""]:
    return jnp.asarray(np.array(-1))


def _resolve(over: Over | Literal["auto"], problem: Problem) -> Over:
    if over not in ("map", "vmap", "steps", "auto"):
        raise InvalidInput(f'over is {over!r}; it must be "map", "vmap", "steps" or "auto".')
    if over != "auto":
        return over
    return fastest(problem.learner, problem.x)


def _chosen(examples: Any, n: int) -> Int[np.ndarray, " e"]:
    chosen = np.arange(n) if examples is None else plain_array("examples", examples)
    known = chosen.ndim == 1 and chosen.dtype.kind in "iu" and len(chosen) and 0 <= chosen.min() <= chosen.max() < n
    if not known or len(np.unique(chosen)) < len(chosen):
        raise InvalidInput(f"examples is {examples!r:.80}; give different example numbers from 0 to {n - 1}.")
    return chosen.astype(np.int64)


def _require_same_network(predictions: Array, kept: np.ndarray, checkpoint: Path | None) -> None:
    # A function has no fingerprint, but what it computes tells; loosely, as devices round differently.
    if not np.allclose(predictions, kept, rtol=1e-2, atol=1e-3):
        raise InvalidInput(
            f"The checkpoint {checkpoint} was made with a network that computes other outputs from the same "
            "parameters. Give that network to go on from it; delete it, or give another file, to begin anew."
        )


def _diverged(training: GradientDescent, where: str) -> InvalidInput:
    return InvalidInput(
        f"Training {where} diverged: with learning_rate={training.learning_rate} the weights or "
        f"predictions are not finite after {training.steps} steps. Lower the learning_rate; it is stable as "
        "long as learning_rate · (largest eigenvalue of the kernel / n + decay) stays below 2 (without / n "
        "in convention 'sum')."
    )
