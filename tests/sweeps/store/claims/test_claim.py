import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import polars as pl
import pytest
from rich.progress import Progress

from infojax.errors import InvalidInput
from infojax.sweeps import Store, load_experiment, run_stored
from infojax.sweeps.run import stored_run as run
from infojax.sweeps.run.compute import compute, keep
from infojax.sweeps.store.addresses.address import address
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.claims import heartbeat, processes
from infojax.sweeps.store.claims.claim import Watch, holder, take


@pytest.fixture(autouse=True)
def _no_claims_left():
    yield
    heartbeat._FILES.clear()


@pytest.fixture
def where(tmp_path):
    return tmp_path / "results" / "e" / ".claims"


@pytest.fixture(scope="module")
def dead():
    """What named a process of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    named = processes.this_process() | {"pid": process.pid, "start": processes._start(process.pid)}
    assert not processes.gone(named)
    process.communicate(b"\n")
    return named


def test_one_holds_until_it_releases(where):
    claim = take(where, "a", Watch())
    assert claim.held()
    assert take(where, "a", Watch()) is None
    assert holder(where, "a", Watch())["pid"] == os.getpid()
    assert take(where, "b", Watch()) is not None
    claim.release()
    assert not claim.held()
    assert holder(where, "a", Watch()) is None
    assert take(where, "a", Watch()).file.name == "a.1"


def test_an_address_that_begins_another_is_another(where):
    assert take(where, "ab", Watch()) is not None
    assert take(where, "a", Watch()) is not None


def test_a_dead_process_is_taken_over_at_once(where, dead):
    where.mkdir(parents=True)
    (where / "a.3").write_text(json.dumps(dead | {"token": "x"}))
    claim = take(where, "a", Watch())
    assert claim.file.name == "a.4"
    assert [file.name for file in where.iterdir()] == ["a.4"]


def test_a_process_number_used_again_is_another_process(where):
    where.mkdir(parents=True)
    (where / "a.1").write_text(json.dumps(processes.this_process() | {"start": "1", "token": "x"}))
    assert take(where, "a", Watch()).file.name == "a.2"


def test_a_process_nobody_waited_for_has_ended():
    process = subprocess.Popen([sys.executable, "-c", ""])
    named = processes.this_process() | {"pid": process.pid, "start": processes._start(process.pid)}
    deadline = time.monotonic() + 20
    while not processes.gone(named) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes.gone(named)
    process.wait()


@pytest.mark.parametrize("text", ["", '{"host": "elsew', "[1]", '{"host": "elsewhere", "pid": 1, "start": "1"}'])
def test_others_are_stale_once_the_lease_has_passed_without_a_sign_of_life(where, text, monkeypatch):
    """Torn files, and those of other machines; by the watcher's clock, as those of machines differ."""
    now = 1000.0
    monkeypatch.setattr(claims.time, "monotonic", lambda: now)
    where.mkdir(parents=True)
    file = where / "a.1"
    file.write_text(text)
    os.utime(file, (0, 0))  # decades old by the clock of the other machine
    watch = Watch(lease=60.0)
    assert take(where, "a", watch) is None
    now += 59
    assert take(where, "a", watch) is None
    os.utime(file, (5, 5))
    now += 59
    assert take(where, "a", watch) is None  # it was touched
    now += 61
    assert take(where, "a", Watch(lease=60.0)) is None  # another watcher sees it for the first time
    assert take(where, "a", watch).file.name == "a.2"


def test_a_holder_that_was_taken_over_has_lost_its_claim(where):
    lost = take(where, "a", Watch())
    late = Watch(lease=-1.0)
    new = take(where, "a", late)
    assert new.held()
    assert not lost.held()
    lost.release()
    assert new.held()
    assert [file.name for file in where.iterdir()] == ["a.2"]


def test_a_claim_made_anew_behind_ones_back_is_respected(where, dead, monkeypatch):
    """It was stale when we looked; before we could take it over, another had, had finished, and had begun anew."""
    where.mkdir(parents=True)
    (where / "a.1").write_text(json.dumps(dead | {"token": "x"}))
    create, others = claims._create, []

    def meanwhile(folder, name, generation):
        monkeypatch.setattr(claims, "_create", create)
        second = take(where, "a", Watch())
        second.release()
        others.append(take(where, "a", Watch()))
        return create(folder, name, generation)

    monkeypatch.setattr(claims, "_create", meanwhile)
    assert take(where, "a", Watch()) is None
    assert others[0].file.name == "a.1"
    assert others[0].held()


def test_a_claim_made_anew_from_the_first_generation_is_respected(where, dead, monkeypatch):
    where.mkdir(parents=True)
    (where / "a.3").write_text(json.dumps(dead | {"token": "x"}))
    create, others = claims._create, []

    def meanwhile(folder, name, generation):
        monkeypatch.setattr(claims, "_create", create)
        take(where, "a", Watch()).release()
        others.append(take(where, "a", Watch()))
        return create(folder, name, generation)

    monkeypatch.setattr(claims, "_create", meanwhile)
    assert take(where, "a", Watch()) is None
    assert [file.name for file in where.iterdir()] == ["a.1"]
    assert others[0].held()


def test_a_claim_from_an_old_listing_is_withdrawn(where, monkeypatch):
    create = claims._create

    def meanwhile(folder, name, generation):
        (where / "a.7").write_text("")
        return create(folder, name, generation)

    monkeypatch.setattr(claims, "_create", meanwhile)
    where.mkdir(parents=True)
    assert take(where, "a", Watch()) is None
    assert [file.name for file in where.iterdir()] == ["a.7"]


