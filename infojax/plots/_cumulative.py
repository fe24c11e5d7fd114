"""Cumulative distributions that reach 1 and run on to the edge of the picture."""

from typing import Any

import numpy as np


def cumulative(axis: Any, samples: dict[str, Any], looks: dict[str, dict[str, Any]], *, low: float = 0.02) -> None:
    """Draw the fraction of each sample at or below a value, on a logarithmic axis of values.

    Args:
        axis: a matplotlib axis.
        samples: label → values (n,), positive.
        looks: label → what matplotlib's `plot` takes.
        low: the quantile of all values together at which the picture begins: the least tail would hide the rest.
    """
    together = np.concatenate([np.asarray(values) for values in samples.values()])
    first, last = np.quantile(together, low), 1.3 * together.max()
    for label, values in samples.items():
        x = np.sort(np.asarray(values))
        fractions = np.arange(len(x) + 1) / len(x)
        # From the left edge at 0 to the right edge at 1, so that no line ends in mid-air.
        ends = min(x[0], first), max(x[-1], last)
        axis.step([ends[0], *x, ends[1]], [*fractions, 1.0], where="post", label=label, **looks[label])
    axis.set(xscale="log", xlim=(first, last), ylim=(0, 1.02), ylabel="fraction of examples")
