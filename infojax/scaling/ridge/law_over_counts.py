"""The law of ridge regression on pools of a finite size, of which a varying number is kept."""

from typing import TYPE_CHECKING

import numpy as np

from infojax.errors import InvalidInput
from infojax.scaling._comparison import with_law

if TYPE_CHECKING:
    import polars as pl


def with_law_over_counts(cells: "pl.DataFrame", *, dimension: int) -> "pl.DataFrame":
    """The cells with a column error_counts: the law averaged over how many examples a finite pool keeps.

    A rule keeps K ~ Binomial(n, p) of n = dimension/ratio examples. Given K, the kept examples are those of a pool
    of K/p, so the law is taken at ratio·np/K and ridge·np/K. This is the largest finite-size effect where the
    law varies fast with K, as at the interpolation peak. Cells with label_aware are beyond it.
    """
    import polars as pl
    from scipy.stats import binom

    if "label_aware" in cells.columns and cells["label_aware"].any():
        raise InvalidInput("with label_aware=True the number kept depends on the labels; leave those cells out")
    pool = np.rint(dimension / cells["ratio"].to_numpy())[:, None]
    p = cells["kept"].to_numpy()[:, None]
    reach = int(np.ceil(6 * np.sqrt(pool * p * (1 - p)).max()))
    counts = np.maximum(np.rint(pool * p) + np.arange(-reach, reach + 1), 1)
    weights = binom.pmf(counts, pool, p)
    thinner = (pool * p / counts).ravel()
    spread = cells[np.repeat(np.arange(cells.height), counts.shape[1])].with_columns(
        ratio=pl.col("ratio") * thinner, ridge=pl.col("ridge") * thinner
    )
    errors = with_law(spread)["error_law"].to_numpy().reshape(counts.shape)
    return cells.with_columns(error_counts=pl.Series((weights * errors).sum(1) / weights.sum(1)))
