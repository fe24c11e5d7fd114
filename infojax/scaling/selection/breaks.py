"""Where a rule made by `weigh_by` has jumps and kinks that its maker did not name: found by bisection.

Panels are halved as long as two rules on them disagree. They close in on a jump until they are as narrow as
float64 allows, on a kink until it no longer matters; the narrowest are where the rule breaks.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infojax.arrays import float64
from infojax.scaling.selection.panels import panels
from infojax.scaling.selection.soft_cap import REACH


def _lobatto(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [−1, 1] of the rule that looks at both ends, where a jump might hide from Gauss's."""
    top = np.polynomial.legendre.Legendre.basis(order - 1)
    nodes = np.concatenate([[-1.0], np.sort(np.real(top.deriv().roots())), [1.0]])
    return nodes, 2 / (order * (order - 1) * top(nodes) ** 2)


_RULES = (_lobatto(11), np.polynomial.legendre.leggauss(16))
_LEVELS = 46  # 12/2⁴⁶ is the rounding of a size near 1
_CUT = 0.4871  # of a panel, not in halves, so that no edge meets a break at a round number
_MESH = 0.0987 * np.arange(1, 42)  # so that nothing wider than .01 falls between the first nodes
_MOST = 160  # panels of a rule that is not smooth anywhere; more are not worth their time
_NARROW = 0.05
_SAME = 1e-11  # apart at most, two breaks are one
_AGREE = 1e-14  # of the whole, by which two rules may differ on a panel
_GOOD = 1e-9  # and panels from the whole

Sums = Float[np.ndarray, "panels 4"]


def all_breaks(function: Callable, parameters: tuple[Any, ...], breaks: tuple[Any, ...]) -> tuple[Any, ...]:
    """The breaks with those added that are missing, for the parameters broadcast together; the same where none is.

    Where a rule has no end of them nothing is added: the law then finds that its quadratures disagree.
    """
    shape = np.broadcast_shapes(*(np.shape(value) for value in (*parameters, *breaks)))
    leaves = [np.broadcast_to(np.asarray(p, np.float64), shape).reshape(-1, 1) for p in parameters]
    given = [np.broadcast_to(np.asarray(b, np.float64), shape).ravel() for b in breaks]
    rows = int(np.prod(shape))
    if not rows:
        return breaks
    edges = np.stack([np.zeros(rows), *given, np.full(rows, REACH)], 1)
    with float64():
        start = np.sort(np.concatenate([edges, np.broadcast_to(_MESH, (rows, len(_MESH)))], 1), 1)
        finest, whole = _bisected(function, leaves, start)
        wanted = [_narrowest(panel, known) for panel, known in zip(finest, edges, strict=True)]
        if not _agrees(function, leaves, _merged(edges, wanted), whole):
            wanted = [panel[1:, 0] if len(panel) <= _MOST else np.empty(0) for panel in finest]
    if not any(len(row) for row in wanted):
        return breaks
    merged = _merged(edges, wanted)
    return tuple(merged[:, i].reshape(shape) for i in range(1, merged.shape[1] - 1))


def _integrals(
    function: Callable, leaves: list[np.ndarray], row: np.ndarray, low: np.ndarray, high: np.ndarray, rule: Any
) -> Sums:
    """∫ 2φ(u) of probability and of probability times weight, of examples that agree and of those that do not."""
    nodes, weights = rule
    size = low[:, None] + (high - low)[:, None] * (nodes + 1) / 2
    mass = (high - low)[:, None] * weights / 2 * np.exp(-(size**2) / 2) * np.sqrt(2 / np.pi)
    found = []
    for agrees in (True, False):
        values = function(size, np.full(size.shape, agrees), *(leaf[row] for leaf in leaves))
        probability, weight = (np.broadcast_to(np.asarray(value, np.float64), size.shape) for value in values)
        kept = probability > 0
        found += [probability, np.where(kept, probability * np.where(kept, weight, 0), 0)]
    return np.stack([(mass * np.nan_to_num(values, posinf=0)).sum(1) for values in found], 1)


