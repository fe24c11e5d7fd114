"""How much memory may be used, and the one check of whether work fits into it.

Free is what the machine has left; allowed is less in a container, on a cluster's node, or under a ulimit. Without a
check the system kills the process, and says nothing.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from infojax.errors import InvalidInput, OverBudget
from infojax.files._containers import container_limits

Number: TypeAlias = int | float
GIB = 2**30
# Less than this is not worth asking the system for.
SMALL = 2**24
# What factoring a kernel holds beside the kernels given, in float64 squares of its rows: on a host one that it
# overwrites and its work space. A device has JAX's routine.
FACTORED, FACTORED_ON_DEVICE = 3.0, 8.0
# What leaving each example out holds then: eigenvectors here and there, and work space for scores and their errors.
LEFT_OUT = 3.4
# What leaving out a group holds, in squares of the group's rows (14 nodes of the contour).
GROUP = 90.0


class Room(NamedTuple):
    """Bytes that may still be taken, out of how many, and what sets the limit: empty for the machine itself."""

    free: int
    whole: int
    limit: str = ""


_ALLOWED: ContextVar[Room | None] = ContextVar("allowed", default=None)


@contextmanager
def allowing(size: Number | None) -> Iterator[None]:
    """While the body runs, so many bytes count as free, as the user gave them; None for what is free.

    >>> with allowing(1000):
    ...     room().free
    1000
    """
    token = _ALLOWED.set(None if size is None else Room(int(size), int(size), "as was allowed"))
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def room() -> Room | None:
    """What this process may still take of main memory; None where the system does not say.

    The least of: what is available on the machine, what the container or the cluster's job allows (cgroups of both
    versions, each folder above as well), what `ulimit -v` and `ulimit -d` leave, and what a system that never promises
    more than it has would grant. INFOJAX_MEMORY, in GiB, counts instead of all these.
    """
    if (allowed := _ALLOWED.get()) is not None:
        return allowed
    given = os.environ.get("INFOJAX_MEMORY")
    if given:
        asked = _given(given)
        return Room(asked, asked, "INFOJAX_MEMORY")
    found = _machine()
    if found is None:
        return None
    limits = [found, *(Room(*limit) for limit in container_limits()), *_own_limits(), *_strict()]
    return min(limits, key=lambda each: each.free)


def memory() -> tuple[int, int] | None:
    """Bytes of main memory that are (available, installed), both as far as they may be used; None where unknown."""
    found = room()
    return None if found is None else (found.free, found.whole)


def free_memory(devices: Sequence[Any]) -> int:
    """Bytes that are free on these devices together; of the machine for processors, 2 GiB where nobody says."""
    stats = [device.memory_stats() for device in devices]
    if all(found and "bytes_limit" in found for found in stats):
        return sum(found["bytes_limit"] - found.get("bytes_in_use", 0) for found in stats if found)
    found = memory()
    return found[0] if found else 2**31


def within_free(most: int, devices: Sequence[Any], *, held: int = 0) -> int:
    """Bytes that work may use on each of these devices: `most`, or what is free there beside the bytes `held`.

    Never less than `SMALL`, which is not worth asking the system for; `require_room` refuses what does not fit then.

    >>> import jax
    >>> with allowing(3 * 2**30):
    ...     within_free(2 * 2**30, jax.local_devices()[:1], held=2 * 2**30) == 2**30
    True
    """
    return min(most, max((free_memory(devices) - held) // len(devices), SMALL))


def require_room(needed: Number, what: str, remedy: str, *, allowed: Number | None = None, device: Any = None) -> None:
    """Raise `OverBudget` where work needs more bytes than it may take; call it before anything is made.

    Args:
        needed: bytes that are not taken yet.
        what: needs them, with its verb, such as "The kernel of 10 × 10 needs".
        remedy: whole sentences that say what to do instead.
        allowed: bytes that the user gave; None for what is free.
        device: an accelerator that the work is on, in place of main memory.

    >>> require_room(8e9, "A kernel needs", "Take fewer examples.", allowed=1e9)
    Traceback (most recent call last):
    ...
    infojax.errors.OverBudget: A kernel needs about 7.45 GiB of memory, allowed are 0.931 GiB. Take fewer examples.
    """
    if allowed is not None:
        limit, said = allowed, f"allowed are {in_gib(allowed)}"
    elif needed < SMALL and "INFOJAX_MEMORY" not in os.environ:
        return
    elif device is not None and device.platform != "cpu":
        limit = free_memory([device])
        said = f"{in_gib(limit)} are free on {device}"
    else:
        found = room()
        if found is None:
            return
        limit = found.free
        said = f"{in_gib(limit)} are free" + (f" ({found.limit})" if found.limit else "")
    if needed > limit:
        raise OverBudget(f"{what} about {in_gib(needed)} of memory, {said}. {remedy}")


def factoring_bytes(
    rows: Number,
    others: Number,
    *,
    kernel: Number = 0.0,
    cross: Number = 0.0,
    group: Number = 1.0,
    on_host: bool = True,
) -> tuple[float, float]:
    """Bytes that (an eigendecomposition, leave-one-out after it) hold at once, with the kernels that they come from.

    Args:
        rows, others: N and M, examples × outputs.
        kernel, cross: bytes of Θ (N, N) and K* (M, N) as they were built; 0 where they are there already.
        group: rows of the largest group that is left out as a whole.
        on_host: whether it is factored in main memory.
    """
    square, given = 8.0 * rows**2, kernel + cross
    together = 8.0 * GROUP * group**2 if group > 1 else 0.0
    held = FACTORED if on_host else FACTORED_ON_DEVICE
    # K* in float64, and projected.
    return given + held * square, given + LEFT_OUT * square + 16.0 * others * rows + together


def require_room_to_factor(
    rows: Number,
    others: Number = 0.0,
    *,
    kernel: Number = 0.0,
    cross: Number = 0.0,
    group: Number = 1.0,
    more: Number = 0.0,
    device: Any = None,
    allowed: Number | None = None,
    remedy: str = "Take fewer examples or outputs, or `from_products`, which needs less.",
) -> None:
    """Raise `OverBudget` where a kernel cannot be factored here, and its examples left out; see `factoring_bytes`.

    Args:
        more: float64 squares of the rows that are held beside.
        device: the accelerator that it is factored on, if it is one.
        allowed: bytes that the user gave; None for what is free.
        remedy: whole sentences that say what to do instead.
    """
    on_host = device is None or device.platform == "cpu"
    stages = factoring_bytes(rows, others, kernel=kernel, cross=cross, group=group, on_host=on_host)
    beside = f", {others:,.0f} of validation" if others else ""
    group_said = f", and a group of {group:,.0f} rows that is left out as a whole" if group > 1 else ""
    what = f"{rows:,.0f} rows of a kernel (examples × outputs) to factor{beside}{group_said}, need"
    require_room(max(stages) + 8.0 * more * rows**2, what, remedy, allowed=allowed, device=device)


def in_gib(count: Number) -> str:
    """Bytes in GiB, three digits.

    >>> in_gib(3 * 2**29), in_gib(100)
    ('1.5 GiB', '9.31e-08 GiB')
    """
    gib = count / GIB
    return f"{gib:,.0f} GiB" if gib >= 1000 else f"{gib:.3g} GiB"


def _given(text: str) -> int:
    try:
        size = float(text)
    except ValueError:
        size = -1.0
    if not 0 < size < 1e9:
        raise InvalidInput(f"INFOJAX_MEMORY is {text!r}; give a positive number of GiB, or leave it unset")
    return int(size * GIB)


def _machine() -> Room | None:
    found = _fields("/proc/meminfo")
    if "MemAvailable" in found and "MemTotal" in found:
        return Room(found["MemAvailable"], found["MemTotal"])
    known = {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(getattr(os, "sysconf_names", ()))
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else 0
    # A Mac says what is installed alone: what is larger fits in no case.
    return Room(installed, installed, "installed; how much is free, this system does not say") if installed else None


def _own_limits() -> list[Room]:
    """What `ulimit -v` and `ulimit -d` leave of addresses and of data."""
    try:
        import resource
    except ImportError:  # Windows
        return []
    taken = _fields("/proc/self/status")
    limits = []
    for name, used, said in (("RLIMIT_AS", "VmSize", "ulimit -v"), ("RLIMIT_DATA", "VmData", "ulimit -d")):
        most = resource.getrlimit(getattr(resource, name))[0]
        if most != resource.RLIM_INFINITY:
            limits.append(Room(max(most - taken.get(used, 0), 0), most, said))
    return limits


def _strict() -> list[Room]:
    """What is left to promise where the system never promises more than it has (vm.overcommit_memory = 2)."""
    try:
        if Path("/proc/sys/vm/overcommit_memory").read_text(encoding="ascii").strip() != "2":
            return []
    except OSError:
        return []
    found = _fields("/proc/meminfo")
    if not {"CommitLimit", "Committed_AS"} <= set(found):
        return []
    left = max(found["CommitLimit"] - found["Committed_AS"], 0)
    return [Room(left, found["CommitLimit"], "vm.overcommit_memory is 2")]


def _fields(file: str) -> dict[str, int]:
    """Bytes by name, from lines such as `MemTotal:  16 kB`."""
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            words = [line.replace(":", " ").split() for line in lines]
    except OSError:
        return {}
    return {each[0]: int(each[1]) * 1024 for each in words if len(each) == 3 and each[2] == "kB" and each[1].isdigit()}
