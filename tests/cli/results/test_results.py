"""`infojax results`, as the command line calls it, on a store of a small package of experiments."""

import io
import itertools
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from infojax.cli import GROUPS, main
from infojax.sweeps import Store, load_experiment, run_stored
from infojax.sweeps.run.unit import Unit
from infojax.sweeps.store import failures
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.record import digest, read_record, sealed

COUNTER = itertools.count()

LINE = '''"""A line."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Start:
    y: float = 1.0


@dataclass(frozen=True)
class Config:
    slope: float = 2.0
    x: tuple[int, ...] = (0, 1)
    start: Start = field(default_factory=Start)
    name: str | None = None
    seed: int = 0


PRESETS = {"quick": Config(), "paper": Config()}


def run(config, scratch, progress):
    if config.seed == 13:
        raise ValueError("seed 13 [never] works")
    y = [config.start.y + config.slope * x for x in config.x]
    tables = {"line": pl.DataFrame({"x": config.x, "y": y, "both": [[float(a), b] for a, b in zip(config.x, y)]})}
    if config.seed == 2:
        tables |= {"more": pl.DataFrame({"z": ["a"]}), "grid": np.eye(2)}
    return tables
'''


@pytest.fixture
def line(tmp_path, monkeypatch):
    """The module `line` of a fresh package in the working directory."""
    name = f"lines_{next(COUNTER)}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / name / "line.py").write_text(LINE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = load_experiment("line", name)
    yield module
    for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == name]:
        del sys.modules[loaded]


@pytest.fixture
def results(line, capsys):
    """results(command…) → (exit code, stdout, stderr)."""

    def call(*args):
        package = [] if args[0] in ("show", "verify") else ["--package", line.__package__]
        with pytest.raises(SystemExit) as left:
            main(["results", *args, *package])
        captured = capsys.readouterr()
        return left.value.code, captured.out, captured.err

    return call


def stored(line, **fields):
    config = line.Config(**fields)
    return run_stored("line", config, Store(Path("results")), package=line.__package__)


def older(line, **fields):
    """A result of other code: the file was changed since."""
    file = Path(line.__file__)
    text = file.read_text()
    file.write_text(text.replace("config.start.y + ", "config.start.y - "))
    try:
        return stored(line, **fields)
    finally:
        file.write_text(text)


def test_list(line, results):
    first, old = stored(line), older(line, seed=1)
    stored(line, slope=-0.5, start=line.Start(y=9.0))
    (first.folder / "record.json").write_text("{}")
    Path("results/line/unfinished/" + "a" * 12 + "-" + "b" * 12).mkdir(parents=True)
    code, out, _ = results("list")
    assert code == 0
    assert "line: 2 stored, 1 damaged, 1 unfinished" in out
    rows = {row.split("│")[1].strip(): row for row in out.splitlines() if row.count("│") > 3}
    assert "older" in rows[old.folder.name[:12]]
    assert sum("current" in row and "-0.5" in row and "9" in row for row in rows.values()) == 1
    assert "damaged" in rows[first.folder.name[:12]]
    assert "unfinished" in rows["a" * 12]
    assert "start.y" in out
    assert "name" not in out  # the same in all


def test_list_shows_who_runs_and_what_failed(line, results):
    store, config = Store(Path("results")), line.Config(seed=13)
    address = store.folder("line", config).name
    claim = claims.take(claims.folder(store.root, "line"), address, claims.Watch())
    _, out, _ = results("list")
    assert f"process {os.getpid()} on" in out
    claim.release()
    unit = Unit("line", line.__package__, (config,), (address,), store.root.absolute())
    failures.note(unit, 0, "ValueError: seed 13 [never] works", "Traceback\n  whole [trace]", 1)
    _, out, _ = results("list", "--json")
    (entry,) = map(json.loads, out.splitlines())
    assert (entry["state"], entry["words"]) == ("failed", "ValueError: seed 13 [never] works")
    assert entry["config"]["seed"] == 13
    assert "[never]" in results("list")[1]
    assert "whole [trace]" in results("show", address[:6])[1]


