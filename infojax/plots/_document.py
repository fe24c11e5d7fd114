"""An HTML document that stands by itself: pictures, style and script are in it, and nothing else may be loaded."""

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any

import polars as pl


def document(title: str, body: str, *, style: str = "", script: str = "", reload: int | None = None) -> str:
    """The HTML of a document around `body`, which is HTML; `style` and `script` are added to the common style.

    A browser loads the document again after `reload` seconds.
    The browser itself refuses whatever is not in the document, and any script but this one.
    """
    # Other scripts, in `body` too, have another digest.
    allowed = f"; script-src 'sha256-{_digest(script)}'" if script else ""
    common = files("infojax.plots").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        f"content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'{allowed}\">\n"
        + (f'<meta http-equiv="refresh" content="{reload}">\n' if reload else "")
        + f"<title>{escape(title)}</title>\n<style>\n{common}{style}</style>\n</head>\n<body>\n"
        + body
        + (f"<script>{script}</script>\n" if script else "")
        + "</body>\n</html>\n"
    )


def picture(png: bytes, alt: str) -> str:
    """An image from the bytes of a PNG file."""
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def paragraphs(text: str) -> str:
    """Plain text, of which blank lines part the paragraphs."""
    return "".join(f"<p>{escape(' '.join(part.split()))}</p>\n" for part in text.split("\n\n") if part.strip())


def table(rows: pl.DataFrame, caption: str) -> str:
    """A table with a caption, scrolled where it is wider than the page."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in rows.columns)
    body = "".join(f"<tr>{''.join(cell(value) for value in row)}</tr>\n" for row in rows.iter_rows())
    return (
        f'<div class="wide" tabindex="0"><table>\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>"
    )


def record(summary: str, told: dict[str, Any]) -> str:
    """How a result was computed, folded under one line."""
    rows = "".join(
        f'<tr><th scope="row">{escape(key)}</th><td>{pairs(value)}</td></tr>\n' for key, value in told.items()
    )
    return (
        f"<details>\n<summary>{escape(summary)}</summary>\n"
        '<div class="wide" tabindex="0"><table>\n<caption>How the result was computed</caption>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n</details>"
    )


def cell(value: Any) -> str:
    """A table's cell: four digits of a float, a dash for None and NaN."""
    if value is None or value != value:  # NaN
        return "<td>—</td>"
    if isinstance(value, float):
        return f'<td class="number">{value:.4g}</td>'
    return f"<td>{escape(str(value))}</td>"


def pairs(value: Any) -> str:
    """What a record says, a line for each entry of a mapping."""
    if isinstance(value, dict):
        lines = (f"{escape(str(key))}: {pairs(item)}" for key, item in value.items())
        return "".join(f'<span class="pair">{line}</span>' for line in lines)
    if value is None:
        return "none"
    return f"<code>{escape(value if isinstance(value, str) else json.dumps(value))}</code>"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
