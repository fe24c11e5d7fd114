"""What went wrong with which config: `results/EXPERIMENT/.failed/ADDRESS.json`, until the config succeeds."""

import json
import os
import socket
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infojax.json_files import parse_json
from infojax.sweeps.address import plain


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
    temporary = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(record, stream, indent=1)
        os.replace(temporary, file)
    except OSError:  # the disk may be full; the outcome says what failed
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def read(file: Path) -> dict[str, Any] | None:
    """A record of a failure; None where it is gone or not readable, as of no interest then."""
    try:
        record = parse_json(file.read_bytes())
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
