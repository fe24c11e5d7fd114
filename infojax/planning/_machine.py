"""What a machine can do: measured here in a second or two, or from data sheets."""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infojax.errors import InvalidInput
from infojax.files import free_memory

GB = 1e9
# Read and write of a disk that was not measured.
DISK = 1 * GB


@dataclass(frozen=True)
class Machine:
    """Rates and room, of all its devices together.

    Attributes:
        name: of the machine.
        memory: bytes that may be used.
        devices: how many share the work.
        float32, float64: floating-point operations in a second of large matrix products.
        eigh: of an eigendecomposition, counted as 9 N³; on one device.
        bandwidth: bytes in a second that memory reads and writes.
        disk: bytes in a second, to and from the disk.
        host: whether the devices are processors, that share the main memory with what is given to them.
        measured: here and now; otherwise estimates from data sheets.
    """

    name: str
    memory: float
    devices: int
    float32: float
    float64: float
    eigh: float
    bandwidth: float
    disk: float = DISK
    host: bool = False
    measured: bool = False

    def times(self, devices: int) -> "Machine":
        """So many of them, with an eighth of the speed lost to talk among them; one factors."""
        share = devices * (1.0 if devices == 1 else 0.875)
        rates = {name: getattr(self, name) * share for name in ("float32", "float64", "bandwidth")}
        return replace(self, devices=devices, memory=self.memory * devices, **rates)


# One device each. Products are put at 0.6 of what data sheets say, memory at 0.8.
_SHEETS = {
    "h200": (141, 67, 67, 4800),
    "h100": (80, 67, 67, 3350),
    "a100": (80, 19.5, 19.5, 2040),
    "v100": (32, 15.7, 7.8, 900),
    "a10": (24, 31, 0.49, 600),
    "t4": (16, 8.1, 0.25, 300),
}
# Measured on an H200 with JAX 0.11, N = 10,000 and 20,000; the H100 has the same processor. Others are put low.
_EIGH = {"h200": 1.2e13, "h100": 1.2e13}
MACHINES = {
    name: Machine(
        name, 0.9 * m * GB, 1, 0.6e12 * f32, 0.6e12 * f64, _EIGH.get(name, min(0.6e12, 0.3e12 * f64)), 0.8 * b * GB
    )
    for name, (m, f32, f64, b) in _SHEETS.items()
}
# Of one core with AVX2, and of memory that some share.
_CORE = Machine("cpu", 4 * GB, 1, 5e10, 2.5e10, 1.2e10, 8 * GB, host=True)


def machine_named(name: str, devices: int = 1, memory: int | float | None = None) -> Machine:
    """A machine of the table, `cpu:CORES` with 4 GB for each core, or `here`, which is measured.

    Args:
        name: h200, h100, a100, v100, a10, t4, cpu:CORES or here.
        devices: how many of them.
        memory: bytes that may be used on all of them together, instead of what there is.

    Raises:
        InvalidInput: another name, no devices, no memory.

    >>> machine_named("a100", devices=4).memory / machine_named("a100").memory
    4.0
    """
    if devices < 1:
        raise InvalidInput(f"devices is {devices}; there must be at least one.")
    if memory is not None and not 0 < memory < float("inf"):
        raise InvalidInput(f"memory is {memory} bytes; give a positive number.")
    kind, _, cores = name.partition(":")
    if name == "here":
        machine = this_machine()
        machine = machine if devices == machine.devices or machine.host else machine.times(devices)
    elif name in MACHINES:
        machine = MACHINES[name].times(devices)
    elif kind == "cpu" and cores.isdigit() and int(cores) > 0:
        count, one = int(cores), _CORE
        machine = replace(
            one, name=name, memory=one.memory * count, float32=one.float32 * count, float64=one.float64 * count,
            eigh=one.eigh * count**0.7, bandwidth=one.bandwidth * min(count, 16),
        ).times(devices)  # fmt: skip
    else:
        raise InvalidInput(f"device {name!r} is not known; known are here, cpu:CORES, {', '.join(MACHINES)}.")
    return machine if memory is None else replace(machine, memory=float(memory))


def this_machine(seconds: float = 0.3) -> Machine:
    """The machine that this runs on, measured: products, an eigendecomposition and memory, for some `seconds` each, and
    how fast the disk of the working folder takes 32 MiB.
    """
    import jax
    import jax.numpy as jnp

    from infojax.arrays import float64
    from infojax.linearized import spectrum

    host = jax.default_backend() == "cpu"
    places = jax.local_devices()[:1] if host else jax.local_devices()
    size = 1024 if host else 8192

    def product(dtype: Any) -> float:
        x = jax.device_put(jnp.ones((size, size), dtype), places[0])
        multiply = jax.jit(lambda a: jnp.matmul(a, a, precision="highest") / size)
        return 2 * size**3 / _seconds(lambda: multiply(x).block_until_ready(), seconds)

    with float64():
        float64_rate = product(jnp.float64)
    float32_rate = product(jnp.float32)
    order = 768 if host else 4096
    points = np.random.default_rng(0).normal(size=(order, order))
    kernel = points @ points.T
    eigh = 9 * order**3 / _seconds(lambda: spectrum(kernel), seconds)
    block = np.ones(2**24)
    bandwidth = 2 * block.nbytes / _seconds(block.copy, seconds) if host else _device_bandwidth(places[0], seconds)
    name = f"{os.cpu_count()} cores" if host else places[0].device_kind
    free = float(free_memory(places[:1]))
    one = Machine(name, free, 1, float32_rate, float64_rate, eigh, bandwidth, _disk_rate(), host, True)
    return one if len(places) == 1 else one.times(len(places))


def _device_bandwidth(device: Any, seconds: float) -> float:
    import jax
    import jax.numpy as jnp

    block = jax.device_put(jnp.ones(2**28, jnp.float32), device)
    move = jax.jit(lambda x: x + 1)
    return 2 * block.nbytes / _seconds(lambda: move(block).block_until_ready(), seconds)


def _disk_rate() -> float:
    """Bytes in a second that the disk of the working folder takes, written and synced; a guess where it takes none."""
    block = os.urandom(2**25)
    try:
        with tempfile.TemporaryFile(dir=".") as file:  # without a name, so that nothing is left
            start = time.perf_counter()
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
            return len(block) / (time.perf_counter() - start)
    except OSError:
        return DISK


def _seconds(function: Callable[[], Any], at_least: float) -> float:
    """The quickest of some calls, after one that compiles: others may be at work on the same machine."""
    function()
    taken = []
    while sum(taken) < at_least or len(taken) < 2:
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return min(taken)
