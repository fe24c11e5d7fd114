"""Draw figures: `python -m paper_figures [NAME…] --scale quick|paper`.

Runs the experiments whose results are not there yet, writes figures/NAME.pdf, .png and .csv (our numbers
beside the paper's) and figures/index.html, one page with every figure, those of most interest first. Figures that
were not named are shown on the page when their results are there.
"""

import difflib
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
import tyro
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from infojax.arrays import require_devices
from infojax.cli import assignments, complain, exit_code, progress_on_terminal
from infojax.errors import InfojaxError, InvalidInput
from infojax.files import Console, write_whole
from infojax.plots import Entry, page, save, style
from infojax.sweeps import Result, Store, design, load_experiment, load_module, run_stored, summaries

NEEDS = ("TITLE", "ANSWERS", "EXPERIMENT", "draw", "numbers", "remarks")
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
    any_code: FLAG = False
    """Draw results of earlier versions of the code rather than compute them again."""


def main(args: Sequence[str] | None = None, package: str = "paper_figures", experiments: str = "experiments") -> int:
    """Draw figures; returns 0, or 2 when some figure that was asked for could not be drawn."""
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
    import matplotlib as mpl

    mpl.use("agg")
    require_devices()
    known = _in_order(package)
    unknown = [name for name in chosen.names if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ";"
        raise InvalidInput(f"there is no figure {unknown[0]!r}{meant} there are: {', '.join(known) or 'none'}")
    if chosen.set and not chosen.names:
        raise InvalidInput("--set changes the figures that are named, and none is; give their names before it")
    assignments("set", chosen.set)  # refused before anything runs
    try:
        chosen.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--out {chosen.out} cannot be written to ({error}); choose another") from error

    asked = chosen.names or tuple(known)
    entries, renewed = [], set()
    with progress_on_terminal("figures") as progress:
        task = progress.add_task("figures", total=len(asked))
        obtain = partial(_result, chosen, experiments, progress, renewed)
        for name in known:
            progress.update(task, description=name)
            if name in asked and progress.disable:
                # In a log file, the last line says where a run that was ended stood.
                print(f"{name}, {asked.index(name) + 1} of {len(asked)}", file=sys.stderr, flush=True)
            entries.append(_entry(name, package, chosen, partial(obtain, run=name in asked)))
            progress.advance(task, name in asked)
    index = chosen.out / "index.html"
    write_whole(index, page("infojax: figures", _summary(entries, chosen.scale), entries).encode())

    failed = [entry.name for entry in entries if entry.missing]
    drawn = sum(entry.png is not None for entry in entries)
    Console().print(f"{drawn} of {len(known)} figures: {index}", soft_wrap=True, highlight=False)
    if failed:
        complain(f"not drawn: {', '.join(failed)}; the page says why")
    return 2 if failed else 0


def _entry(name: str, package: str, chosen: Arguments, obtain: Callable[[str], tuple[Any, Result | None]]) -> Entry:
    """One figure for the page. What goes wrong with it is told there, and does not stop the others."""
    title, answers = name, ""
    try:
        module = load_module(package, name, NEEDS)
        title, answers = module.TITLE, module.ANSWERS
        config, result = obtain(module.EXPERIMENT)
        if result is None:
            return Entry(name, title, answers, command=f"python -m {package} {name} --scale {chosen.scale}")
        return _drawn(name, module, config, result, chosen.out)
    except InfojaxError as error:
        complain(f"{name}: {error}")
        return Entry(name, title, answers, missing=str(error))
    except Exception as error:
        traceback.print_exc()
        return Entry(name, title, answers, missing=f"a bug, {type(error).__name__}: {error}")


def _result(
    chosen: Arguments,
    experiments: str,
    progress: Progress,
    renewed: set[str],
    name: str,
    *,
    run: bool,
) -> tuple[Any, Result | None]:
    """The config of an experiment and its result; None where it is not stored and not to be run now."""
    config = load_experiment(name, experiments).PRESETS[chosen.scale]
    store = Store(chosen.results)
    if not run:
        return config, store.read(name, config, any_code=chosen.any_code)
    if chosen.set:
        (config,) = design(config, fixed=assignments("set", chosen.set))
    # Figures may share an experiment: it is run again once.
    again = chosen.again and name not in renewed
    renewed.add(name)
    options = {"again": again, "any_code": chosen.any_code}
    return config, run_stored(name, config, store, progress, package=experiments, **options)


def _drawn(name: str, module: Any, config: Any, result: Result, out: Path) -> Entry:
    import matplotlib.pyplot as plt

    tables = result.tables
    with style():
        figure = module.draw(tables, config)
    _, png = save(figure, out / name, ".pdf", ".png")
    plt.close(figure)
    numbers = module.numbers(tables, config)
    write_whole(out / f"{name}.csv", _rounded(numbers).write_csv)
    remarks = module.remarks(tables, config)
    return Entry(name, module.TITLE, module.ANSWERS, png.read_bytes(), numbers, remarks, result.record)


def _rounded(numbers: pl.DataFrame) -> pl.DataFrame:
    """Six digits of every float: more are of the machine that computed them."""
    floats = [name for name, kind in numbers.schema.items() if kind.is_float()]
    return numbers.with_columns(pl.col(floats).round_sig_figs(6)) if floats else numbers


def _summary(entries: Sequence[Entry], scale: str) -> str:
    drawn = sum(entry.png is not None for entry in entries)
    sizes = "small enough for a laptop" if scale == "quick" else "those of the papers"
    return (
        f"{drawn} of {len(entries)} figures, drawn from stored results at scale “{scale}”: problem sizes are "
        f"{sizes}. Each figure stands beside the numbers of the paper that it answers, with what differs and "
        "why, and with the record of how its result was computed. Error bars are one standard error; each figure says "
        "over what."
    )


if __name__ == "__main__":
    sys.exit(main())