def test_no_two_hold_one_address(where, dead):
    """Eight at once, many of whom die with their claim; whoever holds it is alone."""
    inside, taken, died = [], [0] * 8, [0]
    start = threading.Barrier(8)

    def work(index):
        start.wait()
        for turn in range(60):
            claim = take(where, "a", Watch())
            if claim is None:
                continue
            inside.append(index)
            assert inside == [index]
            time.sleep(0.0005)
            assert inside == [index]
            inside.remove(index)
            taken[index] += 1
            if turn % 2:
                heartbeat.stop(claim.file)
                claim.file.write_text(json.dumps(dead | {"token": claim.token}))
                died[0] += 1
            else:
                claim.release()

    errors = []
    hook, threading.excepthook = threading.excepthook, lambda failed: errors.append(failed.exc_value)
    try:
        threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.excepthook = hook
    assert errors == []
    assert sum(taken) > 20
    assert died[0] > 5
    assert len(list(where.iterdir())) <= 1


def test_signs_of_life(where):
    claim = take(where, "a", Watch())
    os.utime(claim.file, (5, 5))
    heartbeat.touch(claim.file, claim.token.encode())
    assert claim.file.stat().st_mtime > 1e9
    claim.file.write_text("another's")
    os.utime(claim.file, (5, 5))
    heartbeat.touch(claim.file, claim.token.encode())
    assert claim.file.stat().st_mtime == 5
    assert claim.file not in heartbeat._FILES


def test_the_thread_touches_what_is_held(where, monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    monkeypatch.setattr(heartbeat, "_THREADS", [])
    claim = take(where, "a", Watch())
    os.utime(claim.file, (5, 5))
    deadline = time.monotonic() + 20
    while claim.file.stat().st_mtime == 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert claim.file.stat().st_mtime > 1e9
    claim.release()
    while heartbeat._THREADS and time.monotonic() < deadline:
        time.sleep(0.01)
    assert heartbeat._THREADS == []  # nothing is left to be touched


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "results").touch()
    with pytest.raises(InvalidInput, match=r"results cannot be written to .*results \("):
        take(tmp_path / "results" / "e" / ".claims", "a", Watch())


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


def make_no_file(path, kind):
    match kind:
        case "folder":
            path.mkdir()
        case "dangling link":
            path.symlink_to("nothing")
        case "link to itself":
            path.symlink_to(path.name)
        case "link to a file":
            path.symlink_to(__file__)
        case "pipe":
            os.mkfifo(path)
        case "socket":
            import socket

            os.chdir(path.parent)  # names of sockets are short
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(path.name)


KINDS = ["folder", "dangling link", "link to itself", "link to a file", "pipe", "socket"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_holds_nothing(where, kind, monkeypatch):
    monkeypatch.chdir(where.parents[2])
    where.mkdir(parents=True)
    make_no_file(where / "a.1", kind)
    assert holder(where, "a", Watch()) is None
    claim = take(where, "a", Watch())
    assert claim.file.name == "a.2"
    assert claim.held()
    assert take(where, "a", Watch()) is None
    claim.release()
    assert take(where, "a", Watch()) is not None


@pytest.mark.parametrize("name", ["a.01", "a.0", "a.", "a.-1", "a.+1", "a.1 ", "a.١", "a.1.1", "a." + "9" * 200, "a.x"])
def test_names_that_are_none_of_ours_are_left_alone(where, name):
    where.mkdir(parents=True)
    (where / name).write_text("another's")
    assert holder(where, "a", Watch()) is None
    claim = take(where, "a", Watch())
    assert claim.file.name == "a.1"
    assert claim.held()
    claim.release()
    assert [file.name for file in where.iterdir()] == [name]


def test_the_largest_number_is_taken_over_too(where, dead):
    where.mkdir(parents=True)
    for text in (json.dumps(dead), ""):
        (where / f"a.{claims.LIMIT}").write_text(text)
        watch = Watch(lease=-1.0)
        claim = take(where, "a", watch) or take(where, "a", watch)
        assert claim.file.name == "a.1"
        claim.release()


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_what_stands_where_the_folder_of_claims_should(tmp_path, kind):
    where = tmp_path / "results" / "e" / ".claims"
    where.parent.mkdir(parents=True)
    if kind == "folder":
        where.mkdir()
        assert take(where, "a", Watch()) is not None
        return
    where.touch() if kind == "file" else where.symlink_to("nothing")
    with pytest.raises(InvalidInput, match="results cannot be written"):
        take(where, "a", Watch())


def test_a_claim_that_cannot_be_removed_is_said_in_a_line(where, dead, monkeypatch):
    where.mkdir(parents=True)
    (where / "a.1").write_text(json.dumps(dead))

    def refuses(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(claims.Path, "unlink", refuses)
    claim = take(where, "a", Watch())  # whose forerunner cannot be removed
    assert claim.held()
    assert "Read-only file system" in claim.release()
    assert take(where, "a", Watch()) is None  # this process lives


def test_signs_of_life_do_not_wait_for_a_pipe(where):
    claim = take(where, "a", Watch())
    claim.file.unlink()
    os.mkfifo(claim.file)
    heartbeat.touch(claim.file, claim.token.encode())
