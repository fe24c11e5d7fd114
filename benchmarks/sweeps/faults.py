"""Faults on purpose: what is killed, filled, flipped and torn, and whether everything is recovered.

    python -m benchmarks.sweeps.faults [--kills 50] [--only NAME …] [--seed 0]

Kills are SIGKILL at random moments, also while results, tiles and checkpoints are being written. After them the same
command or call is given again. Nothing may be lost, nothing damaged, every number must be that of an undisturbed run to
the last bit, and what was finished must not be computed again. Exit code 1 when something is not so.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.sweeps.faults_kills import kernel, retraining, sweeps
from benchmarks.sweeps.faults_store import claims, corruption, failing, full_disk, two_sweeps

SCENARIOS = {
    "sweeps": sweeps,
    "kernel": kernel,
    "retraining": retraining,
    "corruption": corruption,
    "full-disk": full_disk,
    "two-sweeps": two_sweeps,
    "failing": failing,
    "claims": claims,
}


def main() -> int:
    """Run the scenarios; returns the exit code."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument(
        "--kills", type=int, default=50, help="how many kills of each kind, and damages four times as many"
    )
    reader.add_argument("--only", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    reader.add_argument("--seed", type=int, default=0, help="of the moments and of the damage")
    chosen = reader.parse_args()
    table = Table("what was done", "expected", "seen", "seconds", title="faults on purpose")
    broken = 0
    for name in chosen.only:
        clock = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            seen = SCENARIOS[name](Path(folder), chosen.kills, np.random.default_rng(chosen.seed))
        broken += not seen.recovered
        colour = "green" if seen.recovered else "red"
        words = f"[{colour}]{seen.seen}[/]"
        table.add_row(seen.done, seen.expected, words, f"{time.perf_counter() - clock:.0f}", end_section=True)
        print(f"{name}: {'recovered' if seen.recovered else 'NOT RECOVERED'}: {seen.seen}", file=sys.stderr)
    Console().print(table)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
