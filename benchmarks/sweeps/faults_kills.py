"""SIGKILL at random moments, and what is found and computed after it."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np

from benchmarks.sweeps.faults_victims import Seen, prepare, read_log, start, start_sweep, wrong
from infojax.sweeps import verify

WORKERS = 2


def sweeps(folder: Path, kills: int, random: np.random.Generator) -> Seen:
    """Kills of whole sweeps and of single workers, until there were enough; then the sweep is finished."""
    prepare(folder)
    seeds, whole, single, damaged = 12 * kills + 20, 0, 0, 0
    while whole + single < kills:
        sweep = start_sweep(folder, seeds, "--workers", str(WORKERS), "--retries", "9")
        size = _size(folder / "log.txt")
        _wait(sweep, lambda size=size: _size(folder / "log.txt") > size)
        while whole + single < kills and sweep.poll() is None:
            time.sleep(random.uniform(0.0, 1.0))
            children = _children(sweep.pid)
            if random.random() < 0.5 and children:
                os.kill(int(random.choice(children)), signal.SIGKILL)
                single += 1
            elif sweep.poll() is None:
                os.killpg(sweep.pid, signal.SIGKILL)
                sweep.wait()
                whole += 1
        if sweep.poll() == 0:
            seeds += 10 * kills  # it was finished before the kills were
        _stop(sweep)
        damaged += sum(bool(checked.damaged) for checked in verify(folder / "results"))
    last = start_sweep(folder, seeds, "--workers", str(WORKERS))
    code = last.wait()
    bad, log = wrong(folder, seeds), read_log(folder)
    most = WORKERS * whole + single
    return Seen(
        f"sweep of {seeds} configs, {WORKERS} workers: {whole} kills of all its processes, {single} of one worker",
        f"all stored, bit for bit; no finished block again, only those in progress at a kill (at most {most})",
        f"{bad} missing or different, {damaged} damaged; {log.finished_again} finished blocks again, "
        f"{log.begun_again} begun again; exit code {code}",
        bad == damaged == log.finished_again == code == 0 and log.begun_again <= most,
    )


def kernel(folder: Path, kills: int, random: np.random.Generator) -> Seen:
    """Kills while tiles of kernels are computed and written to disk."""
    tiles, pending = 40 * 41 // 2, 5  # below and on the diagonal; under way to the disk, and in computation
    killed, runs, different, again = _program(folder, "kernel", kills, random, Path("kernel"), tiles)
    return Seen(
        f"kernel on disk, {tiles} tiles: {killed} kills while {runs} such kernels were written",
        f"bit for bit that of an undisturbed run, every tile whole; no tile again but {pending} under way at each kill",
        f"{different} different or damaged; {again} tiles again",
        different == 0 and again <= pending * killed,
    )


def retraining(folder: Path, kills: int, random: np.random.Generator) -> Seen:
    """Kills while models are trained and the checkpoint is written."""
    killed, runs, different, again = _program(folder, "retraining", kills, random, Path("checkpoint.npz"), 60)
    return Seen(
        f"retrain_without_each, 60 blocks: {killed} kills during {runs} such calls",
        "bit for bit that of an undisturbed run; no block again that was finished",
        f"{different} different; {again} blocks again",
        different == 0 and again == 0,
    )


def _program(
    folder: Path, name: str, kills: int, random: np.random.Generator, made: Path, blocks: int
) -> tuple[int, int, int, int]:
    """Kills of a program, runs, runs that ended with other numbers, and blocks that were finished again."""
    reference, span = _undisturbed(folder, name, made)
    killed, runs, different, again = 0, 0, 0, 0
    while killed < kills:
        runs += 1
        while True:
            program = start(folder, "-m", "benchmarks.sweeps.faults_victims", name)
            size = _size(folder / "log.txt")
            _wait(program, lambda size=size: _size(folder / "log.txt") > size)
            clock = time.perf_counter()
            if killed < kills:
                moment = clock + random.uniform(0.0, span)
                _wait(program, lambda moment=moment: time.perf_counter() > moment)
            if killed < kills and program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)
                program.wait()
                killed += 1
                continue
            if program.wait() != 0:
                raise RuntimeError(f"exit code {program.returncode}: {(folder / 'said.txt').read_text()}")
            span = min(span, time.perf_counter() - clock)  # so that most kills come before the end
            break
        different += (folder / "digest.txt").read_text() != reference
        again += max((folder / "log.txt").read_text().count("block") - blocks, 0)
        _clear(folder, made)
    return killed, runs, different, again


def _undisturbed(folder: Path, name: str, made: Path) -> tuple[str, float]:
    """The digest of a run that nobody disturbs, and the seconds that it works."""
    program = start(folder, "-m", "benchmarks.sweeps.faults_victims", name)
    _wait(program, lambda: _size(folder / "log.txt") > 0)
    clock = time.perf_counter()
    if program.wait() != 0:
        raise RuntimeError(f"exit code {program.returncode}: {(folder / 'said.txt').read_text()}")
    span, digest = time.perf_counter() - clock, (folder / "digest.txt").read_text()
    if digest.split()[1] != "0":
        raise RuntimeError(f"an undisturbed run is damaged: {digest}")
    _clear(folder, made)
    return digest, span


def _clear(folder: Path, made: Path) -> None:
    for path in (folder / made, folder / "log.txt", folder / "digest.txt"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _wait(process: "subprocess.Popen[str]", condition) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.005)


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _children(pid: int) -> list[int]:
    """Processes that a process has started, as Linux lists them."""
    try:
        found = [Path(task, "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return [int(child) for children in found for child in children]
