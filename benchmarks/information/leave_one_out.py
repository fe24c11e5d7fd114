"""Leave-one-out for all examples: contour integral against a matrix power per left-out example.

    python -m benchmarks.information.leave_one_out [--sizes 500 1000 2000] [--every]

The peer is the algorithm of the paper's authors, written anew: for each example in turn, delete its row and column,
raise I − ηΘ to the T-th power by repeated squaring, and predict; float32, multithreaded. Its cost is the same for
every example, so by default it is measured on a sample of them and multiplied; `--every` runs it in full. CPU seconds
of the whole process, after one warm-up; kernels are given to both.
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from infojax import Converged, GradientDescent
from infojax.information import from_kernels


def problem(n: int, validation: int, seed: int = 0):
    """A kernel with the power-law spectrum of image kernels, and a learning rate at 0.8 of the stable one."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n + validation, n + validation)) * (1 + np.arange(n + validation)) ** -0.75
    kernel, cross = points[:n] @ points[:n].T, points[n:] @ points[:n].T
    rate = float(0.8 * n / np.linalg.norm(kernel, 2))
    return kernel, cross, rng.normal(size=n), rate


def matrix_powers(kernel, cross, residual, rate, steps, examples):
    """SI and F-SI (without the ½, as in the authors' code) of `examples`, one matrix power each, in float32."""
    kernel, cross, residual = (a.astype(np.float32) for a in (kernel, cross, residual))
    n = len(kernel)
    inverse = np.linalg.inv(kernel)

    def trained(theta, inverse, r, eta):
        if steps is None:
            return inverse @ r
        decayed = np.linalg.matrix_power(np.eye(len(r), dtype=np.float32) - eta * theta, steps) @ r
        return inverse @ (r - decayed)

    full = trained(kernel, inverse, residual, np.float32(rate / n))
    scores = []
    for i in examples:
        kept = np.delete(np.arange(n), i)
        # The inverse without i from the inverse with it: rank one.
        column = inverse[kept, i]
        without = inverse[np.ix_(kept, kept)] - np.outer(column, column) / inverse[i, i]
        a = np.zeros(n, np.float32)
        a[kept] = trained(kernel[np.ix_(kept, kept)], without, residual[kept], np.float32(rate / (n - 1)))
        change = full - a
        scores.append((change @ kernel @ change, np.mean((cross @ change) ** 2)))
    return np.array(scores).T


def cpu(function: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """CPU seconds of a call (the least of `repeats`), and what it returned."""
    seconds, value = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        value = function()
        seconds = min(seconds, time.process_time() - start)
    return float(seconds), value


def compare(n: int, steps: int | None, sample: int | None) -> list[str]:
    """One row of the table; meant for a process of its own, whose peak memory is then that of this row."""
    kernel, cross, residual, rate = problem(n, n)
    training = Converged() if steps is None else GradientDescent(steps, rate)
    ours = partial(from_kernels, kernel, cross, residual, training=training)
    examples = np.arange(n) if sample is None else np.random.default_rng(1).choice(n, sample, replace=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first, _ = cpu(ours)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / kernel.nbytes
    contour, scores = cpu(ours, repeats=3)
    peer, theirs = cpu(partial(matrix_powers, kernel, cross, residual, rate, steps, examples))
    peer *= n / len(examples)
    error = np.abs(2 * scores.f_si[examples] / theirs[1] - 1)
    return [
        str(n),
        "t = ∞" if steps is None else f"GD {steps}",
        f"{peer:.1f}",
        f"{contour:.3f}",
        f"{first:.2f}",
        f"× {peer / contour:.0f}",
        f"{peak:.1f}",
        f"{np.median(error):.0e}, {error.max():.0e}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 1000, 2000], help="numbers of examples n")
    parser.add_argument("--steps", type=int, default=2000, help="steps of gradient descent T")
    parser.add_argument("--sample", type=int, default=12, help="left-out examples the peer is measured on")
    parser.add_argument("--every", action="store_true", help="run the peer on every example: hours at n = 2000")
    arguments = parser.parse_args()
    table = Table(title="Leave-one-out of all n examples, SI and F-SI, k = 1, m = n")
    columns = (
        "n",
        "training",
        "peer CPU s",
        "contour CPU s",
        "first call",
        "ratio",
        "peak / kernel",
        "F-SI differs by",
    )
    for name in columns:
        table.add_column(name, justify="right")
    spawn = multiprocessing.get_context("spawn")
    for n in arguments.sizes:
        for steps in (None, arguments.steps):
            with spawn.Pool(1) as pool:
                table.add_row(*pool.apply(compare, (n, steps, None if arguments.every else arguments.sample)))
    console = Console(width=120)
    console.print(table)
    console.print(
        "peak / kernel: growth of the process's peak memory during the first call, in float64 kernels (N × N): what is "
        "needed beside the two kernels given, JAX and its compiler included.\nF-SI differs by: median and largest "
        "relative difference, float32 peer against float64 contour."
    )


if __name__ == "__main__":
    main()
