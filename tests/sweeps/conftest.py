"""A package of experiments in a temporary folder, loaded as the real one is."""

import itertools
import shutil
import sys
import textwrap
from pathlib import Path

import pytest

collect_ignore = ["probes"]
COUNTER = itertools.count()

SQUARES = '''
"""Squares of the first numbers, summed."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from .arithmetic import power

@dataclass(frozen=True)
class Config:
    numbers: int = 4
    """How many."""
    exponent: float = 2.0
    seed: int = 0

PRESETS = {"quick": Config(), "paper": Config(numbers=6)}

def run(config: Config, scratch: Path, progress) -> dict[str, pl.DataFrame]:
    """One block per number; a file named `stop` beside the results plays Ctrl-C."""
    for i in progress.track(range(config.numbers)):
        block = scratch / f"{i}.txt"
        if block.exists():
            continue
        if (scratch.parents[3] / f"stop{i}").exists():
            raise KeyboardInterrupt
        with open(scratch.parents[3] / "log.txt", "a") as log:
            log.write(f"{i} ")
        block.write_text(str(power(i, config.exponent)))
    values = [float((scratch / f"{i}.txt").read_text()) for i in range(config.numbers)]
    return {"squares": pl.DataFrame({"i": list(range(config.numbers)), "value": values})}
'''

ARITHMETIC = '''
"""Arithmetic."""

def power(base, exponent):
    return float(base) ** exponent
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The name and folder of a fresh package with the experiment `squares`; its modules are forgotten
    afterwards.
    """
    name = f"experiments_{next(COUNTER)}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Experiments of a test."""\n')
    (folder / "squares.py").write_text(textwrap.dedent(SQUARES))
    (folder / "arithmetic.py").write_text(textwrap.dedent(ARITHMETIC))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield name, folder
    for module in [m for m in sys.modules if m.partition(".")[0] == name]:
        del sys.modules[module]


@pytest.fixture
def probes(package):
    """The name of a package with the experiments `probe` and `batched` (tests/sweeps/probes)."""
    name, folder = package
    for file in (Path(__file__).parent / "probes").glob("*.py"):
        shutil.copy(file, folder)
    return name
