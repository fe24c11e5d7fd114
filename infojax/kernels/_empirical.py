"""The empirical neural tangent kernel Θ = J Jᵀ of a finite network, without its Jacobian.

Jacot, Gabriel, Hongler, "Neural Tangent Kernel", 2018; layer by layer in the spirit of Novak, Sohl-Dickstein,
Schoenholz, "Fast Finite Width Neural Tangent Kernel", 2022.
"""

import contextlib
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PyTree

from infojax.arrays import float64, traced
from infojax.errors import InvalidInput
from infojax.files import in_gib, require_room, within_free
from infojax.kernels._batches import cost
from infojax.kernels._checked import (
    check_finite,
    check_fit,
    check_magnitude,
    check_options,
    read_examples,
    warn_of_narrow,
)
from infojax.kernels._contract import contract
from infojax.kernels._devices import choose_devices, work_on
from infojax.kernels._on_device import on_device
from infojax.kernels._tiles import Grid, Tiling, Write, choose_tiling, fill, given_tiling, into
from infojax.kernels._workspace import Workspace, bytes_needed, working
from infojax.kernels.disk.identity import identify
from infojax.kernels.disk.on_disk import KernelOnDisk
from infojax.kernels.disk.resuming import fill_folder
from infojax.kernels.disk.writing import OnDisk
from infojax.kernels.layers.features import Features, features, kernel_dtype
from infojax.kernels.layers.program import is_floating
from infojax.models import Network, check_apply, check_parameters

if TYPE_CHECKING:
    from rich.progress import Progress


@overload
def empirical_ntk(
    network: Any, params: PyTree, x1: Any, x2: Any = None, *, out: str | Path | OnDisk, **options: Any
) -> KernelOnDisk: ...


@overload
def empirical_ntk(
    network: Any,
    params: PyTree,
    x1: Any,
    x2: Any = None,
    *,
    budget: int = 2**31,
    tile: int | None = None,
    implementation: str = "layers",
    dtype: DTypeLike | None = None,
    out: Any = None,
    devices: Sequence[Any] | None = None,
    precision: str = "highest",
    progress: "Progress | None" = None,
) -> Float[np.ndarray, "N M"] | Float[Array, "N M"]: ...


