"""`infojax doctor`: whether this machine can do what infojax needs.

Whatever is broken is what the report is for, so every part is imported where it is looked at.
"""

from collections.abc import Callable
from typing import NamedTuple

from infojax.files import room


class Finding(NamedTuple):
    """One line of the report; `fine` is None for what is only told."""

    what: str
    found: str
    fine: bool | None = None


def doctor() -> int:
    """Check devices, versions, precision, memory and data on this machine.

    The exit code is 1 when something that infojax needs does not work, otherwise 0.
    """
    from rich.markup import escape
    from rich.table import Table

    from infojax.files import Console

    parts: dict[str, Callable[[], list[Finding]]] = {
        "versions": _versions,
        "devices": _devices,
        "memory": _memory,
        "float64": _float64,
        "neural-tangents": _neural_tangents,
        "data": _data,
    }
    findings = [finding for name, part in parts.items() for finding in _findings(name, part)]
    marks = {True: "[green]works[/]", False: "[red]fails[/]", None: ""}
    table = Table("", "found", "", title="infojax doctor", show_edge=False)
    for finding in findings:
        table.add_row(finding.what, escape(finding.found), marks[finding.fine])
    Console().print(table)
    return int(any(finding.fine is False for finding in findings))


def _findings(name: str, part: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return part()
    except Exception as error:
        return [Finding(name, _without_devices(error) or _failed(name, error).found, False)]


def _without_devices(error: Exception) -> str:
    """What is wrong where JAX has no device, of which its own errors say little or nothing."""
    if not isinstance(error, AssertionError | RuntimeError):
        return ""
    from infojax.arrays import devices_missing

    return devices_missing()


def _failed(what: str, error: Exception) -> Finding:
    return Finding(what, f"{type(error).__name__}: {' '.join(str(error).split())}", False)


def _versions() -> list[Finding]:
    from infojax.sweeps import versions

    return [_version(name, version) for name, version in versions().items()]


def _version(name: str, version: str | None) -> Finding:
    if version is None:
        return Finding(name, "not installed", False)
    if name in ("jax", "jaxlib") and version.startswith("0.10."):
        return Finding(name, f"{version}, which sums wrongly and can hang on a CPU; install 0.9.2 or 0.11", False)
    return Finding(name, version)


def _devices() -> list[Finding]:
    import jax

    findings = []
    for device in jax.local_devices():
        stats = device.memory_stats() or {}  # a CPU has none
        limit = stats.get("bytes_limit")
        free = f", {(limit - stats.get('bytes_in_use', 0)) / 2**30:.1f} GiB free" if limit else ""
        findings.append(Finding(f"device {device.id}", f"{device.platform}: {device.device_kind}{free}"))
    return findings


def _memory() -> list[Finding]:
    from infojax.sweeps import threads

    found = room()
    limit = f" ({found.limit})" if found and found.limit else ""
    free = f"{found.free / 2**30:.1f} of {found.whole / 2**30:.1f} GiB{limit}" if found else "this system does not say"
    return [Finding("free memory", free), Finding("threads", str(threads()))]


def _float64() -> list[Finding]:
    import jax
    import jax.numpy as jnp
    import numpy as np

    from infojax.arrays import float64

    def third() -> jax.Array:
        return jax.jit(lambda one: one / 3)(jnp.asarray(np.float64(1)))

    before = third().dtype
    with float64():
        value = third()
    if value.dtype != jnp.float64 or float(value) != 1 / 3:
        raise ArithmeticError(f"1/3 comes out as {float(value):.17g} in {value.dtype}")
    if third().dtype != before:
        raise ArithmeticError("float64 stays on outside of the scope that asked for it")
    return [Finding("float64", f"works in its scope; outside of it {before}", True)]


def _neural_tangents() -> list[Finding]:
    import numpy as np

    from infojax.models import relaxed, stax

    _, _, kernel = stax.serial(stax.Dense(8), stax.Relu(), stax.Dense(1))
    with relaxed():
        value = float(np.asarray(kernel(np.array([[1.0, 0.0]], np.float32), None, "nngp"))[0, 0])
    # E relu(z)² = ½ Var z with Var z = ‖x‖²/2 = ½.
    if abs(value - 0.25) > 1e-6:
        raise ArithmeticError(f"the kernel of one ReLU layer is {value}, not 0.25")
    return [Finding("neural-tangents", "its kernel of a ReLU layer is right", True)]


def _data() -> list[Finding]:
    from infojax.data import SETS

    return [_named_set(name, SETS[name].package is None) for name in SETS]


def _named_set(name: str, embedded: bool) -> Finding:
    from infojax.data import where
    from infojax.errors import CorruptData

    try:
        path = where(name)
    except CorruptData as error:
        return _failed(f"data: {name}", error)
    return Finding(f"data: {name}", "embedded" if embedded else str(path or f"not here; infojax data fetch {name}"))
