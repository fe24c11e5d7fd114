"""Leave-one-out from products with the kernel, against its eigendecomposition.

    python -m benchmarks.information.products_out [--sizes 1000 2000] [--some 100] [--all-up-to 2000]

A kernel with the power-law spectrum of image kernels (that of leave_one_out.py), k = 1, 1000 validation
points, given in float64. CPU seconds of the whole process, the second call of each (the first compiles). "differs by"
is the largest difference from the eigendecomposition's score, relative to that score; "stated" the median of the error
that is stated.
"""

import argparse
from functools import partial

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.information.leave_one_out import cpu, problem
from infojax import Converged, GradientDescent
from infojax.information import from_kernels, from_products


def trainings(kernel, rate: float, steps: int):
    """Descent, and convergence with a decay of 1e-4 of the largest eigenvalue (of the mean loss)."""
    top = float(np.linalg.norm(kernel, 2)) / len(kernel)
    return {f"GD {steps}": GradientDescent(steps, rate), "t = ∞, decay": Converged(1e-4 * top)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 2000], help="numbers of examples n")
    parser.add_argument("--steps", type=int, default=2000, help="steps of gradient descent T")
    parser.add_argument("--some", type=int, default=100, help="examples that are left out, when not all are")
    parser.add_argument("--all-up-to", type=int, default=2000, help="leave all out up to this n (hours for large n)")
    parser.add_argument("--tolerance", type=float, default=1e-6)
    arguments = parser.parse_args()
    table = Table(title=f"Leave-one-out, SI and F-SI, tolerance {arguments.tolerance:g}")
    names = ("n", "training", "route", "examples", "products", "CPU s", "SI differs by", "stated", "F-SI by", "stated")
    for name in names:
        table.add_column(name, justify="right")
    for n in arguments.sizes:
        kernel, cross, residual, rate = problem(n, 1000)
        for name, training in trainings(kernel, rate, arguments.steps).items():
            factored = partial(from_kernels, kernel, cross, residual, training=training)
            factored()
            seconds, exact = cpu(factored)
            table.add_row(str(n), name, "eigendecomposition", str(n), "", f"{seconds:.2f}", "", "", "", "")
            some = np.random.default_rng(1).choice(n, arguments.some, replace=False)
            for dtype in (np.float64, np.float32):
                for chosen in (some, np.arange(n))[: 1 + (n <= arguments.all_up_to)]:
                    run = partial(
                        from_products, kernel, cross, residual, examples=chosen, dtype=dtype,
                        tolerance=arguments.tolerance, devices=jax.devices()[:1], training=training,
                    )  # fmt: skip
                    if len(chosen) < n:
                        run()
                    seconds, made = cpu(run)
                    table.add_row(
                        str(n), name, f"products, {np.dtype(dtype)}", str(len(chosen)), str(made.steps),
                        f"{seconds:.2f}",
                        *compared(made.si, made.si_error, exact.si[chosen]),
                        *compared(made.f_si, made.f_si_error, exact.f_si[chosen]),
                    )  # fmt: skip
    Console(width=130).print(table)


def compared(made: np.ndarray, stated: np.ndarray, exact: np.ndarray) -> tuple[str, str]:
    """The largest relative difference, and the median error stated."""
    return f"{np.abs(made / exact - 1).max():.0e}", f"{np.median(stated / exact):.0e}"


if __name__ == "__main__":
    main()
