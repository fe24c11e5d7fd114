"""One HTML page that stands by itself: every figure, with the numbers of the paper that it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

import polars as pl

from infojax.plots._document import document, paragraphs, picture, record, table
from infojax.plots._finding import Finding, listed
from infojax.plots._thumbnail import smaller

# Pixels of the longer side: sharp on a screen with two pixels a point, at the width of the gallery's columns.
THUMBNAIL = 440
# Seconds until a page that is not complete is loaded again.
RELOAD = 15


@dataclass(frozen=True)
class Entry:
    """What the page says of one figure; all texts are plain, the page escapes them.

    Attributes:
        name: the module in paper_figures, also the anchor on the page.
        title: what the figure shows.
        answers: which figure or table of which paper it answers.
        png: the picture, as the bytes of a PNG file; None where it was not drawn.
        numbers: quantity, ours, paper, and difference or note.
        findings: what the table says.
        remarks: the setting, and how it differs from the paper's; blank lines part paragraphs.
        record: of the result that the figure was drawn from.
        missing: why it could not be drawn, and what to do; empty for a figure that was not asked for.
        trace: the traceback, where a bug is why.
        command: what draws it, for a figure that was not drawn.
        awaited: whether it is being drawn, or will be.
    """

    name: str
    title: str
    answers: str
    png: bytes | None = None
    numbers: pl.DataFrame = field(default_factory=pl.DataFrame)
    findings: tuple[Finding, ...] = ()
    remarks: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    missing: str = ""
    trace: str = ""
    command: str = ""
    awaited: bool = False

    @cached_property
    def thumbnail(self) -> bytes | None:
        """The picture as small as it stands at the top of the page; None where it was not drawn."""
        return None if self.png is None else smaller(self.png, THUMBNAIL)


def page(title: str, summary: str, entries: Sequence[Entry]) -> str:
    """The HTML of a page with these figures, in this order; pictures are in it, nothing is loaded from elsewhere.

    Small pictures at the top lead to the figures; those that were not drawn are named at the end, with the command
    that draws each. While some are awaited, the browser loads the page again and again.
    """
    others = [entry for entry in entries if entry.command and not entry.awaited]
    cards = [entry for entry in entries if entry.awaited or not entry.command]
    shown = [entry for entry in cards if not entry.awaited]
    return document(
        title,
        f"<header>\n<h1>{escape(title)}</h1>\n{paragraphs(summary)}</header>\n"
        f'<nav aria-label="Figures">\n<ul class="gallery">{"".join(_card(entry) for entry in cards)}</ul>\n</nav>\n'
        + "<main>\n"
        + "".join(_section(entry) for entry in shown)
        + _others(others)
        + "</main>\n",
        reload=RELOAD if len(shown) < len(cards) else None,
    )


def _card(entry: Entry) -> str:
    if entry.awaited:
        return f'<li><div class="awaited"><span>{escape(entry.title)}</span><span>still to be drawn</span></div></li>'
    # The link's words are the title; the small picture says nothing more.
    inside = picture(entry.thumbnail, "") if entry.thumbnail else '<span class="failed">not drawn</span>'
    return f'<li><a href="#{escape(entry.name)}">{inside}<span>{escape(entry.title)}</span></a></li>'


def _others(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    rows = "".join(f"<li>{escape(entry.title)}: <code>{escape(entry.command)}</code></li>\n" for entry in entries)
    return (
        f'<section id="others" aria-labelledby="others-title">\n<details>\n<summary id="others-title">'
        f"Not drawn yet: {len(entries)}</summary>\n<ul>\n{rows}</ul>\n</details>\n</section>\n"
    )


def _section(entry: Entry) -> str:
    name = escape(entry.name)
    parts = [
        f'<section id="{name}" aria-labelledby="{name}-title">',
        f'<h2 id="{name}-title"><a class="anchor" href="#{name}">{escape(entry.title)}</a></h2>',
        f'<p class="answers">Answers: {escape(entry.answers)}</p>',
    ]
    if entry.missing:
        parts.append(f'<p class="failed">Not drawn: {escape(entry.missing)}</p>')
    if entry.trace:
        parts.append(f"<details>\n<summary>Traceback</summary>\n<pre>{escape(entry.trace)}</pre>\n</details>")
    if entry.png is not None:
        alt = f"{entry.title}. The main numbers are in the table below."
        parts.append(f'<figure tabindex="0">{picture(entry.png, alt)}</figure>')
    if entry.numbers.width:
        parts.append(table(entry.numbers, "Our numbers beside the paper’s"))
    if entry.findings:
        parts.append(f"<h3>Findings, computed from the table of results</h3>\n{listed(entry.findings)}")
    if entry.remarks:
        parts.append(f"<h3>The setting, and how it differs from the paper’s</h3>\n{paragraphs(entry.remarks)}")
    if entry.record:
        parts.append(_record(entry.record))
    return "\n".join(parts) + "\n</section>\n"


def _record(result: dict[str, Any]) -> str:
    """The record folded under its one-line summary: device, time and date are what most readers look for."""
    told = {key: value for key, value in result.items() if key not in ("format", "files")}
    config = result.get("config", {})
    seconds = result.get("seconds")
    part = " for the last part, after an interruption," if result.get("resumed") else ""
    took = f"{seconds:.3g} s{part} on " if isinstance(seconds, int | float) else ""
    line = f"Record: {took}{result.get('device', 'an unknown device')}, {result.get('started', '')}"
    return record(line, told | {"config": {key: value for key, value in config.items() if key != "type"}})
