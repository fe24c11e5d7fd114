"""Retraining without each example: models mapped, vmapped, step by step, and a plain loop.

    python -m benchmarks.information.retraining [--models 4] [--cnn]

CPU seconds of the whole process and wall seconds for each model, of the second and third block of models: compilation
and the run with all examples are not counted. The plain loop is what one would write without infojax: a jitted step
called from Python, and the example really dropped. All give the same scores; the last column says how nearly.
"""

import argparse
import time
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from infojax.data import load
from infojax.information import retrain_without_each
from infojax.linearized import GradientDescent
from infojax.models import Network, cnn, mlp

OVERS: tuple[Literal["map", "vmap", "steps"], ...] = ("map", "vmap", "steps")


class Clock:
    """In the place of a progress bar: notes the time at the end of each block."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, float]] = []

    def add_task(self, *_: Any, **__: Any) -> int:
        return 0

    def advance(self, *_: Any) -> None:
        self.marks.append((time.process_time(), time.perf_counter()))

    def per_model(self, models: int) -> np.ndarray:
        """(CPU, wall) seconds."""
        return np.diff(self.marks, axis=0).mean(axis=0) / models


def plain_loop(
    network: Network, params: Any, x: Any, y: Any, points: Any, training: GradientDescent, models: int, clock: Clock
) -> np.ndarray:
    """F-SI of three blocks of examples."""

    @jax.jit
    def step(params, x, y):
        def loss(params):
            return jnp.mean(jnp.sum((network.apply(params, x) - y) ** 2, axis=1)) / 2

        return jax.tree.map(lambda w, slope: w - training.learning_rate * slope, params, jax.grad(loss)(params))

    apply = jax.jit(network.apply)

    def train(kept):
        w = params
        for _ in range(int(np.asarray(training.steps))):
            w = step(w, x[kept], y[kept])
        return np.asarray(apply(w, points))

    predictions = train(np.arange(len(x)))
    scores = []
    for i in range(3 * models):
        moved = train(np.delete(np.arange(len(x)), i)) - predictions
        scores.append(np.sum(moved**2) / (2 * len(points)))
        if (i + 1) % models == 0:
            clock.advance()
    return np.array(scores)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", type=int, default=4, help="models in a block (default 4)")
    parser.add_argument("--steps", type=int, default=200, help="updates of each model (default 200)")
    parser.add_argument("--cnn", action="store_true", help="also the convolutional network, 28 × 28 (slow)")
    options = parser.parse_args()

    digits = load("digits").only(4, 9)
    train, validation = digits.split(100, 100, seed=0)
    large = np.repeat(np.repeat(train.x, 4, axis=1), 4, axis=2)[:, 2:-2, 2:-2]
    cases = [("MLP 64-1024-1, n = 100", mlp(hidden=(1024,)), train.x, validation.x, options.steps)]
    if options.cnn:
        cases.append(("CNN 28 × 28, n = 100", cnn(), large, large, max(1, options.steps // 20)))

    table = Table(title=f"Retraining on {jax.default_backend()}, seconds per model")
    for column in ("network", "steps", "how", "CPU s", "wall s", "difference of F-SI"):
        table.add_column(column, justify="left" if column in ("network", "how") else "right")
    for name, network, x, points, steps in cases:
        params = network.init(jax.random.key(0), x.shape[1:])
        training = GradientDescent(steps=steps, learning_rate=0.01)
        clock = Clock()
        plain = plain_loop(network, params, x, train.targets, points, training, options.models, clock)
        rows = [("plain loop", clock, plain)]
        for over in OVERS:
            clock = Clock()
            scores = retrain_without_each(
                network, params, (x, train.targets), (points, np.zeros((len(points), 1))), training=training,
                examples=np.arange(3 * options.models), block=options.models, over=over, budget=2**34, progress=clock,
            )  # fmt: skip
            rows.append((over, clock, scores.f_si))
        for how, clock, scores in rows:
            cpu, wall = clock.per_model(options.models)
            apart = np.abs(scores / plain - 1).max()
            table.add_row(name, str(steps), how, f"{cpu:.3f}", f"{wall:.3f}", f"{apart:.1e}")
    Console().print(table)


if __name__ == "__main__":
    main()