def _bisected(
    function: Callable, leaves: list[np.ndarray], edges: Float[np.ndarray, "rows edges"]
) -> tuple[list[Float[np.ndarray, "_ 2"]], Float[np.ndarray, "rows 4"]]:
    """The final panels of each row, and the integrals over all."""
    rows = len(edges)
    row = np.repeat(np.arange(rows), edges.shape[1] - 1)
    low, high = edges[:, :-1].ravel(), edges[:, 1:].ravel()
    done: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    whole = np.zeros((rows, 4))
    scale = np.zeros((rows, 4))
    np.add.at(scale, row, np.abs(_integrals(function, leaves, row, low, high, _RULES[1])))
    for level in range(_LEVELS + 1):
        rough, fine = (_integrals(function, leaves, row, low, high, rule) for rule in _RULES)
        worst = (np.abs(rough - fine) - _AGREE * np.maximum(scale[row], 1e-30)).max(1)
        # where the rule is rough everywhere
        crowded = np.bincount(row, minlength=rows)[row] > 4 * _MOST
        settled = (worst <= 0) | crowded | (level == _LEVELS)
        np.add.at(whole, row[settled], fine[settled])
        done.append((row[settled], low[settled], high[settled]))
        row, low, high = row[~settled], low[~settled], high[~settled]
        if not len(row):
            break
        middle = low + _CUT * (high - low)
        row, low, high = np.tile(row, 2), np.concatenate([low, middle]), np.concatenate([middle, high])
    row, low, high = (np.concatenate(parts) for parts in zip(*done, strict=True))
    order = np.lexsort((low, row))
    pairs = np.stack([low, high], 1)[order]
    return np.split(pairs, np.searchsorted(row[order], np.arange(1, rows))), whole


def _narrowest(
    panel: Float[np.ndarray, "panels 2"], known: Float[np.ndarray, " edges"]
) -> Float[np.ndarray, " breaks"]:
    """The middles of narrow panels whose neighbours are wider, without those that are known."""
    width = panel[:, 1] - panel[:, 0]
    # of panels of about one width side by side, the middle counts
    ends = np.flatnonzero(np.append(True, np.abs(np.diff(width)) > 0.1 * width[1:]))
    stops = np.append(ends[1:], len(width))
    runs = np.append(np.append(np.inf, width[ends]), np.inf)
    least = (width[ends] < _NARROW) & (runs[1:-1] < runs[:-2]) & (runs[1:-1] < runs[2:])
    middle = (panel[ends[least], 0] + panel[stops[least] - 1, 1]) / 2
    # a jump that is known draws the rule that looks at ends as well
    new = (np.abs(middle[:, None] - known) > _SAME).all(1)
    return middle[new & (middle > 1e-8)]  # what a rule says of 0 itself has no weight


def _merged(edges: Float[np.ndarray, "rows edges"], more: list[np.ndarray]) -> Float[np.ndarray, "rows all"]:
    """With the same number in each row: what is missing repeats the end, and makes empty panels."""
    longest = max((len(row) for row in more), default=0)
    padded = np.full((len(edges), longest), REACH)
    for index, row in enumerate(more):
        padded[index, : len(row)] = row
    return np.sort(np.concatenate([edges, padded], 1), 1)


def _agrees(
    function: Callable, leaves: list[np.ndarray], edges: Float[np.ndarray, "rows edges"], whole: np.ndarray
) -> bool:
    """Whether the quadrature of the laws, on panels between these edges, gives the whole."""
    rows = np.arange(len(edges))
    unit = [np.asarray(values) for values in panels(jnp.asarray([0.0, 1.0]))]
    rule = 2 * unit[0] - 1, 2 * unit[1]
    found = sum(
        _integrals(function, leaves, rows, edges[:, i], edges[:, i + 1], rule) for i in range(edges.shape[1] - 1)
    )
    return bool((np.abs(found - whole) <= _GOOD * np.maximum(np.abs(whole), 1e-30)).all())
