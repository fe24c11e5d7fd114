from dataclasses import replace

import jax
import numpy as np
import pytest
from rich.progress import Progress

from experiments.scaling_laws.ridge_law import BATCHED, PRESETS, Config, run, run_batch
from infojax.errors import InvalidInput
from infojax.scaling import RidgeProblem, keep_easy, keep_hard, ridge_law, simulate_ridge
from infojax.scaling._batched import _everywhere
from infojax.sweeps import random_design

SILENT = Progress(disable=True)
RANGES = {
    "kept": "0.05..1",
    "pruner": "-0.9..0.99",
    "ratio": "0.05..3:log",
    "ridge": "1e-4..1:log",
    "generator": "0.5..1",
    "pruner_generator": "none",
    "seed": "0..9",
}


def scratches(folder, configs):
    folders = [folder / str(index) for index in range(len(configs))]
    for each in folders:
        each.mkdir(parents=True)
    return folders


@pytest.mark.parametrize("changes", [{}, {"rule": "easy", "label_aware": True}, {"rule": "all"}])
def test_a_batch_is_what_its_configs_are_one_by_one(tmp_path, changes):
    """To rounding: XLA may order the sums of a program of eight otherwise than those of a program of one."""
    assert set(RANGES) == set(BATCHED)
    configs = random_design(Config(**changes), RANGES, samples=7)
    together = run_batch(configs, scratches(tmp_path / "a", configs), SILENT)
    for config, tables, scratch in zip(configs, together, scratches(tmp_path / "b", configs), strict=True):
        (alone,) = run(config, scratch, SILENT)["law"].rows()
        np.testing.assert_allclose(tables["law"].rows()[0], alone, rtol=1e-13)
        assert tables["law"].columns == ["error_law", "mse_law", "overlap_law", "norm_law"]


def test_the_law_and_the_simulation_are_those_of_the_package(tmp_path):
    config = Config(rule="easy", kept=0.4, generator=0.8, repeats=4, dimension=30, ratio=0.5, seed=3)
    problem = {"pruner": 0.9, "generator": 0.8, "pruner_generator": 0.9 * 0.8, "ratio": 0.5, "ridge": 1e-2}
    row = run(config, tmp_path, SILENT)["law"].row(0, named=True)
    assert row["error_law"] == float(ridge_law(RidgeProblem(keep_easy(0.4), **problem)).error)
    key = jax.random.fold_in(jax.random.key(3), 0)
    found = simulate_ridge(RidgeProblem(keep_easy(0.4), **problem), dimension=30, repeats=4, key=key, draw="kept")
    assert row["error"] == float(found.mean.error)
    assert row["mse_stderr"] == float(found.stderr.mse)


def test_simulations_of_a_batch_are_those_of_one(tmp_path):
    base = Config(repeats=2, dimension=20, ratio=0.5)
    configs = [replace(base, seed=seed, ridge=ridge) for seed in (0, 1) for ridge in (0.1, 1.0)]
    together = run_batch(configs, scratches(tmp_path / "a", configs), SILENT)
    pairs = zip(configs, scratches(tmp_path / "b", configs), strict=True)
    alone = [run(config, scratch, SILENT) for config, scratch in pairs]
    measured = ["error", "error_stderr", "mse", "mse_stderr", "overlap", "overlap_stderr", "norm", "norm_stderr"]
    for one, other in zip(together, alone, strict=True):
        assert one["law"].select(measured).equals(other["law"].select(measured))
    assert len({tables["law"]["error"][0] for tables in together}) == 4


def test_few_sizes_of_batches_are_compiled():
    configs = [Config(ridge=0.01 * (1 + index), kept=0.3) for index in range(40)]
    run_batch(configs[:33], [], SILENT)
    before = _everywhere._cache_size()
    for size in (34, 40, 37):
        assert len(run_batch(configs[:size], [], SILENT)) == size
    assert _everywhere._cache_size() == before


@pytest.mark.parametrize(
    "changes",
    [
        *({name: value} for name, value in (("repeats", 1), ("repeats", -1), ("ratio", 0.0), ("ridge", -1.0))),
        *({name: value} for name, value in (("kept", 0.0), ("pruner", 1.5), ("rule", "mid"))),
        {"pruner": 1.0, "generator": 1.0, "pruner_generator": 0.0},
    ],
)
def test_what_has_no_law_is_refused_when_it_is_made(changes):
    with pytest.raises(InvalidInput):
        replace(PRESETS["quick"], **changes)


def test_hard_is_better_than_easy_with_many_examples():
    many = {"pruner": 0.9, "ratio": 0.1, "ridge": 1e-2}
    hard, easy = (float(ridge_law(RidgeProblem(rule(0.5), **many)).error) for rule in (keep_hard, keep_easy))
    tables = run_batch([Config()], [], SILENT) + run_batch([Config(rule="easy")], [], SILENT)
    assert [table["law"]["error_law"][0] for table in tables] == pytest.approx([hard, easy], rel=1e-13)
