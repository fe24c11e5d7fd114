"""Draw figures: `python -m paper_figures [NAME…] --scale quick|paper`.

Runs the experiments whose results are not there yet, writes figures/NAME.pdf, .png and .csv (our numbers
beside the paper's) and figures/index.html, one page with every figure, those of most interest first. Figures that
were not named are shown on the page when their results are there. Several processes draw side by side, and the page
shows each figure as soon as it is there. A run that was interrupted goes on when the same command is given again.
"""

import difflib
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.markup import escape
from rich.table import Table

from infojax.cli import assignments, complain, exit_code, progress_on_terminal
from infojax.errors import InfojaxError, InvalidInput
from infojax.files import Console, room
from infojax.plots import Entry
from infojax.sweeps import at_once, design, load_experiment, load_module, side_by_side, summaries

from ._drawing import NEEDS, Drawing, Places, Step, failed
from ._page import Page, Screen

NAMES = tyro.conf.arg(metavar="[NAME …]", help_behavior_hint="")
FIELDS = tyro.conf.arg(metavar="FIELD=VALUE …", help_behavior_hint="")
FLAG = tyro.conf.FlagCreatePairsOff[bool]
# What most readers come for stands first on the page; the rest follows by name.
FIRST = (
    "linearized_vs_retraining",
    "practice_linear",
    "less_is_more",
    "perceptron_pruning",
    "mislabelled",
    "practice_images",
    "information_over_time",
    "kernel_learning_curves",
    "guidance_bias",
    "collapse",
    "selection_phases",
)
# About how many seconds experiments take at the quick scale: the longest are begun first.
SECONDS = {
    "adversarial": 40,
    "architectures": 40,
    "collapse": 29,
    "data_sources": 60,
    "ensemble_width": 40,
    "guidance_bias": 50,
    "information_histogram": 5,
    "information_over_time": 10,
    "kernel_learning_curves": 52,
    "less_is_more": 14,
    "linearized_vs_retraining": 20,
    "mislabelled": 13,
    "networks_vs_retraining": 70,
    "perceptron_cliff": 3,
    "perceptron_pruning": 8,
    "practice_ablations": 45,
    "practice_costs": 30,
    "practice_difficulty": 12,
    "practice_images": 50,
    "practice_information": 32,
    "practice_linear": 18,
    "practice_linear_guided": 43,
    "practice_mixture": 32,
    "practice_oversampling": 26,
    "practice_pruning": 56,
    "practice_scaling": 31,
    "selection_phases": 60,
    "subclass": 34,
    "summarisation": 150,
    "verification": 45,
}
UNKNOWN = 30
SOME_FAILED = 1
MOST = 1024
EACH = 3 << 30  # bytes of memory that a process may need


@dataclass(frozen=True)
class Arguments:
    """Draw figures of the papers, running the experiments whose results are not stored yet."""

    names: Annotated[tuple[str, ...], tyro.conf.Positional, NAMES] = ()
    """Which figures; by default all."""
    scale: Literal["quick", "paper"] = "quick"
    """The presets to run: quick, for a laptop, or paper, at the sizes of the papers."""
    out: Path = Path("figures")
    """Where the figures and index.html go."""
    results: Path = Path("results")
    """Where results are stored."""
    set: Annotated[tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]], FIELDS] = ()
    """Values in place of the preset's, for the figures that are named: --set seed=1 repeats=5."""
    list: FLAG = False
    """Say which figures there are, what they show and which experiment they draw; draw nothing."""
    again: FLAG = False
    """Run the experiments even if their results are there."""
    processes: int | None = None
    """How many processes draw side by side; by default one for each core, if memory allows."""
    any_code: FLAG = False
    """Draw results of earlier versions of the code rather than compute them again."""


def main(args: Sequence[str] | None = None, package: str = "paper_figures", experiments: str = "experiments") -> int:
    """Draw figures; returns 0, 1 when some figure could not be drawn, or 2 for what is refused at once."""
    chosen = tyro.cli(Arguments, prog=f"python -m {package}", args=args)
    if chosen.list:
        return exit_code(lambda: _list(package))
    return exit_code(lambda: _draw_all(chosen, package, experiments))


def _list(package: str) -> None:
    table = Table("figure", "what it shows", "what it answers", "experiment", title=f"python -m {package} NAME …")
    for name in _in_order(package):
        module = load_module(package, name, NEEDS)
        table.add_row(name, escape(module.TITLE), escape(module.ANSWERS), module.EXPERIMENT)
    Console().print(table)


def _in_order(package: str) -> list[str]:
    """The names of all figures, those of most interest first."""
    return sorted(summaries(package), key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))


