"""A store that is corrupted, full, shared by two sweeps, given failing configs, and strewn with dead claims."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sweeps.faults_victims import Seen, prepare, read_log, start, start_sweep, wrong
from infojax.sweeps import set_aside, verify

SMALL, LARGE = "3m", "100m"


def corruption(folder: Path, kills: int, random: np.random.Generator) -> Seen:
    """Flip, cut, overwrite, lengthen and delete files at random; verify, set aside, and compute again."""
    seeds, rounds, found, false, bad = 12, 4 * kills, 0, 0, 0
    prepare(folder)
    start_sweep(folder, seeds, "--set", "entries=200", "seconds=0.0").wait()
    with _module(folder) as module:
        from infojax.sweeps import sweep

        configs = [module.Config(seed=seed, entries=200, seconds=0.0) for seed in range(seeds)]
        for _ in range(rounds):
            whole = [(checked.folder, checked.extra) for checked in verify(folder / "results")]
            files = [path for at, extra in whole for path in sorted(at.iterdir()) if path.name not in extra]
            file = files[int(random.integers(len(files)))]
            _damage(file, random)
            damaged = [checked for checked in verify(folder / "results") if checked.damaged]
            found += file.parent in [checked.folder for checked in damaged]
            false += sum(checked.folder != file.parent for checked in damaged)
            if random.random() < 0.5:  # otherwise the sweep itself finds it, and replaces it where it is
                for checked in damaged:
                    set_aside(folder / "results", checked)
            report = sweep("blocks", configs, results=folder / "results", package="disturbed")
            bad += report.count("computed") != 1
        bad += wrong(folder, seeds)
    return Seen(
        f"{rounds} random damages of files of {seeds} results: bits flipped, cut, overwritten, lengthened, deleted",
        "every one found by verify, nothing else; that result, and no other, computed again, bit for bit",
        f"{found} of {rounds} found, {false} false alarms; {bad} not or wrongly computed again",
        found == rounds and false == bad == 0,
    )


def full_disk(folder: Path, kills: int, random: np.random.Generator) -> Seen:
    """A disk of three megabytes, which five results fill; then it is made larger."""
    prepare(folder)
    seeds, results = 12, folder / "results"
    results.mkdir()
    done, expected = (
        f"a disk of {SMALL} for {seeds} results of .5 MB; then of {LARGE}",
        "an error with folder and bytes, ",
    )
    expected += "what was stored before whole, all stored once there is room, nothing left over"
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(results)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        return Seen(done, expected, "not done: file systems cannot be mounted here", True)
    try:
        full = start_sweep(folder, seeds).wait()
        said = (folder / "said.txt").read_text()
        states = [bool(checked.damaged) for checked in verify(results)]
        subprocess.run(["mount", "-o", f"remount,size={LARGE}", str(results)], check=True)
        roomy = start_sweep(folder, seeds).wait()
        bad = wrong(folder, seeds)
        left = len(list(results.rglob(".writing-*")))
    finally:
        subprocess.run(["umount", "-l", str(results)], check=True)
    told = "disk is full" in said or "No space left" in said
    return Seen(
        done,
        expected,
        f"full: exit code {full}, {len(states)} stored, {sum(states)} damaged, {'told' if told else 'not told'}; "
        f"roomy: exit code {roomy}, {bad} missing or different, {left} left over",
        full in (1, 2) and told and 0 < len(states) < seeds and not any(states) and roomy == bad == left == 0,
    )


def two_sweeps(folder: Path, kills: int, random: np.random.Generator) -> Seen:
    """The same sweep twice at once on one store, each with a worker."""
    prepare(folder)
    seeds = 80
    both = [start_sweep(folder, seeds, "--workers", "1") for _ in range(2)]
    codes = [sweep.wait() for sweep in both]
    bad, log = wrong(folder, seeds), read_log(folder)
    return Seen(
        f"two sweeps of the same {seeds} configs at once",
        "both end with all stored, and nothing was computed twice",
        f"exit codes {codes}, {bad} missing or different; {log.begun_again} of {len(log.begun)} blocks computed twice",
        codes == [0, 0] and bad == log.begun_again == 0,
    )


def failing(folder: Path, kills: int, random: np.random.Generator) -> Seen:
    """One config that always fails, until it is mended."""
    prepare(folder)
    (folder / "fail2").touch()
    code = start_sweep(folder, 5, "--retries", "2").wait()
    tries, missing = read_log(folder).failures, wrong(folder, 5)
    kept = [path.read_text() for path in (folder / "results" / "blocks" / ".failed").glob("*.json")]
    (folder / "fail2").unlink()
    mended = start_sweep(folder, 5).wait()
    bad, log = wrong(folder, 5), read_log(folder)
    traced = len(kept) == 1 and "told to fail" in kept[0] and "Traceback" in kept[0]
    return Seen(
        "one of 5 configs fails always, with 2 retries; then it is mended",
        "3 tries, exit code 1, its traceback kept, the others stored; then it alone is computed",
        f"{tries} tries, exit code {code}, traceback {'kept' if traced else 'lost'}, {5 - missing} stored; "
        f"then exit code {mended}, {bad} missing, {log.begun_again} blocks again",
        (tries, code, missing, mended, bad, log.begun_again) == (3, 1, 1, 0, 0, 0) and traced,
    )


def claims(folder: Path, kills: int, random: np.random.Generator) -> Seen:
    """Claims that nobody stands behind: torn, of a process that was killed, of a machine that is gone."""
    prepare(folder)
    seeds = 6
    with _module(folder) as module:
        from infojax.sweeps import address

        at = [address(module.Config(seed=seed)) for seed in range(seeds)]
    where = folder / "results" / "blocks" / ".claims"
    where.mkdir(parents=True)
    dead = "import os; from infojax.sweeps import claims; from pathlib import Path; "
    dead += f"claims.take(Path({str(where)!r}), {at[0]!r}, claims.Watch()); os.kill(os.getpid(), 9)"
    start(folder, "-c", dead).wait()
    elsewhere = '{"host": "gone/0", "pid": 1, "start": "1", "token": "a"}'
    torn = {1: b"", 2: b'{"host": "', 3: b"\xff\x00\xfe", 4: elsewhere.encode(), 5: b"[]"}
    for seed, text in torn.items():
        (where / f"{at[seed]}.{seed}").write_bytes(text)
    before = len(list(where.iterdir()))
    clock = time.perf_counter()
    code = start_sweep(folder, seeds).wait()
    seconds, bad = time.perf_counter() - clock, wrong(folder, seeds)
    left = len(list(where.iterdir())) if where.exists() else 0
    return Seen(
        f"{before} claims of nobody: of a killed process, of a machine that is gone, and four torn files",
        "the first is taken over at once, the others after the lease of 120 s; all stored, no claim left",
        f"exit code {code} after {seconds:.0f} s, {bad} missing or different, {left} claims left",
        before == seeds and code == bad == left == 0,
    )


def _damage(file: Path, random: np.random.Generator) -> None:
    data = bytearray(file.read_bytes())
    at = int(random.integers(len(data)))
    match random.choice(["flip", "cut", "overwrite", "lengthen", "delete"]):
        case "flip":
            data[at] ^= 1 << int(random.integers(8))
        case "cut":
            del data[at:]
        case "overwrite":
            data[at : at + 64] = bytes(255 - byte for byte in data[at : at + 64])
        case "lengthen":
            data += random.bytes(int(random.integers(1, 64)))
        case _:
            file.unlink()
            return
    file.write_bytes(data)


@contextmanager
def _module(folder: Path) -> Iterator[Any]:
    """The experiment in `folder`, imported here for as long as this lasts."""
    from infojax.sweeps import load_experiment

    sys.path.insert(0, str(folder))
    try:
        yield load_experiment("blocks", "disturbed")
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "disturbed"]:
            del sys.modules[name]
