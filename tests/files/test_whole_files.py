"""Files are written whole or not at all, whoever else writes them."""

import os
import threading

import pytest

from infojax.files import checkpoint as checkpoint
from infojax.files._whole_files import idle, write_whole


def test_many_writers_and_a_reader(tmp_path):
    file, texts = tmp_path / "table.csv", [letter * 200_000 for letter in (b"a", b"b", b"c")]
    write_whole(file, texts[0])
    faults, done = [], threading.Event()

    def write(text):
        try:
            for _ in range(20):
                write_whole(file, text)
        except OSError as error:
            faults.append(error)

    def read():
        while not done.is_set():
            if file.read_bytes() not in texts:
                faults.append("mixed")

    writers, reader = [threading.Thread(target=write, args=(text,)) for text in texts], threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not faults
    assert os.listdir(tmp_path) == ["table.csv"]


def test_links_are_not_followed(tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    for name in (".x.csv.part", "x.csv"):
        (tmp_path / name).symlink_to(tmp_path / "mine")
    write_whole(tmp_path / "x.csv", b"new")
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert (tmp_path / "x.csv").read_bytes() == b"new"
    assert not (tmp_path / "x.csv").is_symlink()


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127, "ordinary.csv"])
def test_long_names(tmp_path, name):
    assert write_whole(tmp_path / name, b"1").read_bytes() == b"1"


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    file = write_whole(tmp_path / "x", b"old")

    def fails(stream):
        stream.write(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_whole(file, fails)
    assert file.read_bytes() == b"old"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"new")
    assert sorted(os.listdir(tmp_path)) == ["folder", "x"]


def test_pipes_and_devices_are_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_whole(tmp_path / "pipe", b"through")
    assert os.read(reader, 99) == b"through"
    os.close(reader)
    (tmp_path / "null").symlink_to("/dev/null")
    write_whole(tmp_path / "null", b"gone")
    assert (tmp_path / "null").is_symlink()


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o002])
def test_modes_are_those_of_new_files(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "x", b"")
        checkpoint.write(tmp_path / "checkpoint.npz", "mark", {})
    finally:
        os.umask(before)
    for name in ("x", "checkpoint.npz"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_folder_is_as_idle_as_what_was_written_in_it_last(tmp_path):
    inside = tmp_path / "folder" / "inside"
    inside.mkdir(parents=True)
    file = write_whole(inside / "x", b"")
    for path in (file, inside, inside.parent):
        os.utime(path, (5, 5))
    assert idle(tmp_path / "folder") > 1e9
    file.write_bytes(b"more")
    assert idle(tmp_path / "folder") < 1000
    assert idle(tmp_path / "nothing") == 0
