"""A probe that computes many configs together."""

import os
import signal
from dataclasses import dataclass

import polars as pl

from .probe import run

BATCHED = ("x", "scale")
BATCH = 4


@dataclass(frozen=True)
class Config:
    x: int = 0
    kind: str = "one"
    scale: float = 1.0


PRESETS = {"quick": Config(), "paper": Config(scale=2.0)}
__all__ = ["run"]


def run_batch(configs, scratches, progress):
    folder = scratches[0].parents[3]
    with open(folder / "batches.txt", "a") as log:
        log.write(" ".join(str(config.x) for config in configs) + "\n")
    if (folder / "killbatch").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    for config in configs:
        if (folder / f"fail{config.x}").exists():
            raise RuntimeError(f"a batch with {config.x} fails")
    if (folder / "short").exists():
        return []
    return [{"values": pl.DataFrame({"value": [config.x * config.scale]})} for config in configs]
