"""The empirical neural tangent kernel: layer by layer, against neural-tangents and torch.func.

    python -m benchmarks.kernels.empirical_ntk [--quick] [--slow N] [--only NAME]

Every method computes the kernel of all k = 10 outputs on n random examples with the same float32 parameters, once to
compile and warm up, then again under the clock. CPU seconds of the whole process (all threads), and seconds on the
clock, which mean little on a machine that others use too. Ours returns NumPy on the host, exactly symmetric and
example-major; the peers are only waited for. Peers other than structured derivatives need far more time, so they run
on fewer examples (--slow), and ours is measured again on as many for the ratio.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

from infojax.kernels import empirical_ntk
from infojax.models import Network, cnn, mlp, nt

OUTPUTS = 10
Implementation = nt.NtkImplementation
STRUCTURED = "neural-tangents, structured derivatives"
PEERS = {
    STRUCTURED: Implementation.STRUCTURED_DERIVATIVES,
    "neural-tangents, NTK-vector products": Implementation.NTK_VECTOR_PRODUCTS,
    "neural-tangents, Jacobian contraction": Implementation.JACOBIAN_CONTRACTION,
}
# Name, network, numbers of examples.
CASES = [
    ("MLP 784-128-64-10", mlp((128, 64), OUTPUTS), (500,)),
    ("MLP 784-1024-1024-10", mlp((1024, 1024), OUTPUTS), (50, 500)),
    ("CNN, 4 convolutions", cnn(OUTPUTS), (100, 500)),
]


def seconds(function: Callable[[], Any]) -> tuple[float, float, np.ndarray]:
    """CPU and wall seconds of a call after a first one (the least CPU of three, if they are short), and its result."""
    jax.block_until_ready(function())
    best, result = (np.inf, np.inf), None
    for _ in range(3):
        cpu, wall = time.process_time(), time.perf_counter()
        result = jax.block_until_ready(function())
        best = min(best, (time.process_time() - cpu, time.perf_counter() - wall))
        if best[0] > 5:
            break
    return *best, np.asarray(result)


def neural_tangents_kernel(implementation: Any, network: Network, params: Any, x: np.ndarray) -> Callable[[], Any]:
    kernel = nt.empirical_ntk_fn(network.apply, trace_axes=(), vmap_axes=0, implementation=implementation)
    compiled, x_on_device = jax.jit(lambda x, params: kernel(x, None, params)), jnp.asarray(x)
    return lambda: compiled(x_on_device, params)


def torch_kernel(network: Network, params: Any, x: np.ndarray) -> Callable[[], Any]:
    """Jacobians of each example by torch.func, contracted parameter by parameter."""
    import torch  # pyright: ignore[reportMissingImports]
    from torch import func  # pyright: ignore[reportMissingImports]
    from torch.nn import functional  # pyright: ignore[reportMissingImports]

    device = "cuda" if jax.default_backend() == "gpu" and torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.allow_tf32 = False
    arrays = {(path[1].key, path[2].key): np.asarray(a) for path, a in jax.tree.leaves_with_path(params)}
    weights: list[Any] = []
    for layer in sorted({layer for layer, _ in arrays}):
        weight = arrays[layer, "kernel"]
        axes = (3, 2, 0, 1) if weight.ndim == 4 else (1, 0)
        weights.append(
            (torch.tensor(weight.transpose(axes), device=device), torch.tensor(arrays[layer, "bias"], device=device))
        )
    strides = [(2, 1), (2, 1), (2, 0), (1, 0)]
    convolutions = sum(weight.ndim == 4 for weight, _ in weights)
    images = torch.tensor(x.transpose(0, 3, 1, 2) if convolutions else x.reshape(len(x), -1), device=device)

    def apply(weights: Any, one: Any) -> Any:
        h: Any = one[None]
        for number, (weight, bias) in enumerate(weights):
            if weight.ndim == 4:
                stride, padding = strides[number]
                h = functional.conv2d(h, weight, bias, stride=stride, padding=padding)
            else:
                h = functional.linear(h.flatten(1), weight, bias)
            if number + 1 < len(weights):
                h = functional.relu(h)
        return h[0]

    def kernel() -> np.ndarray:
        jacobians = func.vmap(func.jacrev(apply), (None, 0))(weights, images)
        total: Any = 0
        for pair in jacobians:
            for jacobian in pair:
                rows = jacobian.flatten(2)
                total = total + torch.einsum("ncp,mdp->nmcd", rows, rows)
        return total.cpu().numpy()

    return kernel


def compare(table: Table, name: str, network: Network, n: int, slow: int) -> None:
    params = network.init(jax.random.key(0), (28, 28, 1))
    examples = np.asarray(jax.random.normal(jax.random.key(1), (n, 28, 28, 1)))
    ours = {size: seconds(partial(empirical_ntk, network, params, examples[:size])) for size in {n, min(n, slow)}}
    cpu, wall, _ = ours[n]
    table.add_section()
    table.add_row(f"[bold]{name}", str(n), "infojax, layer by layer", f"{cpu:.3f}", f"{wall:.3f}", "", "")
    for peer in [*PEERS, "torch.func, Jacobian contraction"]:
        size = n if peer == STRUCTURED else min(n, slow)
        try:
            if peer in PEERS:
                function = neural_tangents_kernel(PEERS[peer], network, params, examples[:size])
            else:
                function = torch_kernel(network, params, examples[:size])
        except ImportError:
            table.add_row("", "", peer, "torch is not installed", "", "", "")
            continue
        peer_cpu, peer_wall, blocks = seconds(function)
        own_cpu, _, own = ours[size]
        # (n, m, k, k) → example-major.
        theirs = blocks.transpose(0, 2, 1, 3).reshape(own.shape)
        difference = np.abs(own - theirs).max() / np.abs(theirs).max()
        ratio, note = f"× {peer_cpu / own_cpu:.1f}", "" if size == n else f" against {own_cpu:.3f}"
        table.add_row("", str(size), peer, f"{peer_cpu:.3f}", f"{peer_wall:.3f}", ratio + note, f"{difference:.0e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="at most 100 examples, 20 for slow peers: a minute or so")
    parser.add_argument("--slow", type=int, default=50, help="examples for the slow peers")
    parser.add_argument("--only", default="", help="only networks whose name contains this")
    arguments = parser.parse_args()
    console = Console(width=140)
    table = Table(title=f"Empirical NTK, all {OUTPUTS} outputs, float32, {jax.default_backend()}")
    for column in ("network", "n", "method", "CPU s", "wall s", "CPU, peer / ours", "differs by"):
        table.add_column(column, justify="left" if column in ("network", "method") else "right")
    sizes = {(name, min(n, 100) if arguments.quick else n) for name, _, all_n in CASES for n in all_n}
    for name, network, _ in CASES:
        for n in sorted(n for case, n in sizes if case == name and arguments.only in name):
            console.log(f"{name}, n = {n}")
            compare(table, name, network, n, 20 if arguments.quick else arguments.slow)
    console.print(table)
    console.print("differs by: largest difference of an entry, relative to the largest entry.")


if __name__ == "__main__":
    main()
