"""Before starting: what building kernels and leaving examples out will take, and which way to go."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.typing import DTypeLike
from jaxtyping import PyTree

from infojax.errors import InvalidInput
from infojax.kernels import Workspace
from infojax.linearized import Converged, GradientDescent, Training, as_sum, chebyshev_series, terms_needed
from infojax.models import Network
from infojax.planning._building import Building, building
from infojax.planning._machine import Machine, machine_named
from infojax.planning._routes import LONGEST, Name, Route, Sizes, Stage, factor, in_time, products

SAMPLE = 64


@dataclass(frozen=True)
class Plan:
    """What a computation will take. Bytes, floating-point operations, seconds.

    Attributes:
        machine: what it is planned for.
        rows: N = examples × outputs, of the training kernel.
        steps: products with the kernel for each block of columns.
        kernel, cross: how the kernels are built.
        routes: ways to go, all that there are.
        fitting: those that fit into memory and disk.
        chosen: the quickest that fits, or the first that is within a tenth of it; None where none fits, and where even
            the quickest takes longer than was allowed.
        assumptions: what the numbers rest on.
        remedy: what to change where nothing is chosen; otherwise empty.
    """

    machine: Machine
    rows: int
    steps: int
    kernel: Building
    cross: Building
    routes: tuple[Route, ...]
    fitting: tuple[Route, ...]
    chosen: Route | None
    assumptions: tuple[str, ...]
    remedy: str


def plan(
    network: Network,
    params: PyTree,
    *,
    inputs: tuple[int, ...],
    outputs: int,
    examples: int,
    validation: int,
    training: Training | None = None,
    subset: int | None = None,
    sample: Any = None,
    tolerance: float = 1e-6,
    dtype: DTypeLike = np.float64,
    device: str | Machine = "here",
    devices: int = 1,
    memory: int | float | None = None,
    disk: int | float | None = None,
    budget: int = 2**31,
    longest: int | float = LONGEST,
) -> Plan:
    """What it takes to build the kernels of a network and to leave examples out, and the quickest way that fits.

    Nothing is computed but shapes, the rates of this machine (a second or two, for device "here"), and, where training
    needs to know the largest eigenvalue, the kernel of 64 examples.

    Args:
        network: whose kernels they will be.
        params: its parameters.
        inputs: shape of one example.
        outputs: k.
        examples: n.
        validation: m.
        training: as for `unique_information`; None for 2000 steps of descent with half the largest stable step.
        subset: how many examples are left out; None for all.
        sample: some examples (b, *inputs), from whose kernel the largest eigenvalue is estimated; None draws pixels
            evenly between 0 and 1.
        tolerance: as for `from_products`.
        dtype: of products, float64 or float32.
        device: here, h200, h100, a100, v100, a10, t4 or cpu:CORES; or a `Machine`.
        devices: how many of them.
        memory: bytes that may be used, over all devices, instead of what the machine has.
        disk: bytes that may be written; None for as many as are needed.
        budget: bytes that building the kernels may use on each device beside the kernels.
        longest: seconds that the work may take, a day by default; `math.inf` for as many as it takes. No route that
            takes longer is chosen.

    Raises:
        InvalidInput: numbers that mean nothing, an unknown device.
        OverBudget: not even one tile of the kernel fits `budget`.

    >>> import infojax as ij, jax
    >>> network = ij.models.mlp(hidden=(32,), outputs=1)
    >>> made = plan(network, network.init(jax.random.key(0), (8,)), inputs=(8,), outputs=1, examples=1000,
    ...             validation=100, device="a100")
    >>> made.chosen.name
    'factor'
    """
    _check(examples, validation, outputs, subset, tolerance, disk, longest)
    machine = device if isinstance(device, Machine) else machine_named(device, devices, memory)
    workspace = Workspace(min(budget, int(machine.memory / machine.devices)), machine.devices, machine.host)
    built = [
        building(network, params, inputs, outputs, *size, workspace)
        for size in ((examples, None), (validation, examples))
    ]
    kernel, cross = built
    largest, assumptions = _largest(network, params, inputs, outputs, examples, training, sample)
    steps, said = _steps(training, examples, largest, tolerance)
    sizes = Sizes(
        rows=examples * outputs,
        others=validation * outputs,
        outputs=outputs,
        groups=subset or examples,
        steps=steps,
        kernel=float(kernel.nbytes),
        cross=float(cross.nbytes),
        itemsize=np.dtype(dtype).itemsize,
    )
    stages = tuple(_built(name, each, sizes, machine) for name, each in (("kernel", kernel), ("K*", cross)))
    names: tuple[Name, ...] = ("products", "products from disk", "products streamed")
    routes = (factor(sizes, machine, stages), *(products(sizes, machine, stages, name) for name in names))
    room = np.inf if disk is None else disk
    fitting = tuple(route for route in routes if route.memory <= machine.memory and route.disk <= room)
    # Of those that are about as quick, the first: it is the simplest.
    quickest = min((route.seconds for route in fitting), default=0.0)
    chosen = next((route for route in fitting if route.seconds <= 1.1 * quickest and quickest <= longest), None)
    if chosen:
        remedy = ""
    else:
        remedy = _too_long(routes, quickest, longest, examples) if fitting else _remedy(routes, machine, disk, examples)
    said = (*assumptions, *said, *_rates(machine))
    return Plan(machine, sizes.rows, steps, kernel, cross, routes, fitting, chosen, said, remedy)


def _built(name: str, each: Building, sizes: Sizes, machine: Machine) -> Stage:
    rate = machine.float64 if each.itemsize == 8 else machine.float32
    seconds = each.work.flops / (0.7 * rate) + 2 * each.work.written / machine.bandwidth
    memory = sizes.kernel + sizes.cross + each.working * machine.devices
    return Stage(f"building {name}, tiles of {each.tile[0]} × {each.tile[1]}", memory, each.work.flops, seconds)


def _largest(network, params, inputs, outputs, examples, training, sample) -> tuple[float, list[str]]:
    """The largest eigenvalue, where steps depend on it, and how it was found."""
    if training is None:
        return 1.0, ["descent of 2000 steps at half the largest stable rate, whatever the largest eigenvalue is"]
    if isinstance(training, Converged) and training.decay == 0:
        return 1.0, []
    from infojax.kernels import empirical_ntk

    drawn = np.random.default_rng(0).uniform(size=(min(SAMPLE, examples), *inputs))
    some = np.asarray(drawn if sample is None else sample, np.float32)[:SAMPLE]
    found = np.linalg.eigvalsh(np.asarray(empirical_ntk(network, params, some), np.float64))[-1]
    of = "uniformly random inputs" if sample is None else "the examples given"
    value = float(found) * examples / len(some)
    return value, [f"largest eigenvalue {value:.3g}, from the kernel of {len(some)} of {of}, growing with their number"]


def _steps(training, examples, largest, tolerance) -> tuple[int, list[str]]:
    """Products with the kernel for a block of columns, and what they rest on."""
    if training is None:
        training = GradientDescent(2000, 1.0 / largest, convention="sum")
    run = as_sum(training, examples)
    shift = float(run.decay)
    if isinstance(run, Converged):
        if shift == 0:
            return 10 * math.isqrt(examples), [
                "steps of conjugate gradients without decay cannot be told before the kernel is there: 10 √n assumed"
            ]
        ratio = (largest + shift) / shift
        most = math.ceil(0.5 * math.sqrt(ratio) * math.log(2 * examples / tolerance))
        return most, [f"conjugate gradients take at most {most} steps, and fewer where most eigenvalues are small"]
    if isinstance(run, GradientDescent) and float(run.learning_rate) * (1.15 * largest + shift) >= 2:
        most = 2 * training.learning_rate / (run.learning_rate * (1.15 * largest + shift))
        raise InvalidInput(
            f"Gradient descent with learning_rate {training.learning_rate:.4g} may diverge: the largest eigenvalue is "
            f"put at {largest:.4g}. Take less than {most:.4g}."
        )
    # What from_products allows, where training moves the weights by ‖r‖/√S: a little more than it will.
    series = chebyshev_series(run, 1.15 * largest)
    steps = terms_needed(series, tolerance / (4 * examples * largest))
    return max(1, steps), []


def _rates(machine: Machine) -> list[str]:
    how = "measured now" if machine.measured else "from data sheets, less what is usually lost: estimates"
    disk = "" if machine.measured else "put at "
    return [
        f"rates {how}: {machine.float32 / 1e9:,.0f} GFLOP/s in float32, {machine.float64 / 1e9:,.0f} in float64, "
        f"{machine.eigh / 1e9:,.0f} in eigendecompositions; memory {machine.bandwidth / 1e9:,.0f} GB/s; disk {disk}"
        f"{machine.disk / 1e9:.2g} GB/s"
    ]


def _remedy(routes: tuple[Route, ...], machine: Machine, disk: int | float | None, examples: int) -> str:
    """What to change: the way with the least memory, and how few examples each way would take."""
    gib = 2**30
    least = min(routes, key=lambda route: route.memory)
    lines = [
        f'The least memory, {least.memory / gib:.3g} GiB and {least.disk / gib:.3g} GiB of disk, takes "{least.name}"; '
        f"there are {machine.memory / gib:.3g} GiB"
        + ("" if disk is None else f" and {disk / gib:.3g} GiB of disk")
        + "."
    ]
    few = int(examples * math.sqrt(min(1.0, machine.memory / routes[0].memory)))
    lines.append(f"Take about {few:,} examples (which can be factored), more memory, more devices, or allow more disk.")
    return " ".join(lines)


def _too_long(routes: tuple[Route, ...], quickest: float, longest: int | float, examples: int) -> str:
    """What to change where the work fits, and would not end in time; it grows with the cube of the examples."""
    few = int(examples * (longest / quickest) ** (1 / 3))
    other = min(routes, key=lambda route: route.seconds)
    more = f'"{other.name}" would take {in_time(other.seconds)} with {other.memory / 2**30:,.0f} GiB. '
    return (more if other.seconds <= longest else "") + (
        f"The quickest way takes {in_time(quickest)}, longer than {in_time(longest)}. Take about {few:,} examples, "
        "leave out only a subset of them, take more or quicker devices, or fewer outputs."
    )


def _check(examples, validation, outputs, subset, tolerance, disk, longest) -> None:
    counts = {"examples": (examples, 2), "validation": (validation, 1), "outputs": (outputs, 1)}
    for name, (value, least) in counts.items():
        if value < least:
            raise InvalidInput(f"{name} is {value}; there must be at least {least}.")
    if subset is not None and not 1 <= subset <= examples:
        raise InvalidInput(f"subset is {subset}; leave out 1 to {examples} examples, or all (None).")
    if not 0 < tolerance < 1:
        raise InvalidInput(f"tolerance is {tolerance}; give a number between 0 and 1, such as 1e-6.")
    if disk is not None and not 0 <= disk < np.inf:
        raise InvalidInput(f"disk is {disk} bytes; give 0 or more.")
    if not longest > 0:
        raise InvalidInput(f"longest is {longest} seconds; give a positive number.")
