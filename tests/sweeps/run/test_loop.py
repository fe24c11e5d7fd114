"""The loop of a sweep, in this process: the store decides, failures are kept, and every sweep can be gone on with."""

import json
import os

import jaxtyping
import pytest

from infojax.errors import InvalidInput
from infojax.sweeps import Store, load_experiment, sweep
from infojax.sweeps.run.task import do
from infojax.sweeps.run.unit import Outcome, Unit
from infojax.sweeps.run.worker import after_death
from infojax.sweeps.store import inventory
from infojax.sweeps.store.addresses.address import address
from infojax.sweeps.store.claims import claim as claims
from infojax.sweeps.store.claims.claim import Watch
from infojax.sweeps.store.failures import read
from tests.sweeps.run.reports import counts, values


def test_computes_what_the_store_lacks(run):
    seen = []
    report, computed = run({"x": [3, 1]}, tell=lambda report: seen.append(len(report.outcomes)))
    assert computed == [3, 1]
    assert counts(report) == {"computed": 2, "found": 0, "failed": 0}
    assert report.complete()
    assert seen == [0, 1, 2]
    report, computed = run({"x": "1..4"})
    assert computed == [2, 4]
    assert counts(report) == {"computed": 2, "found": 2, "failed": 0}
    assert values(run, {"x": "1..4"}) == [1, 2, 3, 4]
    assert list((run.folder / "results" / "probe" / ".claims").iterdir()) == []


def test_a_damaged_result_is_computed_again(run):
    run({"x": "1..3"})
    config = load_experiment("probe", run.package).Config(x=2)
    file = run.store.folder("probe", config) / "values.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    report, computed = run({"x": "1..3"})
    assert computed == [2]
    assert list(report.plan.damaged) == [address(config)]
    assert "values.parquet is damaged" in report.plan.damaged[address(config)]
    assert values(run, {"x": "1..3"}) == [1, 2, 3]


def test_failures_are_kept_until_the_config_succeeds(run):
    (run.folder / "fail2").touch()
    report, computed = run({"x": "1..3"}, retries=2)
    assert computed == [1, 2, 2, 2, 3]
    assert counts(report) == {"computed": 2, "found": 0, "failed": 1}
    assert not report.complete()
    (failed,) = report.failed()
    assert (failed.attempts, failed.error) == (3, "RuntimeError: told to fail at 2")
    (file,) = (run.store.root / "probe" / ".failed").iterdir()
    assert file.name == f"{failed.address}.json"
    record = json.loads(file.read_text())
    assert record["config"] == {"type": "Config", "x": 2, "kind": "one", "scale": 1.0}
    assert "second line" in record["traceback"]
    assert "probe.py" in record["traceback"]
    assert record["attempts"] == 3
    assert record["pid"] == os.getpid()
    (run.folder / "fail2").unlink()
    report, computed = run({"x": "1..3"})
    assert computed == [2]
    assert report.complete()
    assert not file.parent.exists()


def test_a_retry_may_succeed(run):
    (run.folder / "failonce2").touch()
    report, computed = run({"x": "1..3"}, retries=1)
    assert computed == [1, 2, 2, 3]
    assert report.complete()
    assert sorted(outcome.attempts for outcome in report.outcomes.values()) == [1, 1, 2]
    assert not (run.store.root / "probe" / ".failed").exists()


def test_fail_fast_leaves_the_rest(run):
    (run.folder / "fail2").touch()
    report, computed = run({"x": "1..4"}, fail_fast=True)
    assert computed == [1, 2]
    assert not report.complete()
    assert len(report.outcomes) == 2


def test_an_interrupted_sweep_goes_on(run):
    (run.folder / "interrupt3").touch()
    with pytest.raises(KeyboardInterrupt) as caught:
        run({"x": "1..4"})
    assert "2 of 4 are stored; the same command goes on from there" in caught.value.__notes__
    assert list((run.folder / "results" / "probe" / ".claims").iterdir()) == []
    (run.folder / "interrupt3").unlink()
    report, computed = run({"x": "1..4"})
    assert computed == [3, 4]
    assert counts(report) == {"computed": 2, "found": 2, "failed": 0}


def test_waits_for_what_another_computes(run):
    config = load_experiment("probe", run.package).Config(x=2)
    other = claims.take(claims.folder(run.store.root, "probe"), address(config), Watch())
    seen = []

    def tell(report):
        seen.append((report.waiting, report.count("computed")))
        if seen[-1] == (1, 2) and seen.count((1, 2)) == 2:
            run.store.write("probe", config, values_table(2.0))
            other.release()

    report, computed = run({"x": "1..3"}, tell=tell)
    assert computed == [1, 3]
    assert counts(report) == {"computed": 2, "found": 1, "failed": 0}
    assert seen[-1] == (0, 2)


def values_table(value):
    import polars as pl

    return {"values": pl.DataFrame({"value": [value]})}


def test_computes_what_another_gave_up(run):
    config = load_experiment("probe", run.package).Config(x=2)
    other = claims.take(claims.folder(run.store.root, "probe"), address(config), Watch())
    told = []

    def tell(report):
        if len(report.outcomes) == 2 and not told:
            told.append(1)
            other.release()

    report, computed = run({"x": "1..3"}, tell=tell)
    assert computed == [1, 3, 2]
    assert counts(report) == {"computed": 3, "found": 0, "failed": 0}