def empirical_ntk(  # pyright: ignore[reportInconsistentOverload]
    network: Any,
    params: PyTree,
    x1: Any,
    x2: Any = None,
    *,
    budget: int = 2**31,
    tile: int | None = None,
    implementation: str = "layers",
    dtype: DTypeLike | None = None,
    out: Any = None,
    devices: Sequence[Any] | None = None,
    precision: str = "highest",
    progress: "Progress | None" = None,
) -> Float[np.ndarray, "N M"] | Float[Array, "N M"] | KernelOnDisk:
    """The kernel Θ[(i, c), (j, d)] = Σ_p ∂f_c(x1_i)/∂w_p · ∂f_d(x2_j)/∂w_p over all floating-point parameters.

    For matrix products and convolutions (with their biases) it is computed from activations and cotangents, which is
    far less work than from gradients; for all other parameters, tied and scanned ones too, from their gradients.
    The result is the same. `network` is compiled once for each shape: pass the same function again to use that again.
    With `jax.distributed`, the processes share the tiles out among them, and meet in a folder that all of them see.

    Args:
        network: a `Network`, or its `apply(params, x)` with x (b, ...) → (b, k), each row of which depends on the same
            row of x alone (batch normalization in evaluation mode).
        params: a pytree of arrays.
        x1: n examples, (n, ...).
        x2: m examples (m, ...) of the same shape; None means x1, and then half of the work is saved.
        budget: bytes that the computation may take on each device, beside its result, where so many are free. Work is
            cut into tiles that fit.
        tile: examples along a tile's edge; None chooses. A kernel on disk keeps those that it was begun with.
        implementation: "layers", or "jacobian" to contract gradients of all parameters (slow; for checking).
        dtype: precision to compute in; None takes that of the parameters.
        out: where to write: an array (n k, m k), such as a `numpy.memmap`, or a folder (a path, or `OnDisk`), which
            keeps finished tiles when the computation is interrupted; the same call goes on from there; or a device,
            on which the kernel is put together and stays.
        devices: some of `jax.local_devices()`, over which the rows of each tile are spread; None takes all, and on a
            CPU one, which has all cores.
        precision: of matrix products of float32 numbers: "highest" (float32 proper), "high" or "default", which are
            faster and less exact on a GPU (TF32) or TPU (bfloat16), and the same on a CPU.
        progress: gets a task that counts tiles.

    Returns:
        (n k, m k), example-major: row i * k + c. A NumPy array on the host, a `KernelOnDisk`, or a JAX array on the
        device given as `out`; under `jax.jit` and other transformations a JAX array, computed in one piece (`tile`,
        `out`, `devices` and `progress` do nothing), differentiable.

    Raises:
        InvalidInput: NaN or infinite values, in the kernel too (not looked for on disk and under jit), shapes that do
            not fit, no examples, no parameters; a folder of other inputs; several processes without a folder.
        OverBudget: not even one tile fits the budget, or the result does not fit into memory.
        CorruptData: the metadata of the kernel on disk are damaged.
        StorageFailed: no room on the disk, or no permission. What is finished is kept.
        HostsMissing: other processes did not finish their tiles.

    >>> kernel = empirical_ntk(lambda w, x: x @ w, jnp.ones((2, 1)), np.eye(2, dtype=np.float32))
    >>> print(kernel)
    [[1. 0.]
     [0. 1.]]
    """
    apply = network.apply if isinstance(network, Network) else network
    check_apply(apply)
    check_parameters(apply, params)
    check_options(budget, tile, implementation, dtype)
    if dtype is None:
        warn_of_narrow(params)
    if precision not in ("highest", "high", "default"):
        raise InvalidInput(f'precision must be "highest", "high" or "default", not {precision!r}')
    asked, dtype = dtype, np.dtype(dtype or kernel_dtype(params))
    with jax.default_matmul_precision(precision), float64() if dtype == np.float64 else contextlib.nullcontext():
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, asked) if is_floating(leaf) else leaf, params)
        x1 = read_examples("x1", x1, dtype)
        x2 = None if x2 is None else read_examples("x2", x2, dtype)
        k = check_fit(apply, params, x1, x2)
        of_block = functools.partial(features, apply, params, layers=implementation == "layers")
        if not traced(params, x1, x2):
            check_magnitude(of_block, x1, x2)
            inputs = None
            if not isinstance(out, np.ndarray | str | Path | OnDisk | jax.Device | None):
                raise InvalidInput(f"out must be an array, a folder, an OnDisk or a device, not {type(out).__name__}")
            if devices is None and jax.process_count() > 1 and not isinstance(out, str | Path | OnDisk | jax.Device):
                raise InvalidInput(
                    f"there are {jax.process_count()} processes: give out=folder, on a file system that all of them "
                    "see, to share the tiles out; or devices=jax.local_devices(), to compute all in this process alone"
                )
            if isinstance(out, str | Path | OnDisk):
                out = out if isinstance(out, OnDisk) else OnDisk(out)
                options = {"dtype": dtype, "precision": precision, "implementation": implementation}
                inputs = identify(apply, params, x1, x2, **options)
            settings: Any = {"budget": budget, "tile": tile, "out": out, "devices": devices, "progress": progress}
            made = from_features(of_block, x1, x2, k, dtype, inputs=inputs, **settings)
            check_finite(made)
            return made
        n, m = len(x1), len(x1 if x2 is None else x2)
        need = functools.partial(bytes_needed, cost(of_block, x1), total=n, symmetric=x2 is None)
        remedy = "call it outside of jax.jit, to work in tiles"
        choose_tiling(n, m, max(n, m), need, budget=budget, fixed=True, remedy=remedy)
        left = of_block(x1)
        return contract(left, left if x2 is None else of_block(x2))


