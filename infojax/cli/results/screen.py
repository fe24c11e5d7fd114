"""What `infojax results` shows of entries, records and tables."""

import json
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from infojax.files import Console
from infojax.sweeps import Entry, Result, differing, flat, present_code

STYLES = {"damaged": "red", "failed": "red", "running": "green", "unfinished": "yellow"}
LONGEST = 60


def listing(entries: list[Entry], package: str) -> Table:
    """The entries of one experiment, with a column for each field in which their configs differ."""
    configs = [flat(entry.config) for entry in entries]
    fields = differing([config for config in configs if config])
    stored = sum(entry.state == "stored" for entry in entries)
    others = ", ".join(f"{sum(entry.state == state for entry in entries)} {state}" for state in _states(entries))
    title = f"{entries[0].experiment}: {stored} stored{', ' + others if others else ''}"
    fixed = [Column(name, no_wrap=True) for name in ("address", "started", "seconds", "code")]
    table = Table(fixed[0], *map(escape, fields), *fixed[1:], "state", title=title)
    for entry, config in zip(entries, configs, strict=True):
        values = (escape(_short(config[field])) if field in config else "" for field in fields)
        seconds = entry.record.get("seconds")
        state = entry.state if entry.state == "stored" else f"[{STYLES[entry.state]}]{entry.state}[/]"
        words = f" {escape(entry.words[:LONGEST])}" if entry.words else ""
        when = str(entry.record.get("started") or entry.record.get("time") or "").partition("+")[0].replace("T", " ")
        spent = f"{float(seconds):.4g}" if isinstance(seconds, int | float) and abs(seconds) < 1e18 else ""
        table.add_row(entry.address[:12], *values, when, spent, code(entry, package), state + words)
    return table


def plain_entry(entry: Entry, package: str) -> dict[str, Any]:
    """An entry as JSON values, for `--json`."""
    return {
        "experiment": entry.experiment,
        "address": entry.address,
        "state": entry.state,
        "code": code(entry, package),
        "started": entry.record.get("started"),
        "seconds": entry.record.get("seconds"),
        "config": entry.config,
        "folder": str(entry.folder),
        "words": entry.words,
    }


def code(entry: Entry, package: str) -> str:
    """Whether an entry is of the code as it is here: current, older, or ? where the experiment is not here."""
    present = present_code(entry.experiment, package)
    if present is None:
        return "?"
    return "current" if entry.address.endswith(present) else "older"


def show_record(console: Console, record: dict[str, Any]) -> None:
    """A record as indented JSON."""
    text = json.dumps({key: value for key, value in record.items() if key != "sha256"}, indent=1, ensure_ascii=False)
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def show_contents(console: Console, result: Result) -> None:
    """The first rows of each table, and shape and type of each array."""
    for name, frame in result.tables.items():
        shown = Table(*map(escape, frame.columns), title=f"{escape(name)}: {frame.height:,} rows", title_justify="left")
        for row in frame.head(8).iter_rows():
            shown.add_row(*(escape(_short(value)) for value in row))
        console.print(shown)
    for name, array in result.arrays.items():
        console.print(f"{name}: array {array.shape}, {array.dtype}", highlight=False, markup=False)


def in_bytes(size: int) -> str:
    """A number of bytes for people."""
    amount, units = float(size), ["bytes", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:,.0f} {units[0]}" if units[0] == "bytes" else f"{amount:.3g} {units[0]}"


def _states(entries: list[Entry]) -> list[str]:
    return [state for state in STYLES if any(entry.state == state for entry in entries)]


def _short(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else f"{value!s:.40}"
