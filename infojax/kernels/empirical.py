"""The empirical neural tangent kernel Θ = J Jᵀ of a finite network, without its Jacobian.

Jacot, Gabriel, Hongler, "Neural Tangent Kernel", 2018; layer by layer in the spirit of Novak, Sohl-Dickstein,
Schoenholz, "Fast Finite Width Neural Tangent Kernel", 2022.
"""

import contextlib
import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.errors import InvalidInput, OverBudget
from infojax.kernels.batches import Cost, cost, in_batches
from infojax.kernels.contract import contract, contraction_bytes
from infojax.kernels.layers import Features, features, kernel_dtype
from infojax.kernels.program import is_floating
from infojax.kernels.tiles import choose_tiling, fill
from infojax.models.network import Network
from infojax.precision import float64, traced

if TYPE_CHECKING:
    from rich.progress import Progress

# Rows of a tile: small enough for the caches of a processor, large enough for its matrix products.
_ROWS = {"cpu": 512}
_ROWS_ON_ACCELERATOR = 4096


def empirical_ntk(
    network: Any,
    params: Any,
    x1: Any,
    x2: Any = None,
    *,
    budget: int = 2**31,
    tile: int | None = None,
    implementation: str = "layers",
    dtype: Any = None,
    out: np.ndarray | None = None,
    progress: "Progress | None" = None,
) -> Float[np.ndarray, "N M"] | Float[Array, "N M"]:
    """The kernel Θ[(i, c), (j, d)] = Σ_p ∂f_c(x1_i)/∂w_p · ∂f_d(x2_j)/∂w_p over all floating-point parameters.

    For matrix products and convolutions (with their biases) it is computed from activations and cotangents, which is
    far less work than from gradients; for all other parameters, tied and scanned ones too, from their gradients.
    The result is the same. Matrix products run at the highest precision that the device has. `network` is compiled
    once for each shape: pass the same function again to use that again.

    Args:
        network: a `Network`, or its `apply(params, x)` with x (b, ...) → (b, k), each row of which depends on the same
            row of x alone (batch normalisation in evaluation mode).
        params: a pytree of arrays.
        x1: n examples, (n, ...).
        x2: m examples (m, ...) of the same shape; None means x1, and then half of the work is saved.
        budget: bytes that the computation may take beside its result. Work is cut into tiles that fit.
        tile: examples along a tile's edge; None chooses.
        implementation: "layers", or "jacobian" to contract gradients of all parameters (slow; for checking).
        dtype: precision to compute in; None takes that of the parameters.
        out: where to write, (n k, m k), for instance a `numpy.memmap` when the result is larger than memory.
        progress: gets a task that counts tiles.

    Returns:
        (n k, m k), example-major: row i * k + c. A NumPy array on the host; under `jax.jit` and other
        transformations a JAX array, computed in one piece (`tile`, `out` and `progress` do nothing), differentiable.

    Raises:
        InvalidInput: NaN or infinite values, shapes that do not fit, no examples, no parameters.
        OverBudget: not even one tile fits the budget, or the result does not fit into memory.

    >>> kernel = empirical_ntk(lambda w, x: x @ w, jnp.ones((2, 1)), np.eye(2, dtype=np.float32))
    >>> print(kernel)
    [[1. 0.]
     [0. 1.]]
    """
    apply = network.apply if isinstance(network, Network) else network
    check_options(apply, params, budget, tile, implementation, dtype)
    asked, dtype = dtype, np.dtype(dtype or kernel_dtype(params))
    with jax.default_matmul_precision("highest"), float64() if dtype == np.float64 else contextlib.nullcontext():
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, asked) if is_floating(leaf) else leaf, params)
        x1 = read_examples("x1", x1, dtype)
        x2 = None if x2 is None else read_examples("x2", x2, dtype)
        k = count_outputs(apply, params, x1, x2)
        of_block = functools.partial(features, apply, params, layers=implementation == "layers")
        if not traced(params, x1, x2):
            return from_features(of_block, x1, x2, k, dtype, budget=budget, tile=tile, out=out, progress=progress)
        n, m = len(x1), len(x1 if x2 is None else x2)
        need = functools.partial(bytes_needed, cost(of_block, x1), total=n, symmetric=x2 is None)
        remedy = "call it outside of jax.jit, to work in tiles"
        choose_tiling(n, m, max(n, m), need, budget=budget, fixed=True, remedy=remedy)
        left = of_block(x1)
        return contract(left, left if x2 is None else of_block(x2))


