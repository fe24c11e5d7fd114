"""Every system call that the store makes fails in its turn; power is lost after every one, with what was not synced."""

import dataclasses
import errno
import os
import random
import shutil

import numpy as np
import polars as pl
import pytest

from infojax.errors import InfojaxError
from infojax.sweeps import Store
from infojax.sweeps.store import file_system, writing
from infojax.sweeps.store.addresses.code_version import pinned
from infojax.sweeps.store.file_system import probe
from infojax.sweeps.store.record import read_record, sealed
from tests.sweeps.system_calls import Calls, laid_out, replayed, snapshot


@dataclasses.dataclass(frozen=True)
class Config:
    seed: int = 3


def held(value):
    return {"t": pl.DataFrame({"x": [float(value)] * 3}), "a": np.full(3, float(value))}


def value(result):
    (table,), (array,) = set(result.tables["t"]["x"]), set(result.arrays["a"].tolist())
    assert table == array
    return table


@pytest.fixture(autouse=True)
def same_code():
    with pinned(__name__):  # else every address would look at each source
        yield


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """fresh(there) → a store of its own, with the result 0 or none, in a process that has written to none."""
    turns = iter(range(10**6))
    Store(tmp_path / "warm").write("e", Config(), held(0))  # git and versions are looked up once

    def make(there):
        store = Store(tmp_path / str(next(turns)) / "results")
        if there:
            store.write("e", Config(), held(0))
        monkeypatch.setattr(writing, "_tidied", set())
        monkeypatch.setattr(writing, "_synced", set())
        return store

    return make


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ENOSPC, errno.ESTALE], ids=errno.errorcode.get)
@pytest.mark.parametrize("there", [False, True], ids=["first", "again"])
def test_every_call_of_a_write_fails_in_its_turn(fresh, monkeypatch, there, number, lasting):
    fail, refused = 0, []
    while True:
        store = fresh(there)
        calls = Calls(store.root, fail, number, lasting)
        with calls.watched(monkeypatch):
            try:
                written = store.write("e", Config(), held(1))
            except InfojaxError as error:  # and no other
                written = None
                refused.append(str(error))
        if not calls.failed():
            break
        found = store.read("e", Config())
        allowed = {0, 1} if there else {None, 1}
        assert (None if found is None else value(found)) in ({1} if written is not None else allowed)
        store.write("e", Config(), held(2))
        assert value(store.read("e", Config())) == 2
        shutil.rmtree(store.root.parent)
        fail += 1
    assert len(refused) > 8
    assert all("results" in message for message in refused)
    assert fail > 20


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES], ids=errno.errorcode.get)
def test_every_call_of_a_read_fails_in_its_turn(fresh, monkeypatch, number):
    store, fail = fresh(True), 0
    while True:
        calls = Calls(store.root, fail, number)
        with calls.watched(monkeypatch):
            try:
                found = store.read("e", Config(), any_code=True)
                assert found is None or value(found) == 0
            except InfojaxError:
                found = None
        if not calls.failed():
            break
        fail += 1
    assert value(found) == 0
    assert fail > 6


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE], ids=errno.errorcode.get)
def test_every_call_of_a_look_for_other_code_fails_in_its_turn(fresh, monkeypatch, number):
    store, fail = fresh(True), 0
    folder = store.folder("e", Config())
    record = {key: entry for key, entry in read_record(folder).items() if key != "sha256"} | {"code": "0" * 12}
    older = folder.rename(folder.with_name(folder.name[:-12] + "0" * 12))
    (older / "record.json").write_bytes(sealed(record))
    while True:
        calls = Calls(store.root, fail, number)
        with calls.watched(monkeypatch):
            try:
                found = store.read("e", Config(), any_code=True)
                assert found is None or value(found) == 0
            except InfojaxError:
                found = None
        if not calls.failed():
            break
        fail += 1
    assert value(found) == 0
    assert fail > 8


