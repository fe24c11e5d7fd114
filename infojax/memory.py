"""How much memory there is, of the machine and of its devices."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def memory() -> tuple[int, int] | None:
    """Bytes of main memory that are (available, installed); None where the system does not say.

    In a container, what the container may use.
    """
    try:
        with open("/proc/meminfo") as file:
            kibibytes = {line.split(":")[0]: int(line.split()[1]) for line in file}
        available, installed = kibibytes["MemAvailable"] * 1024, kibibytes["MemTotal"] * 1024
    except (OSError, KeyError, ValueError):
        return None
    try:
        most, used = (int(Path("/sys/fs/cgroup", name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return available, installed
    return min(available, max(most - used, 0)), min(installed, most)


def free_memory(devices: Sequence[Any]) -> int:
    """Bytes that are free on these devices together; of the machine for processors, 2 GiB where nobody says."""
    stats = [device.memory_stats() for device in devices]
    if all(found and "bytes_limit" in found for found in stats):
        return sum(found["bytes_limit"] - found.get("bytes_in_use", 0) for found in stats if found)
    found = memory()
    return found[0] if found else 2**31