def test_code_that_changes_while_a_sweep_runs_does_not_mislead_it(run):
    """The results are those of the code that was loaded, and filed under it."""
    file = run.folder / run.package / "probe.py"
    before = address(load_experiment("probe", run.package).Config(x=1))

    def edit(report):
        if len(report.outcomes) == 1:
            file.write_text(file.read_text().replace("config.x * config.scale", "config.x + config.scale"))

    report, computed = run({"x": "1..3"}, tell=edit)
    assert computed == [1, 2, 3]
    assert report.complete()
    assert {at.partition("-")[2] for at in report.outcomes} == {before.partition("-")[2]}
    assert len(list((run.store.root / "probe").glob(f"*-{before.partition('-')[2]}/record.json"))) == 3


def test_a_worker_with_other_code_refuses(run):
    config = load_experiment("probe", run.package).Config(x=1)
    unit = Unit("probe", run.package, (config,), ("0123456789ab-0123456789ab",), run.store.root)
    (outcome,) = do(unit)
    assert outcome.state == "failed"
    assert "the code has changed since the sweep began" in outcome.error
    assert not run.log.exists()


def test_a_disk_that_is_full_fails_the_configs_and_not_the_sweep(run, monkeypatch):
    take, calls = claims.take, []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise InvalidInput("results cannot be written to here (No space left on device)")
        return take(*arguments)

    monkeypatch.setattr(claims, "take", full)
    report, computed = run({"x": "1..3"})
    assert computed == [1, 3]
    assert [outcome.error for outcome in report.failed()] == [
        "InvalidInput: results cannot be written to here (No space left on device)"
    ]


def test_after_a_death(run):
    module = load_experiment("probe", run.package)
    configs = module.Config(x=1), module.Config(x=2)
    unit = Unit("probe", run.package, configs, tuple(map(address, configs)), run.store.root, retries=1)
    again, failed = after_death(unit, "the process died (signal 9)")
    assert failed == []
    assert [(one.configs, one.addresses, one.attempts) for one in again] == [
        ((config,), (address(config),), 0) for config in configs
    ]
    (retried,), failed = after_death(again[0], "the process died (signal 9)")
    assert (retried.attempts, failed) == (1, [])
    again, failed = after_death(retried, "the process died (signal 9)")
    assert again == []
    assert failed == [Outcome(address(configs[0]), "failed", attempts=2, error="the process died (signal 9)")]
    (file,) = (run.store.root / "probe" / ".failed").iterdir()
    assert read(file)["error"] == "the process died (signal 9)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"retries": -1}, "retries=-1 is not allowed"),
        ({"engine": "grid"}, "no engine 'grid'; engines are local, ray, slurm"),
        ({"options": {"workers": -1}}, "workers=-1 is not allowed"),
        ({"options": {"worker": 1}}, "options of the engine 'local' are workers; given: worker"),
    ],
)
def test_bad_requests_are_refused_before_anything_runs(run, arguments, message):
    with pytest.raises(InvalidInput, match=message):
        run({"x": "1..3"}, **arguments)
    assert run.log.read_text() == ""
    assert not run.store.root.exists()


def test_bad_configs_and_folders_are_refused(run, tmp_path):
    with pytest.raises(InvalidInput, match="takes its own Config"):
        sweep("probe", [3], results=tmp_path / "results", package=run.package)
    with pytest.raises(InvalidInput, match="at least one config"):
        sweep("probe", [], results=tmp_path / "results", package=run.package)
    (tmp_path / "results").touch()
    with pytest.raises(InvalidInput, match="results cannot be written to"):
        run({"x": [1]})
    assert run.log.read_text() == ""


def test_an_engine_that_is_not_installed_is_refused_with_its_extra(monkeypatch):
    from infojax.sweeps.run import engines

    monkeypatch.setattr(engines, "ENGINES", {"ray": ("a_library_that_is_not_here", "ray")})
    with pytest.raises(InvalidInput, match=r'pip install "infojax\[ray\]"'):
        engines.find("ray")


def test_what_stands_among_the_claims_does_not_stop_a_sweep(run):
    run({"x": [9]})
    where = run.folder / "results" / "probe" / ".claims"
    config = load_experiment("probe", run.package).Config
    addresses = [address(config(x=x)) for x in range(5)]
    (where / f"{addresses[0]}.01").write_text("?")
    (where / f"{addresses[1]}.1").symlink_to("nothing")
    os.mkfifo(where / f"{addresses[2]}.1")
    (where / f"{addresses[3]}.7").mkdir()
    (where / f"{addresses[4]}.{'9' * 200}").write_text("")
    report, computed = run({"x": "0..4"})
    assert computed == [0, 1, 2, 3, 4]
    assert report.complete()
    assert [entry.state for entry in inventory.entries(run.folder / "results")] == ["stored"] * 6


def test_claims_that_cannot_be_removed_are_a_remark(run, monkeypatch):
    def unlink(path, real=claims.Path.unlink, **options):
        if path.parent.name == ".claims":
            raise OSError(30, "Read-only file system")
        real(path, **options)

    monkeypatch.setattr(claims.Path, "unlink", unlink)
    report, computed = run({"x": "0..2"})
    monkeypatch.undo()
    assert computed == [0, 1, 2]
    assert report.complete()
    assert {outcome.remark for outcome in report.outcomes.values()} == {
        "a claim could not be removed ([Errno 30] Read-only file system); it is stale once this process has ended"
    }


@pytest.mark.parametrize("options", [{"workers": "0"}, {"workers": None}, {"workers": 1.0}, {"workers": True}])
def test_options_of_another_type_are_refused(run, options, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as users run it
    with pytest.raises(InvalidInput, match=r"the option workers of the engine 'local' is .*; its type is int"):
        run({"x": [1]}, options=options)


def test_the_home_folder_is_that_of_the_user(run, monkeypatch):
    monkeypatch.setenv("HOME", str(run.folder))
    assert Store("~/results").root == run.folder / "results"
    assert str(Store("~nobody-of-this-name/r").root) == "~nobody-of-this-name/r"
