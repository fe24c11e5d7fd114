"""A package with an experiment that naps, and sweeps of it in processes of their own, as a user starts them."""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

NAP = '''"""Squares of the seed, slowly."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

FOLDER = Path(__file__).parent.parent


@dataclass(frozen=True)
class Config:
    seed: int = 0
    seconds: float = 0.3


PRESETS = {"quick": Config(), "paper": Config()}


def run(config, scratch, progress):
    with open(FOLDER / "log.txt", "a") as log:
        log.write(f"{config.seed} ")
    time.sleep(config.seconds)
    kill = FOLDER / f"kill{config.seed}"
    if kill.exists():
        kill.unlink()
        os.kill(os.getpid(), 9)
    if (FOLDER / f"fail{config.seed}").exists():
        raise ValueError("told to fail")
    return {"squares": pl.DataFrame({"square": [config.seed**2]})}
'''


class Naps:
    """Sweeps of the experiment `nap` in `folder`, and what came of them."""

    def __init__(self, folder):
        self.folder, self.counts, self.processes = folder, Counter(), []

    def start(self, *args, **environment):
        """infojax sweep nap ARGS…, in a process of its own, warnings being errors."""
        command = [sys.executable, "-W", "error", "-c", "from infojax.cli import main; main()", "sweep", "nap"]
        command += ["--package", "napping", *args]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        variables = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environment
        self.processes.append(subprocess.Popen(command, cwd=self.folder, env=variables, **pipes))
        return self.processes[-1]

    def kill_once(self, seed):
        """Whoever computes the seed first is killed in the middle of it."""
        (self.folder / f"kill{seed}").touch()

    def fail(self, seed):
        """Whoever computes the seed raises an error."""
        (self.folder / f"fail{seed}").touch()

    def begun(self):
        """Seeds whose computation was begun, in this order."""
        log = self.folder / "log.txt"
        return [int(word) for word in log.read_text().split()] if log.exists() else []

    def wait_for_log(self, seconds=60):
        """Until something is being computed."""
        end = time.monotonic() + seconds
        while not self.begun() and time.monotonic() < end:
            time.sleep(0.05)

    def add(self, out):
        """Count what the last line of a sweep says."""
        for number, state in re.findall(r"(\d+) (computed|found|failed)", out):
            self.counts[state] += int(number)

    def tables(self):
        """Seed → what is stored for it."""
        from infojax.sweeps.store.inventory import entries

        found = {}
        for entry in entries(self.folder / "results", "nap"):
            if entry.state == "stored":
                (file,) = entry.record["files"]
                found[entry.config["seed"]] = pl.read_parquet(entry.folder / file)["square"].item()
        return found


@pytest.fixture
def naps(tmp_path):
    """See `Naps`; what still runs at the end is stopped."""
    (tmp_path / "napping").mkdir()
    Path(tmp_path / "napping" / "__init__.py").write_text("")
    Path(tmp_path / "napping" / "nap.py").write_text(NAP)
    sweeps = Naps(tmp_path)
    yield sweeps
    for process in sweeps.processes:
        if process.poll() is None:
            process.kill()
            process.communicate()
