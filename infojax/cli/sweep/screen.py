"""What a sweep says while it runs, and at its end."""

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from infojax.cli.screen.pace import duration, rate
from infojax.cli.screen.progress import lines
from infojax.sweeps import Outcome, Report, path, read

EVERY = 10.0  # seconds between two lines where stderr is no terminal
NUMBER = re.compile(r"[-+]?\d[\d_.]*(e[-+]?\d+)?")


@contextmanager
def telling(name: str) -> Iterator[Callable[[Report], None]]:
    """A function that shows how far a report is: a bar on a terminal, else a line every ten seconds."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    from infojax.files import Console

    console = Console(stderr=True)
    if console.is_terminal:
        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), "{task.fields[pace]}")
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(name, total=None, pace="")

            def draw(report: Report) -> None:
                done = len(report.outcomes)
                progress.update(task, total=len(report.plan.configs), completed=done, pace=pace(report))

            yield draw
        return
    last, latest = time.monotonic(), None  # when a line was printed, and what there is to tell

    def line(report: Report) -> None:
        nonlocal last, latest
        latest = report
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            print(said(), file=sys.stderr, flush=True)

    def said() -> str:
        if latest is None:
            return name
        done = f"{len(latest.outcomes):,} of {len(latest.plan.configs):,}"
        return ", ".join(part for part in (f"{name}: {done}", pace(latest)) if part)

    # While one config takes long, nothing comes of any: a line is due all the same.
    with lines(lambda: said() if time.monotonic() - last >= EVERY else ""):
        yield line


@contextmanager
def planning(name: str) -> Iterator[Callable[[str, int, int], None]]:
    """A function that shows how far a design and its plan are: one line on a terminal, else one every ten seconds."""
    from rich.console import Console

    console, last = Console(stderr=True), time.monotonic()
    if console.is_terminal:
        with console.status(name) as status:
            yield lambda words, done, total: status.update(f"{name}: {done:,} of {total:,} {words}")
        return

    def line(words: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            print(f"{name}: {done:,} of {total:,} {words}", file=sys.stderr, flush=True)

    yield line


def pace(report: Report) -> str:
    """How fast it goes, how long it will take, and what failed.

    What was stored before says nothing about that.
    """
    failed = report.count("failed")
    new = report.count("computed") + failed
    words = [rate(new / report.seconds)] if new and report.seconds else []
    if words:
        words.append(f"{duration((len(report.plan.configs) - len(report.outcomes)) * report.seconds / new)} left")
    words += [f"{failed} failed"] if failed else []
    words += [f"waiting for {report.waiting} that other sweeps compute"] if report.waiting else []
    return ", ".join(words)


def summary(report: Report) -> str:
    """The last line: what came of the configs, in how long."""
    counts = ", ".join(f"{report.count(state)} {state}" for state in ("computed", "found", "failed"))
    left = len(report.plan.configs) - len(report.outcomes)
    more = f", {left} not tried" if left else ""
    computed = report.count("computed")
    speed = f", {rate(computed / report.seconds)}" if computed and report.seconds else ""
    return f"{report.plan.experiment}: {counts}{more}; {report.seconds:.1f} s{speed}"


def tell_failures(report: Report) -> None:
    """A table on stderr of what failed, alike errors together, and where the traceback of one of each lies."""
    from rich.markup import escape
    from rich.table import Table

    from infojax.files import Console

    console = Console(stderr=True, soft_wrap=False)
    broken = {outcome.batch_error for outcome in report.outcomes.values() if outcome.batch_error}
    for error in sorted(broken):
        console.print(f"a batch failed and was run one by one: {error}", markup=False, highlight=False)
    remarks = [outcome.remark for outcome in report.outcomes.values() if outcome.remark]
    if remarks:
        more = f", and {len(remarks) - 1} more so" if len(remarks) > 1 else ""
        console.print(f"{remarks[0]}{more}", markup=False, highlight=False)
    groups: dict[str, list[Outcome]] = {}
    for outcome in report.failed():
        groups.setdefault(NUMBER.sub("…", outcome.error or ""), []).append(outcome)
    if not groups:
        return
    table = Table("configs", "error", "an example", title="failed", title_justify="left")
    for alike in sorted(groups.values(), key=len, reverse=True):
        first = alike[0]
        table.add_row(str(len(alike)), escape(first.error or ""), escape(_differs(report, first.address)))
    console.print(table)
    for alike in groups.values():
        record = path(report.plan.results, report.plan.experiment, alike[0].address)
        if read(record) is not None:
            console.print(f"traceback: {record}", markup=False, highlight=False, soft_wrap=True)


def _differs(report: Report, address: str) -> str:
    """The fields of a config in which those of the sweep differ."""
    configs = list(report.plan.configs.values())
    config: Any = report.plan.configs[address]
    names = [name for name in vars(config) if any(vars(other)[name] != vars(config)[name] for other in configs)]
    return ", ".join(f"{name}={vars(config)[name]!r}" for name in names) or "the only one"
