"""Doing a unit of a sweep: look in the store, compute what it lacks, store it, and note what failed."""

import time
import traceback

from infojax.sweeps import failures
from infojax.sweeps.run import run_stored
from infojax.sweeps.store import Store
from infojax.sweeps.worker import Outcome, Unit


def do(unit: Unit) -> list[Outcome]:
    """See `worker.work`."""
    return [_one(unit, index) for index in range(len(unit.configs))]


def _one(unit: Unit, index: int) -> Outcome:
    store, config, address = Store(unit.results), unit.configs[index], unit.addresses[index]
    if store.read(unit.experiment, config) is not None:
        return Outcome(address, "found")
    started = time.perf_counter()
    attempts, error = unit.attempts, ""
    while attempts <= unit.retries:
        attempts += 1
        try:
            run_stored(unit.experiment, config, store, package=unit.package)
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}".partition("\n")[0]
            failures.note(unit, index, error, traceback.format_exc(), attempts)
        else:
            failures.forget(unit.results, unit.experiment, address)
            return Outcome(address, "computed", time.perf_counter() - started, attempts)
    return Outcome(address, "failed", time.perf_counter() - started, attempts, error)
