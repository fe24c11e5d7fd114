"""What `infojax score` prints: the extremes, the groups, the suspects, and where the rest is."""

from pathlib import Path

import polars as pl
from rich.markup import escape
from rich.table import Table

from infojax.cli.score.files import Report, picturable
from infojax.cli.score.tables import column_of, contradicted
from infojax.data import readable
from infojax.files import Console

LINES = 10


def show(report: Report, out: Path) -> None:
    """Print a report whose files were written to `out`."""
    console = Console()
    console.print(_extremes(report.table))
    if report.groups is not None:
        console.print(_groups(report))
    if len(report.suspects):
        console.print(_suspects(report))
    for name, spearman in report.correlations.iter_rows():
        console.print(f"Rank correlation of {name} with F-SI: {_number(spearman)}", highlight=False)
    fit = ", ".join(f"{name} {value:.3g}" for name, value in report.fit.items())
    console.print(f"Trained by {report.training}; {fit}.", highlight=False)
    if not picturable(report.examples):
        console.print("The examples are no images, so none are drawn.")
    files = ", ".join(report.keeping.written)
    console.print(f"Written to {readable(str(out))}: {files}", soft_wrap=True, highlight=False)


def _extremes(table: pl.DataFrame) -> Table:
    ranked = table.sort("rank")
    shown = Table("rank", "index", "class", "predicted", "F-SI", "SI", "residual", title="What each example is worth")
    lines = min(LINES, ranked.height // 2)
    for part in (ranked.head(lines), ranked.tail(lines)):
        for row in part.iter_rows(named=True):
            words = (escape(row[name] or "") for name in ("class", "predicted"))
            numbers = (_number(row[name]) for name in ("f_si", "si", "residual"))
            shown.add_row(str(row["rank"]), str(row["index"]), *words, *numbers)
        shown.add_section()
    return shown


def _groups(report: Report) -> Table:
    assert report.groups is not None
    title = f"What each group is worth, by {report.record['asked']['group_by']}"
    heads = ("group", "examples", "F-SI", "SI", "F-SI per example", "redundancy")
    shown = Table(*heads, title=escape(title))
    for row in report.groups.head(2 * LINES).iter_rows(named=True):
        numbers = (_number(row[name]) for name in ("f_si", "si", "f_si_per_example", "redundancy"))
        shown.add_row(escape(str(row["group"])), str(row["examples"]), *numbers)
    if report.groups.height > 2 * LINES:
        shown.caption = f"the first {2 * LINES} of {report.groups.height}"
    return shown


def _suspects(report: Report) -> Table:
    by = report.record["asked"]["suspects_by"]
    heads = ("index", "class", "predicted without it", by, "F-SI")
    caption = f"of {report.table.height} labels, {contradicted(report.table)} are not what is predicted without them"
    shown = Table(*heads, title="Most suspect of a wrong label", caption=caption)
    for row in report.table[report.suspects[:LINES]].iter_rows(named=True):
        words = (escape(row[name]) for name in ("class", "predicted_without"))
        shown.add_row(str(row["index"]), *words, _number(row[column_of(by)]), _number(row["f_si"]))
    return shown


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.4g}"
