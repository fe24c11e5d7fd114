"""Running experiments, one or many, and keeping their results."""

from infojax.sweeps.conditions import conditions, device, git_revision, precision, threads, versions
from infojax.sweeps.designs import design, grid, random_design
from infojax.sweeps.loop import Report, sweep
from infojax.sweeps.plain import plain
from infojax.sweeps.run import load_experiment, load_module, run_stored, summaries
from infojax.sweeps.store import Result, Store

__all__ = [
    "Report",
    "Result",
    "Store",
    "conditions",
    "design",
    "device",
    "git_revision",
    "grid",
    "load_experiment",
    "load_module",
    "plain",
    "precision",
    "random_design",
    "run_stored",
    "summaries",
    "sweep",
    "threads",
    "versions",
]
