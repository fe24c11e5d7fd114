"""Kernels beyond one device: agreement between devices, memory against the plan, folders, and precision.

    python -m benchmarks.kernels.kernels_beyond [--devices] [--memory] [--disk] [--precision] [--quick]

Without a choice all four. On a processor, several devices are virtual ones that share its cores: they show agreement,
and what the detour costs, not speed. Memory is that of a process for each case: the most that was resident, less what
was before (on an accelerator, what its allocator says), beside the plan for it. CPU seconds are of all threads.
Folders are written where temporary files go, or below the folder that INFOJAX_BENCHMARK_FOLDER names.
"""

import argparse
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Read when JAX starts; they change nothing on machines with an accelerator.
if "--devices" in sys.argv or not any(word in sys.argv for word in ("--memory", "--disk", "--precision", "--case")):
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from infojax.information import from_kernels
from infojax.kernels import Features, OnDisk, empirical_ntk, features, from_features, open_kernel
from infojax.kernels import _empirical as empirical
from infojax.linearized import GradientDescent
from infojax.models import Network, cnn, mlp

SHAPE = (28, 28, 1)
# Network, outputs, examples along rows and columns (none: the same), budget in MiB.
MEMORY = [
    ("mlp", 10, 2000, None, 2048),
    ("mlp", 10, 4000, 50, 150),
    ("mlp", 10, 10_000, 100, 2048),
    ("mlp", 1, 4000, None, 2048),
    ("mlp", 1, 20_000, 500, 256),
    ("cnn", 10, 600, None, 2048),
    ("cnn", 10, 600, 100, 250),
    ("cnn", 1, 2000, None, 2048),
    ("cnn", 1, 10_000, 100, 2048),
]
NETWORKS: dict[str, Callable[[int], Network]] = {"mlp": lambda k: mlp((1024, 1024), k), "cnn": lambda k: cnn(k)}


def problem(network: str, outputs: int, n: int) -> tuple[Network, Any, np.ndarray]:
    made = NETWORKS[network](outputs)
    x = np.random.default_rng(0).normal(size=(n, *SHAPE)).astype(np.float32)
    return made, made.init(jax.random.key(0), SHAPE), x


def seconds(function: Callable[[], Any]) -> tuple[float, float, Any]:
    """CPU and wall seconds, and the result, of a call after a first one."""
    function()
    cpu, wall = time.process_time(), time.perf_counter()
    result = function()
    return time.process_time() - cpu, time.perf_counter() - wall, result


def differs(a: Any, b: Any) -> str:
    a, b = np.asarray(a), np.asarray(b)
    return f"{np.abs(a - b).max() / np.abs(b).max():.0e}"


def several_devices(console: Console, quick: bool) -> None:
    table = Table("network", "n", "devices", "CPU s", "wall s", "differs by", "symmetric", title="Several devices")
    for name, n in (("mlp", 200 if quick else 500), ("cnn", 100 if quick else 300)):
        network, params, x = problem(name, 10, n)
        reference = None
        for count in [count for count in (1, 2, 4, 8) if count <= len(jax.devices())]:
            run = functools.partial(empirical_ntk, network, params, x, devices=jax.devices()[:count])
            cpu, wall, kernel = seconds(run)
            reference = kernel if reference is None else reference
            same = str(bool((kernel == kernel.T).all()))
            table.add_row(name, str(n), str(count), f"{cpu:.2f}", f"{wall:.2f}", differs(kernel, reference), same)
    console.print(table)


def memory(console: Console, quick: bool) -> None:
    titles = (
        "network",
        "k",
        "n",
        "m",
        "budget MiB",
        "tile",
        "kept",
        "planned MiB",
        "measured MiB",
        "measured / planned",
    )
    table = Table(*titles, title="Memory beside the result")
    for case in MEMORY[::4] if quick else MEMORY:
        # glibc keeps freed blocks for later unless they are mapped one by one; the plan is of what is in use.
        environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        command = [sys.executable, "-m", "benchmarks.kernels.kernels_beyond", "--case", json.dumps(case)]
        found = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
        name, k, n, m, budget = case
        planned, measured = found["planned"] / 2**20, found["measured"] / 2**20
        numbers = (str(k), str(n), str(m or n), str(budget), found["tile"], str(found["kept"]))
        table.add_row(name, *numbers, f"{planned:.0f}", f"{measured:.0f}", f"{measured / planned:.2f}")
    console.print(table)


def memory_of(network: str, outputs: int, n: int, m: int | None, budget: int) -> None:
    made, params, x = problem(network, outputs, n)
    y = None if m is None else x[:m].copy()
    out = np.zeros((n * outputs, (m or n) * outputs), np.float32)
    out[:] = 1
    empirical_ntk(made, params, x[:4])
    plans, choose = [], empirical.choose_tiling
    empirical.choose_tiling = lambda *args, **options: plans.append(choose(*args, **options)) or plans[-1]
    device = jax.devices()[0]
    if device.platform == "cpu":
        Path("/proc/self/clear_refs").write_text("5")
        before = resident("VmRSS")
    else:
        before = sum(leaf.nbytes for leaf in jax.tree.leaves(params))
    empirical_ntk(made, params, x, y, budget=budget * 2**20, out=out, devices=[device])
    most = resident("VmHWM") if device.platform == "cpu" else (device.memory_stats() or {})["peak_bytes_in_use"]
    plan = plans[-1]
    found = {"tile": f"{plan.rows} × {plan.columns}", "kept": plan.kept, "planned": plan.bytes}
    print(json.dumps(found | {"measured": most - before}))


