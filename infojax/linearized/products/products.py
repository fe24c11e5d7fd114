"""Products Θ X with a kernel wherever it is: on devices, its rows spread over them; on disk; or given as a function.

Whatever repeats such products is written as a state with a `direction` X, a function that takes the state and ΘX to the
next state, and a function that says when to stop; `iterate` runs it. With the kernel on the devices that is one
compiled loop; otherwise each step streams the kernel through, the next rows being read while the last multiply.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from infojax.errors import InvalidInput

State = TypeVar("State")
# Bytes of the kernel's rows that are under way at once when it is streamed: twice this.
STREAMED = 2**26


@dataclass(frozen=True)
class Products:
    """A kernel Θ (N, N) to multiply with.

    Attributes:
        rows: N.
        size: N, and rows of zeros that make it divisible among the devices.
        dtype: of the products.
        sharding: of columns X (size, B).
        resident: Θ on the devices, with its zeros, or None.
        multiply: otherwise X ↦ ΘX.
    """

    rows: int
    size: int
    dtype: np.dtype
    sharding: NamedSharding
    resident: Array | None
    multiply: Callable[[Array], Array] | None

    @property
    def first(self) -> Any:
        """The device for work that is not spread."""
        return np.asarray(self.sharding.mesh.devices).flat[0]

    def place(self, x: np.ndarray) -> Array:
        """Rows x (N, …) on the devices, with the zeros below; booleans stay what they are."""
        x = np.asarray(x, None if x.dtype == bool else self.dtype)
        filled = np.zeros((self.size, *x.shape[1:]), x.dtype)
        filled[: self.rows] = x
        return jax.device_put(filled, self.sharding)

    def __call__(self, x: Array) -> Array:
        """Θ X for X (size, B) on the devices."""
        return _matmul(self.resident, x) if self.multiply is None else self.multiply(x)

    def of(self, x: np.ndarray) -> Float[np.ndarray, "N B"]:
        """Θ X for X (N, B) on the host, float64."""
        return np.asarray(self(self.place(x)), np.float64)[: self.rows]


def products_with(kernel: Any, rows: int, dtype: np.dtype, devices: Sequence[Any], *, resident: bool) -> Products:
    """The products with a kernel that is an array, anything with `shape` and slices of rows, or a function X ↦ ΘX.

    Args:
        kernel: (N, N), or a function of columns (N, B).
        rows: N.
        dtype: to multiply in.
        devices: over which rows are spread.
        resident: whether the kernel is kept on the devices; otherwise it is streamed through the first of them.
    """
    spread = resident and not callable(kernel)
    devices = devices if spread else devices[:1]
    sharding = NamedSharding(Mesh(np.array(devices), ("rows",)), PartitionSpec("rows"))
    size = -(-rows // len(devices)) * len(devices)
    if spread:
        if isinstance(kernel, jax.Array) and size == rows:
            return Products(rows, size, dtype, sharding, jax.device_put(kernel.astype(dtype), sharding), None)
        part = size // len(devices)
        parts = [_held(kernel, rows, size, i * part, part, dtype, device) for i, device in enumerate(devices)]
        held = jax.make_array_from_single_device_arrays((size, size), sharding, parts)
        return Products(rows, size, dtype, sharding, held, None)
    multiply = partial(_called, kernel, dtype) if callable(kernel) else partial(_streamed, kernel, dtype)
    return Products(rows, size, dtype, sharding, None, multiply)


def iterate(
    products: Products,
    state: State,
    constants: Any,
    update: Callable[[State, Array, Any], State],
    done: Callable[[State, Any], Array],
) -> State:
    """Update the state with Θ times its direction until it is `done`: on the devices as one program, if Θ is there."""
    if products.multiply is None:
        return _iterated(products.resident, state, constants, update=update, done=done)
    finished = _asked(state, constants, done=done)
    while not finished:
        product = products(state.direction)  # pyright: ignore[reportAttributeAccessIssue]
        state, finished = _updated(state, product, constants, update=update, done=done)
    return state


@partial(jax.jit, static_argnames="done")
def _asked(state, constants, *, done):
    return done(state, constants)


@partial(jax.jit, static_argnames=("update", "done"))
def _iterated(kernel, state, constants, *, update, done):
    return jax.lax.while_loop(
        lambda state: ~done(state, constants),
        lambda state: update(state, _matmul(kernel, state.direction), constants),
        state,
    )


@partial(jax.jit, static_argnames=("update", "done"))
def _updated(state, product, constants, *, update, done):
    state = update(state, product, constants)
    return state, done(state, constants)


@jax.jit
def _matmul(kernel, x):
    return jnp.matmul(kernel, x, precision="highest")


def _held(kernel: Any, rows: int, size: int, start: int, count: int, dtype: np.dtype, device: Any) -> Array:
    """`count` rows of the kernel from `start` on, and zeros beyond, on a device: a block at a time, never all twice."""
    held = jnp.zeros((count, size), dtype, device=device)
    for block in row_blocks(kernel, dtype.itemsize, STREAMED // 4):
        first, last = max(block.start, start), min(block.stop, start + count)
        if first < last:
            read = jax.device_put(_block(kernel, dtype, slice(first, last)), device)
            # One at a time: blocks that wait for their turn would be another kernel.
            held = jax.block_until_ready(_written(held, read, first - start))
    return held


@partial(jax.jit, donate_argnames="held")
def _written(held, block, row):
    return jax.lax.dynamic_update_slice(held, block, (row, jnp.zeros_like(row)))


def _called(function: Callable[[Array], Any], dtype: np.dtype, x: Array) -> Array:
    product = jnp.asarray(function(x), dtype)
    if product.shape != x.shape:
        raise InvalidInput(
            f"The kernel as a function took columns {x.shape} to {product.shape}; it must return Θ X, of X's shape."
        )
    return product


def _streamed(kernel: Any, dtype: np.dtype, x: Array) -> Array:
    blocks = _ahead(partial(_block, kernel, dtype), row_blocks(kernel, dtype.itemsize))
    return jnp.concatenate([_matmul(jax.device_put(block, x.sharding), x) for block in blocks])


def _block(kernel: Any, dtype: np.dtype, rows: slice) -> np.ndarray:
    return np.asarray(kernel[rows], dtype)


def row_blocks(kernel: Any, itemsize: int, held: int | None = None) -> list[slice]:
    """Blocks of rows of so few bytes that two at once do not matter; where the kernel has tiles, of whole ones."""
    (rows, columns), tile = kernel.shape, getattr(kernel, "tile_rows", 1)
    most = max(1, (held or STREAMED) // (columns * itemsize * tile)) * tile
    return [slice(start, min(start + most, rows)) for start in range(0, rows, most)]


def _ahead(read: Callable[[slice], np.ndarray], blocks: list[slice]) -> Iterator[np.ndarray]:
    """What is read of each block, the next one being read meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(read, blocks[0])
        for block in blocks[1:]:
            ready, waiting = waiting.result(), pool.submit(read, block)
            yield ready
        yield waiting.result()
