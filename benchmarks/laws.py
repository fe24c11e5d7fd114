"""Speed of the laws: `python -m benchmarks.laws`.

100,000 evaluations of `ridge_law`, mapped and compiled, against a Python loop over the same formulas in SciPy and
NumPy (timed on fewer and scaled), in one run; and the time of simulated repeats. Times are CPU seconds of this process,
so that other work on the machine disturbs them less than it would wall time.
"""

import time
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from infojax.arrays import float64
from infojax.scaling import FRACTIONS, RidgeProblem, best_of_rule, keep_hard, ridge_law, simulate_ridge

EVALUATIONS = 100_000
LOOPED = 2_000
T = TypeVar("T")


def main() -> None:
    rng = np.random.default_rng(0)
    p, rho = rng.uniform(0.05, 0.95, EVALUATIONS), rng.uniform(0, 0.99, EVALUATIONS)
    phi, lam = rng.uniform(0.05, 3, EVALUATIONS), 10 ** rng.uniform(-4, 1, EVALUATIONS)

    with float64():
        mapped = jax.jit(jax.vmap(error))
        compiling, law = timed(lambda: jax.block_until_ready(mapped(p, rho, phi, lam)))
        mapping, law = fastest(lambda: jax.block_until_ready(mapped(p, rho, phi, lam)))
        slopes = jax.jit(jax.vmap(jax.grad(error, (0, 1, 2, 3))))
        jax.block_until_ready(slopes(p, rho, phi, lam))
        sloping, _ = fastest(lambda: jax.block_until_ready(slopes(p, rho, phi, lam)))
    few = [list(map(float, values[:LOOPED])) for values in (p, rho, phi, lam)]
    looping, looped = timed(lambda: np.array([by_hand(*point) for point in zip(*few, strict=True)]))
    looping *= EVALUATIONS / LOOPED
    worst = np.max(np.abs(np.asarray(law)[:LOOPED] / looped - 1))

    table = Table(
        "what", "CPU seconds", "beside the loop", title=f"{EVALUATIONS:,} laws on {jax.devices()[0].device_kind}"
    )
    table.add_row("loop over SciPy and NumPy (scaled)", f"{looping:.2f}", "1")
    table.add_row("vmap, first call, compiling", f"{compiling:.2f}", f"{looping / compiling:.0f} times faster")
    table.add_row("vmap", f"{mapping:.4f}", f"{looping / mapping:.0f} times faster")
    table.add_row("vmap, gradient in all four arguments", f"{sloping:.4f}", f"{looping / sloping:.0f} times faster")
    Console().print(table)
    Console().print(f"largest relative difference of the error between the two: {worst:.1e}")
    Console().print(choices())
    Console().print(simulations())


def choices() -> Table:
    """The best fractions of a phase diagram, against SciPy's bounded minimisation of the same law written by hand."""
    rho, phi = (
        grid.ravel() for grid in np.meshgrid(np.linspace(0.01, 0.99, 200), np.geomspace(0.01, 3, 200), indexing="ij")
    )
    setting = {"pruner": rho, "ratio": phi, "ridge": 1e-2}
    compiling, best = timed(lambda: best_of_rule("hard", **setting))
    again, best = fastest(lambda: best_of_rule("hard", **setting), times=2)
    chosen = np.random.default_rng(0).choice(len(rho), 50, replace=False)

    def search() -> np.ndarray:
        """As one does who knows that there may be two minima: a grid of 40, then Brent's method beside its best."""
        found = []
        for r, f in zip(rho[chosen], phi[chosen], strict=True):
            grid = np.geomspace(*FRACTIONS, 40)
            at = int(np.argmin([by_hand(p, r, f, 1e-2) for p in grid]))
            ends = grid[max(at - 1, 0)], grid[min(at + 1, 39)]
            fit: Any = minimize_scalar(by_hand, bounds=ends, args=(r, f, 1e-2), method="bounded")
            found.append(min(fit.fun, by_hand(grid[at], r, f, 1e-2)))
        return np.array(found)

    looping, found = timed(search)
    looping *= len(rho) / len(chosen)
    lost = np.max(np.asarray(best.error)[chosen] - found)
    table = Table("what", "CPU seconds", "beside the loop", title=f"{len(rho):,} best fractions, keep hard, λ = .01")
    table.add_row("loop over SciPy (scaled)", f"{looping:.0f}", "1")
    table.add_row("best_of_rule, compiling", f"{compiling:.1f}", f"{looping / compiling:.0f} times faster")
    table.add_row("best_of_rule", f"{again:.1f}", f"{looping / again:.0f} times faster")
    table.add_row("largest error above the loop's", f"{lost:.0e}", "")
    return table


def error(p: jax.Array, rho: jax.Array, phi: jax.Array, lam: jax.Array) -> jax.Array:
    return jnp.asarray(ridge_law(RidgeProblem(keep_hard(p), pruner=rho, ratio=phi, ridge=lam)).error)


def simulations() -> Table:
    table = Table("d", "n", "kept", "draws", "CPU s compiling", "CPU ms a repeat", title="simulate_ridge, float64")
    for dimension, pool, p in ((200, 600, 0.5), (350, 1000, 0.5), (512, 5120, 0.2)):
        for draw in ("pool", "kept"):
            call = simulation(dimension, pool, p, draw)
            first, _ = timed(call)
            again, _ = fastest(call)
            numbers = f"{first - again:.1f}", f"{1000 * again / 16:.1f}"
            table.add_row(str(dimension), str(pool), f"{p:.0%}", draw, *numbers)
    return table


def simulation(dimension: int, pool: int, p: float, draw: Literal["pool", "kept"]) -> Callable[[], object]:
    problem = RidgeProblem(keep_hard(p), pruner=0.9, ratio=dimension / pool, ridge=1e-2)
    return lambda: simulate_ridge(problem, dimension=dimension, repeats=16, key=jax.random.key(0), draw=draw)


def by_hand(p: float, rho: float, phi: float, lam: float) -> float:
    """Corrected Theorem 1 for keep-hard, |ρ| < 1, λ > 0, with the functions that SciPy and NumPy have."""
    xi, s = norm.ppf((1 + p) / 2), np.sqrt(1 - rho**2)
    tau = rho / s
    e1, e2 = 2 * norm.cdf(xi / s) - 1, 2 * norm.cdf(tau * xi) - 1
    gamma, beta = p - 2 * xi * norm.pdf(xi), 2 * norm.pdf(0) * s * e1
    beta_t = 2 * (rho * norm.pdf(0) * e1 - norm.pdf(xi) * e2)
    root = np.sqrt((p - phi + lam) ** 2 + 4 * phi * lam)
    m = 2 / (p - phi + lam + root) if p - phi + lam > 0 else (root - p + phi - lam) / (2 * phi * lam)
    t = 1 / m - lam
    m_t = 1 / (gamma / p * t + lam)
    slope = (t - p) / root
    dm, dm_t = m**2 * (1 - slope), m_t**2 * (1 - gamma / p * slope)
    r, dr = beta**2 * m + beta_t**2 * m_t, beta**2 * dm + beta_t**2 * dm_t
    m0 = s * beta * m + rho * beta_t * m_t
    nu = p * phi * dm + dr - 2 * phi * dm * r / (1 + phi * m)
    return np.arccos(m0 / np.sqrt(nu)) / np.pi


def timed(call: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    value = call()
    return time.process_time() - start, value


def fastest(call: Callable[[], T], times: int = 5) -> tuple[float, T]:
    runs = [timed(call) for _ in range(times)]
    return min(seconds for seconds, _ in runs), runs[-1][1]


if __name__ == "__main__":
    main()
