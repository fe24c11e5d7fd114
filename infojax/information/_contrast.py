"""How the scores of one kind of examples differ from those of another."""

from typing import Any, NamedTuple

import numpy as np

from infojax.arrays import real_array
from infojax.errors import InvalidInput


class Contrast(NamedTuple):
    """Of the scores of a first kind against those of a second.

    Attributes:
        median_ratio: median of the first over the median of the second.
        auc: the chance that a random one of the first scores higher than a random one of the second, ties counting
            half: ½ when scores do not tell them apart, 1 when all of the first are higher.
    """

    median_ratio: float
    auc: float


def contrast(first: Any, second: Any) -> Contrast:
    """Both statistics, which do not change when all scores are multiplied by a constant.

    Args:
        first: (a,) scores ≥ 0, an array, a list or a column of a table.
        second: (b,) likewise.

    Raises:
        InvalidInput: no scores, scores that are not finite or negative, or a second median of zero.

    >>> contrast([2.0, 4.0, 6.0], [1.0, 2.0])
    Contrast(median_ratio=2.6666666666666665, auc=0.9166666666666666)
    """
    from scipy.stats import mannwhitneyu

    a, b = (real_array(f"contrast: {name}", given) for name, given in (("first", first), ("second", second)))
    for name, scores in (("first", a), ("second", b)):
        if scores.ndim != 1 or len(scores) == 0 or not np.isfinite(scores).all() or scores.min() < 0:
            raise InvalidInput(f"contrast: {name} has shape {scores.shape}; give finite scores ≥ 0, at least one.")
    if np.median(b) == 0:
        raise InvalidInput("contrast: the second median is zero, so there is no ratio; compare other scores.")
    above = np.asarray(mannwhitneyu(a, b)[0])  # pairs in which a is the greater, ties as halves
    return Contrast(float(np.median(a) / np.median(b)), float(above) / (len(a) * len(b)))
