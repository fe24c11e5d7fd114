import json
from dataclasses import dataclass
from typing import Literal

import polars as pl
import pytest

from infojax.errors import CorruptData, InvalidInput
from infojax.sweeps.designs.rows import read_rows


@dataclass(frozen=True)
class Config:
    ridge: float = 1.0
    seed: int = 0
    rule: Literal["hard", "easy"] = "hard"
    sizes: tuple[int, ...] = ()
    limit: int | None = 5


ROWS = [{"ridge": 0.5, "seed": 1, "sizes": (1, 2)}, {"ridge": 2.0, "seed": 2, "sizes": ()}]


def write(file, text):
    file.write_text(text)
    return file


@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "parquet"])
def test_every_format_says_the_same(tmp_path, ending):
    file = tmp_path / f"configs.{ending}"
    if ending == "csv":
        file.write_text('ridge,seed,sizes\n0.5,1,"(1,2)"\n2,2,()\n')
    elif ending == "jsonl":
        file.write_text("\n\n".join(json.dumps(row) for row in ROWS) + "\n")
    elif ending == "json":
        file.write_text(json.dumps(ROWS))
    else:
        pl.DataFrame({"ridge": [0.5, 2.0], "seed": [1, 2], "sizes": [[1, 2], []]}).write_parquet(file)
    assert read_rows(file, Config()) == ROWS


def test_what_a_row_lacks_stays(tmp_path):
    assert read_rows(write(tmp_path / "a.csv", "seed,ridge\n1,\n,2\n"), Config()) == [{"seed": 1}, {"ridge": 2.0}]
    assert read_rows(write(tmp_path / "a.jsonl", '{"limit": null}\n{}\n'), Config()) == [{"limit": None}, {}]
    pl.DataFrame({"seed": [1, None]}).write_parquet(tmp_path / "a.parquet")
    assert read_rows(tmp_path / "a.parquet", Config()) == [{"seed": 1}, {}]


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("a.txt", "seed\n1\n", InvalidInput, "must end in .csv"),
        ("a.csv", "seed\n", InvalidInput, "has no rows"),
        ("a.csv", "", CorruptData, "is not what its ending .csv says"),
        ("a.csv", "sed\n1\n", InvalidInput, r"a.csv, row 1: there is no field 'sed'; did you mean 'seed'"),
        ("a.csv", "seed\n1\nx\n", InvalidInput, "row 2: seed=x: expected int"),
        ("a.jsonl", '{"seed": 1}\n{"seed"', CorruptData, "is not what its ending .jsonl says"),
        ("a.jsonl", "[" * 100_000, CorruptData, "is not what its ending"),
        ("a.jsonl", "1\n", CorruptData, "an object of field and value"),
        ("a.jsonl", '{"seed": "1"}', InvalidInput, "row 1: seed='1': expected int"),
        ("a.json", "[]", InvalidInput, "has no rows"),
        ("a.parquet", "PAR1", CorruptData, "is not what its ending .parquet says"),
    ],
)
def test_bad_files_are_refused(tmp_path, name, text, error, message):
    with pytest.raises(error, match=message):
        read_rows(write(tmp_path / name, text), Config())


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(CorruptData, match="is not what its ending"):
        read_rows(tmp_path / "a.jsonl", Config())
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_rows(tmp_path / "none.csv", Config())
