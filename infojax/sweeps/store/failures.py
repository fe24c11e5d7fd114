"""What went wrong with which config: `results/EXPERIMENT/.failed/ADDRESS.json`, until the config succeeds."""

import contextlib
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infojax.files import parse_json, read_plain, write_whole
from infojax.sweeps.store.addresses.plain import plain


def path(results: Path, experiment: str, address: str) -> Path:
    """Where the record of a failure stands, or would stand."""
    return results / experiment / ".failed" / f"{address}.json"


def note(unit: Any, index: int, error: str, trace: str, attempts: int) -> None:
    """Record that one config of a `worker.Unit` has failed, replacing an earlier record of it; where there is room."""
    record = {
        "experiment": unit.experiment,
        "config": plain(unit.configs[index]),
        "error": error,
        "traceback": trace,
        "attempts": attempts,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    file = path(unit.results, unit.experiment, unit.addresses[index])
    with contextlib.suppress(OSError):  # the disk may be full; the outcome says what failed
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps(record, indent=1).encode())


def read(file: Path) -> dict[str, Any] | None:
    """A record of a failure; None where it is gone or not readable, as of no interest then."""
    try:
        record = parse_json(read_plain(file)[0])
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("error"), str) else None


def forget(results: Path, experiment: str, address: str) -> None:
    """Remove the record, as the config has succeeded; the folder too when that leaves it empty."""
    file = path(results, experiment, address)
    try:
        file.unlink()
        file.parent.rmdir()
    except OSError:
        return