@pytest.mark.parametrize("there", [False, True], ids=["first", "again"])
def test_power_is_lost_after_every_call(fresh, monkeypatch, tmp_path, there):
    """What was not synced is lost, or kept in part, in any order between folders."""
    store, chance = fresh(there), random.Random(0)
    root = store.root.parent
    root.mkdir(exist_ok=True)
    before, calls = snapshot(root), Calls(root)
    with calls.watched(monkeypatch):
        store.write("e", Config(), held(1))
    for after in range(len(calls.made) + 1):
        ways = [lambda _: False, lambda _: True, lambda _: chance.random() < 0.5, lambda _: chance.random() < 0.5]
        for way, chosen in enumerate(ways):
            files = replayed(calls.made, before, after, True, chosen)
            laid_out(files, root, tmp_path / f"lost-{after}-{way}")
            lost = Store(tmp_path / f"lost-{after}-{way}" / "results")
            found = lost.read("e", Config())
            now = None if found is None else value(found)
            if after == len(calls.made):
                assert now == 1  # what was said to be stored is
            assert now in ({0, 1} if there else {None, 1})
        shutil.rmtree(tmp_path / f"lost-{after}-0", ignore_errors=True)


def test_the_replay_of_all_calls_is_what_lies_there(fresh, monkeypatch):
    store = fresh(True)
    root = store.root.parent
    before, calls = snapshot(root), Calls(root)
    with calls.watched(monkeypatch):
        store.write("e", Config(), held(1))
    assert replayed(calls.made, before, len(calls.made), False) == snapshot(root)


def test_what_keeps_a_result_is_synced_before_it_is_said_to_be_stored(fresh, monkeypatch):
    store = fresh(False)
    calls = Calls(store.root.parent)
    with calls.watched(monkeypatch):
        folder = store.write("e", Config(), held(1)).folder
    synced = [path for name, path, *_ in calls.made if name == "fsync"]
    assert {str(folder.parent), str(store.root), str(store.root.parent)} <= set(synced)
    again = Calls(store.root.parent)
    with again.watched(monkeypatch):
        store.write("e", Config(4), held(1))
    assert str(store.root.parent) not in [path for name, path, *_ in again.made if name == "fsync"]


@pytest.mark.parametrize(
    ("name", "what", "words"),
    [
        ("replace", OSError(errno.EPERM, "no"), "cannot rename a file over another"),
        ("replace", OSError(errno.ENOTSUP, "no"), "cannot rename a file over another"),
        ("rename", os.rename, "cannot refuse to rename a folder"),
        (
            "open",
            lambda file, flags, mode=0o777, **_: OPEN(file, flags & ~os.O_EXCL, mode),
            "cannot make a file exclus",
        ),
    ],
    ids=range(4),
)
def test_a_file_system_that_cannot_is_refused(tmp_path, monkeypatch, name, what, words):
    def call(*given, **more):
        if isinstance(what, OSError):
            raise what
        if name == "rename" and os.path.exists(given[1]):
            shutil.rmtree(given[1])
        return what(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, call)
        with pytest.raises(InfojaxError, match=words):
            probe(tmp_path)
    assert list(tmp_path.iterdir()) == []


OPEN = os.open


def test_a_file_system_that_does_not_sync_folders_is_said_to(tmp_path, monkeypatch):
    def fsync(handle, sync=os.fsync):
        if os.path.isdir(f"/proc/self/fd/{handle}") or os.path.isdir(f"/dev/fd/{handle}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(file_system.os, "fsync", fsync)
    with pytest.warns(UserWarning, match="does not sync folders"):
        probe(tmp_path)
    assert list(tmp_path.iterdir()) == []
    Store(tmp_path / "R").write("e", Config(), held(1))
    assert value(Store(tmp_path / "R").read("e", Config())) == 1


def test_here_nothing_is_said(tmp_path):
    probe(tmp_path)
    assert list(tmp_path.iterdir()) == []
