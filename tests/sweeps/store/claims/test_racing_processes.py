"""Claims of processes that compute the same config: one computes, the others wait, and take over."""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import polars as pl
from rich.progress import Progress

from infojax.sweeps import Store, load_experiment, run_stored
from infojax.sweeps.run import stored_run as run
from infojax.sweeps.run.compute import compute, keep
from infojax.sweeps.store.addresses.address import address
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.claims.claim import Watch, take

RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from infojax.sweeps import Store, run_stored
print("ready", flush=True)
input()
result = run_stored("probe", "quick", Store(Path(sys.argv[1], "results")), package=sys.argv[2])
print(result.tables["values"]["value"][0])
"""


def ready(tmp_path, probes):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, tmp_path, probes], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_of_processes_that_race_exactly_one_computes(tmp_path, probes):
    racers = [ready(tmp_path, probes) for _ in range(2)]
    (tmp_path / "wait0").touch()
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    log = tmp_path / "log.txt"
    deadline = time.monotonic() + 30
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    (tmp_path / "wait0").unlink()
    assert [racer.communicate()[0] for racer in racers] == ["0.0\n", "0.0\n"]
    assert len(log.read_text().splitlines()) == 1
    assert list((tmp_path / "results" / "probe" / ".claims").iterdir()) == []


def test_who_waits_takes_over_from_a_killed_process(tmp_path, probes, monkeypatch):
    monkeypatch.setattr(run, "POLL", 0.01)
    (tmp_path / "killonce0").touch()
    killed = ready(tmp_path, probes)
    killed.communicate("\n")
    assert killed.returncode == -9
    assert len(list((tmp_path / "results" / "probe" / ".claims").iterdir())) == 1
    store = Store(tmp_path / "results")
    assert run_stored("probe", "quick", store, package=probes).tables["values"]["value"].to_list() == [0]
    assert list((tmp_path / "results" / "probe" / ".claims").iterdir()) == []


def test_run_stored_waits_for_another_and_says_so(tmp_path, probes, monkeypatch):
    monkeypatch.setattr(run, "POLL", 0.01)
    store, config = Store(tmp_path / "results"), load_experiment("probe", probes).PRESETS["quick"]
    other = take(claims.folder(store.root, "probe"), address(config), Watch())
    progress = Progress(disable=True)
    found = []
    waiting = threading.Thread(
        target=lambda: found.append(run_stored("probe", config, store, progress, package=probes))
    )
    waiting.start()
    deadline = time.monotonic() + 20
    while not progress.tasks and time.monotonic() < deadline:
        time.sleep(0.01)
    assert f"process {os.getpid()} on" in progress.tasks[0].description
    compute(load_experiment("probe", probes), "probe", config, store, other)
    other.release()
    waiting.join()
    assert found[0].tables["values"]["value"].to_list() == [0]
    assert len((tmp_path / "log.txt").read_text().splitlines()) == 1


def test_who_lost_its_claim_takes_what_the_other_stored(tmp_path, probes):
    store, config = Store(tmp_path / "results"), load_experiment("probe", probes).PRESETS["quick"]
    folder = claims.folder(store.root, "probe")
    lost = take(folder, address(config), Watch())
    new = take(folder, address(config), Watch(lease=-1.0))

    def tables(value):
        return {"values": pl.DataFrame({"value": [value]})}

    keep("probe", config, store, new, tables(1.0), datetime.now(UTC), 1.0, False)
    kept = keep("probe", config, store, lost, tables(2.0), datetime.now(UTC), 1.0, False)
    assert kept.tables["values"]["value"].to_list() == [1.0]
