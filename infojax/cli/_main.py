"""The command line: `infojax COMMAND …`. A command is imported only when it is the one that was asked for."""

import difflib
import importlib
import sys
from collections.abc import Callable, Sequence
from textwrap import fill
from typing import Any

import infojax
from infojax.cli.screen.exit import exit_code
from infojax.errors import InvalidInput

# Command → (module in infojax.cli, function, what `infojax --help` says of it).
COMMANDS = {
    "score": ("score.score", "score", "Rank the examples of a data set by how much a network learned from each."),
    "curve": ("curve.curve", "curve", "Draw scaling-law curves of the test error under data selection."),
    "data": ("_data", None, "List the data sets that infojax knows, or fetch one."),
    "sweep": ("sweep.sweep", "main", "Run an experiment for many configs: grids, lists and random designs."),
    "results": ("results.results", None, "List, show, export, verify or prune the results of experiments."),
    "plan": ("_plan", "plan", "Say what kernels and leave-one-out will take in memory and time, before they start."),
    "doctor": ("_doctor", "doctor", "Check devices, versions, precision, memory and data on this machine."),
}
DATA_COMMANDS = {
    "list": ("_data", "list_", "List the data sets that infojax knows and where it finds them."),
    "fetch": ("_data", "fetch", "Download a data set, checked against its pinned checksum."),
}
RESULTS_COMMANDS = {
    "list": ("results.results", "list_", "List what is stored, running, unfinished and failed."),
    "show": ("results.results", "show", "Show one result: its record and the heads of its tables."),
    "export": ("results.export", "export", "Join the results of an experiment into one table."),
    "verify": ("results.results", "verify", "Hold every file of every result against its checksum."),
    "prune": ("results.results", "prune", "Show what could be removed, and remove it."),
}
GROUPS = {"data": DATA_COMMANDS, "results": RESULTS_COMMANDS}
DESCRIPTION = (
    "What is each training example worth, and which data should one train on? "
    "Start with `infojax doctor`, then `infojax score digits`."
)


def main(args: Sequence[str] | None = None) -> None:
    """The `infojax` command. Leaves through SystemExit; exit.py says with what code."""
    given = list(sys.argv[1:] if args is None else args)
    if given == ["--version"]:
        print(f"infojax {infojax.__version__}")
        sys.exit(0)
    sys.exit(exit_code(lambda: _dispatch("infojax", DESCRIPTION, COMMANDS, given)))


def _dispatch(prog: str, description: str, commands: dict[str, Any], args: list[str]) -> int | None:
    name = args[0] if args else "--help"
    if name in ("-h", "--help"):
        print(_help(prog, description, commands))
        return None
    if name not in commands:
        if name.startswith("--tyro-"):  # shell completion, from the summaries alone
            import tyro

            stubs = {command: _stub(summary) for command, (_, _, summary) in commands.items()}
            tyro.extras.subcommand_cli_from_dict(stubs, prog=prog, description=description, args=args)
            return None
        near = difflib.get_close_matches(name, commands, 1)
        meant = f"did you mean {prog} {near[0]}?" if near else f"there are {', '.join(commands)};"
        raise InvalidInput(f"there is no {prog} {name}; {meant} {prog} --help lists the commands")
    module, function, summary = commands[name]
    if function is None:
        return _dispatch(f"{prog} {name}", summary, GROUPS[name], args[1:])
    import tyro

    command = getattr(importlib.import_module(f"infojax.cli.{module}"), function)
    if function == "main":  # its options depend on its first arguments, so it reads them itself
        return command(args[1:])
    return tyro.cli(command, prog=f"{prog} {name}", args=args[1:])


def _help(prog: str, description: str, commands: dict[str, Any]) -> str:
    """Written here, as a library that writes help takes longer to import than all of this."""
    options = {"-h, --help": "Show this; COMMAND --help shows the options of a command."}
    if prog == "infojax":
        options["--version"] = "Show the version."
    width = max(map(len, (*commands, *options))) + 4
    blank = " " * width

    def listed(entries: dict[str, str]) -> list[str]:
        return [fill(f"  {name}".ljust(width) + words, 100, subsequent_indent=blank) for name, words in entries.items()]

    summaries = {name: summary for name, (_, _, summary) in commands.items()}
    head = [f"usage: {prog} [-h] COMMAND …", "", fill(description, 100), ""]
    return "\n".join([*head, "commands:", *listed(summaries), "", "options:", *listed(options)])


def _stub(summary: str) -> Callable[[], None]:
    def stub() -> None: ...

    stub.__doc__ = summary
    return stub
