"""One style for every figure, and the page that shows them."""

from infojax.plots.contact_sheet import contact_sheet
from infojax.plots.page import Entry, page
from infojax.plots.style import LINES, MARKERS, PALETTE, save, style

__all__ = ["LINES", "MARKERS", "PALETTE", "Entry", "contact_sheet", "page", "save", "style"]
