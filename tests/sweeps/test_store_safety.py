"""What happens to a result when writers are killed, disks are full, bits flip, and several processes write at once."""

import dataclasses
import errno
import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from functools import partial

import numpy as np
import polars as pl
import pytest

from infojax.errors import CorruptData, InvalidInput, StorageFailed
from infojax.sweeps import Store
from infojax.sweeps.store import writing
from infojax.sweeps.store.contents import contents_of
from infojax.sweeps.store.record import digest, read_record, sealed
from infojax.sweeps.store.result_store import read_result


@dataclasses.dataclass(frozen=True)
class Config:
    rate: float = 0.5
    seed: int = 3


def held(value, rows=3):
    return {"t": pl.DataFrame({"x": [float(value)] * rows}), "a": np.full(rows, float(value))}


def value(result):
    (table,), (array,) = set(result.tables["t"]["x"]), set(result.arrays["a"].tolist())
    assert table == array
    return table


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


class Killed(BaseException):
    """Plays kill −9: nothing is cleaned up."""


@pytest.fixture
def killed_at(monkeypatch):
    """killed_at(k, write): writes as a process that is killed at its k-th step; returns whether it came to that."""

    def call(k, write):
        steps = iter(range(10**6))

        def counted(function):
            def step(*args, **kwargs):
                if next(steps) == k:
                    raise Killed
                return function(*args, **kwargs)

            return step

        with monkeypatch.context() as patch:
            for name in ("mkdir", "rename", "replace", "unlink"):
                patch.setattr(f"pathlib.Path.{name}", counted(getattr(writing.Path, name)))
            patch.setattr(writing.os, "fsync", counted(os.fsync))
            patch.setattr(writing, "sealed", counted(sealed))
            patch.setattr(writing.shutil, "rmtree", lambda *_, **__: None)
            patch.setattr(writing, "_unlink", lambda *_: None)
            try:
                write()
            except Killed:
                return True
        return False

    return call


def test_a_kill_at_any_step_leaves_the_old_or_the_new(store, killed_at):
    store.write("e", Config(), held(0))
    seen, k = set(), 0
    while killed_at(k, partial(store.write, "e", Config(), held(k + 1))):
        now = value(store.read("e", Config()))
        assert now in {0, *seen, k + 1}
        seen.add(now)
        k += 1
    assert k >= 6
    assert value(store.read("e", Config())) == k + 1


def test_a_kill_at_any_step_of_the_first_write_leaves_all_or_nothing(store, killed_at):
    k = 0
    while killed_at(k, partial(store.write, "e", Config(seed=k), held(k))):
        result = store.read("e", Config(seed=k))
        assert result is None or value(result) == k
        store.write("e", Config(seed=k), held(-1))
        assert value(store.read("e", Config(seed=k))) == -1
        k += 1
    assert k >= 8


def test_leftovers_of_killed_writers_go_when_they_are_old(store, killed_at, monkeypatch):
    assert killed_at(6, partial(store.write, "e", Config(), held(0)))
    (left,) = (store.root / "e").glob(".writing-*")
    monkeypatch.setattr(writing, "_tidied", set())
    store.write("e", Config(seed=1), held(0))
    assert left.exists()  # perhaps somebody writes to it now
    os.utime(left, (time.time() - 2 * writing.DAY,) * 2)
    monkeypatch.setattr(writing, "_tidied", set())
    store.write("e", Config(seed=2), held(0))
    assert not left.exists()


@pytest.mark.parametrize("damaged", ["record.json", "a.npy"])
def test_nothing_is_left_of_what_is_replaced(store, damaged):
    folder = store.write("e", Config(), held(0)).folder
    (folder / damaged).write_bytes(b"no longer")
    store.write("e", Config(), held(1))
    assert {path.name for path in folder.iterdir()} == {"record.json", *read_record(folder)["files"]}
    store.write("e", Config(), held(2))
    assert {path.name for path in folder.iterdir()} == {"record.json", *read_record(folder)["files"]}
    assert value(store.read("e", Config())) == 2


def test_readers_always_find_a_whole_result_while_others_replace_it(store):
    store.write("e", Config(), held(0))
    folder, stop, problems, reads = store.folder("e", Config()), threading.Event(), [], []
    record = {key: entry for key, entry in read_record(folder).items() if key not in ("files", "sha256")}

    def write(writer):
        for turn in range(40):
            writing.write_whole(folder, contents_of("e", held(writer * 100 + turn)), record)

    def read():
        while not stop.is_set():
            try:
                reads.append(value(store.read("e", Config())))
            except Exception as error:
                problems.append(error)

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    reader = threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert not problems
    assert len(set(reads)) > 3
    assert value(store.read("e", Config())) in {39, 139, 239}


def test_two_first_writers_at_once(store):
    """Both have written their hidden folder before either renames it."""
    config = {"type": "Config", "rate": 0.5, "seed": 3}
    record = {"format": 2, "experiment": "e", "config": config, "code": "0" * 12}
    final, gate, written = store.root / "e" / f"{digest(config)}-{'0' * 12}", threading.Barrier(2), []

    def write(number):
        contents, turns = contents_of("e", held(number)), iter([gate.wait])
        save = contents[-1].save
        contents[-1] = dataclasses.replace(contents[-1], save=lambda stream: (save(stream), next(turns, int)()))
        written.append(writing.write_whole(final, contents, record))

    threads = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 2
    assert value(read_result(final)) in {1, 2}
    assert [path.name for path in final.parent.iterdir()] == [final.name]


