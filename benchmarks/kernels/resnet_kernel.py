"""The kernel of networks at the scale of ResNet-50: time and memory, without an N × P Jacobian.

    python -m benchmarks.kernels.resnet_kernel [--sizes 50 100] [--networks resnet50:64] [--budget 12]

Cats and dogs of CIFAR-10, one output, float32, resized to so many pixels. Each measurement is a process of its own, so
that its peak memory is its own, and includes compiling. Exact is `empirical_ntk`, random `random_coordinate_ntk` with
2000 coordinates of each parameter array; "differs by" is the relative error of the latter in the Frobenius norm. The
last rows extrapolate CPU seconds by a + b n + c n², none of them negative. Memory is not extrapolated, for the budget
bounds it; the last column is what the Jacobian would take, which is never there.

Needs: infojax data fetch cifar10 resnet50 efficientnet-lite0 (one after another).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import nnls

from infojax.data import load
from infojax.kernels import empirical_ntk, random_coordinate_ntk
from infojax.models import pretrained

KINDS = ("exact", "random")


def measure(name: str, pixels: int, n: int, kind: str, budget: float, out: Path) -> dict[str, Any]:
    """One kernel in this process; the kernel itself goes to `out`."""
    network, params = pretrained(name, outputs=1, key=jax.random.key(0), size=pixels)
    x = load("cifar10").only("cat", "dog").x[:n]
    cpu, wall = time.process_time(), time.perf_counter()
    limit = int(budget * 2**30)
    if kind == "exact":
        kernel = empirical_ntk(network, params, x, budget=limit)
    else:
        kernel = random_coordinate_ntk(network, params, x, budget=limit, key=jax.random.key(1))
    np.save(out, kernel)
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(params)),
    }


def in_own_process(*arguments: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.kernels.resnet_kernel", "--one", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def compare(table: Table, console: Console, network: str, arguments: argparse.Namespace, folder: Path) -> None:
    name, pixels = network.split(":")
    table.add_section()
    cpu: dict[str, list[float]] = {kind: [] for kind in KINDS}
    measured: dict[str, Any] = {}
    for n in arguments.sizes:
        for kind in KINDS:
            console.log(f"{name}, {pixels} pixels, n = {n}, {kind}")
            out = folder / f"{kind}.npy"
            measured = in_own_process(name, pixels, n, kind, arguments.budget, out)
            cpu[kind].append(measured["cpu"])
            difference = ""
            if kind == "random":
                exact, estimate = np.load(folder / "exact.npy"), np.load(out)
                difference = f"{np.linalg.norm(estimate - exact) / np.linalg.norm(exact):.3f}"
            row = (f"{measured['cpu']:.0f}", f"{measured['wall']:.0f}", f"{measured['peak'] / 2**30:.1f}", difference)
            table.add_row(f"{name}, {pixels} px", str(n), kind, *row, jacobian(n, measured["parameters"]))
    if len(arguments.sizes) >= 3:
        n = arguments.extrapolate
        for kind in KINDS:
            fit, _ = nnls(np.vander(arguments.sizes, 3).astype(float), np.array(cpu[kind]))
            seconds = f"{np.polyval(fit, n):.0f}"
            table.add_row("extrapolated", str(n), kind, seconds, "", "", "", jacobian(n, measured["parameters"]))


def jacobian(n: int, parameters: int) -> str:
    return f"{4 * n * parameters / 2**30:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument(
        "--networks", nargs="+", default=["efficientnet-lite0:96", "resnet50:64"], metavar="NAME:PIXELS"
    )
    parser.add_argument("--budget", type=float, default=12, help="GiB that a kernel may take beside its result")
    parser.add_argument("--extrapolate", type=int, default=1000)
    parser.add_argument("--one", nargs=6, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        name, pixels, n, kind, budget, out = arguments.one
        print(json.dumps(measure(name, int(pixels), int(n), kind, float(budget), Path(out))))
        return
    console = Console(width=120)
    table = Table(title=f"Kernels of pretrained networks, float32, {jax.default_backend()}")
    columns = ("network", "n", "kernel", "CPU s", "wall s", "peak GiB", "differs by", "N × P Jacobian, GiB")
    for column in columns:
        table.add_column(column, justify="left" if column in ("network", "kernel") else "right")
    with tempfile.TemporaryDirectory() as folder:
        for network in arguments.networks:
            compare(table, console, network, arguments, Path(folder))
    console.print(table)


if __name__ == "__main__":
    main()
