"""One style for every figure, and the page that shows them."""

from infojax.plots.contact_sheet import contact_sheet
from infojax.plots.page import Entry, page
from infojax.plots.repetitions import Mean, mean_of, mean_ratio
from infojax.plots.style import LINES, MARKERS, PALETTE, save, style

__all__ = [
    "LINES",
    "MARKERS",
    "PALETTE",
    "Entry",
    "Mean",
    "contact_sheet",
    "mean_of",
    "mean_ratio",
    "page",
    "save",
    "style",
]
