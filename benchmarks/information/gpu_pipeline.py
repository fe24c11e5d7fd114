"""The whole way on an accelerator: kernel, eigendecomposition, scores; what part of the roofline; and the peers.

    python -m benchmarks.information.gpu_pipeline [--sizes 10000 20000] [--only MLP] [--peers 500 2000] [--skip peers]

MNIST, one output, float32, the paper's networks: digits 4 against 9 where they are enough, else below against above
five. Every stage runs twice; the first time includes compiling. The roofline is measured in the same run: the rates
of a large matrix product at the precision that kernels are computed in, and of a large copy. Floating-point
operations are those of the matrix products and convolutions in the very programs that run, counted in their jaxprs;
bytes are the least that must move: examples and features once a tile, the kernel once.

Peers compute the same kernels of all outputs: neural-tangents' three implementations, and torch.func where PyTorch
is installed (on the GPU if it sees one). The check holds kernels and scores against float64 on the processor.

Needs: infojax data fetch mnist
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.kernels.empirical_ntk import PEERS, neural_tangents_kernel, torch_kernel
from infojax import GradientDescent
from infojax.data import load
from infojax.information import from_kernels, from_products
from infojax.kernels import contract, empirical_ntk, even, features
from infojax.linearized import initial_residual, spectrum
from infojax.models import Network, cnn, mlp
from infojax.planning import work as work_of

NETWORKS = {"MLP 784-1024-1": mlp((1024,)), "MLP 784-1024-1024-1": mlp((1024, 1024)), "CNN, 4 convolutions": cnn()}
PEER_NETWORKS = {"MLP 784-1024-1024-10": mlp((1024, 1024), 10), "CNN, 4 convolutions, 10 outputs": cnn(10)} | NETWORKS
VALIDATION, STEPS = 1000, 2000


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = jax.block_until_ready(function())
    return time.perf_counter() - start, result


def twice(function: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds of the first call and of a second one, and its result."""
    first, _ = timed(function)
    return first, *timed(function)


def best(function: Callable[[], Any], repeats: int = 3) -> float:
    """The least seconds of some calls after a first one; of one, if that is long."""
    _, least, _ = twice(function)
    for _ in range(repeats - 1 if least < 1 else 0):
        least = min(least, timed(function)[0])
    return least


def ceilings() -> dict[str, float]:
    """FLOP/s of float32 products at the highest precision, bytes/s of a copy (read and written)."""
    size = 8192 if jax.default_backend() == "gpu" else 2048
    a = jax.random.normal(jax.random.key(0), (size, size))
    with jax.default_matmul_precision("highest"):
        product = jax.jit(lambda a, b: a @ b)
        seconds = best(lambda: product(a, a))
    big = jnp.ones(2**28 if jax.default_backend() == "gpu" else 2**25)
    copy = jax.jit(lambda x: x + 1)
    copied = best(lambda: copy(big))
    return {"flops": 2 * size**3 / seconds, "bytes": 2 * big.nbytes / copied}


def examples(n: int) -> tuple[Any, Any]:
    """n training and 1000 validation examples of two classes."""
    whole = load("mnist")
    pair = whole.only(4, 9)
    if len(pair) >= n + VALIDATION:
        return pair.split(n, VALIDATION, seed=42)
    y = (whole.y >= 5).astype(np.int64)
    return type(whole)(whole.x, y, ("below", "above"), "mnist").split(n, VALIDATION, seed=42)


def work(network: Network, params: Any, x: np.ndarray, tile: int) -> tuple[float, float]:
    """Operations of a symmetric kernel in tiles of at most `tile` examples, and the least bytes that they move."""
    rows = even(len(x), tile)
    count = -(-len(x) // rows)
    tiles = count * (count + 1) // 2
    of_block, block = partial(features, network.apply, params), jnp.asarray(x[:rows])
    one = jax.eval_shape(of_block, block)
    held = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(one))
    operations = count * work_of(of_block, block).flops + tiles * work_of(contract, one, one).flops
    return operations, count * (block.nbytes + held) + tiles * (2 * held + 4 * rows**2)


def tiles_alone(network: Network, params: Any, x: np.ndarray, tile: int) -> float:
    """Seconds of the same tiles from examples that are on the device, thrown away: what arithmetic alone takes."""
    rows = even(len(x), tile)
    blocks = [jnp.asarray(np.resize(x[start : start + rows], (rows, *x.shape[1:]))) for start in range(0, len(x), rows)]

    def run() -> jax.Array:
        made = [features(network.apply, params, block) for block in blocks]
        return [contract(made[i], made[j]) for j in range(len(made)) for i in range(j + 1)][-1]

    with jax.default_matmul_precision("highest"):
        return best(run)