def test_list_as_json(line, results):
    result, old = stored(line, seed=4), older(line, seed=5)
    found = {entry["address"]: entry for entry in map(json.loads, results("list", "--json")[1].splitlines())}
    assert set(found) == {result.folder.name, old.folder.name}
    entry = found[result.folder.name]
    assert (entry["experiment"], entry["state"], entry["code"]) == ("line", "stored", "current")
    assert entry["config"]["seed"] == 4
    assert entry["seconds"] >= 0
    assert found[old.folder.name]["code"] == "older"


def test_code_that_is_not_here(line, results):
    stored(line)
    Path(line.__file__).rename("elsewhere.py")
    assert json.loads(results("list", "--json")[1])["code"] == "?"
    assert results("prune")[1].startswith("there is nothing")
    assert "--any-code" in results("export", "line")[2]
    assert results("export", "line", "--any-code")[0] == 0


def test_experiments_of_the_working_directory_are_found(line, results, monkeypatch, tmp_path):
    stored(line)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    monkeypatch.delitem(sys.modules, line.__name__)
    monkeypatch.delitem(sys.modules, line.__package__)
    assert json.loads(results("list", "--json")[1])["code"] == "current"


def test_nothing_there(line, results):
    code, _, err = results("list")
    assert code == 2
    assert "there are no results in results" in err
    stored(line)
    assert "it has line" in results("list", "--experiment", "lime")[2]


def test_show(line, results):
    result = stored(line, seed=2)
    code, out, _ = results("show", f"line/{result.folder.name[:5]}")
    assert code == 0
    assert '"seed": 2' in out
    assert "line: 2 rows" in out
    assert "grid: array (2, 2), float64" in out
    stored(line, seed=3)
    code, _, err = results("show", "")
    assert code == 2
    assert "2 addresses begin so" in err
    assert "no address begins so" in results("show", "zzz")[2]


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


def test_an_address_of_two_versions_is_told_apart(line, results):
    new, old = stored(line), older(line)
    code, _, err = results("show", new.folder.name[:12])
    assert code == 2
    for folder in (new.folder, old.folder):
        assert f"line/{folder.name} (stored, by code {folder.name[-12:]}, 20" in err
    assert results("show", old.folder.name)[0] == 0


@pytest.mark.parametrize(
    "forged", [{"seconds": "x"}, {"seconds": [1]}, {"seconds": 10**400}, {"config": [1]}, {"code": 3}], ids=range(5)
)
def test_forged_records_are_damaged(line, results, forged):
    folder = stored(line).folder
    record = {key: entry for key, entry in read_record(folder).items() if key != "sha256"} | forged
    if "config" in forged:
        folder = folder.rename(folder.with_name(f"{digest(forged['config'])}-{record['code']}"))
    (folder / "record.json").write_bytes(sealed(record))
    assert "1 damaged" in results("list")[1]
    assert results("list", "--json")[0] == 0
    assert results("export", "line")[0] == 2
    assert results("show", folder.name)[0] in (0, 2)


def test_a_record_that_is_a_folder_is_set_aside(line, results):
    folder = stored(line).folder
    (folder / "record.json").unlink()
    (folder / "record.json").mkdir()
    assert "1 damaged" in results("list")[1]
    run_stored("line", line.Config(), Store(Path("results")), package=line.__package__, again=True)
    assert results("verify")[0] == 0
    assert len(list(Path("results/.damaged/line").iterdir())) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's own folders")
@pytest.mark.parametrize("folder", ["/proc/self", "/proc", "/dev"])
@pytest.mark.parametrize("command", ["list", "verify"])
def test_folders_that_are_no_stores(line, results, command, folder):
    assert results(command, "--results", folder)[0] in (0, 1, 2)  # and no traceback


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


