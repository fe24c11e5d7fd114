"""`infojax results export`."""

import io
import json
from pathlib import Path

import polars as pl
import pytest

from tests.cli.results.lines import older, stored


def test_export_joins_config_and_rows(line, results):
    stored(line)
    stored(line, seed=1, slope=3, start=line.Start(y=5.0), x=(7,))
    older(line, seed=5)
    code, out, err = results("export", "line")
    assert code == 0
    assert err.startswith(
        "warning: 1 results of line are left out, as other versions of its code made them; --any-code"
    )
    frame = pl.read_csv(io.StringIO(out)).sort("seed", "x")
    assert frame.columns == ["slope", "config.x", "start.type", "start.y", "name", "seed", "x", "y", "both"]
    assert frame["seed"].to_list() == [0, 0, 1]
    assert frame["slope"].to_list() == [2.0, 2.0, 3.0]
    assert frame["config.x"].to_list() == ["[0, 1]", "[0, 1]", "[7]"]
    assert frame["y"].to_list() == [1.0, 3.0, 26.0]
    assert json.loads(frame["both"][2]) == [7.0, 26.0]


@pytest.mark.parametrize(
    ("where", "seeds"),
    [
        (("seed=1",), {1}),
        (("seed=1", "seed=3"), {1, 3}),
        (("seed=1", "slope=2"), set()),
        (("slope=2.0",), {3}),
        (("name=null",), {1}),
        (("name=three",), {3}),
        (("x=[0, 1]", "start.y=1"), {1, 3}),
    ],
)
def test_export_where(line, results, where, seeds):
    stored(line, seed=1, slope=0.5)
    stored(line, seed=3, name="three")
    code, out, err = results("export", "line", "--where", *where, "--format", "jsonl")
    assert {json.loads(row)["seed"] for row in out.splitlines()} == seeds
    assert code == (0 if seeds else 2)
    assert ("no result is left of the 2 results" in err) is not bool(seeds)


def test_export_to_files(line, results, tmp_path):
    stored(line, seed=2)
    stored(line, seed=1)
    older(line, seed=1)
    assert "has the tables" in results("export", "line")[2]
    assert results("export", "line", "--table", "line", "--out", "a.parquet", "--any-code")[0] == 0
    frame = pl.read_parquet("a.parquet")
    assert frame.height == 6
    assert frame["code"].n_unique() == 2
    assert results("export", "line", "--out", "tables/")[0] == 0
    assert sorted(file.name for file in Path("tables").iterdir()) == ["line-line.parquet", "line-more.parquet"]
    assert pl.read_parquet("tables/line-more.parquet")["seed"].to_list() == [2]
    assert results("export", "line", "--table", "line", "--out", "a.jsonl")[0] == 0
    assert len(Path("a.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--where", "sed=1"), "did you mean 'seed'"),
        (("--where", "seed"), "give FIELD=VALUE"),
        (("--table", "lime"), "no table 'lime'; they have line"),
        (("--out", "a.txt"), "end it in .parquet"),
        (("--out", "no/folder/a.csv"), "cannot be written"),
    ],
)
def test_export_refuses(line, results, args, words):
    stored(line)
    code, out, err = results("export", "line", *args)
    assert (code, out) == (2, "")
    assert words in err


def test_export_names_what_is_damaged(line, results):
    result = stored(line)
    (result.folder / "line.parquet").write_bytes(b"PAR1")
    assert "line.parquet is damaged" in results("export", "line")[2]
    (result.folder / "record.json").write_text("{}")
    assert "verify --remove" in results("export", "line")[2]