def pipeline(name: str, network: Network, n: int, peak: dict[str, float], tile: int = 4096) -> dict[str, Any]:
    train, validation = examples(n)
    params = network.init(jax.random.key(0), train.x.shape[1:])
    device = jax.local_devices()[0]
    build = partial(empirical_ntk, network, params, budget=2**34 if device.platform == "gpu" else 2**31, tile=tile)
    first, kernel_seconds, kernel = twice(lambda: build(train.x, out=device))
    to_host = timed(lambda: build(train.x))[0]
    cross_seconds, cross = timed(lambda: build(validation.x, train.x))
    residual = initial_residual(network, params, train)
    factored_first, factored, theta = twice(lambda: spectrum(kernel))
    training = GradientDescent(steps=STEPS, learning_rate=float(n / theta.values[-1]))
    score_first, score_again, scores = twice(lambda: from_kernels(theta, cross, residual, training=training))
    operations, moved = work(network, params, train.x, min(tile, n))
    arithmetic = tiles_alone(network, params, train.x[: 4 * tile], tile) if n > tile else kernel_seconds
    in_tiles, moved_in_tiles = work(network, params, train.x[: 4 * tile], min(tile, n))
    return {
        "network": name,
        "n": n,
        "kernel, first": first,
        "kernel": kernel_seconds,
        "TFLOP": operations / 1e12,
        "GB": moved / 1e9,
        "roofline": max(operations / peak["flops"], moved / peak["bytes"]) / kernel_seconds,
        "tiles alone, TFLOP/s": in_tiles / arithmetic / 1e12,
        "tiles alone, roofline": max(in_tiles / peak["flops"], moved_in_tiles / peak["bytes"]) / arithmetic,
        "kernel to host": to_host,
        "cross, first": cross_seconds,
        "eigh, first": factored_first,
        "eigh": factored,
        "scores, first": score_first,
        "scores": score_again,
        "peak GiB": (device.memory_stats() or {}).get("peak_bytes_in_use", 0) / 2**30,
        "finite": bool(np.isfinite(scores.f_si).all()),
    }


def products(name: str, network: Network, n: int, few: int = 100) -> dict[str, Any]:
    """Some examples left out without an eigendecomposition; up to 20,000 examples held against one."""
    train, validation = examples(n)
    params = network.init(jax.random.key(0), train.x.shape[1:])
    build = partial(empirical_ntk, network, params, budget=2**34 if jax.default_backend() == "gpu" else 2**31)
    kernel_seconds, kernel = timed(lambda: build(train.x, out=jax.local_devices()[0]))
    cross, residual = build(validation.x, train.x), initial_residual(network, params, train)
    ones = jnp.ones(len(kernel), kernel.dtype)
    for _ in range(20):
        ones = kernel @ (ones / jnp.linalg.norm(ones))
    training = GradientDescent(steps=STEPS, learning_rate=float(n / jnp.linalg.norm(ones)))
    some = partial(from_products, kernel, cross, residual, training=training, examples=np.arange(few))
    first, again, made = twice(some)
    row = {"network": name, "n": n, "examples": few, "kernel, first": kernel_seconds, "first": first, "again": again}
    row |= {"products": made.steps, "error stated": float(np.max(made.f_si_error / made.f_si))}
    if n <= 20_000:
        exact = from_kernels(spectrum(kernel), cross, residual, training=training).f_si[:few]
        row["error found"] = float(np.max(np.abs(made.f_si / exact - 1)))
    return row


def peers(name: str, network: Network, sizes: list[int]) -> list[dict[str, Any]]:
    """Methods that would take more than twenty seconds at the next size are left out there."""
    rows: list[dict[str, Any]] = []
    slow: set[str] = set()
    for n, larger in zip(sizes, [*sizes[1:], sizes[-1]], strict=True):
        found = peers_at(name, network, n, slow)
        slow |= {row["method"] for row in found if row.get("seconds", np.inf) * (larger / n) ** 2 > 20}
        rows += found
    return rows


def sizes_of_peers(name: str, sizes: list[int]) -> list[int]:
    """All outputs at the least size only, and of a convolutional network at 100: at 500 a peer takes 58 GiB at once."""
    if name in NETWORKS:
        return sizes
    return [min(100, *sizes)] if name.startswith("CNN") else sizes[:1]


