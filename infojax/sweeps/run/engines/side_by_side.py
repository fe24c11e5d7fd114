"""Calls done side by side on this machine, in processes that are replaced when they die."""

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from infojax.errors import InfojaxError
from infojax.sweeps.run.engines.local_process import Died, Process, shares

T = TypeVar("T")
# What a process does: it tells what comes of it, as it comes. The call and all that it tells can be pickled.
Call = Callable[[Callable[[T], None]], None]


@dataclass(frozen=True)
class _Ended(Generic[T]):
    """A call is over; these are to be done in its place, where its process died."""

    again: Sequence[Call[T]] = ()


def side_by_side(
    calls: Sequence[Call[T]],
    processes: int,
    died: Callable[[Any, str], tuple[Sequence[Call[T]], Sequence[T]]],
) -> Generator[T, None, None]:
    """Do the calls, the first ones first, and yield what they tell as it comes.

    Args:
        calls: objects that are called with a function which tells. Each process has its share of the cores, or a GPU
            of its own, and does one call after the other.
        processes: how many work at once.
        died: given a call whose process died, and how; returns calls to be done in its place, and what is told of it.

    Closing the iterator ends all processes, through an interrupt those that are at work. What a call raises is raised
    here, as RuntimeError where it is no error of infojax.
    """
    todo: queue.SimpleQueue[Call[T] | None] = queue.SimpleQueue()
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for call in calls:
        todo.put(call)
    workers = [Process(share) for share in shares(min(processes, len(calls)))] if calls else []
    threads = [threading.Thread(target=_serve, args=(worker, todo, told, died), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    pending = len(calls)
    try:
        while pending:
            item = told.get()
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, _Ended):
                pending += len(item.again) - 1
                for call in item.again:
                    todo.put(call)
            else:
                yield item
    finally:
        for _ in workers:
            todo.put(None)
        for worker in workers:
            worker.stop()
        for worker, thread in zip(workers, threads, strict=True):
            worker.wait()
            thread.join(1)
            worker.close()


def _serve(process: Process, todo: Any, told: Any, died: Any) -> None:
    """Give one process a call after the other, and pass on what it tells."""
    while (call := todo.get()) is not None:
        again = ()
        try:
            for item in process.ask(call):
                told.put(item)
        except Died as death:
            if process.stopped:
                return
            again, items = died(call, str(death))
            for item in items:
                told.put(item)
        except Exception as error:
            told.put(error if isinstance(error, InfojaxError) else RuntimeError(f"a worker failed: {error}"))
            return
        told.put(_Ended(again))
