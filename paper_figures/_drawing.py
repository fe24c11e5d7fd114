"""Figures drawn from one experiment, in whichever process does it."""

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
from rich.progress import Progress

from infojax.arrays import require_devices
from infojax.cli import warnings_as_lines
from infojax.errors import InfojaxError
from infojax.files import write_whole
from infojax.plots import Entry, save, style
from infojax.sweeps import Result, Store, load_module, run_stored

NEEDS = ("TITLE", "ANSWERS", "EXPERIMENT", "draw", "numbers", "findings", "remarks")
LOOK = 1.0  # seconds between two looks at how far an experiment is


@dataclass(frozen=True)
class Step:
    """How far an experiment is.

    Attributes:
        experiment: its name.
        words: what it does.
        done, total: how much of that is done, and of how much; None where that is not known.
    """

    experiment: str
    words: str
    done: float
    total: float | None


@dataclass(frozen=True)
class Places:
    """Where experiments and figures come from, and where results and pictures go."""

    figures: str
    experiments: str
    results: Path
    out: Path


@dataclass(frozen=True)
class Drawing:
    """One experiment and the figures that show it. It can be pickled, so that any process can do it.

    Attributes:
        experiment: its name.
        config: its Config; anything that its module takes.
        names: of the figures.
        places: see there.
        again: run the experiment even if its result is stored.
        any_code: take a result of an earlier version of the code.
    """

    experiment: str
    config: Any
    names: tuple[str, ...]
    places: Places
    again: bool = False
    any_code: bool = False

    @property
    def folder(self) -> Path:
        """Where the result of the experiment stands, or would stand."""
        return Store(self.places.results).folder(self.experiment, self.config)

    def stored(self) -> bool:
        """Whether there is a result to draw, a damaged one included, about which drawing tells."""
        try:
            found = Store(self.places.results).read(self.experiment, self.config, any_code=self.any_code)
        except InfojaxError:
            return True
        return found is not None and not self.again

    def joined(self, other: "Drawing") -> "Drawing":
        """Both, where they draw the same result."""
        return replace(self, names=self.names + other.names, again=self.again or other.again)

    def failed(self, error: Exception) -> list[Entry]:
        """What the page says where none of the figures can be drawn."""
        return [failed(name, error, load_module(self.places.figures, name, NEEDS)) for name in self.names]

    def __call__(self, tell: Callable[[Step | Entry], None]) -> None:
        """Tell how far the experiment is, and then each figure. What goes wrong is told in its place."""
        import matplotlib as mpl

        mpl.use("agg")
        require_devices()
        with warnings_as_lines():
            try:
                result = self._result(tell)
            except Exception as error:
                for entry in self.failed(error):
                    tell(entry)
                return
            for name in self.names:
                module = load_module(self.places.figures, name, NEEDS)
                try:
                    tell(_drawn(name, module, self.config, result, self.places.out))
                except Exception as error:
                    tell(failed(name, error, module))

    def _result(self, tell: Callable[[Step], None]) -> Result:
        with _watched(self.experiment, tell) as progress:
            return run_stored(
                self.experiment,
                self.config,
                Store(self.places.results),
                progress,
                package=self.places.experiments,
                again=self.again,
                any_code=self.any_code,
            )


def failed(name: str, error: Exception, module: ModuleType | None = None) -> Entry:
    """What the page says of a figure that could not be drawn."""
    title, answers = (module.TITLE, module.ANSWERS) if module else (name, "")
    if isinstance(error, InfojaxError):
        return Entry(name, title, answers, missing=str(error))
    trace = "".join(traceback.format_exception(error))
    return Entry(name, title, answers, missing=f"a bug, {type(error).__name__}: {error}", trace=trace)


def _drawn(name: str, module: ModuleType, config: Any, result: Result, out: Path) -> Entry:
    import matplotlib.pyplot as plt

    tables = result.tables
    with style():
        figure = module.draw(tables, config)
    _, png = save(figure, out / name, ".pdf", ".png")
    plt.close(figure)
    numbers = module.numbers(tables, config)
    write_whole(out / f"{name}.csv", _rounded(numbers).write_csv)
    findings, remarks = module.findings(tables, config), module.remarks(config)
    return Entry(name, module.TITLE, module.ANSWERS, png.read_bytes(), numbers, findings, remarks, result.record)


def _rounded(numbers: pl.DataFrame) -> pl.DataFrame:
    """Six digits of every float: more are of the machine that computed them."""
    floats = [name for name, kind in numbers.schema.items() if kind.is_float()]
    return numbers.with_columns(pl.col(floats).round_sig_figs(6)) if floats else numbers


@contextmanager
def _watched(experiment: str, tell: Callable[[Step], None]) -> Iterator[Progress]:
    """A progress that shows nothing; a thread tells each second where the first of its unfinished tasks is."""
    ended, progress = threading.Event(), Progress(disable=True, auto_refresh=False)

    def watch() -> None:
        while not ended.wait(LOOK):
            for task in progress.tasks:
                if not task.finished:
                    tell(Step(experiment, task.description, task.completed, task.total))
                    break

    tell(Step(experiment, "starting", 0, None))
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        ended.set()
        thread.join()
