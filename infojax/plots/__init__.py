"""One style for every figure, and the page that shows them."""

from infojax.plots.contact_sheet import contact_sheet
from infojax.plots.cumulative import cumulative
from infojax.plots.page import Entry, page
from infojax.plots.repetitions import Mean, bars_note, mean_of, mean_ratio, note_below
from infojax.plots.style import LINES, MARKERS, PALETTE, save, style

__all__ = [
    "LINES",
    "MARKERS",
    "PALETTE",
    "Entry",
    "Mean",
    "bars_note",
    "contact_sheet",
    "cumulative",
    "mean_of",
    "mean_ratio",
    "note_below",
    "page",
    "save",
    "style",
]
