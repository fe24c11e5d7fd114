"""A probe: it fails, waits, dies, or is interrupted where a file beside the results says so."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Config:
    x: int = 0
    """A number."""
    kind: str = "one"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.x == 13:
            raise ValueError("thirteen is unlucky")


PRESETS = {"quick": Config(), "paper": Config(scale=2.0)}


def run(config: Any, scratch: Path, progress: Any) -> dict[str, pl.DataFrame]:
    folder = scratch.parents[3]
    with open(folder / "log.txt", "a") as log:
        log.write(f"{config.x} {os.getpid()}\n")
    if (folder / f"fail{config.x}").exists():
        raise RuntimeError(f"told to fail at {config.x}\nsecond line")
    if _told(folder, f"failonce{config.x}"):
        raise RuntimeError("told to fail once")
    if (folder / f"interrupt{config.x}").exists():
        raise KeyboardInterrupt
    if (folder / f"kill{config.x}").exists() or _told(folder, f"killonce{config.x}"):
        os.kill(os.getpid(), signal.SIGKILL)
    while (folder / f"wait{config.x}").exists():
        time.sleep(0.01)
    return {"values": pl.DataFrame({"value": [config.x * config.scale]})}


def _told(folder: Path, name: str) -> bool:
    """Once."""
    try:
        (folder / name).unlink()
    except FileNotFoundError:
        return False
    return True
