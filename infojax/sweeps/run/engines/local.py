"""The engine of one machine: in this process, or in processes beside it that are replaced when they die."""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infojax.errors import InfojaxError, InvalidInput
from infojax.sweeps.run.engines.local_process import Died, Process, shares
from infojax.sweeps.run.unit import Outcome, Unit
from infojax.sweeps.run.worker import after_death, work

MOST = 1024


@dataclass(frozen=True)
class Options:
    """How a sweep runs on this machine."""

    workers: int = 0
    """Processes that compute, each with its share of the cores, or with a GPU of its own; 0 computes in this one."""

    @property
    def parallel(self) -> int:
        """How many units run at once."""
        return max(self.workers, 1)


def check(options: Options) -> None:
    """Raises InvalidInput for a number of workers that is not allowed."""
    if not 0 <= options.workers <= MOST:
        raise InvalidInput(f"workers={options.workers} is not allowed; give 0, to compute in this process, to {MOST}")


def run(units: Sequence[Unit], options: Options) -> Iterator[list[Outcome]]:
    """Do the units, and yield what came of each as it comes."""
    check(options)
    if options.workers == 0 or not units:
        for unit in units:
            yield work(unit)
        return
    todo: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for unit in units:
        todo.put(unit)
    processes = [Process(share) for share in shares(min(options.workers, len(units)))]
    threads = [threading.Thread(target=_serve, args=(process, todo, done), daemon=True) for process in processes]
    for thread in threads:
        thread.start()
    pending = len(units)
    try:
        while pending:
            answer = done.get()
            if isinstance(answer, BaseException):
                raise answer
            outcomes, again = answer
            pending += len(again) - 1
            for unit in again:
                todo.put(unit)
            if outcomes:
                yield outcomes
    finally:
        for _ in processes:
            todo.put(None)
        for process in processes:
            process.stop()
        for process, thread in zip(processes, threads, strict=True):
            process.wait()
            thread.join(1)
            process.close()


def _serve(process: Process, todo: Any, done: Any) -> None:
    """Give one process a unit after the other, and pass on what it answers."""
    while (unit := todo.get()) is not None:
        try:
            done.put((process.ask(unit), []))
        except Died as death:
            if process.stopped:
                return
            again, failed = after_death(unit, str(death))
            done.put((failed, again))
        except Exception as error:
            done.put(error if isinstance(error, InfojaxError) else RuntimeError(f"a worker failed: {error}"))
            return
