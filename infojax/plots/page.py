"""One HTML page that stands by itself: every figure, with the numbers of the paper that it answers."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any

import polars as pl


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
        missing: why it was not drawn, and what to do; empty for a figure that was.
    """

    name: str
    title: str
    answers: str
    png: bytes | None = None
    numbers: pl.DataFrame = field(default_factory=pl.DataFrame)
    remarks: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    missing: str = ""


def page(title: str, summary: str, entries: Sequence[Entry]) -> str:
    """The HTML of a page with these figures; pictures are in it, nothing is loaded from elsewhere."""
    contents = "".join(
        f'<li><a href="#{escape(entry.name)}">{escape(entry.title)}</a> '
        f'<span class="{"failed" if entry.missing else "soft"}">{escape(_contents_note(entry))}</span></li>'
        for entry in entries
    )
    style = files("infojax.plots").joinpath("page.css").read_text()
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # The browser itself refuses whatever is not in the page.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{escape(title)}</h1>\n{_paragraphs(summary)}</header>\n"
        f'<nav aria-label="Figures">\n<h2>Figures</h2>\n<ol>{contents}</ol>\n</nav>\n<main>\n'
        + "".join(_section(entry) for entry in entries)
        + "</main>\n</body>\n</html>\n"
    )


def _contents_note(entry: Entry) -> str:
    return "not drawn" if entry.missing else entry.answers


def _section(entry: Entry) -> str:
    name = escape(entry.name)
    parts = [
        f'<section id="{name}" aria-labelledby="{name}-title">',
        f'<h2 id="{name}-title">{escape(entry.title)}</h2>',
        f'<p class="answers">Answers: {escape(entry.answers)}</p>',
    ]
    if entry.missing:
        parts.append(f'<p class="failed">Not drawn: {escape(entry.missing)}</p>')
    if entry.png is not None:
        data = base64.b64encode(entry.png).decode()
        alt = escape(f"{entry.title}. The main numbers are in the table below.")
        parts.append(f'<figure tabindex="0"><img alt="{alt}" src="data:image/png;base64,{data}"></figure>')
    if entry.numbers.width:
        parts.append(_numbers(entry.numbers))
    if entry.remarks:
        parts.append(f"<h3>What differs from the paper, and why</h3>\n{_paragraphs(entry.remarks)}")
    if entry.record:
        parts.append(_record(entry.record))
    return "\n".join(parts) + "\n</section>\n"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(' '.join(part.split()))}</p>\n" for part in text.split("\n\n") if part.strip())


def _numbers(numbers: pl.DataFrame) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in numbers.columns)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>\n" for row in numbers.iter_rows())
    return (
        '<div class="wide" tabindex="0"><table>\n<caption>Our numbers beside the paper’s</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    if value is None or value != value:  # NaN
        return "<td>—</td>"
    if isinstance(value, float):
        return f'<td class="number">{value:.4g}</td>'
    return f"<td>{escape(str(value))}</td>"


def _record(record: dict[str, Any]) -> str:
    """The record folded under its one-line summary: device, time and date are what most readers look for."""
    told = {key: value for key, value in record.items() if key not in ("format", "files")}
    config = record.get("config", {})
    rows = "".join(
        f'<tr><th scope="row">{escape(key)}</th><td>{_value(value)}</td></tr>\n'
        for key, value in (told | {"config": {k: v for k, v in config.items() if k != "type"}}).items()
    )
    seconds = record.get("seconds")
    part = " for the last part, after an interruption," if record.get("resumed") else ""
    took = f"{seconds:.3g} s{part} on " if isinstance(seconds, int | float) else ""
    line = f"Record: {took}{record.get('device', 'an unknown device')}, {record.get('started', '')}"
    return (
        f"<details>\n<summary>{escape(line)}</summary>\n"
        '<div class="wide" tabindex="0"><table>\n<caption>How the result was computed</caption>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n</details>"
    )


def _value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{escape(str(key))}: {_value(item)}" for key, item in value.items())
        return "".join(f'<span class="pair">{pair}</span>' for pair in pairs)
    if value is None:
        return "none"
    return f"<code>{escape(value if isinstance(value, str) else json.dumps(value))}</code>"
