"""One HTML page that stands by itself: every figure, with the numbers of the paper that it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import polars as pl

from infojax.plots._document import document, paragraphs, picture, record, table
from infojax.plots._thumbnail import smaller

# Pixels of the longer side: sharp on a screen with two pixels a point, at the width of the gallery's columns.
THUMBNAIL = 440


@dataclass(frozen=True)
class Entry:
    """What the page says of one figure; all texts are plain, the page escapes them.

    Attributes:
        name: the module in paper_figures, also the anchor on the page.
        title: what the figure shows.
        answers: which figure or table of which paper it answers.
        png: the picture, as the bytes of a PNG file; None where it was not drawn.
        numbers: quantity, ours, paper, and difference or note.
        remarks: what differs from the paper and why; blank lines part paragraphs.
        record: of the result that the figure was drawn from.
        missing: why it could not be drawn, and what to do; empty for a figure that was not asked for.
        command: what draws it, for a figure that was not asked for.
    """

    name: str
    title: str
    answers: str
    png: bytes | None = None
    numbers: pl.DataFrame = field(default_factory=pl.DataFrame)
    remarks: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    missing: str = ""
    command: str = ""


def page(title: str, summary: str, entries: Sequence[Entry]) -> str:
    """The HTML of a page with these figures, in this order; pictures are in it, nothing is loaded from elsewhere.

    Small pictures at the top lead to the figures; those that nobody asked for are named at the end, with the command
    that draws each.
    """
    shown = [entry for entry in entries if not entry.command]
    others = [entry for entry in entries if entry.command]
    return document(
        title,
        f"<header>\n<h1>{escape(title)}</h1>\n{paragraphs(summary)}</header>\n"
        f'<nav aria-label="Figures">\n<ul class="gallery">{"".join(_card(entry) for entry in shown)}</ul>\n</nav>\n'
        + "<main>\n"
        + "".join(_section(entry) for entry in shown)
        + _not_asked_for(others)
        + "</main>\n",
    )


def _card(entry: Entry) -> str:
    if entry.png is None:
        inside = '<span class="failed">not drawn</span>'
    else:
        # The link's words are the title; the small picture says nothing more.
        inside = picture(smaller(entry.png, THUMBNAIL), "")
    return f'<li><a href="#{escape(entry.name)}">{inside}<span>{escape(entry.title)}</span></a></li>'


def _not_asked_for(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    rows = "".join(f"<li>{escape(entry.title)}: <code>{escape(entry.command)}</code></li>\n" for entry in entries)
    return (
        f'<section id="others" aria-labelledby="others-title">\n<details>\n<summary id="others-title">'
        f"Not asked for yet: {len(entries)}</summary>\n<ul>\n{rows}</ul>\n</details>\n</section>\n"
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
    if entry.png is not None:
        alt = f"{entry.title}. The main numbers are in the table below."
        parts.append(f'<figure tabindex="0">{picture(entry.png, alt)}</figure>')
    if entry.numbers.width:
        parts.append(table(entry.numbers, "Our numbers beside the paper’s"))
    if entry.remarks:
        parts.append(f"<h3>What differs from the paper, and why</h3>\n{paragraphs(entry.remarks)}")
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
