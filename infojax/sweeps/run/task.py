"""Doing a unit of a sweep: look in the store, compute what it lacks, store it, and note what failed."""

import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from infojax.arrays import require_devices
from infojax.errors import CorruptData, InfojaxError
from infojax.sweeps.run.batches import run_batch
from infojax.sweeps.run.compute import compute, keep, scratch_of
from infojax.sweeps.run.stored_run import load_experiment
from infojax.sweeps.run.unit import Outcome, Unit
from infojax.sweeps.store import failures
from infojax.sweeps.store.addresses.code_version import pinned
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.result_store import Store

WRITERS = 8


@dataclass(frozen=True)
class Task:
    """A unit that is being done: what is claimed and not finished yet, and what came of the others."""

    unit: Unit
    module: ModuleType
    store: Store
    claimed: dict[int, claims.Claim] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    batch_errors: list[str] = field(default_factory=list)

    def finish(self, index: int, state: Any, **more: Any) -> None:
        """What came of one config; the claim on it is released."""
        batch_error = self.batch_errors[0] if self.batch_errors else None
        remark = self.claimed.pop(index).release() if index in self.claimed else None
        about: dict[str, Any] = {"batch_error": batch_error, "remark": remark}
        self.outcomes[index] = Outcome(self.unit.addresses[index], state, **more, **about)


def do(unit: Unit) -> list[Outcome]:
    """See `worker.work`."""
    require_devices()
    module = load_experiment(unit.experiment, unit.package)
    task = Task(unit, module, Store(unit.results))
    with pinned(module.__name__):
        try:
            _claim(task)
            if len(task.claimed) > 1 and hasattr(module, "run_batch"):
                _together(task)
            for index in list(task.claimed):
                _alone(task, index)
        finally:
            for claim in task.claimed.values():
                claim.release()
    return [task.outcomes[index] for index in range(len(unit.configs))]


def stored(store: Store, experiment: str, config: Any) -> bool:
    """Whether the store has a whole result; a damaged one counts as missing, and is replaced."""
    try:
        return store.read(experiment, config) is not None
    except CorruptData:
        return False


def one_line(failure: BaseException) -> str:
    """An exception as the first line of its message."""
    return f"{type(failure).__name__}: {failure}".partition("\n")[0]


def _claim(task: Task) -> None:
    """Sort out what needs no computing here, and claim the rest."""
    watch = claims.Watch()
    for index in range(len(task.unit.configs)):
        try:
            _claim_one(task, index, watch)
        except InfojaxError as failure:  # such as a full disk
            _give_up(task, index, one_line(failure))


def _claim_one(task: Task, index: int, watch: claims.Watch) -> None:
    unit, config, address = task.unit, task.unit.configs[index], task.unit.addresses[index]
    if task.store.folder(unit.experiment, config).name != address:
        _give_up(task, index, "the code has changed since the sweep began; give the same command again")
    elif stored(task.store, unit.experiment, config):
        task.finish(index, "found")
    elif (claim := claims.take(claims.folder(unit.results, unit.experiment), address, watch)) is None:
        task.finish(index, "busy")
    else:
        task.claimed[index] = claim
        if stored(task.store, unit.experiment, config):  # by who held the claim until now
            task.finish(index, "found")


def _give_up(task: Task, index: int, error: str) -> None:
    failures.note(task.unit, index, error, error, task.unit.attempts)
    task.finish(index, "failed", attempts=task.unit.attempts, error=error)


def _together(task: Task) -> None:
    """Compute all that is claimed by one program. Where that fails, they are left to be run one by one."""
    unit, indices = task.unit, list(task.claimed)
    configs = [unit.configs[index] for index in indices]
    started, clock = datetime.now(UTC), time.perf_counter()
    try:
        scratches = [scratch_of(unit.experiment, config, task.store) for config in configs]
        found = run_batch(task.module, configs, [scratch for scratch, _ in scratches])
    except (Exception, SystemExit) as failure:
        task.batch_errors.append(one_line(failure))
        return
    seconds = (time.perf_counter() - clock) / len(configs)

    def store(index: int, tables: Any, resumed: bool) -> None:
        claim, config = task.claimed[index], unit.configs[index]

        def write() -> None:
            keep(unit.experiment, config, task.store, claim, tables, started, seconds, resumed)

        _attempt(task, index, write, seconds)

    # Side by side, as each write waits for the disk.
    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(store, indices, found, [resumed for _, resumed in scratches]))


def _alone(task: Task, index: int) -> None:
    unit, claim = task.unit, task.claimed[index]

    def run() -> None:
        compute(task.module, unit.experiment, unit.configs[index], task.store, claim)

    _attempt(task, index, run, None)


def _attempt(task: Task, index: int, call: Callable[[], Any], seconds: float | None) -> None:
    """Call until it succeeds or the attempts are used up, and say what came of it."""
    unit, attempts, clock = task.unit, task.unit.attempts, time.perf_counter()
    while True:
        attempts += 1
        try:
            call()
        except (Exception, SystemExit) as failure:
            error = one_line(failure)
            failures.note(unit, index, error, traceback.format_exc(), attempts)
            if attempts <= unit.retries:
                continue
            task.finish(index, "failed", seconds=time.perf_counter() - clock, attempts=attempts, error=error)
        else:
            took = time.perf_counter() - clock if seconds is None else seconds
            task.finish(index, "computed", seconds=took, attempts=attempts)
        return