def resident(which: str) -> int:
    match = re.search(rf"{which}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return 1024 * int(match[1])


def disk(console: Console, quick: bool) -> None:
    network, params, x = problem("mlp", 1, 2000 if quick else 8000)
    size = len(x) ** 2 * 4 / 2**20
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("INFOJAX_BENCHMARK_FOLDER")))
    table = Table("", "MiB", "CPU s", "wall s", "MiB / s", title=f"A kernel on disk, MLP, n = {len(x)}, in {folder}")

    def timed(name: str, function: Callable[[], Any], amount: float) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        result = function()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        table.add_row(name, f"{amount:.0f}", f"{cpu:.2f}", f"{wall:.2f}", f"{amount / wall:.0f}")
        return result

    try:
        run = functools.partial(empirical_ntk, network, params, x)
        run()
        expected = timed("in memory", run, size)
        kernel = timed("on disk, synced", lambda: run(out=folder / "kernel"), size)
        timed("again: all is there", lambda: run(out=folder / "kernel"), size)
        kernel.discard(["c/0/0", "c/3/1"])
        timed("again: two tiles are not", lambda: run(out=folder / "kernel"), size)
        timed("blocks of rows", lambda: sum(len(block) for _, block in kernel.row_blocks()), size)
        timed("verify", kernel.verify, size)
        timed("on disk, zstd level 1", lambda: run(out=OnDisk(folder / "small", zstd=1)), size)
        read = timed("read whole, zstd", lambda: np.asarray(open_kernel(folder / "small")), size)
        files = sum(path.stat().st_size for path in (folder / "small").rglob("*") if path.is_file()) / 2**20
        console.print(table)
        console.print(f"Equal to the one in memory: {np.array_equal(read, expected)}; compressed {files:.0f} MiB")
    finally:
        shutil.rmtree(folder)


def precision(console: Console, quick: bool) -> None:
    titles = ("network", "products", "kernel, Frobenius", "largest entry", "SI", "SI, ranks", "F-SI", "F-SI, ranks")
    device = jax.devices()[0].device_kind
    table = Table(*titles, title=f"Precision on {device}: relative errors, correlations with float64")
    for name, n, m in (("mlp", 100, 50), ("cnn", 100, 50)) if quick else (("mlp", 300, 150), ("cnn", 300, 150)):
        network, params, x = problem(name, 1, n + m)
        labels = np.sign(np.random.default_rng(1).normal(size=n))[:, None]
        exact = pair(x, n, functools.partial(empirical_ntk, network, params, dtype=np.float64))
        rows = {which: functools.partial(at_precision, network, params, which) for which in PRECISIONS}
        rows |= {f"rounded as {word}": functools.partial(rounded, network, params, bits) for word, bits in ROUNDED}
        for which, kernel_of in rows.items():
            table.add_row(name, which, *errors(pair(x, n, kernel_of), exact, labels))
    console.print(table)
    console.print(
        "Rounded: factors of the kernel's products rounded as those units do before they multiply, computed in "
        "float32, here; runs of the network itself are in float32 there."
    )


PRECISIONS = ("highest", "high", "default")
# Bits of the mantissa.
ROUNDED = (("TF32", 10), ("bfloat16", 7))


def pair(x: np.ndarray, n: int, kernel_of: Callable[[Any, Any], Any]) -> tuple[np.ndarray, np.ndarray]:
    kernels = kernel_of(x[:n], None), kernel_of(x[n:], x[:n])
    return kernels[0].astype(np.float64), kernels[1].astype(np.float64)


def at_precision(network: Network, params: Any, which: str, a: Any, b: Any) -> np.ndarray:
    return np.asarray(empirical_ntk(network, params, a, b, precision=which))


def rounded(network: Network, params: Any, bits: int, a: Any, b: Any) -> np.ndarray:
    make = functools.partial(_rounded, network.apply, params, bits=bits)
    with jax.default_matmul_precision("highest"):
        return np.asarray(from_features(make, a, b, 1, np.dtype(np.float32), budget=2**31))


@functools.partial(jax.jit, static_argnames=("apply", "bits"))
def _rounded(apply: Callable[..., Any], params: Any, x: Any, *, bits: int) -> Features:
    of_block = features(apply, params, x)
    return jax.tree.map(lambda leaf: jax.lax.reduce_precision(leaf, 8, bits), of_block)


def errors(kernels: Any, exact: Any, labels: np.ndarray) -> list[str]:
    (theta, cross), (theta0, cross0) = kernels, exact
    top = 1.0 / np.linalg.eigvalsh(theta0)[-1]
    training = GradientDescent(steps=2000, learning_rate=top, convention="sum")
    ours, true = (from_kernels(a, b, labels, training=training) for a, b in ((theta, cross), (theta0, cross0)))
    relative = np.linalg.norm(theta - theta0) / np.linalg.norm(theta0)
    largest = np.abs(theta - theta0).max() / np.abs(theta0).max()
    found = [f"{relative:.1e}", f"{largest:.1e}"]
    for a, b in ((ours.si, true.si), (ours.f_si, true.f_si)):
        ranks = np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1]
        found += [f"{np.linalg.norm(a - b) / np.linalg.norm(b):.1e}", f"{ranks:.6f}"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"devices": several_devices, "memory": memory, "disk": disk, "precision": precision}
    for name in parts:
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--quick", action="store_true", help="smaller problems")
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        memory_of(*arguments.case)
        return
    chosen = [name for name in parts if getattr(arguments, name)]
    console = Console(width=150)
    for name in chosen or parts:
        parts[name](console, arguments.quick)


if __name__ == "__main__":
    main()
