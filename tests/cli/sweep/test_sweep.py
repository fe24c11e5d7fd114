import re
import shutil
import sys
from itertools import count
from pathlib import Path

import pytest

from infojax.cli import main
from infojax.cli.sweep import screen as sweep_screen
from infojax.cli.sweep.screen import duration, pace, rate
from infojax.sweeps import Report

COUNTER = count()


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """cli(*arguments) → (exit code, stdout, stderr) of `infojax sweep probe …` in a folder with its package."""
    package = f"swept_{next(COUNTER)}"
    shutil.copytree(Path(__file__).parents[2] / "sweeps" / "probes", tmp_path / package)
    (tmp_path / package / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def call(*arguments, name="probe"):
        with pytest.raises(SystemExit) as left:
            main(["sweep", *name.split(), *arguments, "--package", package])
        captured = capsys.readouterr()
        return left.value.code, captured.out, captured.err

    yield call
    for module in [module for module in sys.modules if module.partition(".")[0] == package]:
        del sys.modules[module]


def computed(tmp_path):
    log = tmp_path / "log.txt"
    return [int(line.split()[0]) for line in log.read_text().splitlines()] if log.exists() else []


def test_a_sweep_and_the_same_again(cli, tmp_path):
    code, out, err = cli("--over", "x=1..3", "kind=one,two", "--set", "scale=2")
    assert (code, err) == (0, "")
    assert out.startswith("probe: 6 computed, 0 found, 0 failed; ")
    assert re.search(r", \d+\.\d per (second|minute|hour)\n$", out)  # as fast as the machine is
    assert computed(tmp_path) == [1, 1, 2, 2, 3, 3]
    code, out, _ = cli("--over", "kind=one,two", "--over", "x=1..3", "--set", "scale=2")
    assert code == 0
    assert out.startswith("probe: 0 computed, 6 found, 0 failed; ")
    assert len(computed(tmp_path)) == 6


def test_every_way_to_say_which(cli, tmp_path):
    (tmp_path / "configs.csv").write_text("x\n7\n8\n")
    arguments = ["--list", "configs.csv", "--zip", "kind=a,b", "scale=1,2", "--preset", "paper"]
    assert cli(*arguments, "--dry-run")[:2] == (0, "probe: 4 configs, 0 stored, 4 to compute\none by one, 1 at once\n")
    assert not (tmp_path / "results").exists()
    assert cli("--random", "x=100..999", "scale=1..2", "--samples", "3", "--design-seed", "5")[0] == 0
    first = computed(tmp_path)
    assert len(first) == 3
    assert cli("--random", "x=100..999", "scale=1..2", "--samples", "5", "--design-seed", "5")[0] == 0
    assert computed(tmp_path)[:3] == first
    assert len(computed(tmp_path)) == 5


def test_dry_run_tells_of_batches_and_of_the_store(cli, tmp_path):
    cli("--over", "x=1..2", name="batched")
    code, out, _ = cli("--over", "x=1..8", "--dry-run", "--workers", "2", name="batched")
    assert code == 0
    assert out == "batched: 8 configs, 2 stored, 6 to compute\nin 3 batches of 2 to 2, 2 at once\n"
    assert len((tmp_path / "batches.txt").read_text().splitlines()) == 1


def test_failures_are_summed_up_and_the_exit_code_is_1(cli, tmp_path):
    for x in (2, 3):
        (tmp_path / f"fail{x}").touch()
    code, out, err = cli("--over", "x=1..4", "--retries", "1")
    assert code == 1
    assert out.startswith("probe: 2 computed, 0 found, 2 failed; ")
    assert computed(tmp_path) == [1, 2, 2, 3, 3, 4]
    (row,) = [line for line in err.splitlines() if "told to fail" in line]
    assert "2" in row.split()
    assert "RuntimeError: told to fail at 2" in row
    assert "x=2" in row
    (trace,) = [line for line in err.splitlines() if line.startswith("traceback: ")]
    assert "second line" in Path(trace.removeprefix("traceback: ")).read_text()


def test_fail_fast(cli, tmp_path):
    (tmp_path / "fail2").touch()
    code, out, _ = cli("--over", "x=1..4", "--fail-fast")
    assert code == 1
    assert ", 1 failed, 2 not tried;" in out


def test_a_batch_that_failed_is_told_of(cli, tmp_path):
    (tmp_path / "short").touch()
    code, _, err = cli("--over", "x=1..3", name="batched")
    assert code == 0
    assert "a batch failed and was run one by one: InvalidInput: run_batch of" in err


def test_damage_is_told_of_and_mended(cli, tmp_path):
    cli("--over", "x=1..3")
    (record, *_) = (tmp_path / "results" / "probe").glob("*-*/record.json")
    record.write_text("{}")
    code, out, err = cli("--over", "x=1..3")
    assert code == 0
    assert out.startswith("probe: 1 computed, 2 found, 0 failed; ")
    assert err.startswith("computed again: ")
    assert record.parent.name in err


def test_interrupted(cli, tmp_path):
    (tmp_path / "interrupt2").touch()
    code, _, err = cli("--over", "x=1..3")
    assert code == 130
    assert "1 of 3 are stored; the same command goes on from there" in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--over", "y=1"), "there is no field 'y'; the fields are x, kind, scale"),
        (("--over", "x"), "expected FIELD=VALUES"),
        (("--over", "x=1", "--over", "x=2"), "'x' is given twice"),
        (("--over", "x=1.5"), "x=1.5: expected int"),
        (("--over", "x=12..14"), "the experiment refuses x=13: thirteen is unlucky"),
        (("--preset", "huge"), "no preset 'huge'; it has quick, paper"),
        (("--retries", "-1"), "--retries -1 is not allowed"),
        (("--workers", "-1"), "workers=-1 is not allowed"),
        (("--engine", "grid"), "'grid'"),
        (("--list", "nothing.csv"), "nothing.csv cannot be read"),
        (("--results", "file"), "results cannot be written to"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(cli, tmp_path, arguments, message):
    (tmp_path / "file").touch()
    code, _, err = cli(*arguments)
    assert code == 2
    assert message in " ".join(err.split())
    assert computed(tmp_path) == []
    assert not (tmp_path / "results").exists()


def test_unknown_experiments_and_none(cli):
    code, _, err = cli(name="prob")
    assert code == 2
    assert "there is no 'prob'" in err
    code, _, err = cli(name="")
    assert code == 2
    assert "name the experiment first" in err


def test_help_shows_the_fields(cli):
    code, out, _ = cli("--help", name="batched")
    assert code == 0
    assert "infojax sweep ridge_law --over" in out
    assert "Exit codes: 0" in out
    assert [word in out for word in ("x *", "scale *", "kind", "--workers")] == [True] * 4
    assert "kind *" not in out
    code, out, _ = cli("--help", name="")
    assert code == 0
    assert "A probe: it fails, waits, dies" in out


@pytest.mark.parametrize("engine", ["ray", "slurm"])
def test_each_engine_shows_its_options(cli, engine):
    code, out, _ = cli("--engine", engine, "--help")
    assert code == 0
    assert "--cpus-per-task" in out
    assert "Processes that compute" not in out


def test_lines_where_there_is_no_terminal(cli, monkeypatch):
    monkeypatch.setattr(sweep_screen, "EVERY", 0.0)
    code, _, err = cli("--over", "x=1..2")
    assert code == 0
    assert err.splitlines()[-1].startswith("probe: 2 of 2, ")
    assert err.splitlines()[-1].endswith(" 0 s left")


def test_the_pace_is_that_of_what_is_computed_now():
    class Plan:
        configs = dict.fromkeys("abcdefghij")

    from infojax.sweeps.run.unit import Outcome

    report = Report.__new__(Report)
    report.plan, report.seconds, report.waiting = Plan, 4.0, 3
    states = {"a": "found", "b": "found", "c": "computed", "d": "failed"}
    report.outcomes = {at: Outcome(at, state) for at, state in states.items()}
    assert pace(report) == "30.0 per minute, 12 s left, 1 failed, waiting for 3 that other sweeps compute"
    assert (rate(2.0), duration(59.6)) == ("2.0 per second", "1 min 0 s")