def test_every_flipped_bit_of_a_record_is_found(store):
    file = store.write("e", Config(), held(0)).folder / "record.json"
    data = file.read_bytes()
    for i in range(len(data)):
        file.write_bytes(data[:i] + bytes([data[i] ^ (1 << i % 8)]) + data[i + 1 :])
        with pytest.raises(CorruptData):
            read_record(file.parent)
    file.write_bytes(data)
    assert read_record(file.parent)["seed"] == 3


def as_format_1(folder):
    """The result as it was written until format 2: without checksum of the record."""
    record = json.loads((folder / "record.json").read_bytes()) | {"format": 1}
    del record["sha256"]
    (folder / "record.json").write_text(json.dumps(record, indent=1, ensure_ascii=False))


def test_results_of_format_1_are_read(store):
    as_format_1(store.write("e", Config(), {"t": held(7)["t"]}).folder)
    result = store.read("e", Config())
    assert result.record["format"] == 1
    assert result.tables["t"]["x"].to_list() == [7.0, 7.0, 7.0]
    store.write("e", Config(), held(8))
    assert value(store.read("e", Config())) == 8
    assert store.read("e", Config()).record["format"] == 2


@pytest.mark.parametrize("change", [{"code": "0" * 12}, {"config": {"type": "Config", "rate": 0.5, "seed": 4}}])
def test_a_record_of_another_address_is_damage(store, change):
    folder = store.write("e", Config(), held(7)).folder
    record = {key: entry for key, entry in read_record(folder).items() if key != "sha256"}
    (folder / "record.json").write_bytes(sealed(record | change))
    with pytest.raises(CorruptData, match="record of another config or of other code"):
        store.read("e", Config())


@pytest.mark.parametrize("file", ["../../x.parquet", "/etc/passwd", "a.pickle", "record.json", "", "a/b.npy", "..npy"])
def test_files_outside_of_the_folder_are_damage(store, file):
    folder = store.write("e", Config(), held(7)).folder
    record = {key: entry for key, entry in read_record(folder).items() if key != "sha256"}
    (folder / "record.json").write_bytes(sealed(record | {"files": {file: "0" * 64}}))
    with pytest.raises(CorruptData, match="which no result has"):
        store.read("e", Config())
    store.write("e", Config(), held(8))
    assert value(store.read("e", Config())) == 8


@pytest.mark.parametrize("files", [[], {"a.npy": 1}, {"a.npy": None}])
def test_strange_files_are_damage(store, files):
    folder = store.write("e", Config(), held(7)).folder
    record = {key: entry for key, entry in read_record(folder).items() if key != "sha256"}
    (folder / "record.json").write_bytes(sealed(record | {"files": files}))
    with pytest.raises(CorruptData, match=r"record.json is damaged"):
        store.read("e", Config())


def test_a_pickle_in_an_array_is_not_loaded(store):
    folder = store.write("e", Config(), held(7)).folder
    np.save(folder / "a.npy", np.array([print], dtype=object), allow_pickle=True)
    checksum = hashlib.sha256((folder / "a.npy").read_bytes()).hexdigest()
    record = {key: entry for key, entry in read_record(folder).items() if key != "sha256"}
    (folder / "record.json").write_bytes(sealed(record | {"files": {"a.npy": checksum}}))
    with pytest.raises(CorruptData, match=r"a.npy is damaged .*[Pp]ickle"):
        store.read("e", Config())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("there", [False, True])
def test_full_disk(store, monkeypatch, number, there):
    if there:
        store.write("e", Config(), held(1))

    def full(_):
        raise OSError(number, "no space")

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(StorageFailed, match=r"disk is full: .*results/e/.* needs 1,\d\d\d bytes, and .* are free"):
        store.write("e", Config(), held(2, rows=100))
    read = store.read("e", Config())
    assert value(read) == 1 if there else read is None
    names = sorted(path.name for path in (store.root / "e").rglob("*"))
    assert names == ([store.folder("e", Config()).name, "a.npy", "record.json", "t.parquet"] if there else [])


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk):
    store = Store(small_disk / "results")
    store.write("e", Config(), held(1))
    with pytest.raises(StorageFailed, match="disk is full"):
        store.write("e", Config(seed=4), {"a": np.random.default_rng(0).normal(size=10**6)})
    with pytest.raises(StorageFailed, match="disk is full"):
        store.write("e", Config(), {"a": np.ones(10**6)})
    assert value(store.read("e", Config())) == 1
    store.write("e", Config(seed=5), held(2))  # there is room again for what is small
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(InvalidInput, match=r"cannot be written to .* \(.*Read-only file system"):
        store.write("e", Config(seed=6), held(2))
    assert value(store.read("e", Config(seed=5))) == 2


def test_a_root_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="cannot be written to"):
        Store(tmp_path / "file").write("e", Config(), held(1))
    assert Store(tmp_path / "file").read("e", Config()) is None