def test_verify(line, results):
    stored(line, seed=1)
    whole, broken = stored(line), stored(line, seed=2)
    code, out, _ = results("verify")
    assert code == 0
    assert "3 results" in out
    assert ": 0 damaged" in out
    (broken.folder / "grid.npy").write_bytes(b"short")
    (whole.folder / "note.txt").write_text("mine")
    code, out, _ = results("verify")
    assert code == 1
    assert f"damaged {broken.folder / 'grid.npy'}: its checksum" in out
    assert "1 damaged; 1 files belong to no result" in out
    code, out, _ = results("verify", "--remove")
    assert code == 1
    assert not broken.folder.exists()
    (aside,) = Path("results/.damaged/line").iterdir()
    assert sorted(file.name for file in aside.iterdir()) == ["grid.npy", "line.parquet", "more.parquet", "record.json"]
    assert results("verify")[0] == 0
    again = stored(line, seed=2)
    np.testing.assert_array_equal(again.arrays["grid"], np.eye(2))


def test_prune(line, results):
    current, old = stored(line), older(line, seed=1)
    where, day = claims.folder(Path("results"), "line"), 2 * 24 * 3600
    leftover = Path("results/line/.writing-1")
    leftover.mkdir()
    (current.folder / "extra.parquet").write_bytes(b"x" * 100)
    for path in (leftover, current.folder / "extra.parquet"):
        os.utime(path, (time.time() - day,) * 2)
    young = Path("results/line/.writing-2")
    young.mkdir()
    where.mkdir(exist_ok=True)
    gone = where / f"{'a' * 12}-{'b' * 12}.1"
    gone.write_text("")
    os.utime(gone, (time.time() - day,) * 2)
    living = claims.take(where, "c" * 12 + "-" + "d" * 12, claims.Watch())
    unit = Unit("line", line.__package__, (line.Config(),), (current.folder.name,), Path("results").absolute())
    failures.note(unit, 0, "error", "trace", 1)
    before = sorted(Path("results").rglob("*"))

    code, out, _ = results("prune")
    assert code == 0
    assert "5 items" in out
    assert "--yes does it" in out
    assert sorted(Path("results").rglob("*")) == before

    assert "1 items" in results("prune", "--only", "claims")[1]
    assert "removed 5 items" in results("prune", "--yes")[1]
    assert not old.folder.exists()
    assert not any(path.exists() for path in (leftover, gone, current.folder / "extra.parquet"))
    assert young.exists()
    assert living.held()
    living.release()
    assert Store(Path("results")).read("line", line.Config()) is not None
    assert results("prune")[1] == "there is nothing to remove\n"


def test_prune_keeps_what_older_code_computes_now(line, results):
    old = older(line, seed=1)
    claim = claims.take(claims.folder(Path("results"), "line"), old.folder.name, claims.Watch())
    assert results("prune")[1] == "there is nothing to remove\n"
    claim.release()
    assert "1 items" in results("prune")[1]


def test_prune_keeps_what_is_written_to_now(line, results):
    """A folder's own time is that of its names: a writer may be at one large file for hours."""
    stored(line)
    leftover = Path("results/line/.writing-1")
    leftover.mkdir()
    (leftover / "large.npy").write_bytes(b"x")
    part = Path("results/line/.failed/.a.json-1.part")
    part.parent.mkdir()
    part.write_text("")
    for path in (leftover, part):
        os.utime(path, (time.time() - 2 * 3600,) * 2)
    assert "1 items" in results("prune")[1]
    os.utime(leftover / "large.npy", (time.time() - 2 * 3600,) * 2)
    os.utime(leftover, (time.time() - 2 * 3600,) * 2)
    assert "removed 2 items" in results("prune", "--yes")[1]
    assert not leftover.exists()
    assert not part.exists()


def test_prune_of_what_was_set_aside(line, results):
    result = stored(line)
    (result.folder / "line.parquet").unlink()
    results("verify", "--remove")
    assert results("prune", "--yes")[1] == "there is nothing to remove\n"
    assert "removed 1 items" in results("prune", "--only", "damaged", "--yes")[1]
    assert not any(Path("results/.damaged").iterdir())


@pytest.mark.parametrize("command", GROUPS["results"])
def test_help(command, results):
    code, out, _ = results(command, "--help")
    assert code == 0
    assert f"usage: infojax results {command}" in out
