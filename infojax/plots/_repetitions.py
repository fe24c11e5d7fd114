"""Means over repetitions with their standard errors; geometric ones where factors count and not differences.

Every error bar and band of a figure is one standard error of the mean, and `bars_note` says so on the figure.
"""

from typing import Any, NamedTuple

import numpy as np

from infojax.errors import InvalidInput


class Mean(NamedTuple):
    """A mean over repetitions with the ends of its error bar.

    Attributes:
        mean: the mean.
        low, high: one standard error below and above; the mean itself for a single repetition.
    """

    mean: float
    low: float
    high: float

    @property
    def bar(self) -> list[list[float]]:
        """What matplotlib's `errorbar` takes for one point."""
        return [[self.mean - self.low], [self.high - self.mean]]

    def below(self, other: "Mean") -> bool:
        """Whether it is below another, with the error bars apart.

        >>> mean_of([0.6, 0.8]).below(mean_of([0.9, 1.1])), mean_of([0.6, 0.8]).below(mean_of([0.7, 0.9]))
        (True, False)
        """
        return self.high < other.low

    def __str__(self) -> str:
        return f"{self.mean:.3g} ({self.low:.3g} to {self.high:.3g})"


def with_error(mean: float, stderr: float) -> Mean:
    """A mean whose standard error is known.

    >>> str(with_error(0.7, 0.1))
    '0.7 (0.6 to 0.8)'
    """
    return Mean(mean, mean - stderr, mean + stderr)


def mean_of(values: Any) -> Mean:
    """The mean of (r,) values, an array or a column of a table, and the standard error of that mean.

    Raises:
        InvalidInput: no values, or some that are not finite.

    >>> str(mean_of([0.6, 0.8]))
    '0.7 (0.6 to 0.8)'
    """
    x = np.asarray(values, np.float64)
    if x.ndim != 1 or len(x) == 0 or not np.isfinite(x).all():
        raise InvalidInput(f"mean_of: {values!r:.80} given; values must be finite, at least one.")
    error = x.std(ddof=1) / np.sqrt(len(x)) if len(x) > 1 else 0.0
    return Mean(*(float(x.mean() + sign * error) for sign in (0, -1, 1)))


def bars_note(figure: Any, over: str, *, also: str = "") -> None:
    """Say below a figure that its error bars are one standard error of a mean over `over`, and what else must be known.

    Args:
        figure: a matplotlib figure, or sub-figure, in constrained layout.
        over: what is repeated, with its number, such as "5 seeds".
        also: a further sentence, where bars are too small to be seen, or a band shows something else.
    """
    note_below(figure, f"Error bars: ± 1 standard error of the mean over {over}." + (f" {also}" if also else ""))


def note_below(figure: Any, words: str) -> None:
    """A line of small grey words below a figure in constrained layout."""
    label = figure.get_supxlabel()
    if label:  # it stands on the lower edge too: an empty line below it makes room
        figure.supxlabel(f"{label}\n", fontsize=8)
    # A legend without entries is what constrained layout leaves room for.
    note = figure.legend([], [], title=words, loc="outside lower right", title_fontsize=6, borderpad=0)
    note.get_title().set_color("0.35")


def mean_ratio(ratios: Any) -> Mean:
    """The geometric mean of (r,) ratios, so that twice and half average to one, and the error of their mean logarithm.

    Raises:
        InvalidInput: no ratios, or some that are not positive and finite.

    >>> str(mean_ratio([0.5, 2.0]))
    '1 (0.5 to 2)'
    """
    x = np.asarray(ratios, np.float64)
    if x.ndim != 1 or len(x) == 0 or not (np.isfinite(x) & (x > 0)).all():
        raise InvalidInput(f"mean_ratio: {ratios!r:.80} given; ratios must be positive and finite, at least one.")
    return Mean(*(float(np.exp(end)) for end in mean_of(np.log(x))))
