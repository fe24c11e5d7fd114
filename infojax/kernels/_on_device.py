"""A kernel that stays on an accelerator: its tiles are put together there, and nothing goes through the host."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from infojax.errors import OverBudget
from infojax.files import factoring_bytes, free_memory
from infojax.kernels._tiles import Write


def accelerator_with_room(rows: int) -> Any:
    """The device to leave a square kernel on that is to be factored: the default one, if it is an accelerator and has
    that much free memory; None otherwise, which as `out` of `empirical_ntk` means main memory.
    """
    device = jnp.zeros(()).devices().pop()
    if device.platform == "cpu":
        return None
    needed = max(factoring_bytes(rows, 0, kernel=4 * rows**2, on_host=False))
    return device if needed < free_memory([device]) else None


def on_device(shape: tuple[int, int], dtype: np.dtype, device: Any) -> tuple[Write, Callable[[], Array]]:
    """What writes blocks into an array on `device`, and what gives that array when all are written.

    Raises:
        OverBudget: the device has not that much free memory.
    """
    size = shape[0] * shape[1] * dtype.itemsize
    free = free_memory([device])
    if size > free:
        raise OverBudget(
            f"the kernel of {shape[0]:,} × {shape[1]:,} has {size:,} bytes, {device} has {free:,} free: leave out "
            "`out`, to have it in main memory, or give a folder"
        )
    result = jax.device_put(jnp.zeros(shape, dtype), device)

    def write(rows: slice, columns: slice, block: Any) -> None:
        nonlocal result
        result = _put(result, jax.device_put(block, device), rows.start, columns.start)

    return write, lambda: result


@functools.partial(jax.jit, donate_argnums=0)
def _put(whole: Float[Array, "N M"], block: Float[Array, "a b"], row: Any, column: Any) -> Float[Array, "N M"]:
    return jax.lax.dynamic_update_slice(whole, block, (row, column))
