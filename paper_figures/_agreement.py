"""How far simulated points lie from a law, in standard errors and in per cent."""

import numpy as np
import polars as pl
from scipy import stats

from infojax.plots import Finding


def agreement(points: pl.DataFrame, repeats: int, note: str = "") -> list[tuple[str, str, str, str]]:
    """Rows (quantity, ours, paper, note) for points with columns `z`, in standard errors, and `relative`.

    A point is off when it is more than four standard errors away, however little that is: with enough repeats the
    finite size of a simulation shows, so it is also said how many of these are off by more than 5 %. What chance alone
    would give is Student's t for errors that are estimated from `repeats` values, at least four.
    """
    z, relative = (points[name].abs().to_numpy() for name in ("z", "relative"))
    expected = 2 * stats.t.sf(4, repeats - 1) * len(z)
    chance = np.sqrt((repeats - 1) / (repeats - 3))
    off = f"{(z > 4).sum()} of {len(z)}, {((z > 4) & (relative > 0.05)).sum()} of them by more than 5 %"
    said = f"{expected:.2g} expected by chance" + (f"; {note}" if note else "")
    return [
        ("points off the law by more than 4 s.e.", off, "not given", said),
        ("largest deviation from the law", f"{100 * relative.max():.1f} % of the error", "not given", note),
        (
            "root mean square deviation from the law",
            f"{np.sqrt(np.mean(z**2)):.2f} s.e.",
            "not given",
            f"{chance:.2f} if only chance is at work",
        ),
    ]


def follows(points: pl.DataFrame, words: str = "simulated point") -> Finding:
    """Whether all points, with the columns of `agreement`, lie on their law: none is far off in both measures."""
    off = points.filter((pl.col("z").abs() > 4) & (pl.col("relative").abs() > 0.05)).height
    worst = 100 * points["relative"].abs().to_numpy().max()
    return Finding(
        f"No {words} is off the law by more than four standard errors and 5 % at once.",
        off == 0,
        f"{off} of {points.height}; the largest deviation is {worst:.1f} % of the error",
    )
