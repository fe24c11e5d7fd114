"""One look for every figure: a paper's column widths, colours that colour-blind readers tell apart, embedded
fonts.

Colours are those of Okabe and Ito, ordered so that neighbours differ in grey too; each goes with its own line
style and marker, so that no figure depends on colour.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from infojax.errors import InvalidInput
from infojax.files import write_whole

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#000000", "#CC79A7", "#56B4E9", "#D55E00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = (
    "-",
    (0, (5, 1.5)),
    (0, (1, 1.2)),
    (0, (4, 1.5, 1, 1.5)),
    (0, (8, 2)),
    (0, (2, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
)
DOTS_PER_INCH = 200


@contextmanager
def style(
    width: Literal["half", "full"] | str = "full",
    *,
    rows: int = 1,
    columns: int = 1,
    height_to_width: float = 0.62,
) -> Iterator[None]:
    """Matplotlib's settings for a figure of an ICML column ("half", 3.25 in) or page ("full", 6.75 in).

    Args:
        rows, columns: how many panels the figure will have; the height follows.
        height_to_width: of each panel.

    Lines cycle through PALETTE and LINES; for points take `PALETTE[i]` and `MARKERS[i]`. Text is drawn by
    matplotlib in the font that comes with it, so no LaTeX is needed and every machine draws the same.
    """
    if width not in ("half", "full"):
        raise InvalidInput(f"width is 'half' or 'full', not {width!r}")
    import matplotlib as mpl

    with mpl.rc_context(_settings(width, rows, columns, height_to_width)):
        yield


def save(figure: Any, path: Path, *suffixes: str) -> list[Path]:
    """Write a figure as `path` with each suffix (".pdf", ".png"); without a date inside, so equal runs give
    equal files.
    """
    import matplotlib as mpl

    written = [path.with_name(path.name + suffix) for suffix in suffixes]
    with mpl.rc_context({"pdf.fonttype": 42, "ps.fonttype": 42}):
        for file in written:
            metadata = {"CreationDate": None} if file.suffix == ".pdf" else None
            about: dict[str, Any] = {"format": file.suffix[1:], "dpi": DOTS_PER_INCH, "metadata": metadata}
            write_whole(file, partial(figure.savefig, **about))
    return written


def _settings(width: str, rows: int, columns: int, height_to_width: float) -> Any:
    from cycler import cycler
    from tueplots import axes, bundles, figsizes

    sizes = figsizes.icml2024_half if width == "half" else figsizes.icml2024_full
    return {
        **bundles.icml2024(column=width, usetex=False, family="sans-serif"),
        **axes.lines(base_width=0.6),
        **sizes(nrows=rows, ncols=columns, height_to_width_ratio=height_to_width),
        "font.sans-serif": ["DejaVu Sans"],
        "mathtext.fontset": "dejavusans",
        "axes.prop_cycle": cycler(color=list(PALETTE)) + cycler(linestyle=list(LINES)),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "lines.linewidth": 1.3,
        "lines.markersize": 3.5,
        "errorbar.capsize": 1.5,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "savefig.dpi": DOTS_PER_INCH,
        "image.cmap": "cividis",
    }
