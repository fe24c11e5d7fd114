"""What the result store costs: writing, reading, checking and joining small results, and what syncing takes of it.

python -m benchmarks.sweeps.store [--results 1000] [--folder .]
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from infojax.sweeps import Store, export, pinned, verify

EXPERIMENT = '''"""One seed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    seed: int = 0
'''


def main() -> None:
    """Print the table."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--results", type=int, default=1000)
    reader.add_argument("--folder", type=Path, default=Path("."), help="a folder on the disk to be measured")
    chosen = reader.parse_args()
    table = Table(f"{chosen.results:,} results of one table, 20 rows", "wall s", "CPU s", "ms each (wall)")
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        package = Path(folder) / "costing"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "seeds.py").write_text(EXPERIMENT)
        sys.path.insert(0, folder)
        module = importlib.import_module("costing.seeds")
        with pinned("costing.seeds"):
            _measure(table, Path(folder), module, chosen.results)
    Console().print(table)


def _measure(table: Table, folder: Path, module: Any, results: int) -> None:
    frame = {"law": pl.DataFrame({"x": np.arange(20.0), "y": np.arange(20.0)})}
    configs = [module.Config(seed) for seed in range(results)]
    store, unsynced = Store(folder / "results"), Store(folder / "unsynced")

    def row(name: str, call: Any) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        table.add_row(name, f"{wall:.2f}", f"{cpu:.2f}", f"{wall / results * 1e3:.2f}")

    row("write", lambda: [store.write("seeds", config, frame, seconds=1.0) for config in configs])
    synced, os.fsync = os.fsync, lambda _: None
    try:
        row("write, without asking the disk to keep it", lambda: [unsynced.write("seeds", c, frame) for c in configs])
    finally:
        os.fsync = synced
    row("write again (replace)", lambda: [store.write("seeds", config, frame, seconds=1.0) for config in configs])
    row("read", lambda: [store.read("seeds", config) for config in configs])
    row("infojax results verify", lambda: list(verify(store.root)))
    row("infojax results export", lambda: export(store.root, "seeds", package="costing"))


if __name__ == "__main__":
    main()
