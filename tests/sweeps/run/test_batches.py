"""Configs that differ in batched fields only are computed at once."""

import pytest

from infojax.errors import InvalidInput
from infojax.sweeps import grid, load_experiment
from infojax.sweeps.run.batches import together
from tests.sweeps.run.reports import counts, values


def test_batches_hold_what_differs_in_batched_fields_only(run):
    module = load_experiment("batched", run.package)
    configs = grid(module.Config(), {"kind": ["one", "two"], "x": "1..6"})
    batches = together(module, configs)
    assert [(batch[0].kind, [config.x for config in batch]) for batch in batches] == [
        ("one", [1, 2, 3]), ("one", [4, 5, 6]), ("two", [1, 2, 3]), ("two", [4, 5, 6]),
    ]  # fmt: skip
    shared = together(module, configs[:6], parallel=3)
    assert [len(batch) for batch in shared] == [1] * 6
    alone = together(load_experiment("probe", run.package), configs[:3])
    assert [len(batch) for batch in alone] == [1, 1, 1]


@pytest.mark.parametrize("count", [1, 5, 255, 256, 257, 1000])
@pytest.mark.parametrize("parallel", [1, 2, 7])
def test_batches_are_alike_in_size_and_bounded(run, count, parallel):
    module = load_experiment("batched", run.package)
    module.BATCH = 100
    configs = [module.Config(x=x) for x in range(count)]
    batches = together(module, configs, parallel)
    sizes = [len(batch) for batch in batches]
    assert [config for batch in batches for config in batch] == configs
    assert max(sizes) <= 100
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) >= min(parallel, count)


def test_a_batch_is_computed_at_once(run):
    report, computed = run({"x": "1..8"}, "batched")
    assert computed == []
    assert (run.folder / "batches.txt").read_text() == "1 2 3 4\n5 6 7 8\n"
    assert report.complete()
    assert values(run, {"x": "1..8"}, "batched") == list(range(1, 9))
    report, _ = run({"x": "0..9"}, "batched")
    assert counts(report) == {"computed": 2, "found": 8, "failed": 0}
    assert (run.folder / "batches.txt").read_text().splitlines()[2:] == ["0 9"]


def test_of_a_batch_that_fails_only_the_bad_config_fails(run):
    (run.folder / "fail2").touch()
    report, computed = run({"x": "1..4"}, "batched")
    assert computed == [1, 2, 3, 4]
    assert [outcome.error for outcome in report.failed()] == ["RuntimeError: told to fail at 2"]
    assert {outcome.batch_error for outcome in report.outcomes.values()} == {"RuntimeError: a batch with 2 fails"}
    assert counts(report)["computed"] == 3


def test_a_batch_that_returns_too_little_is_run_one_by_one(run):
    (run.folder / "short").touch()
    report, computed = run({"x": "1..3"}, "batched")
    assert computed == [1, 2, 3]
    assert report.complete()
    assert "must return tables for 3 configs, not 0" in report.outcomes[next(iter(report.outcomes))].batch_error


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('("x", "scale")', '("x", "size")', r"names 'size'; the fields are x, kind, scale"),
        ("def run_batch", "def run_batches", r"must define run_batch\(configs, scratches, progress\)"),
    ],
)
def test_bad_batching_is_refused(run, old, new, message):
    file = run.folder / run.package / "batched.py"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(InvalidInput, match=message):
        run({"x": "1..3"}, "batched")
