"""`infojax results list`, `show`, `verify` and `prune`."""

import json as json_
from pathlib import Path
from typing import Annotated

from rich.markup import escape
from tyro.conf import FlagCreatePairsOff, Positional, arg

from infojax.cli.results import screen
from infojax.cli.sweep.working_folder import import_from_here
from infojax.errors import InvalidInput
from infojax.files import Console, shown_json
from infojax.sweeps import WASTE, Entry, WasteKind, entries, find_waste, read_result, remove_waste, set_aside
from infojax.sweeps import verify as verify_store

Experiment = Annotated[str | None, arg(metavar="NAME", help="Only this experiment.", help_behavior_hint="")]
Results = Annotated[Path, arg(help="The folder that results are stored in.")]
Package = Annotated[str, arg(help="The package of the experiments, whose code says which results are current.")]


def list_(
    experiment: Experiment = None,
    results: Results = Path("results"),
    json: FlagCreatePairsOff[bool] = False,
    package: Package = "experiments",
) -> None:
    """List what is stored, running, unfinished and failed: where configs differ, when, how long, and by which code.

    There is a column for each field in which configs differ. Code is `current` when the experiment's code is still
    what it was, `older` when not, and `?` where the experiment is not here. Works while a sweep is running.

    Args:
        json: Print JSON lines instead of tables: one object a result.
    """
    import_from_here()
    found = list(entries(results, experiment))
    if json:
        for entry in found:
            print(shown_json(json_.dumps(screen.plain_entry(entry, package), ensure_ascii=False)))
        return
    console = Console()
    for name in dict.fromkeys(entry.experiment for entry in found):
        console.print(screen.listing([entry for entry in found if entry.experiment == name], package))
    if not found:
        console.print(f"nothing is stored in {results}", highlight=False, markup=False, soft_wrap=True)


def show(
    address: Annotated[str, Positional, arg(metavar="ADDRESS")],
    results: Results = Path("results"),
) -> None:
    """Show one result: its record, the heads of its tables, and its arrays; of a failure the whole traceback.

    Args:
        address: The beginning of an address, as `infojax results list` shows it, or EXPERIMENT/ADDRESS.
    """
    experiment, _, prefix = address.rpartition("/")
    found = [entry for entry in entries(results, experiment or None) if entry.address.startswith(prefix)]
    if len(found) != 1:
        several = "; ".join(map(_told_apart, found[:8]))
        problem = f"{len(found)} addresses begin so: {several}" if found else "no address begins so"
        remedy = "give more of one of them" if found else "`infojax results list` shows all"
        raise InvalidInput(f"{address!r} names no single result in {results}: {problem}; {remedy}")
    console = Console()
    (entry,) = found
    if entry.state == "stored":
        result = read_result(entry.folder)
        screen.show_record(console, result.record)
        screen.show_contents(console, result)
        console.print(str(result.folder), highlight=False, markup=False, soft_wrap=True)
        return
    console.print(f"{entry.experiment}/{entry.address} is {entry.state}. {entry.words}", markup=False, soft_wrap=True)
    trace = entry.record.get("traceback")
    screen.show_record(console, {key: value for key, value in entry.record.items() if key != "traceback"})
    if trace:
        console.print(str(trace), highlight=False, markup=False, soft_wrap=True)


def verify(
    experiment: Experiment = None,
    results: Results = Path("results"),
    remove: FlagCreatePairsOff[bool] = False,
) -> int:
    """Read every file of every result and hold it against its checksum. Exit code 1 when something is damaged.

    Args:
        remove: Move damaged results to RESULTS/.damaged/, so that they are computed again when asked for.
    """
    console = Console(soft_wrap=True, highlight=False)
    number = size = damaged = unreadable = extra = old = 0
    for checked in verify_store(results, experiment):
        number, size, extra = number + 1, size + checked.size, extra + len(checked.extra)
        old += checked.unsealed
        if not checked.readable and not checked.damaged:
            unreadable += 1
            console.print(f"{escape(str(checked.folder))}: of a format that this infojax does not read")
        for file, problem in checked.damaged.items():
            words = problem if str(checked.folder) in problem else f"{checked.folder / file}: {problem}"
            console.print(f"[red]damaged[/red] {escape(words)}")
        if checked.damaged:
            damaged += 1
            target = set_aside(results, checked) if remove else None
            if target is not None:
                console.print(f"  moved to {escape(str(target))}")
    console.print(f"{number:,} results, {screen.in_bytes(size)}: {damaged} damaged{_further(unreadable, extra, old)}")
    return 1 if damaged or unreadable else 0


def prune(
    experiment: Experiment = None,
    only: Annotated[tuple[WasteKind, ...], arg(help="Only waste of these kinds.")] = WASTE,
    yes: FlagCreatePairsOff[bool] = False,
    results: Results = Path("results"),
    package: Package = "experiments",
) -> None:
    """Show what the store could do without, and how many bytes that frees; --yes removes it.

    Waste is: `code`, results and unfinished runs of other code than the present one; `leftovers` of processes that were
    killed while they wrote; `claims` of processes that are gone; `failures` that have succeeded since or are of other
    code. `damaged`, what `verify --remove` has set aside, goes only when --only names it. Nothing that a living process
    is at work on is removed.

    Args:
        yes: Remove it. Without, nothing is changed.
    """
    console = Console(soft_wrap=True, highlight=False)
    import_from_here()
    found = list(find_waste(results, experiment, package, only))
    for waste in found:
        console.print(f"{escape(str(waste.path))}: {waste.why}, {screen.in_bytes(waste.size)}")
        if yes:
            remove_waste(waste.path)
    total = f"{len(found):,} items, {screen.in_bytes(sum(waste.size for waste in found))}"
    if not found:
        console.print("there is nothing to remove")
    else:
        console.print(f"removed {total}" if yes else f"{total} could be removed; --yes does it")


def _told_apart(entry: Entry) -> str:
    """An address with what tells it from others that begin so: its code and when it was computed."""
    _, _, code = entry.address.partition("-")
    when = str(entry.record.get("started") or entry.record.get("time") or "?").partition("+")[0]
    return f"{entry.experiment}/{entry.address} ({entry.state}, by code {code}, {when})"


def _further(unreadable: int, extra: int, old: int) -> str:
    words = ""
    if unreadable:
        words += f", {unreadable} of a format that this infojax does not read"
    if extra:
        words += f"; {extra} files belong to no result, which does no harm (`infojax results prune` removes them)"
    if old:
        words += f"; {old} records of format 1 have no checksum of their own (times and versions in them are unchecked)"
    return words
