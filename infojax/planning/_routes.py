"""The ways to leave-one-out: what each holds in memory and on disk, and how long it takes."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from infojax.files import factoring_bytes
from infojax.linearized import HELD, STREAMED, columns_at_once
from infojax.linearized import STEPS as LANCZOS
from infojax.planning._machine import Machine

Name: TypeAlias = Literal["factor", "products", "products from disk", "products streamed"]
# Compiled programs and what compiling them leaves behind.
COMPILED = 56 * 2**20
# What products with skinny or small blocks reach of the rate of large square ones.
BLOCKED = 0.7
# Nodes of the contour, real and imaginary.
PARTS = 28
# Seconds: what takes longer than a day is not begun unasked.
LONGEST = 86400.0


@dataclass(frozen=True)
class Stage:
    """One part of the work, one after another.

    Attributes:
        what: in a few words.
        memory: bytes at once, those of results that are kept included.
        flops: floating-point operations.
        seconds: as estimated.
    """

    what: str
    memory: float
    flops: float
    seconds: float


@dataclass(frozen=True)
class Route:
    """One way from examples to scores.

    Attributes:
        name: factor, products (the kernel in memory), products from disk (written there, then read into memory), or
            products streamed (read from disk again in each step).
        stages: the work.
        disk: bytes.
    """

    name: Name
    stages: tuple[Stage, ...]
    disk: float

    @property
    def memory(self) -> float:
        """Bytes at once, at most: beside what Python and JAX take themselves, some 0.3 GB."""
        return max(stage.memory for stage in self.stages) + COMPILED

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)


@dataclass(frozen=True)
class Sizes:
    """Of a problem: N, M rows of the kernels, k outputs, groups left out, products for a block of them.

    Attributes:
        kernel, cross: bytes of Θ and K*, as they are built.
        itemsize: of the numbers that products are made in.
    """

    rows: int
    others: int
    outputs: int
    groups: int
    steps: int
    kernel: float
    cross: float
    itemsize: int


def factor(sizes: Sizes, machine: Machine, built: tuple[Stage, ...]) -> Route:
    """All examples from one eigendecomposition, in float64."""
    n, m, k = sizes.rows, sizes.others, sizes.outputs
    given = {"kernel": sizes.kernel, "cross": sizes.cross}
    first, then = factoring_bytes(n, m, **given, on_host=machine.host)
    work = 2.0 * m * n**2 + sizes.groups * n * (2 * m + 4 * PARTS * k * (k + 1))
    stages = (
        Stage("eigendecomposition", first, 9.0 * n**3, 9.0 * n**3 / machine.eigh),
        Stage("leave-one-out", then, work, work / (0.3 * machine.float64)),
    )
    return Route("factor", (*built, *stages), 0.0)


def products(sizes: Sizes, machine: Machine, built: tuple[Stage, ...], name: Name) -> Route:
    """Chebyshev series or conjugate gradients, the kernel in memory, from disk, or streamed."""
    n, m, item = sizes.rows, sizes.others, sizes.itemsize
    columns = columns_at_once(sizes.groups, n, item, int(machine.memory))
    blocks = -(-sizes.groups // columns)
    flops = 2.0 * n**2 * columns * blocks * (sizes.steps + 1) + 2.0 * m * n * columns * blocks
    rate = BLOCKED * (machine.float64 if item == 8 else machine.float32)
    held = float(HELD * n * columns * item)
    resident = float(item * n**2)
    moved = 4 * n * columns * blocks * sizes.steps * item / machine.bandwidth
    seconds = flops / rate + moved
    passes = LANCZOS + 1 + blocks * (sizes.steps + 1)
    if name == "products streamed":
        seconds = max(seconds, passes * sizes.kernel / machine.disk)
        memory = held + 4.0 * STREAMED
    else:
        seconds += LANCZOS * resident / machine.bandwidth
        memory = held + resident + (sizes.kernel + sizes.cross if name == "products" and machine.host else 0.0)
    disk = 0.0 if name == "products" else sizes.kernel + sizes.cross
    if disk:
        # Building then holds no kernel, and writes it; reading it once is part of the products.
        kept = sizes.kernel + sizes.cross
        built = tuple(Stage(s.what, s.memory - kept, s.flops, s.seconds) for s in built)
        built = (*built, Stage("writing and reading", memory, 0.0, 2 * disk / machine.disk))
    what = f"{sizes.steps} products for {blocks} × {columns} columns"
    return Route(name, (*built, Stage(what, memory, flops, seconds)), disk)


def least_of_products(sizes: Sizes, on_host: bool) -> float:
    """Bytes that products hold at least: the kernels as they were built, one column, and blocks of rows under way."""
    given = sizes.kernel + sizes.cross if on_host else 0.0
    return given + float(HELD * sizes.rows * sizes.itemsize) + 4.0 * STREAMED + COMPILED


def in_time(seconds: int | float) -> str:
    """Seconds in the unit that makes them readable.

    >>> in_time(0.5), in_time(7200), in_time(1e8)
    ('0.5 s', '2 h', '1,157 d')
    """
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            count = seconds / size
            return f"{count:,.0f} {unit}" if count >= 100 else f"{count:.2g} {unit}"
    return f"{seconds:.2g} s"
