"""The attribution job: a classifier, its training, and what really happens when it is trained on other examples.

A network 784-128-64-10 learns 1000 MNIST digits by full-batch gradient descent with momentum on the mean
cross-entropy, always from the same initialisation, so that two runs differ in their examples and in nothing else. The
ground truth are the losses after retraining on random halves of the examples, and without single ones.
"""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from infojax.data import load
from infojax.errors import DataNotFound
from infojax.files import checkpoint as checkpoint
from infojax.models import mlp

NETWORK = mlp((128, 64), outputs=10)
EXAMPLES, QUERIES = 1000, 100
RATE, MOMENTUM = 0.05, 0.9
RUNS_BETWEEN_CHECKPOINTS = 10


class Job(NamedTuple):
    """What every method is given, and the parameters that training starts from.

    Attributes:
        x, y: images (n, d) and labels (n,); query_x (q, d), query_y (q,).
        steps: of training.
        start: initial parameters.
        params: trained on all examples.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    query_x: np.ndarray
    query_y: np.ndarray
    steps: int
    start: Any
    params: Any


def make_job(steps: int) -> Job:
    """MNIST where it is on this machine, otherwise scikit-learn's digits, and says so."""
    try:
        data = load("mnist")
    except DataNotFound:
        data = load("digits")
        print("MNIST is not on this machine (infojax data fetch mnist brings it): the 8 × 8 digits stand in for it.")
    train, queries = data.split(EXAMPLES, QUERIES, seed=0)
    x, query_x = (part.x.reshape(len(part), -1) for part in (train, queries))
    start = NETWORK.init(jax.random.key(0), x.shape[1:])
    params = descend(start, jnp.asarray(x), jnp.asarray(train.y), steps)
    return Job(data.name, x, train.y, query_x, queries.y, steps, start, jax.tree.map(np.asarray, params))


def losses(params: Any, x: Any, y: Any) -> jax.Array:
    """Cross-entropy of each example (b,)."""
    return -jnp.take_along_axis(jax.nn.log_softmax(NETWORK.apply(params, x)), y[:, None], axis=1)[:, 0]


@partial(jax.jit, static_argnames="steps")
def descend(start: Any, x: Any, y: Any, steps: int) -> Any:
    """Parameters after training on all of x and y."""
    slope = jax.grad(lambda params: losses(params, x, y).mean())

    def step(_: Any, state: Any) -> Any:
        params, velocity = state
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, slope(params))
        return jax.tree.map(lambda w, v: w - RATE * v, params, velocity), velocity

    return jax.lax.fori_loop(0, steps, step, (start, jax.tree.map(jnp.zeros_like, start)))[0]


@partial(jax.jit, static_argnames="steps")
def _retrained(start: Any, x: Any, y: Any, query_x: Any, query_y: Any, kept: Any, steps: int) -> Any:
    def one(index: Any) -> Any:
        params = descend(start, x[index], y[index], steps)
        return losses(params, query_x, query_y), losses(params, x, y)

    return jax.lax.map(one, kept)


def retrained_losses(job: Job, kept: np.ndarray, file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Losses of the queries (r, q) and of the examples (r, n) after training on each row of `kept` (r, size).

    Rows that are done stay in `file`, from which an interrupted call goes on.
    """
    data = (job.x, job.y, job.query_x, job.query_y)
    mark = checkpoint.fingerprint(data, job.start, kept, (job.steps, RATE, MOMENTUM))
    done = checkpoint.read(file, mark) or {
        "queries": np.empty((0, len(job.query_x)), np.float32),
        "examples": np.empty((0, len(job.x)), np.float32),
    }
    while (count := len(done["queries"])) < len(kept):
        rows = kept[count : count + RUNS_BETWEEN_CHECKPOINTS]
        queries, examples = _retrained(job.start, *map(jnp.asarray, data), jnp.asarray(rows), job.steps)
        done = {
            "queries": np.concatenate([done["queries"], queries]),
            "examples": np.concatenate([done["examples"], examples]),
        }
        checkpoint.write(file, mark, done)
        print(f"retrained {count + len(rows)} of {len(kept)} networks on {kept.shape[1]} examples", flush=True)
    return done["queries"], done["examples"]


def halves(count: int, seed: int) -> np.ndarray:
    """Random halves of the examples (count, n / 2)."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(EXAMPLES)[: EXAMPLES // 2] for _ in range(count)])


def without_each(examples: np.ndarray) -> np.ndarray:
    """All examples but one, for each of `examples` (e, n − 1)."""
    return np.stack([np.delete(np.arange(EXAMPLES), i) for i in examples])