def peers_at(name: str, network: Network, n: int, slow: set[str]) -> list[dict[str, Any]]:
    params = network.init(jax.random.key(0), (28, 28, 1))
    x = np.asarray(jax.random.normal(jax.random.key(1), (n, 28, 28, 1)))
    # The peers' kernels stay on the device, so ours does.
    own = best(lambda: empirical_ntk(network, params, x, out=jax.local_devices()[0]))
    kernel = empirical_ntk(network, params, x)
    rows = [{"network": name, "n": n, "method": "infojax, layer by layer", "seconds": own}]
    for peer in [*PEERS, "torch.func, Jacobian contraction"]:
        if peer in slow:
            continue
        row: dict[str, Any] = {"network": name, "n": n, "method": peer}
        try:
            function = (
                neural_tangents_kernel(PEERS[peer], network, params, x)
                if peer in PEERS
                else torch_kernel(network, params, x)
            )
            with jax.default_matmul_precision("highest"):
                theirs = np.asarray(function()).transpose(0, 2, 1, 3).reshape(kernel.shape)
                row["seconds"] = best(function, 2)
            row["ratio"] = row["seconds"] / own
            row["differs"] = float(np.abs(theirs - kernel).max() / np.abs(kernel).max())
        except Exception as error:  # out of memory, most often: that is the peer's answer
            row["error"] = f"{type(error).__name__}: {error}".replace("\n", " ")[:160]
        print(row, flush=True)  # a peer that brings the process down leaves those before it
        rows.append(row)
    return rows


def check(name: str, network: Network, n: int = 500) -> dict[str, Any]:
    """Kernel and scores on this device in float32 against float64 throughout on the processor."""
    train, validation = load("mnist").only(4, 9).split(n, n, seed=42)
    params = network.init(jax.random.key(0), train.x.shape[1:])
    residual = initial_residual(network, params, train)
    kernel, cross = (empirical_ntk(network, params, x, train.x) for x in (train.x, validation.x))
    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        local: Any = jax.device_put(params, jax.local_devices(backend="cpu")[0])
        exact, exact_cross = (
            empirical_ntk(network, local, x, train.x, dtype=np.float64) for x in (train.x, validation.x)
        )
    theta, truth = spectrum((kernel + kernel.T) / 2), spectrum((exact + exact.T) / 2)
    training = GradientDescent(steps=STEPS, learning_rate=float(n / truth.values[-1]))
    ours = from_kernels(theta, cross, residual, training=training)
    exactly = from_kernels(truth, exact_cross, residual, training=training)
    relative = np.abs(ours.f_si / exactly.f_si - 1)
    return {
        "network": name,
        "n": n,
        "kernel": float(np.linalg.norm(kernel - exact) / np.linalg.norm(exact)),
        "F-SI, median": float(np.median(relative)),
        "F-SI, largest": float(relative.max()),
        "SI, largest": float(np.abs(ours.si / exactly.si - 1).max()),
    }


def show(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*(f"{v:.4g}" if isinstance(v := row.get(key, ""), float) else str(v) for key in columns))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 20_000], help="training examples")
    parser.add_argument("--only", default="", help="only networks whose name contains this")
    parser.add_argument("--peers", type=int, nargs="+", default=[500, 2000], help="examples for the peers")
    parser.add_argument("--products", type=int, nargs="*", default=[59_000], help="examples too many to factor")
    parser.add_argument("--skip", nargs="*", default=[], choices=("pipeline", "products", "peers", "check"))
    parser.add_argument("--json", type=Path, help="also write everything here")
    arguments = parser.parse_args()
    console = Console(width=220)
    peak = ceilings()
    about = {name: version(name) for name in ("jax", "jaxlib", "numpy", "neural-tangents")}
    console.print(f"{jax.local_devices()[0].device_kind}, {about}, ceilings {peak}")
    found: dict[str, Any] = {"device": jax.local_devices()[0].device_kind, "versions": about, "ceilings": peak}
    chosen = [(name, network) for name, network in NETWORKS.items() if arguments.only in name]
    parts: dict[str, Callable[[], list[Any]]] = {
        "check": lambda: [check(name, network) for name, network in chosen],
        "pipeline": lambda: [pipeline(name, network, n, peak) for n in arguments.sizes for name, network in chosen],
        "products": lambda: [
            products("MLP 784-1024-1", NETWORKS["MLP 784-1024-1"], n)
            for n in (*arguments.sizes[:1], *arguments.products)
        ],
        "peers": lambda: [
            row
            for name, net in PEER_NETWORKS.items()
            if arguments.only in name
            for row in peers(name, net, sizes_of_peers(name, arguments.peers))
        ],
    }  # fmt: skip
    for part, run in parts.items():
        if part not in arguments.skip:
            found[part] = run()
            show(console, part, found[part])
            if arguments.json:
                arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
