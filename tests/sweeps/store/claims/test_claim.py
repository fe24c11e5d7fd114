"""Claims: one holds an address until it releases it, ends, or gives no sign of life."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from infojax.errors import InvalidInput
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.claims import heartbeat, processes
from infojax.sweeps.store.claims.claim import Watch, holder, take


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