def _draw_all(chosen: Arguments, package: str, experiments: str) -> int:
    known = _in_order(package)
    _refuse(chosen, known)
    drawings, entries = _plan(chosen, Places(package, experiments, chosen.results, chosen.out), known)
    shown = Page(chosen.out / "index.html", chosen.scale, entries)
    shown.write()
    try:
        with progress_on_terminal("figures") as progress:
            asked = chosen.names or known
            progress.add_task("figures", total=len(asked))
            screen = Screen(progress, asked, {name: each.experiment for each in drawings for name in each.names})
            for entry in entries.values():
                if entry.missing:
                    screen.figure(entry)
            hear = partial(_hear, shown, screen)
            _draw(drawings, min(chosen.processes or _processes(), len(drawings)), hear)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"{shown.drawn} of {len(known)} figures are drawn; the same command goes on from there")
        raise
    finally:
        shown.close()

    Console().print(f"{shown.drawn} of {len(known)} figures: {shown.index}", soft_wrap=True, highlight=False)
    failures = [name for name in known if shown.entries[name].missing]
    if failures:
        complain(f"not drawn: {', '.join(failures)}; the page says why")
    return SOME_FAILED if failures else 0


def _refuse(chosen: Arguments, known: list[str]) -> None:
    """Raises InvalidInput for what cannot be drawn, before anything runs."""
    unknown = [name for name in chosen.names if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ";"
        raise InvalidInput(f"there is no figure {unknown[0]!r}{meant} there are: {', '.join(known) or 'none'}")
    if chosen.set and not chosen.names:
        raise InvalidInput("--set changes the figures that are named, and none is; give their names before it")
    if chosen.processes is not None and not 1 <= chosen.processes <= MOST:
        raise InvalidInput(f"--processes {chosen.processes} is not allowed; give 1 to {MOST}")
    try:
        chosen.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--out {chosen.out} cannot be written to ({error}); choose another") from error


def _plan(chosen: Arguments, places: Places, known: list[str]) -> tuple[list[Drawing], dict[str, Entry]]:
    """What is to be drawn, in the order in which it is begun, and what the page says of each figure until then."""
    values = assignments("set", chosen.set)
    drawings: dict[Path, Drawing] = {}
    entries: dict[str, Entry] = {}
    for name in known:
        asked = not chosen.names or name in chosen.names
        try:
            module = load_module(places.figures, name, NEEDS)
            config = load_experiment(module.EXPERIMENT, places.experiments).PRESETS[chosen.scale]
        except Exception as error:
            entries[name] = failed(name, error)
            continue
        if asked and values:
            (config,) = design(config, fixed=values)
        one = Drawing(module.EXPERIMENT, config, (name,), places, chosen.again and asked, chosen.any_code)
        command = f"python -m {places.figures} {name} --scale {chosen.scale}"
        entries[name] = Entry(name, module.TITLE, module.ANSWERS, command=command, awaited=asked or one.stored())
        if entries[name].awaited:
            # Figures may share an experiment: it is run once.
            before = drawings.get(one.folder)
            drawings[one.folder] = one if before is None else before.joined(one)
    return _in_turn(list(drawings.values())), entries


def _in_turn(drawings: list[Drawing]) -> list[Drawing]:
    """What is stored comes first, then the quickest, so that the page soon shows something; of the rest the longest, so
    that no process is left alone with one at the end.
    """
    there = {drawing.folder for drawing in drawings if drawing.stored()}
    stored = [drawing for drawing in drawings if drawing.folder in there]
    others = [drawing for drawing in drawings if drawing.folder not in there]
    others.sort(key=lambda drawing: -SECONDS.get(drawing.experiment, UNKNOWN))
    return [*stored, *others[-1:], *others[:-1]]


def _processes() -> int:
    """As many as do not stand in each other's way and find room in memory."""
    found = room()
    return at_once() if found is None else min(at_once(), max(found.free // EACH, 1))


def _draw(drawings: list[Drawing], processes: int, hear: Callable[[Step | Entry], None]) -> None:
    if processes < 2:
        for drawing in drawings:
            drawing(hear)
        return
    with closing(side_by_side(drawings, processes, _died)) as told:
        for item in told:
            hear(item)


def _died(drawing: Drawing, reason: str) -> tuple[list[Drawing], list[Entry]]:
    """Its figures are not drawn: what killed the process would do so again."""
    return [], drawing.failed(InfojaxError(f"{reason}; there may be too little memory for --processes at once"))


def _hear(page: Page, screen: Screen, item: Step | Entry) -> None:
    if isinstance(item, Step):
        screen.step(item)
        return
    page.entries[item.name] = item
    page.write()
    screen.figure(item)


if __name__ == "__main__":
    sys.exit(main())
