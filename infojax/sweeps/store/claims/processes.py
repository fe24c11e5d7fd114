"""Which process of which machine this is, and whether one that is named so is gone."""

import os
import socket
from functools import cache
from pathlib import Path
from typing import Any


def this_process() -> dict[str, Any]:
    """What names this process among all that ever ran, as plain JSON values.

    >>> gone(this_process())
    False
    """
    pid = os.getpid()
    return {"host": _host(), "pid": pid, "start": _start(pid)}


def gone(process: dict[str, Any]) -> bool:
    """Whether a process named by `this_process` has ended. False where this machine cannot tell."""
    pid = process.get("pid")
    if process.get("host") != _host() or not isinstance(pid, int) or pid <= 0 or os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # another user's
    except (OSError, OverflowError):
        return False
    now = _start(pid)
    return now is not None and now != process.get("start")


@cache
def _host() -> str:
    """The machine since it was started, and the container, as process numbers mean something only within."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8")[:8])
        parts.append(os.readlink("/proc/self/ns/pid").strip("pid:[]"))
    except OSError:
        pass  # no Linux
    return "/".join(parts)


def _start(pid: int) -> str | None:
    """When a process started, in ticks since the machine did; "ended" of one that nobody has waited for yet."""
    try:
        state, *fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except (OSError, ValueError):
        return None
    return "ended" if state in "ZX" else fields[18]
