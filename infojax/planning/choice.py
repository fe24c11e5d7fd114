"""Whether a kernel can be factored here, multiplied with, or neither, from its size alone."""

from typing import Literal

import jax

from infojax.errors import InvalidInput, OverBudget
from infojax.memory import free_memory
from infojax.planning.machine import Machine
from infojax.planning.routes import Sizes, factor, products

GIB = 2**30


def choose_method(
    method: str, examples: int, validation: int, outputs: int, itemsize: int, memory: int | float | None = None
) -> Literal["factor", "products"]:
    """The way to leave-one-out for all examples that fits: as asked, or with "auto" factoring where that does.

    Args:
        method: factor, products or auto.
        examples, validation, outputs: n, m, k.
        itemsize: bytes of an entry of the kernels.
        memory: bytes that may be used; None for what is free here.

    Raises:
        InvalidInput: another method.
        OverBudget: with "auto", neither fits.

    >>> choose_method("auto", 20_000, 100, 1, 4, memory=8 * 2**30)
    'products'
    """
    if method in ("factor", "products"):
        return method
    if method != "auto":
        raise InvalidInput(f'method is {method!r}; it must be "factor", "products" or "auto".')
    places = jax.local_devices()
    room = float(free_memory(places) if memory is None else memory)
    machine = Machine("here", room, 1, 1.0, 1.0, 1.0, 1.0, host=places[0].platform == "cpu")
    n, m = examples * outputs, validation * outputs
    sizes = Sizes(n, m, outputs, examples, 1, float(itemsize) * n**2, float(itemsize) * m * n, 8)
    ways = {"factor": factor(sizes, machine, ()).memory, "products": products(sizes, machine, (), "products").memory}
    if ways["factor"] <= room:
        return "factor"
    if ways["products"] <= room:
        return "products"
    raise OverBudget(
        f"{examples:,} examples with {outputs} outputs need {ways['factor'] / GIB:.3g} GiB to factor their kernel and "
        f"{ways['products'] / GIB:.3g} GiB for products with it; free are {room / GIB:.3g} GiB. Take fewer examples, "
        "or write the kernels to disk (empirical_ntk(..., out=folder)) and give them to information.from_products, "
        "which streams them; `infojax plan` says what that takes."
    )
