"""An experiment that is written for these tests, and its results."""

import itertools
from pathlib import Path

from infojax.sweeps import Store, run_stored

COUNTER = itertools.count()

LINE = '''"""A line."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Start:
    y: float = 1.0


@dataclass(frozen=True)
class Config:
    slope: float = 2.0
    x: tuple[int, ...] = (0, 1)
    start: Start = field(default_factory=Start)
    name: str | None = None
    seed: int = 0


PRESETS = {"quick": Config(), "paper": Config()}


def run(config, scratch, progress):
    if config.seed == 13:
        raise ValueError("seed 13 [never] works")
    y = [config.start.y + config.slope * x for x in config.x]
    tables = {"line": pl.DataFrame({"x": config.x, "y": y, "both": [[float(a), b] for a, b in zip(config.x, y)]})}
    if config.seed == 2:
        tables |= {"more": pl.DataFrame({"z": ["a"]}), "grid": np.eye(2)}
    return tables
'''


def stored(line, **fields):
    config = line.Config(**fields)
    return run_stored("line", config, Store(Path("results")), package=line.__package__)


def older(line, **fields):
    """A result of other code: the file was changed since."""
    file = Path(line.__file__)
    text = file.read_text()
    file.write_text(text.replace("config.start.y + ", "config.start.y - "))
    try:
        return stored(line, **fields)
    finally:
        file.write_text(text)
