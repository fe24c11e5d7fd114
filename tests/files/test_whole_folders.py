"""Folders are replaced whole: one writer wins, quietly, and readers find something at every moment."""

import threading

import numpy as np
import pytest

from infojax.data.fetching.fetch import _put
from infojax.data.fetching.trained import store, stored
from infojax.files import _whole_folders as whole_folders
from infojax.files._whole_folders import read_steadily, replace_folder


def at_once(writers, look=lambda: None):
    faults, done = [], threading.Event()

    def call(function):
        try:
            function()
        except Exception as error:
            faults.append(error)

    def read():
        while not done.is_set():
            look()

    threads = [threading.Thread(target=call, args=(writer,)) for writer in writers]
    reader = threading.Thread(target=call, args=(read,))
    for thread in (*threads, reader):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    return faults


def folder(path, text):
    path.mkdir(parents=True)
    (path / "file").write_text(text)
    return path


@pytest.mark.parametrize("exchange", [True, False])
def test_three_writers(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(whole_folders, "_exchanged", lambda *_: False)
    destination = folder(tmp_path / "set", "0")

    def write(number):
        for turn in range(40):
            work = tmp_path / f"{number}-{turn}"
            _put(folder(work / "set", f"{number}"), destination, work / "replaced")

    def look():
        text = (destination / "file").read_text() if exchange else ""
        if exchange and text not in ("0", "1", "2", "3"):
            raise ValueError(text)

    def exists():
        if exchange and not destination.exists():
            raise ValueError("nothing is there")

    assert at_once([lambda n=n: write(n) for n in (1, 2, 3)], exists) == []
    look()
    assert (destination / "file").read_text() in "123"


def test_weights_are_stored_by_several_and_always_found(tmp_path, monkeypatch):
    monkeypatch.setenv("INFOJAX_DATA", str(tmp_path))
    arrays = [{"a": np.full(2000, number, np.float32)} for number in range(3)]
    store("net", arrays[0], {"recipe": {"width": 1}})

    def look():
        found = stored("net", {"width": 1})
        if found is None or len(np.unique(found["a"])) != 1:
            raise ValueError("nothing whole is there")

    def write(number):
        for _ in range(15):
            store("net", arrays[number], {"recipe": {"width": 1}})

    assert at_once([lambda n=n: write(n) for n in range(3)], look) == []
    assert stored("net", {"width": 2}) is None
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_a_folder_that_takes_the_number_of_a_deleted_one_is_told_apart(tmp_path, monkeypatch):
    """A file system may give a new folder the number of one that was just deleted; not while it is being read."""
    numbers, current = iter((1, 2)), [1]
    taken = []
    monkeypatch.setattr(whole_folders.os, "open", lambda *_: taken.append(current[0]) or 99)
    monkeypatch.setattr(whole_folders.os, "close", lambda _: taken.pop())
    monkeypatch.setattr(whole_folders, "_identity", lambda _: (0, current[0]))

    def read():
        # Another writer replaces and deletes the folder: its number is free again unless it is held.
        turn = next(numbers)
        if turn == 1:
            current[0] = 1 if not taken else 2
        return turn

    assert read_steadily(tmp_path, read) == 2


def test_what_was_there_goes_aside(tmp_path):
    old, new = folder(tmp_path / "set", "old"), folder(tmp_path / "work" / "set", "new")
    replace_folder(new, old, tmp_path / "work" / "replaced")
    assert (tmp_path / "set" / "file").read_text() == "new"
    assert (tmp_path / "work" / "replaced" / "file").read_text() == "old"


def test_a_damaged_folder_is_not_read_for_ever(tmp_path):
    from infojax.errors import CorruptData

    times = []

    def read():
        times.append(1)
        raise CorruptData("damaged")

    with pytest.raises(CorruptData):
        read_steadily(tmp_path, read)
    assert len(times) == 1
