"""Speed of the law of pruned perceptrons: `python -m benchmarks.perceptron`.

`perceptron_law` at random problems against two loops over SciPy with adaptive quadrature, timed on few: one that
maximises the margin by nested bracketing searches, and one that polishes a guess near the answer by a
root finder on the paper's saddle-point equations, which needs the answer first. All in one run, in CPU seconds.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar, root
from scipy.special import erfinv, ndtr

from infojax.scaling import PerceptronLaw, PerceptronProblem, keep_hard, perceptron_law

EVALUATIONS, TILTED, LOOPED = 100_000, 500, 50
BOUNDS = np.log(1e-3), np.log(0.499)
T = TypeVar("T")


def main() -> None:
    rng = np.random.default_rng(0)
    alpha, fraction = 10 ** rng.uniform(np.log10(0.5), 1, EVALUATIONS), rng.uniform(0.1, 0.9, EVALUATIONS)
    angle = rng.uniform(0.05, 1.2, EVALUATIONS)

    def straight() -> PerceptronLaw:
        return perceptron_law(PerceptronProblem(keep_hard(fraction), alpha=alpha))

    def tilted() -> PerceptronLaw:
        return perceptron_law(
            PerceptronProblem(keep_hard(fraction[:TILTED]), alpha=alpha[:TILTED], angle=np.degrees(angle[:TILTED]))
        )

    compiling, law = timed(straight)
    mapping, law = min((timed(straight) for _ in range(3)), key=lambda run: run[0])
    first, _ = timed(tilted)
    general, _ = timed(tilted)
    start = law.overlap[:LOOPED], law.margin[:LOOPED]
    # The loop starts near the answer, for from elsewhere the root finder often fails.
    near = [(0.98 * r, 1.02 * k) for r, k in zip(*start, strict=True)]
    looping, looped = timed(
        lambda: np.array(
            [by_hand(float(a), float(f), s) for a, f, s in zip(alpha[:LOOPED], fraction[:LOOPED], near, strict=True)]
        )
    )
    searching, searched = timed(
        lambda: np.array([by_search(*map(float, cell)) for cell in zip(alpha[:LOOPED], fraction[:LOOPED], strict=True)])
    )
    each = 1e3 * searching / LOOPED
    worst = [np.nanmax(np.abs(law.error[:LOOPED] / other - 1)) for other in (searched, looped)]

    table = Table("what", "laws", "CPU s", "CPU ms a law", "beside the loop", title=f"{jax.devices()[0].device_kind}")
    table.add_row("loop over SciPy, θ = 0", str(LOOPED), f"{searching:.2f}", f"{each:.3g}", "1")
    for what, count, seconds in (
        ("the same, polishing the answer", LOOPED, looping),
        ("θ = 0, first call, compiling", EVALUATIONS, compiling),
        ("θ = 0", EVALUATIONS, mapping),
        ("θ > 0, first call, compiling", TILTED, first),
        ("θ > 0", TILTED, general),
    ):
        own = 1e3 * seconds / count
        faster = f"{each / own:,.3g} times faster" if "θ > 0" not in what else "(another problem)"
        table.add_row(what, f"{count:,}", f"{seconds:.2f}", f"{own:.3g}", faster)
    Console().print(table)
    lost = np.isnan(looped).sum()
    Console().print(f"largest relative difference: {worst[0]:.1e} to the search, {worst[1]:.1e} to the root finder")
    Console().print(f"the root finder failed in {lost} of {LOOPED} cells")


def by_hand(alpha: float, fraction: float, start: tuple[float, float]) -> float:
    """The error for keep-hard at θ = 0 from the two equations in R and κ (arXiv 2206.14486, Appendix A)."""
    gamma = np.sqrt(2) * erfinv(fraction)

    def equations(unknown: np.ndarray) -> tuple[float, float]:
        overlap, margin = unknown
        if not -1 < overlap < 1:
            return 1e3, 1e3
        rest = 1 - overlap**2

        def first(t: float) -> float:
            inside = np.exp(-(overlap**2) * t**2 / (2 * rest))
            outside = np.exp(-((overlap * t) ** 2 + gamma * (gamma - 2 * overlap * t)) / (2 * rest))
            return np.exp(-(t**2) / 2) * (inside - outside) * (margin - t)

        def second(t: float) -> float:
            tails = ndtr(overlap * t / np.sqrt(rest)) - ndtr((overlap * t - gamma) / np.sqrt(rest))
            return np.exp(-(t**2) / 2) * tails * (margin - t) ** 2

        one, two = (quad(f, margin - 12, margin, limit=200)[0] / np.sqrt(2 * np.pi) for f in (first, second))
        scale = 2 * alpha / fraction
        return overlap - scale * one / np.sqrt(2 * np.pi * rest), rest - scale * two

    found = root(equations, start, tol=1e-10)
    return float(np.arccos(found.x[0]) / np.pi) if found.success else np.nan


def by_search(alpha: float, fraction: float) -> float:
    """The error for keep-hard at θ = 0: the ε with the largest κ that solves α E(κ − R|z| − √(1−R²)Z)₊² = 1 − R²."""
    gamma = np.sqrt(2) * erfinv(fraction)

    def margin(error: float) -> float:
        overlap, rest = np.cos(np.pi * error), np.sin(np.pi * error)

        def excess(kappa: float) -> float:
            def square(z: float) -> float:
                v = (kappa - overlap * z) / rest
                h = (1 + v**2) * ndtr(v) + v * np.exp(-(v**2) / 2) / np.sqrt(2 * np.pi)
                return h * np.exp(-(z**2) / 2)

            return alpha * 2 / fraction / np.sqrt(2 * np.pi) * quad(square, 0, gamma)[0] - 1

        return float(np.asarray(brentq(excess, -5, 5 + 1 / np.sqrt(alpha))))

    # errors below 1e-3 do not occur here
    found: Any = minimize_scalar(lambda x: -margin(np.exp(x)), bounds=BOUNDS, method="bounded", options={"xatol": 1e-7})
    return float(np.exp(found.x))


def timed(call: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    value = call()
    return time.process_time() - start, value


if __name__ == "__main__":
    main()
