import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from infojax.errors import InvalidInput
from infojax.plots import LINES, MARKERS, PALETTE, bars_note, save, style


def luminance(colour):
    """Relative luminance (WCAG), what is left of a colour in grey."""
    rgb = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_series_differ_without_colour():
    assert len(set(PALETTE)) == len(set(MARKERS)) == len(set(LINES)) == len(PALETTE)
    neighbours = [abs(luminance(a) - luminance(b)) for a, b in itertools.pairwise(PALETTE)]
    assert min(neighbours) > 0.1
    assert max(luminance(colour) for colour in PALETTE) < 0.5  # dark enough for white paper


@pytest.mark.parametrize(("width", "inches"), [("half", 3.25), ("full", 6.75)])
def test_is_as_wide_as_a_column(width, inches, tmp_path):
    with style(width, columns=2):
        figure, axes = plt.subplots(1, 2)
        for axis in axes:
            axis.plot([0, 1], [0, 1])
        (file,) = save(figure, tmp_path / "f", ".png")
    assert figure.get_size_inches()[0] == pytest.approx(inches)
    with Image.open(file) as image:
        assert image.size[0] == round(inches * 200)
    plt.close(figure)


def test_leaves_no_trace():
    before = dict(mpl.rcParams)
    with pytest.raises(ZeroDivisionError), style():
        1 / 0  # noqa: B018
    assert dict(mpl.rcParams) == before


def test_fonts_are_embedded_as_outlines_and_files_are_reproducible(tmp_path):
    contents = []
    for name in ("a", "b"):
        with style():
            figure, axis = plt.subplots()
            axis.set_xlabel(r"kept fraction $p$, λ = 10⁻⁶")
        (file,) = save(figure, tmp_path / name, ".pdf")
        plt.close(figure)
        contents.append(file.read_bytes())
    assert contents[0] == contents[1]
    assert b"/Type42" in contents[0] or b"/CIDFontType2" in contents[0]
    assert b"/Type3" not in contents[0]


def test_names_with_a_dot_keep_it(tmp_path):
    with style():
        figure = plt.figure()
    assert [file.name for file in save(figure, tmp_path / "ridge_0.1", ".pdf", ".png")] == [
        "ridge_0.1.pdf",
        "ridge_0.1.png",
    ]
    plt.close(figure)


def test_refuses_another_width():
    with pytest.raises(InvalidInput, match=r"'half' or 'full', not 'wide'"), style("wide"):
        pass


def test_figures_say_what_their_bars_are():
    with style("half"):
        figure, axis = plt.subplots(layout="constrained")
        axis.set_xlabel("x")
        figure.supxlabel("all of it", fontsize=8)
        bars_note(figure, "5 seeds", also="Lines: exact law.")
        figure.canvas.draw()
    (note,) = figure.legends
    title = note.get_title()
    assert title.get_text() == "Error bars: ± 1 standard error of the mean over 5 seeds. Lines: exact law."
    assert not title.get_window_extent().overlaps(axis.xaxis.label.get_window_extent())
    plt.close(figure)
