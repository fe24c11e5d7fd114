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
from jaxtyping import Array, Float, Int

from infojax.arrays import plain_array, require_positive
from infojax.errors import InvalidInput, OverBudget
from infojax.files import checkpoint as checkpoints
from infojax.files import require_room
from infojax.information._real_descent import Examples, Problem, descend, descend_by_steps, pose, step
from infojax.linearized import GradientDescent, Scalar
from infojax.models import Network, Params

Over = Literal["map", "vmap", "steps", "auto"]

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
    over: Over = "auto",
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
    problem = pose(network, params, train, validation, training)
    chosen = _chosen(examples, len(problem.x))
    over = _resolve(over, problem)
    size = _block(block, over, len(chosen), problem, budget)

    mark = checkpoints.fingerprint(problem, {"steps": problem.steps, "convention": problem.convention})
    kept = None if checkpoint is None else checkpoints.read(checkpoint, mark)
    if kept is None:
        run = descend_by_steps if over == "steps" else descend
        full, squares = run(problem, _nobody()), np.full((len(problem.x), 2), np.nan)
    else:
        leaves, structure = jax.tree.flatten(problem.params)
        full = structure.unflatten([jnp.asarray(kept[f"leaf{i}"]) for i in range(len(leaves))])
        squares = kept["squares"]
    predictions = jax.jit(problem.apply)(full, problem.validation)
    if not all(bool(jnp.isfinite(leaf).all()) for leaf in (predictions, *jax.tree.leaves(full))):
        raise _diverged(training, "on all examples")
    if kept is not None:
        _require_same_network(predictions, kept["predictions"], checkpoint)

    missing = chosen[np.isnan(squares[chosen, 0])]
    done = len(chosen) - len(missing)
    task = None if progress is None else progress.add_task("retraining", total=len(chosen), completed=done)
    for start in range(0, len(missing), size):
        left_out = missing[start : start + size]
        # The last block is filled up with repetitions: one shape, one compilation.
        made = _squares(problem, full, predictions, jnp.asarray(np.resize(left_out, size)), over)
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


def _squares(problem: Problem, full: Params, predictions: Array, left_out: Array, over: Over) -> Float[Array, "b 2"]:
    """‖w − w_−i‖² and (1/m) Σ_x ‖f_w(x) − f_w−i(x)‖² for each example of a block."""
    if over != "steps":
        return _squares_together(problem, full, predictions, left_out, over)
    return jnp.stack([_apart(problem, descend_by_steps(problem, i), full, predictions) for i in left_out])


@partial(jax.jit, static_argnames="over")
def _squares_together(problem, full, predictions, left_out, over):
    def one(index: Array) -> Array:
        return _apart(problem, descend(problem, index), full, predictions)

    return jax.lax.map(one, left_out) if over == "map" else jax.vmap(one)(left_out)


@jax.jit
def _apart(problem: Problem, params: Params, full: Params, predictions: Array) -> Float[Array, " 2"]:
    apart = jax.tree.map(lambda a, b: jnp.sum((a - b) ** 2), params, full)
    moved = problem.apply(params, problem.validation) - predictions
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
    work = 6 * problem.steps * len(problem.x) * size
    most = budget // model if over == "vmap" else int(BLOCK_WORK / work)
    blocks = -(-count // (block or max(1, most)))
    return -(-count // blocks)


def _work_space(problem: Problem) -> int:
    """Bytes that a step of one model needs besides data and parameters; the compiler knows."""
    analysis = step.lower(problem, _nobody(), problem.params).compile().memory_analysis()
    held = sum(leaf.nbytes for leaf in jax.tree.leaves(problem.params))
    return 2 * held + (4 * held if analysis is None else analysis.temp_size_in_bytes)


def _nobody() -> Int[Array, ""]:
    return jnp.asarray(np.array(-1))


def _resolve(over: Over, problem: Problem) -> Over:
    if over not in ("map", "vmap", "steps", "auto"):
        raise InvalidInput(f'over is {over!r}; it must be "map", "vmap", "steps" or "auto".')
    if over != "auto":
        return over
    if jax.default_backend() != "cpu":
        return "vmap"
    program = str(jax.make_jaxpr(problem.apply)(problem.params, problem.x))
    return "steps" if "conv_general_dilated" in program else "map"


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
