import os
import subprocess
import sys
from pathlib import Path

import jaxtyping
import polars as pl
import pytest
from rich.progress import Progress

from infojax.errors import InvalidInput
from infojax.sweeps import Store, load_experiment, run_stored, summaries


@pytest.fixture
def run(package, tmp_path):
    """run(config) → (result, numbers computed in this call); the store is in tmp_path."""
    store = Store(tmp_path / "results")
    log = tmp_path / "log.txt"

    def call(config="quick", **options):
        log.write_text("")
        result = run_stored("squares", config, store, package=package[0], **options)
        return result, [int(i) for i in log.read_text().split()]

    call.store, call.folder, call.package, call.log = store, tmp_path, package[0], log
    return call


def test_summaries_do_not_import(package):
    name, folder = package
    (folder / "broken.py").write_text('"""Breaks on import."""\nraise RuntimeError\n')
    (folder / "_hidden.py").write_text("")
    assert summaries(name) == {
        "broken": "Breaks on import.",
        "squares": "Squares of the first numbers, summed.",
        "arithmetic": "Arithmetic.",
    }


def test_runs_once(run):
    result, computed = run()
    assert computed == [0, 1, 2, 3]
    assert result.tables["squares"]["value"].to_list() == [0, 1, 4, 9]
    assert result.record["experiment"] == "squares"
    assert result.record["seconds"] >= 0
    again, computed = run()
    assert computed == []
    assert again.tables["squares"].equals(result.tables["squares"])
    assert run(again=True)[1] == [0, 1, 2, 3]
    assert run("paper")[1] == [0, 1, 2, 3, 4, 5]


def test_takes_a_config(run):
    module = load_experiment("squares", run.package)
    result, _ = run(module.Config(numbers=2, exponent=3.0))
    assert result.tables["squares"]["value"].to_list() == [0, 1]
    assert run.store.tables("squares", module.Config(numbers=2, exponent=3.0)) is not None


def test_goes_on_after_an_interruption(run):
    (run.folder / "stop2").touch()
    with pytest.raises(KeyboardInterrupt) as caught:
        run()
    assert "partial work is kept" in caught.value.__notes__[0]
    assert run.log.read_text().split() == ["0", "1"]
    assert run.store.tables("squares", load_experiment("squares", run.package).PRESETS["quick"]) is None
    (run.folder / "stop2").unlink()
    result, computed = run()
    assert computed == [2, 3]
    assert result.tables["squares"]["value"].to_list() == [0, 1, 4, 9]
    assert result.record["resumed"]
    assert not (run.store.root / "squares" / "unfinished").exists()


def test_changed_code_is_run_again_unless_told(run, package):
    run()
    arithmetic = package[1] / "arithmetic.py"
    arithmetic.write_text(arithmetic.read_text().replace("** exponent", "** exponent + 1"))
    result, computed = run(any_code=True)
    assert computed == []
    assert result.tables["squares"]["value"].to_list() == [0, 1, 4, 9]
    assert run()[1] == [0, 1, 2, 3]
    assert len(list((run.store.root / "squares").glob("*/record.json"))) == 2


def test_shows_progress(run):
    with Progress(disable=True) as progress:
        run(progress=progress)
        assert progress.tasks[0].completed == 4


def test_bad_requests(run, tmp_path):
    with pytest.raises(InvalidInput, match=r"no preset 'huge'; it has quick, paper"):
        run("huge")
    with pytest.raises(InvalidInput, match="takes its own Config"):
        run({"numbers": 3})
    with pytest.raises(InvalidInput, match=r"no 'cubes' in .*; there are: arithmetic, squares"):
        run_stored("cubes", "quick", run.store, package=run.package)
    with pytest.raises(InvalidInput, match=r"arithmetic.py must define Config, PRESETS, run; it lacks Config"):
        run_stored("arithmetic", "quick", run.store, package=run.package)
    with pytest.raises(InvalidInput, match="no package 'nowhere'"):
        summaries("nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="cannot be written"):
        run_stored("squares", "quick", Store(tmp_path / "file"), package=run.package)
    assert run.log.read_text() == ""


def test_presets_are_checked(package):
    name, folder = package
    text = (folder / "squares.py").read_text()
    (folder / "cubes.py").write_text(text.replace('"paper": Config(numbers=6)', '"large": Config()'))
    with pytest.raises(InvalidInput, match="'quick' and 'paper'"):
        load_experiment("cubes", name)


def test_tables_are_polars(run):
    assert isinstance(run()[0].tables["squares"], pl.DataFrame)


@pytest.mark.parametrize(
    "package", ["../../evil", "..", ".x", "", "evil.", "/etc", "a b", "mine.nothing.more", "\x1b[2J", "a\0b"]
)
def test_packages_that_are_no_names(package):
    with pytest.raises(InvalidInput, match="there is no package"):
        summaries(package)


def test_a_folder_that_hides_the_experiments_of_infojax_is_named(tmp_path):
    own = tmp_path / "experiments"
    own.mkdir()
    (own / "__init__.py").touch()
    code = "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Config:\n    seed: int = 0\n"
    presets = "PRESETS = {'quick': Config(), 'paper': Config()}\ndef run(*_): return {}\n"
    (own / "mine.py").write_text(code + presets)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    for name, status, what in (("mine", 0, "warning: "), ("ridge_law", 2, "error: there is no 'ridge_law'")):
        command = [sys.executable, "-m", "infojax", "sweep", name, "--dry-run"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert what in done.stderr
        assert f"is that of {own}, which hides the one that comes with infojax" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("package", [Path("mine"), None, 3])
def test_packages_that_are_no_text(package, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as users run it
    with pytest.raises(InvalidInput, match=r"package is .*; give the name of a package as text"):
        load_experiment("squares", package)
