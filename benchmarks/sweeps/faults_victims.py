"""What is disturbed: an experiment that notes what it computes, and programs that write a kernel or retrain."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

EXPERIMENT = '''"""Sums of random numbers, block by block."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

FOLDER = Path(__file__).parent.parent


@dataclass(frozen=True)
class Config:
    seed: int = 0
    blocks: int = 3
    entries: int = 20_000
    seconds: float = 0.02


PRESETS = {"quick": Config(), "paper": Config()}


def note(sign, config, block):
    """One line in the log, written at once."""
    handle = os.open(FOLDER / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{sign} {config.seed} {block}\\n".encode())
    os.close(handle)


def run(config, scratch, progress):
    if (FOLDER / f"fail{config.seed}").exists():
        note("!", config, 0)
        raise ValueError("told to fail")
    for block in range(config.blocks):
        kept = scratch / f"{block}.npy"
        if not kept.exists():
            note("+", config, block)
            time.sleep(config.seconds)
            with open(scratch / f"{block}.part", "wb") as stream:
                np.save(stream, np.random.default_rng((config.seed, block)).normal(size=config.entries))
            os.replace(scratch / f"{block}.part", kept)
            note("=", config, block)
    made = np.stack([np.load(scratch / f"{block}.npy") for block in range(config.blocks)])
    return {"sums": pl.DataFrame({"block": range(config.blocks), "sum": made.sum(1)}), "numbers": made}
'''


class Seen(NamedTuple):
    """A row of the table."""

    done: str
    expected: str
    seen: str
    recovered: bool


class Log(NamedTuple):
    """What the experiment noted: blocks begun, blocks finished, and failures."""

    begun: list[str]
    finished: list[str]
    failures: int

    @property
    def begun_again(self) -> int:
        return len(self.begun) - len(set(self.begun))

    @property
    def finished_again(self) -> int:
        return len(self.finished) - len(set(self.finished))


def prepare(folder: Path) -> None:
    """Write the experiment to `folder`, as the module `blocks` of the package `disturbed`."""
    (folder / "disturbed").mkdir()
    (folder / "disturbed" / "__init__.py").write_text("")
    (folder / "disturbed" / "blocks.py").write_text(EXPERIMENT)


def start_sweep(folder: Path, seeds: int, *args: str) -> "subprocess.Popen[str]":
    """`infojax sweep` of so many seeds in a session of its own."""
    command = ["from infojax.cli import main; main()", "sweep", "blocks", "--package", "disturbed"]
    return start(folder, "-c", *command, "--over", f"seed=0..{seeds - 1}", *args)


def start(folder: Path, *args: str) -> "subprocess.Popen[str]":
    """A Python process in `folder`, in a session of its own, what it says going to `said.txt`."""
    environment = os.environ | {"PYTHONPATH": os.getcwd(), "JAX_PLATFORMS": "cpu", "PYTHONDONTWRITEBYTECODE": "1"}
    with open(folder / "said.txt", "w") as said:
        streams: dict[str, Any] = {"stdout": said, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen([sys.executable, *args], cwd=folder, env=environment, start_new_session=True, **streams)


def read_log(folder: Path) -> Log:
    """What the experiment has noted so far."""
    file = folder / "log.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    of = {sign: [line[2:] for line in lines if line[0] == sign] for sign in "+=!"}
    return Log(of["+"], of["="], len(of["!"]))


def wrong(folder: Path, seeds: int) -> int:
    """How many of the stored results are missing, or not those of an undisturbed run to the last bit."""
    from infojax.sweeps import entries, read_result

    found = {entry.config["seed"]: entry.folder for entry in entries(folder / "results") if entry.state == "stored"}
    bad = 0
    for seed in range(seeds):
        if seed not in found:
            bad += 1
            continue
        result = read_result(found[seed])
        blocks, entries_ = result.arrays["numbers"].shape
        made = np.stack([np.random.default_rng((seed, block)).normal(size=entries_) for block in range(blocks)])
        same = result.arrays["numbers"].tobytes() == made.tobytes()
        bad += not (same and result.tables["sums"]["sum"].to_list() == made.sum(1).tolist())
    return bad


class Noted:
    """In the place of a progress bar: one line in a log at the end of each block."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._note("begin")

    def add_task(self, *_: Any, **__: Any) -> int:
        return 0

    def advance(self, *_: Any) -> None:
        self._note("block")

    def _note(self, word: str) -> None:
        with open(self.log, "a") as log:
            log.write(f"{word}\n")


def _digest(*arrays: Any) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def write_kernel() -> None:
    """The kernel of a network into ./kernel, its digest into ./digest.txt."""
    import jax

    import infojax as ij

    network = ij.models.mlp(hidden=(64,), outputs=2)
    x = np.random.default_rng(0).normal(size=(480, 32)).astype(np.float32)
    params = network.init(jax.random.key(0), (32,))
    noted: Any = Noted(Path("log.txt"))
    made = ij.kernels.empirical_ntk(network.apply, params, x, out=Path("kernel"), tile=12, progress=noted)
    Path("digest.txt").write_text(f"{_digest(made[:])} {len(made.verify())}")


def retrain() -> None:
    """Scores by retraining, with ./checkpoint.npz, their digest into ./digest.txt."""
    import jax

    import infojax as ij

    network = ij.models.mlp(hidden=(16,), outputs=1)
    generator = np.random.default_rng(0)
    x, y = (generator.normal(size=(60, width)).astype(np.float32) for width in (8, 1))
    found = ij.information.retrain_without_each(
        network,
        network.init(jax.random.key(0), (8,)),
        (x, y),
        (x[:20], y[:20]),
        training=ij.GradientDescent(steps=1000, learning_rate=0.01),
        block=1,
        checkpoint=Path("checkpoint.npz"),
        progress=Noted(Path("log.txt")),
    )
    Path("digest.txt").write_text(f"{_digest(found.si, found.f_si)} 0")


if __name__ == "__main__":
    {"kernel": write_kernel, "retraining": retrain}[sys.argv[1]]()
