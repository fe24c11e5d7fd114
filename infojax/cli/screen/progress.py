"""How far work is: bars on a terminal, and now and then a line where there is none, in a log file say."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import Progress

from infojax.cli.screen.pace import duration, rate
from infojax.files import Console

# Seconds between two lines, and more where the work is long: a tenth of what it has taken, at most ten minutes.
EVERY, SHARE, SELDOM = 10.0, 0.1, 600.0
# Seconds between two looks at the tasks, which tell when each began and how far it was.
LOOK = 1.0


@contextmanager
def progress_on_terminal(name: str = "working") -> Iterator[Progress]:
    """Progress bars on stderr that vanish when done; where stderr is no terminal, a line every ten seconds, and less
    often as time goes on. What ends before that says nothing.

    Args:
        name: of the work, for lines while no task is under way.
    """
    console = Console(stderr=True)
    shown = console.is_terminal
    # Its own thread would stop counting where nothing is shown.
    with Progress(console=console, transient=True, disable=not shown, auto_refresh=shown) as progress:
        if shown:
            yield progress
            return
        seen: dict[Any, tuple[float, int | float]] = {}
        with lines(lambda: _said(progress, name, seen), look=lambda: _look(progress, seen)):
            yield progress


@contextmanager
def lines(say: Callable[[], str], *, look: Callable[[], Any] = lambda: None) -> Iterator[None]:
    """While the body runs, what `say` says on stderr every ten seconds, in a thread of its own, unless that is nothing;
    `look` is called each second between.
    """
    ended, began = threading.Event(), time.monotonic()

    def watch() -> None:
        last = began
        while not ended.wait(min(LOOK, EVERY)):
            look()
            now = time.monotonic()
            if now - last >= max(EVERY, min(SHARE * (now - began), SELDOM)) and (said := say()):
                last = now
                print(f"{said} ({duration(now - began)} so far)", file=sys.stderr, flush=True)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _look(progress: Progress, seen: dict[Any, tuple[float, int | float]]) -> None:
    for task in progress.tasks:
        seen.setdefault(task.id, (time.monotonic(), task.completed))


def _said(progress: Progress, name: str, seen: dict[Any, tuple[float, int | float]]) -> str:
    """Of every task under way: how far it is, how fast, and how long it will take, as far as that can be told."""
    said = []
    for task in progress.tasks:
        if task.finished or task.id not in seen:
            continue
        (began, first), now = seen[task.id], time.monotonic()
        took, done = now - began, task.completed - first
        words = [task.description]
        if task.total is not None:
            words[0] += f": {task.completed:,.0f} of {task.total:,.0f}"
        if task.total is not None and done > 0 and took > 0:
            words += [rate(done / took), f"{duration((task.total - task.completed) * took / done)} left"]
        elif task.total is None and task.fields.get("about"):
            words.append(f"takes about {duration(task.fields['about'])}, {duration(took)} are over")
        said.append(", ".join(words))
    return "; ".join(said) or name