def from_features(
    of_block: functools.partial[Features],
    x1: np.ndarray,
    x2: np.ndarray | None,
    outputs: int,
    dtype: np.dtype,
    *,
    budget: int,
    tile: int | None = None,
    out: Any = None,
    inputs: dict[str, str] | None = None,
    devices: Sequence[Any] | None = None,
    progress: "Progress | None" = None,
) -> Float[np.ndarray, "N M"] | Float[Array, "N M"] | KernelOnDisk:
    """The kernel of examples whose features `of_block` (`partial(make, apply, params, **options)`) makes, in tiles that
    fit the budget.
    """
    n, m, symmetric = len(x1), len(x1 if x2 is None else x2), x2 is None
    chosen = choose_devices(devices)
    shape = (n * outputs, m * outputs)
    places = chosen or tuple(jax.local_devices()[:1])
    on_host = places[0].platform == "cpu"
    held = shape[0] * shape[1] * dtype.itemsize if on_host and out is None else 0
    workspace = Workspace(within_free(budget, places, held=held), len(places), on_host)
    costs = cost(of_block, x1)
    batch, edge, need = working(costs, n, outputs, workspace, symmetric=symmetric)
    plan = functools.partial(choose_tiling, n, m, tile or edge, need, budget=workspace.bytes, fixed=tile is not None)
    work = work_on(chosen, of_block, costs.shapes, batch)

    def of_rows(block: slice) -> Features:
        return work.features(_read(x1, block))

    def of_columns(block: slice) -> Features:
        return work.features(_read(x1 if x2 is None else x2, block))

    def compute(write: Write, tiling: Tiling, wanted: list[tuple[int, int]] | None = None) -> None:
        fill(
            write,
            Grid(n, m, tiling.rows, tiling.columns, symmetric, workspace.devices),
            tiling.kept,
            of_rows,
            None if x2 is None else of_columns,
            work.contract,
            outputs=outputs,
            wanted=wanted,
            as_column=work.as_column,
            fetch=(lambda block: block) if isinstance(out, jax.Device) else np.asarray,
            progress=progress,
        )

    if isinstance(out, OnDisk):
        again = functools.partial(given_tiling, n, need=need, budget=workspace.bytes)
        about: Any = {"outputs": outputs, "symmetric": symmetric, "inputs": inputs}
        return fill_folder(out, shape, dtype, plan, again, compute, **about)
    tiling = plan()
    if isinstance(out, jax.Device):
        write, assembled = on_device(shape, dtype, out)
        compute(write, tiling)
        return assembled()
    result = _result(shape, dtype, out, tiling.bytes if jax.default_backend() == "cpu" else 0)
    compute(into(result), tiling)
    return result


def _read(x: np.ndarray, block: slice) -> np.ndarray:
    """The examples of a block; where it goes on after the last one, that one again."""
    part = x[block]
    beyond = block.stop - block.start - len(part)
    return np.concatenate([part, np.repeat(part[-1:], beyond, axis=0)]) if beyond else part


def _result(shape: tuple[int, int], dtype: np.dtype, out: np.ndarray | None, working: int) -> np.ndarray:
    if out is not None:
        if out.shape != shape or out.dtype != dtype:
            raise InvalidInput(f"out must be {dtype}{list(shape)}, not {out.dtype}{list(out.shape)}")
        return out
    require_room(
        shape[0] * shape[1] * dtype.itemsize + working,
        f"The kernel of {shape[0]:,} × {shape[1]:,}, built in tiles that take {in_gib(working)}, needs",
        "Take fewer examples, a smaller budget for tiles, or write the kernel to disk with out=folder or "
        "out=numpy.memmap(...).",
    )
    return np.empty(shape, dtype)