def from_features(
    of_block: Callable[[Any], Features],
    x1: np.ndarray,
    x2: np.ndarray | None,
    outputs: int,
    dtype: np.dtype,
    *,
    budget: int,
    tile: int | None = None,
    out: np.ndarray | None = None,
    progress: "Progress | None" = None,
) -> Float[np.ndarray, "N M"]:
    """The kernel of examples whose features `of_block` makes, in tiles that fit the budget."""
    n, m = len(x1), len(x1 if x2 is None else x2)
    costs = cost(of_block, x1)
    # A quarter of the budget for running the network, so that tiles and kept features can be large.
    batch = max(1, (budget // 4 - costs.weights) // costs.making)
    need = functools.partial(bytes_needed, costs, total=n, symmetric=x2 is None, batch=batch)
    rows = max(1, _ROWS.get(jax.default_backend(), _ROWS_ON_ACCELERATOR) // outputs)
    tiling = choose_tiling(n, m, tile or rows, need, budget=budget, fixed=tile is not None)
    result = _result((n * outputs, m * outputs), dtype, out)
    fill(
        result,
        tiling,
        lambda block: in_batches(of_block, x1[block], batch),
        None if x2 is None else lambda block: in_batches(of_block, x2[block], batch),
        contract,
        outputs=outputs,
        progress=progress,
    )
    return result


def bytes_needed(
    costs: Cost, rows: int, columns: int, kept: int, *, total: int, symmetric: bool, batch: int | None = None
) -> int:
    """Bytes for tiles of `rows` by `columns` examples, with the features of `kept` blocks of rows, out of `total`
    examples, in memory, and features made of at most `batch` examples at a time.
    """
    largest = max(rows, columns)
    batch = min(largest, batch or largest)
    # The next block and the next tile may be under way while the last ones are still in use.
    streamed = 0 if symmetric and rows * kept >= total else 2 * columns
    held = costs.each * (rows * kept + streamed)
    joining = costs.each * largest * (batch < largest)
    making = costs.weights + costs.making * batch
    return held + joining + making + 2 * contraction_bytes(costs.shapes, rows, columns)


def check_options(apply: Any, params: Any, budget: int, tile: int | None, implementation: str, dtype: Any) -> None:
    if not callable(apply):
        raise InvalidInput(f"network must be a Network or a function apply(params, x), not {type(apply).__name__}")
    if implementation not in ("layers", "jacobian"):
        raise InvalidInput(f'implementation must be "layers" or "jacobian", not {implementation!r}')
    if budget < 1 or (tile is not None and tile < 1):
        raise InvalidInput(f"budget (bytes) and tile (examples) must be at least 1, not {budget} and {tile}")
    if dtype is not None and not jnp.issubdtype(dtype, jnp.floating):
        raise InvalidInput(f"dtype must be a floating-point type, not {np.dtype(dtype)}")
    floating = [leaf for leaf in jax.tree.leaves(params) if is_floating(leaf)]
    if not floating:
        raise InvalidInput("params has no floating-point arrays, so there is nothing to differentiate for")
    if not all(traced(leaf) or bool(np.isfinite(np.asarray(leaf)).all()) for leaf in floating):
        raise InvalidInput("params has NaN or infinite values: did training diverge?")


def read_examples(name: str, x: Any, dtype: Any) -> Any:
    """The examples, in the dtype to compute in if they are floating-point, on the host unless traced."""
    x = x if isinstance(x, jax.Array) else np.asarray(x)
    if x.ndim == 0 or 0 in x.shape:
        raise InvalidInput(f"{name} must have at least one example along its first axis, its shape is {x.shape}")
    if is_floating(x):
        if not traced(x) and not np.isfinite(np.asarray(x)).all():
            raise InvalidInput(f"{name} has NaN or infinite values: leave those examples out, or mend them")
        x = x.astype(dtype)
    return x if traced(x) else np.asarray(jnp.asarray(x))


def count_outputs(apply: Callable[..., Any], params: Any, x1: Any, x2: Any) -> int:
    """The number k of outputs of the network."""
    if x2 is not None and x1.shape[1:] != x2.shape[1:]:
        raise InvalidInput(f"examples of x1 have shape {x1.shape[1:]}, those of x2 {x2.shape[1:]}; they must agree")
    two = jax.ShapeDtypeStruct((2, *x1.shape[1:]), x1.dtype)
    try:
        out = jax.eval_shape(jax.jit(apply), params, two)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the network does not take examples of shape {x1.shape[1:]}: {error}") from error
    shape = getattr(out, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != 2 or shape[1] == 0 or not is_floating(out):
        given = type(out).__name__ if shape is None else f"{out.dtype}{list(shape)}"
        raise InvalidInput(f"the network must give floating-point outputs (b, k) for b examples; for 2 it gave {given}")
    return shape[1]


def _result(shape: tuple[int, int], dtype: np.dtype, out: np.ndarray | None) -> np.ndarray:
    if out is not None:
        if out.shape != shape or out.dtype != dtype:
            raise InvalidInput(f"out must be {dtype}{list(shape)}, not {out.dtype}{list(out.shape)}")
        return out
    size = shape[0] * shape[1] * dtype.itemsize
    known = {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(getattr(os, "sysconf_names", ()))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else size
    if size > memory:
        raise OverBudget(
            f"the kernel of {shape[0]:,} × {shape[1]:,} has {size:,} bytes, this machine {memory:,}: "
            "take fewer examples, or give out=numpy.memmap(...) to write it to disk"
        )
    return np.empty(shape, dtype)
