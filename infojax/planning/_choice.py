"""Whether a kernel can be factored here, multiplied with, or neither, from its size alone."""

from typing import Literal

import jax

from infojax.errors import InvalidInput, OverBudget
from infojax.files import factoring_bytes, free_memory, in_gib
from infojax.planning._machine import Machine, this_machine
from infojax.planning._routes import COMPILED, LONGEST, Sizes, factor, in_time, least_of_products, products

# Fewer products than any training takes that is worth the name: what they take is a lower bound of the time.
FEWEST = 10


def choose_method(
    method: str,
    examples: int,
    validation: int,
    outputs: int,
    itemsize: int,
    memory: int | float | None = None,
    *,
    group: int = 1,
) -> Literal["factor", "products"]:
    """The way to leave-one-out for all examples that fits: as asked, or with "auto" factoring where that does.

    Args:
        method: factor, products or auto.
        examples, validation, outputs: n, m, k.
        itemsize: bytes of an entry of the kernels.
        memory: bytes that may be used, from which "auto" chooses; None for what is free here, into which the way that
            was asked for must fit, too.
        group: examples of the largest group that is left out as a whole.

    Raises:
        InvalidInput: another method.
        OverBudget: the way that was asked for does not fit; with "auto", neither does, or only one that takes days.

    >>> choose_method("auto", 20_000, 100, 1, 4, memory=8 * 2**30)
    'products'
    """
    if method not in ("factor", "products", "auto"):
        raise InvalidInput(f'method is {method!r}; it must be "factor", "products" or "auto".')
    if memory is not None and method != "auto":
        return "factor" if method == "factor" else "products"
    places = jax.local_devices()
    on_host = places[0].platform == "cpu"
    room = float(free_memory(places) if memory is None else memory)
    n, m = examples * outputs, validation * outputs
    kernel, cross = float(itemsize) * n**2, float(itemsize) * m * n
    sizes = Sizes(n, m, outputs, examples, FEWEST, kernel, cross, 8)
    stages = factoring_bytes(n, m, kernel=kernel, cross=cross, group=group * outputs, on_host=on_host)
    machine = Machine("here", room, 1, 1.0, 1.0, 1.0, 1.0, host=on_host)
    needed = {"factor": max(stages) + COMPILED, "products": products(sizes, machine, (), "products").memory}
    if method != "products" and needed["factor"] <= room:
        return "factor"
    if method == "auto" and needed["products"] <= room:
        _require_days(sizes)
        return "products"
    # Where products are asked for, they stream the kernel from main memory if it does not fit there twice.
    needed["products"] = least_of_products(sizes, on_host)
    fit = needed["products"] <= room
    if method == "products" and fit:
        return "products"
    ways = {"factor": "to factor their kernel", "products": "for products with it"}
    said = " and ".join(f"{in_gib(size)} {ways[way]}" for way, size in needed.items() if method in (way, "auto"))
    other = ", or take unique_information_by_products, which needs less" if method == "factor" and fit else ""
    raise OverBudget(
        f"{examples:,} examples with {outputs} outputs, {validation:,} more for validation, need {said}; free are "
        f"{in_gib(room)}. Take fewer examples{other}, or write the kernels to disk (empirical_ntk(..., out=folder)) "
        "and give them to information.from_products, which streams them; `infojax plan` says what that takes."
    )


def seconds_to_factor(examples: int, validation: int, outputs: int) -> tuple[float, float]:
    """About how long an eigendecomposition and leaving each example out take on this machine, which is measured."""
    n, m = examples * outputs, validation * outputs
    route = factor(Sizes(n, m, outputs, examples, 0, 0.0, 0.0, 8), this_machine(0.1), ())
    first, then = (stage.seconds for stage in route.stages)
    return first, then


def _require_days(sizes: Sizes) -> None:
    """Refuse products that take days even if they are few; the machine is measured."""
    machine = this_machine(0.1)
    least = products(sizes, machine, (), "products").seconds
    if least > LONGEST:
        raise OverBudget(
            f"There is no memory to factor a kernel of {sizes.rows:,} rows, and products with it take {in_time(least)} "
            "or more on this machine. Take fewer examples, or only some of them (from_products, examples=...); "
            "unique_information_by_products goes on nevertheless."
        )
