"""Kernels of infinitely wide networks in closed form: NNGP and NTK.

Lee et al., "Deep Neural Networks as Gaussian Processes", 2018; Jacot, Gabriel, Hongler, "Neural Tangent Kernel",
2018; computed by neural-tangents (Novak et al., 2020).
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.arrays import array_of_reals, in_float64, traced
from infojax.errors import InvalidInput
from infojax.files import in_gib, require_room, within_free
from infojax.kernels._tiles import Grid, Tiling, Write, choose_tiling, fill, given_tiling, into
from infojax.kernels.disk.identity import identify
from infojax.kernels.disk.on_disk import KernelOnDisk
from infojax.kernels.disk.resuming import fill_folder
from infojax.kernels.disk.writing import OnDisk
from infojax.kernels.layers.program import peak_bytes
from infojax.models import Network, relaxed

if TYPE_CHECKING:
    from rich.progress import Progress

Matrix = Float[np.ndarray, "n m"] | Float[Array, "n m"]

# Examples along a tile's edge, where memory allows: larger ones are no faster.
_EDGE = 512


class InfiniteKernels(NamedTuple):
    """Both kernels of an infinitely wide network, (n, m) each."""

    nngp: Matrix
    ntk: Matrix


@in_float64
def infinite_width(
    network: Any,
    x1: Any,
    x2: Any = None,
    *,
    kind: Literal["ntk", "nngp", "both"] = "ntk",
    budget: int = 2**31,
    tile: int | None = None,
    out: str | Path | OnDisk | None = None,
    progress: "Progress | None" = None,
) -> Matrix | InfiniteKernels | KernelOnDisk:
    """The kernel of an infinitely wide network between examples; the NTK stays the same all through training.

    nngp[i, j] = E f_c(x1_i) f_c(x2_j) over initializations, the same for each output c; different outputs are
    independent. ntk[i, j] = E Σ_p ∂f_c(x1_i)/∂w_p · ∂f_c(x2_j)/∂w_p. The kernel of all k outputs, example-major,
    is `np.kron(kernel, np.eye(k))`.

    Args:
        network: a `Network` made by `infojax.models.from_stax`, or the `kernel_fn` of a stax triple itself.
        x1: n examples, (n, ...).
        x2: m examples (m, ...) of the same shape; None means x1, and then half of the work is saved.
        kind: "both" gives an `InfiniteKernels(nngp, ntk)` for little more than the NTK alone.
        budget: bytes that the computation may take beside its result, where so many are free. Work is cut into tiles
            that fit. (Networks
            that pool after convolutions need memory for each pair of pixels of each pair of examples.)
        tile: examples along a tile's edge; None chooses. A kernel on disk keeps those that it was begun with.
        out: a folder to write one kind of kernel to, tile by tile, as `empirical_ntk` does: the same call goes on with
            one that was begun, and processes of `jax.distributed` share the tiles out.
        progress: gets a task that counts tiles.

    Returns:
        (n, m), NumPy float64, or a `KernelOnDisk`; exactly symmetric without x2. Under `jax.jit` and other
        transformations a JAX array in the caller's precision, computed in one piece.

    Raises:
        InvalidInput: a network not made from stax, NaN or infinite values, no examples, shapes that do not fit; a
            folder of other inputs.
        OverBudget: not even a tile of one example (or the `tile` asked for) fits the budget.
        CorruptData, StorageFailed, HostsMissing: as `empirical_ntk`, with a folder.

    >>> from infojax.models import stax
    >>> from infojax.models import from_stax
    >>> network = from_stax(stax.serial(stax.Dense(1), stax.Relu(), stax.Dense(1)))
    >>> print(infinite_width(network, np.eye(2)))
    [[0.5        0.07957747]
     [0.07957747 0.5       ]]
    """
    kernel = _kernel(network)
    if kind not in ("ntk", "nngp", "both"):
        raise InvalidInput(f'kind must be "ntk", "nngp" or "both", not {kind!r}')
    if budget < 1 or (tile is not None and tile < 1):
        raise InvalidInput(f"budget (bytes) and tile (examples) must be at least 1, not {budget} and {tile}")
    x1 = _examples("x1", x1)
    x2, symmetric = (x1, True) if x2 is None else (_examples("x2", x2), False)
    if x1.shape[1:] != x2.shape[1:]:
        raise InvalidInput(f"examples of x1 have shape {x1.shape[1:]}, those of x2 {x2.shape[1:]}; they must agree")
    of_tile = functools.partial(_of_tile, kernel=kernel, kinds=("nngp", "ntk") if kind == "both" else (kind,))
    kinds = _check_fit(of_tile, x1)

    of_shape = functools.cache(lambda rows, columns: _bytes_needed(of_tile, x1, rows, columns))

    def need(rows: int, columns: int, kept: int) -> int:
        return of_shape(rows, columns)

    n, m = len(x1), len(x2)
    if traced(x1, x2):
        choose_tiling(n, m, max(n, m), need, budget=budget, fixed=True)
        result = of_tile(x1, x2)
        return InfiniteKernels(*result) if kind == "both" else result[0]

    place = jax.local_devices()[0]
    made_here = out is None and place.platform == "cpu"
    budget = within_free(budget, [place], held=8 * kinds * n * m if made_here else 0)
    plan = functools.partial(choose_tiling, n, m, tile or _EDGE, need, budget=budget, fixed=tile is not None)

    def compute(write: Write, tiling: Tiling, wanted: list[tuple[int, int]] | None = None) -> None:
        grid = Grid(n, m, tiling.rows, tiling.columns, symmetric)
        right = None if symmetric else x2.__getitem__
        options: Any = {"outputs": 1, "wanted": wanted, "progress": progress, "label": "infinite-width kernel"}
        fill(
            write, grid, 1, x1.__getitem__, right, of_tile if out is None else lambda a, b: of_tile(a, b)[0], **options
        )

    if out is not None:
        if kind == "both":
            raise InvalidInput('a folder holds one kernel: ask for kind="ntk" and kind="nngp" in folders of their own')
        target = out if isinstance(out, OnDisk) else OnDisk(out)
        inputs = identify(lambda _, x: of_tile(x, x), {}, x1, None if symmetric else x2, kind=kind)
        again = functools.partial(given_tiling, n, need=need, budget=budget)
        about: Any = {"outputs": 1, "symmetric": symmetric, "inputs": inputs}
        return fill_folder(target, (n, m), x1.dtype, plan, again, compute, **about)
    tiling = plan()
    kernels = _new_result(kinds, n, m, tiling.bytes if jax.default_backend() == "cpu" else 0)
    compute(into(kernels), tiling)
    return InfiniteKernels(*kernels) if kind == "both" else kernels[0]


@functools.partial(jax.jit, static_argnames=("kernel", "kinds"))
def _of_tile(x1: Any, x2: Any, *, kernel: Callable[..., Any], kinds: tuple[str, ...]) -> Any:
    """(kinds, n, m)."""
    with relaxed(), jax.default_matmul_precision("highest"):
        return jnp.stack(kernel(x1, x2, kinds))


def _kernel(network: Any) -> Callable[..., Any]:
    if not isinstance(network, Network):
        if not callable(network):
            raise InvalidInput(
                f"network must be a Network made by infojax.models.from_stax, or a kernel_fn of stax, not {network!r}"
            )
        return network
    if network.kernel is None:
        raise InvalidInput(
            "this network has no infinite-width kernel (it was made from flax, say): only networks made with "
            "infojax.models.from_stax have an infinite-width limit here. Write it with "
            "infojax.models.stax, or take infojax.kernels.empirical_ntk of the finite network."
        )
    return network.kernel


def _examples(name: str, x: Any) -> Any:
    """In the default precision, which is float64 outside of transformations."""
    x = jnp.asarray(x) if traced(x) else array_of_reals(name, x)
    x = x.astype(jnp.result_type(float))
    if x.ndim == 0 or 0 in x.shape:
        raise InvalidInput(f"{name} must have at least one example along its first axis, its shape is {x.shape}")
    if not traced(x) and not np.isfinite(x).all():
        raise InvalidInput(f"{name} has NaN or infinite values: leave those examples out, or mend them")
    return x


def _check_fit(of_tile: Callable[..., Any], x: Any) -> int:
    """The number of kinds, when the kernel of two examples is one number for each."""
    one = jax.ShapeDtypeStruct((1, *x.shape[1:]), x.dtype)
    try:
        shape = jax.eval_shape(of_tile, one, one).shape
    except (AssertionError, AttributeError, IndexError, NotImplementedError, TypeError, ValueError) as error:
        raise InvalidInput(f"the network has no kernel for examples of shape {x.shape[1:]}: {error}") from error
    if shape[1:] != (1, 1):
        raise InvalidInput(
            f"for two examples of shape {x.shape[1:]} the network's kernel is an array {list(shape[3:])}, it must be "
            "one number: give flat examples, or end the network with Flatten() or GlobalAvgPool(), and Dense(k)"
        )
    return shape[0]


def _bytes_needed(of_tile: Callable[..., Any], x: Any, rows: int, columns: int) -> int:
    """Bytes for one tile of `rows` by `columns` examples."""
    shapes = (jax.ShapeDtypeStruct((size, *x.shape[1:]), x.dtype) for size in (rows, columns))
    # Compiled convolutions copy their operands: up to 1.47 times the estimate was seen.
    return peak_bytes(jax.make_jaxpr(of_tile)(*shapes).jaxpr) * 3 // 2


def _new_result(kinds: int, n: int, m: int, working: int) -> np.ndarray:
    require_room(
        kinds * n * m * 8 + working,
        f"The kernel of {n:,} × {m:,}, built in tiles that take {in_gib(working)}, needs",
        "Take fewer examples, a smaller budget for tiles, or write it to disk with out=folder.",
    )
    return np.empty((kinds, n, m))
