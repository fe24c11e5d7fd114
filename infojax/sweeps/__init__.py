"""Running experiments and keeping their results."""

from infojax.sweeps.address import plain
from infojax.sweeps.conditions import conditions, device, git_revision, precision, threads, versions
from infojax.sweeps.run import load_experiment, load_module, run_stored, summaries
from infojax.sweeps.store import Result, Store

__all__ = [
    "Result",
    "Store",
    "conditions",
    "device",
    "git_revision",
    "load_experiment",
    "load_module",
    "plain",
    "precision",
    "run_stored",
    "summaries",
    "threads",
    "versions",
]
