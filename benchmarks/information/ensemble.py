"""Information of infinitely wide ensembles: low-rank changes of one Gaussian against a new Gaussian per example.

    python -m benchmarks.information.ensemble [--sizes 250 500 1000] [--sample 4]

The peer trains the ensemble anew without each example in turn: an eigendecomposition of the kernel that remains, mean
and covariance of the predictions, their inverse and determinant. Its cost is the same for every example, so it is
measured on a sample of them and multiplied. NTK and NNGP kernels of a ReLU network with one hidden layer on random
inputs, given to both; m = n/2 validation points, k = 1. CPU seconds of the whole process after a warm-up; on a machine
that is busy with other work, set OPENBLAS_NUM_THREADS=1: waiting threads count as work.
"""

import argparse
import time
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.information.leave_one_out import cpu
from infojax import Converged, GradientDescent
from infojax.information import divergence, ensemble_from_kernels
from infojax.linearized import submatrix_ensembles


def kernels(n: int, m: int, seed: int = 0):
    """Kernels of an infinitely wide ReLU network with one hidden layer, in closed form."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n + m, 64)) * (1 + np.arange(64)) ** -0.5
    norms = np.linalg.norm(points, axis=1)
    cosine = np.clip(points @ points.T / np.outer(norms, norms), -1, 1)
    angle = np.arccos(cosine)
    nngp = np.outer(norms, norms) * (np.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi) / 64
    ntk = nngp + points @ points.T * (np.pi - angle) / (2 * np.pi) / 64
    np.fill_diagonal(ntk, norms**2 / 64)
    np.fill_diagonal(nngp, norms**2 / 128)
    theta, prior = ntk[:n, :n], {"nngp": nngp[:n, :n], "cross_nngp": nngp[n:, :n], "validation_nngp": nngp[n:, n:]}
    return theta, ntk[n:, :n], rng.normal(size=n), prior, float(0.8 * n / np.linalg.norm(theta, 2))


def brute_force(theta, cross, targets, prior, training, examples):
    """The joint divergence of `examples`, each by a new Gaussian."""
    groups = [np.array([], int), *(np.array([i]) for i in examples)]
    made = submatrix_ensembles(theta, cross, **prior, targets=targets[:, None], groups=groups, training=training)
    full = next(made)
    return np.array([divergence(*full, *without) for without in made])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[250, 500, 1000], help="numbers of examples n")
    parser.add_argument("--steps", type=int, default=2000, help="steps of gradient descent T")
    parser.add_argument("--sample", type=int, default=4, help="left-out examples the peer is measured on")
    arguments = parser.parse_args()
    table = Table(title="Exact information of all n examples in an infinitely wide ensemble, m = n/2, k = 1")
    for name in ("n, m", "training", "peer CPU s", "infojax CPU s", "seconds", "first call", "ratio", "differs by"):
        table.add_column(name, justify="right")
    for n in arguments.sizes:
        theta, cross, targets, prior, rate = kernels(n, n // 2)
        for training in (Converged(), GradientDescent(arguments.steps, rate)):
            ours = partial(ensemble_from_kernels, theta, cross, targets, **prior, training=training)
            first, _ = cpu(ours)
            start = time.perf_counter()
            seconds, scores = cpu(ours)
            elapsed = time.perf_counter() - start
            examples = np.random.default_rng(1).choice(n, arguments.sample, replace=False)
            peer, theirs = cpu(partial(brute_force, theta, cross, targets, prior, training, examples))
            peer *= (n + 1) / (len(examples) + 1)  # the Gaussian with all examples is one more
            table.add_row(
                f"{n}, {n // 2}",
                "t = ∞" if isinstance(training, Converged) else f"GD {arguments.steps}",
                f"{peer:.1f}",
                f"{seconds:.2f}",
                f"{elapsed:.2f}",
                f"{first:.1f}",
                f"× {peer / seconds:.0f}",
                f"{np.abs(scores.joint[examples] / theirs - 1).max():.0e}",
            )
    console = Console(width=120)
    console.print(table)
    console.print("differs by: largest relative difference of the joint divergence from the peer's.")


if __name__ == "__main__":
    main()
