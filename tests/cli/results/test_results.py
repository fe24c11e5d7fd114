"""`infojax results`, as the command line calls it, on a store of a small package of experiments."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from infojax.cli import GROUPS
from infojax.sweeps import Store, run_stored
from infojax.sweeps.run.unit import Unit
from infojax.sweeps.store import failures
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.record import digest, read_record, sealed
from tests.cli.results.lines import older, stored


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


@pytest.mark.parametrize("command", GROUPS["results"])
def test_help(command, results):
    code, out, _ = results(command, "--help")
    assert code == 0
    assert f"usage: infojax results {command}" in out
