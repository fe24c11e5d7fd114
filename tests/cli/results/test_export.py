"""Files of exported tables: whole, whoever writes them too, and refused where a format cannot hold them."""

import os
import threading
from datetime import timedelta

import polars as pl
import pytest

from infojax.cli.results.export import WRITERS, _write, check_kind
from infojax.errors import DataWarning, InvalidInput


def test_three_at_once_and_a_reader(tmp_path):
    file = tmp_path / "x.csv"
    frames = [pl.DataFrame({"a": [value] * 20_000}) for value in (1, 2, 3)]
    _write(frames[0], "csv", file)
    faults, done = [], threading.Event()

    def write(frame):
        try:
            for _ in range(6):
                _write(frame, "csv", file)
        except OSError as error:
            faults.append(error)

    def read():
        while not done.is_set():
            found = pl.read_csv(file.read_bytes())["a"]
            if found.n_unique() != 1 or len(found) != 20_000:
                faults.append("mixed or short")

    writers, reader = [threading.Thread(target=write, args=(frame,)) for frame in frames], threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not faults
    assert os.listdir(tmp_path) == ["x.csv"]


def test_a_planted_link_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("mine")
    for name in (".x.csv.part", "x.csv"):
        (tmp_path / name).symlink_to(tmp_path / "mine")
    _write(pl.DataFrame({"a": [1]}), "csv", tmp_path / "x.csv")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "x.csv").read_text() == "a\n1\n"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(
    "column",
    [pl.Series([b"\xff"]), pl.Series([[b"\xff"]]), pl.Series([{"a": 1, "b": [b"x"]}])],
    ids=["bytes", "list", "struct"],
)
def test_bytes_are_for_parquet(tmp_path, kind, column):
    frame = pl.DataFrame({"x": [1], "raw": column})
    with pytest.raises(InvalidInput, match=r"bytes in 'raw'.*parquet"):
        check_kind(frame, kind, "table")
    check_kind(frame, "parquet", "table")
    _write(frame, "parquet", tmp_path / "x.parquet")
    assert pl.read_parquet(tmp_path / "x.parquet").equals(frame)


def test_numbers_that_json_has_not():
    frame = pl.DataFrame({"a": [1.0, float("nan")], "b": [[float("inf")], [2.0]], "c": [{"d": -float("inf")}] * 2})
    with pytest.warns(DataWarning, match="4 numbers that are NaN or infinite"):
        check_kind(frame, "jsonl", "table")
    check_kind(frame, "csv", "table")
    check_kind(pl.DataFrame({"a": [1.0, None], "b": [[1], []]}), "jsonl", "table")


@pytest.mark.parametrize("kind", WRITERS)
def test_every_other_type_is_written(tmp_path, kind):
    columns = {
        "duration": [timedelta(seconds=1), None],
        "list": [[1.0], None],
        "none": [None, None],
        "text": ["=1", "é"],
    }
    frame = pl.DataFrame(columns)
    check_kind(frame, kind, "table")
    _write(frame, kind, tmp_path / f"x.{kind}")
    if kind == "csv":
        assert (tmp_path / "x.csv").read_text() == "duration,list,none,text\nPT1S,[1.0],,=1\n,,,é\n"
