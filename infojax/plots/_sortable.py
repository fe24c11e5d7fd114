"""A table that a click sorts by any of its columns; without scripts it is a plain table."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any, Literal, NamedTuple

SCRIPT = files("infojax.plots").joinpath("sortable.js").read_text("utf-8")


class Column(NamedTuple):
    """A column of a sortable table.

    Attributes:
        head: its name.
        values: what stands in it; None and NaN are dashes, and last in either order.
        numeric: whether it is sorted by size, rather than as words.
        html: whether the values are HTML, such as images, and nothing to sort by; other values are escaped.
    """

    head: str
    values: Sequence[Any]
    numeric: bool = False
    html: bool = False


def sortable(columns: Sequence[Column], caption: str, *, order: tuple[str, Literal["ascending", "descending"]]) -> str:
    """The HTML of the table; `order` is the column that the rows are sorted by as given, and which way.

    The document needs SCRIPT.
    """
    heads = "".join(_head(column, order) for column in columns)
    rows = zip(*([_cell(column, value) for value in column.values] for column in columns), strict=True)
    body = "".join(f"<tr>{''.join(row)}</tr>\n" for row in rows)
    return (
        f'<div class="tall" tabindex="0"><table class="sortable">\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
    )


def _head(column: Column, order: tuple[str, str]) -> str:
    name, kind = escape(column.head), "plain" if column.html else "number" if column.numeric else "word"
    sorted_by = f' aria-sort="{order[1]}"' if column.head == order[0] else ""
    return f'<th scope="col" data-kind="{kind}"{sorted_by}>{name}</th>'


def _cell(column: Column, value: Any) -> str:
    if value is None or value != value:  # NaN
        return "<td>—</td>"
    if column.html:
        return f"<td>{value}</td>"
    if not column.numeric:
        return f"<td>{escape(str(value))}</td>"
    # More digits to sort by than are shown; data-v also marks numbers for the style.
    return f'<td data-v="{value:.9g}">{value:.4g}</td>' if isinstance(value, float) else f"<td data-v>{value}</td>"
