"""What a sweep costs: `python -m benchmarks.sweeps.sweeps [--only cheap|workers]`.

`cheap`: many laws of ridge regression, one a config, from the shell; beside a process for each config, of which a few
are timed and multiplied. `workers`: an experiment that keeps one core busy, with one local worker and with two. Wall
time is what counts for both, so the machine should have nothing else to do: the CPU seconds and the load beside it say
whether it had.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

BUSY = '''
"""Keeps one core busy."""

from dataclasses import dataclass

import polars as pl

@dataclass(frozen=True)
class Config:
    seed: int = 0
    steps: int = 1

PRESETS = {"quick": Config(), "paper": Config()}

def run(config, scratch, progress):
    import jax
    step = lambda i, x: 3.9 * x * (1 - x)
    value = jax.lax.fori_loop(0, config.steps, step, 0.1 + 0.8 / (2 + config.seed))
    return {"values": pl.DataFrame({"value": [float(value)]})}
'''


class Cost(NamedTuple):
    """Of one command or several."""

    wall: float
    cpu: float
    said: str = ""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", choices=("cheap", "workers"), help="default: both")
    arguments.add_argument("--configs", type=int, default=1000, help="of `cheap`; default 1000")
    arguments.add_argument("--alone", type=int, default=4, help="processes of one config that are timed; default 4")
    arguments.add_argument("--busy", type=int, default=8, help="configs of `workers`; default 8")
    arguments.add_argument("--steps", type=int, default=250_000_000, help="of each of them; default 250,000,000")
    chosen = arguments.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.only != "workers":
            console.print(cheap(Path(folder), chosen.configs, chosen.alone))
        if chosen.only != "cheap":
            console.print(workers(Path(folder), chosen.busy, chosen.steps))
    console.print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the end")


def cheap(folder: Path, configs: int, alone: int) -> Table:
    """Sweeps of `ridge_law`, and single runs of it."""
    single = [run("-m", "experiments", "ridge_law", "--ridge", f"{1 + i}e-3", "--results", f"{folder}/alone{i}")
              for i in range(alone)]  # fmt: skip
    each = Cost(sum(cost.wall for cost in single) / alone, sum(cost.cpu for cost in single) / alone)
    table = Table("what", "wall s", "CPU s", "beside", title=f"{configs} laws, one a config")
    table.add_row(f"a process for each ({alone} timed)", *numbers(each, configs), "1")
    for workers in (0, 2):
        results = f"{folder}/cheap{workers}"
        for what in ("computed", "found"):
            cost = sweep("ridge_law", results, workers, "--over", f"ridge=1e-4..1:{configs}:log")
            if f"{configs} {what}" not in cost.said:
                raise RuntimeError(cost.said)
            faster = f"{each.wall * configs / cost.wall:.0f} times faster"
            table.add_row(f"infojax sweep, {workers} workers, all {what}", *numbers(cost), faster)
    return table


def workers(folder: Path, configs: int, steps: int) -> Table:
    """The busy experiment, by one worker and by two; by none first, which warms the disk."""
    package = folder / "busy_experiments"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "busy.py").write_text(BUSY)
    table = Table("what", "wall s", "CPU s", "a minute", "beside", title=f"{configs} configs that keep a core busy")
    first = None
    for count in (1, 2):
        more = ("--over", f"seed=1..{configs}", "--set", f"steps={steps}", "--package", "busy_experiments")
        cost = sweep("busy", f"{folder}/busy{count}", count, *more, folder=folder)
        seconds = float(re.findall(r"; ([\d.]+) s", cost.said)[0])
        first = first or seconds
        faster = f"{first / seconds:.2f} times the rate"
        table.add_row(f"{count} workers", *numbers(cost), f"{60 * configs / seconds:.1f}", faster)
    return table


def sweep(name: str, results: str, workers: int, *more: str, folder: Path | None = None) -> Cost:
    """One `infojax sweep`, as from the shell."""
    program = "import sys; from infojax.cli import main; main()"
    arguments = ("sweep", name, "--results", results, "--workers", str(workers), *more)
    return run("-c", program, *arguments, folder=folder)


def run(*arguments: str, folder: Path | None = None) -> Cost:
    """One process of Python and what it starts."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, done.stdout.strip())


def numbers(cost: Cost, times: int = 1) -> tuple[str, str]:
    return f"{cost.wall * times:.1f}", f"{cost.cpu * times:.1f}"


if __name__ == "__main__":
    main()
