"""Run one experiment: `python -m experiments NAME [--preset quick|paper] [field overrides]`.

Without a name, lists the experiments. A result that is stored is shown, not computed again.
"""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from infojax.cli import exit_code, progress_on_terminal
from infojax.sweeps import Result, Store, load_experiment, run_stored, summaries


def main(args: Sequence[str] | None = None, package: str = "experiments") -> int:
    """Run or list; returns the exit code."""
    given = list(sys.argv[1:] if args is None else args)
    if not given or given[0].startswith("-"):
        return exit_code(lambda: _list(package))
    return exit_code(lambda: _run(package, given[0], given[1:]))


def _list(package: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    from infojax.files import Console

    table = Table("experiment", "what it measures", title=f"python -m {package} NAME [--preset quick|paper] …")
    for name, summary in summaries(package).items():
        table.add_row(name, escape(summary))
    Console().print(table)


def _run(package: str, name: str, args: list[str]) -> None:
    from infojax.files import Console

    chosen = _arguments(package, name, args)
    store, console = Store(chosen.results), Console()
    with progress_on_terminal(name) as progress:
        result = run_stored(name, chosen.config, store, progress, package=package, again=chosen.again)
    _show(result, console)


def _arguments(package: str, name: str, args: list[str]) -> Any:
    """The fields of Config, which default to the preset's, beside the runner's own options."""
    import tyro

    module = load_experiment(name, package)
    presets = tuple(module.PRESETS)
    reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    reader.add_argument("--preset", default="quick")
    asked = reader.parse_known_args(args)[0].preset
    preset = asked if asked in presets else "quick"  # tyro refuses an unknown name below

    fields = [
        ("config", tyro.conf.OmitArgPrefixes[module.Config]),
        _option("preset", Literal[presets], preset, "What the config options below default to."),
        _option("results", Path, Path("results"), "The folder that results are stored in."),
        _option("again", tyro.conf.FlagCreatePairsOff[bool], False, "Compute even if the result is stored."),
    ]
    arguments = dataclasses.make_dataclass("Arguments", fields)
    arguments.__doc__ = module.__doc__
    return tyro.cli(
        arguments,
        prog=f"python -m {package} {name}",
        args=args,
        default=arguments(config=module.PRESETS[preset]),
    )


def _option(name: str, kind: Any, default: Any, words: str) -> tuple[str, Any, Any]:
    from tyro.conf import arg

    return name, Annotated[kind, arg(help=words)], dataclasses.field(default=default)


def _show(result: Result, console: Any) -> None:
    from rich.markup import escape
    from rich.table import Table

    for name, frame in result.tables.items():
        shown = Table(*frame.columns)
        for row in frame.head(8).iter_rows():
            shown.add_row(*(escape(_short(value)) for value in row))
        console.print(f"{name}: {frame.height} rows", shown, sep="\n", highlight=False)
    record = result.record
    took = f"{record['seconds']} s on {record['device']}, started {record['started']}"
    console.print(f"{took}\ntables and record: {result.folder}", soft_wrap=True, highlight=False)


def _short(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else f"{value!s:.40}"


if __name__ == "__main__":
    sys.exit(main())
