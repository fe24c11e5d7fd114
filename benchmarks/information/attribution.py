"""Influence functions on a classifier: infojax, dattri, pyDVL and kronfluence against networks trained anew.

    python -m benchmarks.information.attribution [--steps 100 300] [--cache FOLDER] [--only NAME]

The job is in attribution_job.py. LDS, the linear datamodelling score (Park et al. 2023, TRAK): the Spearman
correlation, over 500 random halves of the examples, of a query's loss after retraining on a half with the sum of the
half's scores; mean over 100 queries, with its standard error over them. "single": the same over 30 examples left out
one at a time; "self-influence": of an example's own loss over these. Each method's damping is the one of its grid with
the highest LDS on 60 other halves.

Every row is measured in a process of its own, on one core, with one thread: the libraries find that in their
environment before they are imported. CPU seconds are of that process, for the scores of all examples and queries, of a
first call (with compilation) and of a later one; only infojax's have every example's self-influence in them. Peak is by
how much the process grew in the first call. Retraining takes some ten minutes on one core and stays in the cache.
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import rankdata

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}
PROCESS = Path("/proc/self")
FINE, COARSE = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1), (1e-2, 3e-2, 1e-1)


class Method(NamedTuple):
    """A row: what it is called, the function that makes it, and the dampings it is tried with."""

    label: str
    name: str
    dampings: tuple[float, ...]


METHODS = (
    Method("infojax, Gauss–Newton, exact", "gauss_newton", FINE),
    Method("infojax, empirical Fisher", "fisher", FINE),
    Method("pyDVL, CG on the Hessian", "pydvl_cg", COARSE),
    Method("pyDVL, EK-FAC", "pydvl_ekfac", FINE),
    Method("kronfluence, EK-FAC", "kronfluence", FINE),
    Method("dattri, CG on the Hessian", "dattri_cg", COARSE),
    Method("dattri, TRAK, one network", "dattri_trak", (0.0,)),
    Method("dattri, explicit Hessian", "dattri_explicit", COARSE),
)


class Truth(NamedTuple):
    """What retraining gave: halves (h, n/2) and the queries' losses (h, q), others to choose dampings on, and single
    examples (e,) with the rise of the queries' losses (e, q) and of their own (e,)."""

    halves: np.ndarray
    losses: np.ndarray
    other_halves: np.ndarray
    other_losses: np.ndarray
    single: np.ndarray
    rises: np.ndarray
    own_rises: np.ndarray


def spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each column; 0 for one that is constant."""
    a, b = (rankdata(part, axis=0) for part in (a, b))
    a, b = a - a.mean(0), b - b.mean(0)
    return np.sum(a * b, 0) / np.maximum(np.sqrt(np.sum(a**2, 0) * np.sum(b**2, 0)), 1e-300)


def datamodelling(scores: np.ndarray, halves: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """LDS of each query (q,), from scores (n, q)."""
    return spearman(np.stack([-scores[half].sum(0) for half in halves]), losses)


def prepare(steps: int, cache: Path) -> tuple[Any, Truth]:
    """The job and its ground truth; in a process of its own, as all that computes."""
    from benchmarks.information import attribution_job as jobs

    job = jobs.make_job(steps)
    single = np.random.default_rng(3).choice(jobs.EXAMPLES, 30, replace=False)
    parts = {"other_halves": jobs.halves(60, 1), "halves": jobs.halves(500, 2), "single": jobs.without_each(single)}
    after = {
        name: jobs.retrained_losses(job, kept, cache / f"{job.name}_{steps}_{name}.npz") for name, kept in parts.items()
    }
    queries, own = after["single"]
    before, own_before = (
        np.asarray(jobs.losses(job.params, x, y)) for x, y in ((job.query_x, job.query_y), (job.x, job.y))
    )
    truth = Truth(
        parts["halves"], after["halves"][0], parts["other_halves"], after["other_halves"][0],
        single, queries - before, own[np.arange(len(single)), single] - own_before[single],
    )  # fmt: skip
    return job, truth


def measure(name: str, dampings: tuple[float, ...], job: Any, truth: Truth) -> dict[str, Any] | str:
    """One row; or the reason why there is none."""
    from benchmarks.information import attribution_peers

    make = ours(name) if name in ("gauss_newton", "fisher") else getattr(attribution_peers, name)
    try:
        run = make(job, dampings[0])
    except (ModuleNotFoundError, MemoryError) as error:
        return str(error)
    (_, own), first, peak = clocked(run)  # before the other dampings, for the compilation
    tried = {dampings[0]: run} | {damping: make(job, damping) for damping in dampings[1:]}

    def quality(damping: float) -> float:
        return datamodelling(with_own(tried[damping]())[0], truth.other_halves, truth.other_losses).mean()

    damping = dampings[0] if len(dampings) == 1 else max(dampings, key=quality)
    (scores, own), again, _ = clocked(tried[damping])
    lds = datamodelling(scores, truth.halves, truth.losses)
    return {
        "damping": damping,
        "first": first,
        "again": again,
        "peak": peak,
        "lds": lds.mean(),
        "error": lds.std() / len(lds) ** 0.5,
        "single": spearman(scores[truth.single], truth.rises).mean(),
        "own": None if own is None else spearman(own[truth.single, None], truth.own_rises[:, None])[0],
    }


def ours(curvature: Any) -> Callable[[Any, float], Callable[[], Any]]:
    from benchmarks.information.attribution_job import NETWORK
    from infojax.information import influence

    def make(job: Any, damping: float) -> Callable[[], Any]:
        train, queries = (job.x, job.y), (job.query_x, job.query_y)
        setting = {"curvature": curvature, "loss": "cross_entropy", "damping": damping}
        return lambda: influence(NETWORK, job.params, train, queries, **setting)[:2]

    return make


def with_own(made: Any) -> tuple[np.ndarray, np.ndarray | None]:
    return made if isinstance(made, tuple) else (made, None)


def clocked(run: Callable[[], Any]) -> tuple[tuple[np.ndarray, np.ndarray | None], float, float]:
    """What it made, CPU seconds, and by how many bytes the process grew at its largest."""
    before = resident("VmRSS")
    if PROCESS.exists():
        (PROCESS / "clear_refs").write_text("5")  # the peak begins anew
    start = time.process_time()
    made = with_own(run())
    return made, time.process_time() - start, resident("VmHWM") - before


def resident(which: str) -> float:
    """Bytes of memory now (VmRSS) or at most (VmHWM); on Linux only."""
    if not PROCESS.exists():
        return np.nan
    line = next(line for line in (PROCESS / "status").read_text().splitlines() if line.startswith(which))
    return 1024 * float(line.split()[1])


def table_of(steps: int, name: str, rows: list[tuple[str, dict[str, Any] | str]]) -> Table:
    table = Table(title=f"{name}, MLP 128-64-10 after {steps} steps: 1000 examples, 100 queries, one thread")
    for column in ("method", "damping", "CPU s", "first call", "peak MB", "LDS", "single", "self-influence"):
        table.add_column(column, justify="left" if column == "method" else "right")
    for label, row in rows:
        if isinstance(row, str):
            continue
        cells = (f"{row['damping']:g}", f"{row['again']:.2f}", f"{row['first']:.2f}", f"{row['peak'] / 2**20:.0f}")
        quality = (f"{row['lds']:.3f} ± {row['error']:.3f}", f"{row['single']:.3f}")
        table.add_row(label, *cells, *quality, "" if row["own"] is None else f"{row['own']:.3f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[100, 300], help="lengths of training")
    parser.add_argument("--cache", type=Path, default=Path("results/attribution"), help="where retraining is kept")
    parser.add_argument("--only", default="", help="only methods whose name contains this")
    arguments = parser.parse_args()
    os.environ.update(ONE_THREAD)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    spawn, console = multiprocessing.get_context("spawn"), Console(width=150)

    def apart(function: Callable[..., Any], *given: Any) -> Any:
        with spawn.Pool(1) as pool:
            return pool.apply(function, given)

    for steps in arguments.steps:
        job, truth = apart(prepare, steps, arguments.cache)
        rows = []
        for label, name, dampings in METHODS:
            if arguments.only not in label:
                continue
            try:
                row = apart(measure, name, dampings, job, truth)
            except Exception as error:  # a peer that fails must not cost the other rows
                row = f"it failed: {type(error).__name__}: {error}"
            rows.append((label, row))
            console.log(label, row)
        console.print(table_of(steps, job.name, rows))
        for label, row in rows:
            if isinstance(row, str):
                console.print(f"{label} is left out: {row}")


if __name__ == "__main__":
    main()
