"""Whatever a user may give where configs, values and folders are asked for."""

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest

from infojax.errors import DataWarning, InvalidInput
from infojax.sweeps import Store, design, grid, load_experiment, random_design, run_stored, sweep
from infojax.sweeps.designs.rows import read_rows
from infojax.sweeps.store.export import export


@pytest.fixture
def module(probes):
    return load_experiment("probe", probes)


@pytest.mark.parametrize(
    "made",
    [
        lambda config: (config(x=x) for x in (1, 2, 1)),
        lambda config: map(config, (1, 2)),
        lambda config: iter([config(x=1), config(x=2)]),
        lambda config: (config(x=1), config(x=2)),
        lambda config: {config(x=1): None, config(x=2): None}.keys(),
        lambda config: {config(x=1), config(x=2)},
        lambda config: np.array([config(x=1), config(x=2)], dtype=object),
        lambda config: pl.Series([config(x=1), config(x=2)], dtype=pl.Object),
    ],
    ids=range(8),
)
def test_anything_that_yields_configs_is_run(module, probes, tmp_path, made):
    report = sweep("probe", made(module.Config), results=tmp_path / "results", package=probes)
    assert report.complete()
    assert report.count("computed") == len(report.plan.configs) == 2


@pytest.mark.parametrize("results", [str, Path, lambda path: type("P", (), {"__fspath__": lambda _: str(path)})()])
def test_one_config_and_a_path_as_text(module, probes, tmp_path, results):
    report = sweep("probe", module.Config(x=3), results=results(tmp_path / "R"), package=probes)
    assert report.complete()
    assert len(report.plan.configs) == 1
    store = Store(results(tmp_path / "R"))
    assert store.root == tmp_path / "R"
    assert store.read("probe", module.Config(x=3)) is not None
    assert run_stored("probe", module.Config(x=3), str(tmp_path / "R"), package=probes).tables
    assert export(str(tmp_path / "R"), "probe", where={"x": 3}, package=probes)["values"].height == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "at least one config"),
        (iter(()), "at least one config"),
        (None, "takes a list"),
        ("quick", "takes a list"),
        ({"x": 1}, "takes a list"),
        (["quick"], "takes its own Config"),
        ([{"x": 1}], "takes its own Config"),
        (3, "takes a list"),
    ],
)
def test_what_is_no_config_is_refused(module, probes, tmp_path, given, words):
    with pytest.raises(InvalidInput, match=words):
        sweep("probe", given, results=tmp_path / "R", package=probes)
    with pytest.raises(InvalidInput, match="takes"):
        sweep("probe", module.Config, results=tmp_path / "R", package=probes)
    assert not (tmp_path / "R").exists()


@pytest.mark.parametrize("root", [None, 3, b"R", "a\0b", ["R"]])
def test_what_is_no_folder_is_refused(root):
    with pytest.raises(InvalidInput, match="a store is a folder"):
        Store(root)


@dataclasses.dataclass(frozen=True)
class Config:
    rate: float = 0.5
    seed: int = 0
    sizes: tuple[int, ...] = ()


@pytest.mark.parametrize(
    "values",
    [
        (0, 1),
        iter((0, 1)),
        range(2),
        np.arange(2),
        jnp.arange(2),
        pl.Series([0, 1]),
        map(int, "01"),
        {0: "a", 1: "b"}.keys(),
    ],
    ids=range(8),
)
def test_values_of_any_kind(values):
    assert grid(Config(), {"seed": values}) == [Config(seed=0), Config(seed=1)]


def test_one_value_is_a_list_of_one():
    assert grid(Config(), {"rate": 2, "seed": np.int64(3)}) == [Config(rate=2.0, seed=3)]
    assert random_design(Config(), {"rate": jnp.float32(0.25)}, samples=np.int64(2)) == [Config(rate=0.25)]
    assert design(Config(), rows={"seed": 4}) == [Config(seed=4)]
    assert design(Config(), rows=({"seed": seed} for seed in (1, 1, 2))) == [Config(seed=1), Config(seed=2)]
    assert design(Config(), rows=[{}, {"seed": 0}, {"rate": 0.5, "seed": 1}]) == [Config(), Config(seed=1)]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: grid(Config, {"seed": [1]}),
        lambda: grid({"seed": 1}, {"seed": [1]}),
        lambda: grid(Config(), {"seed": []}),
        lambda: random_design(Config(), {"seed": "0..9"}, samples=True),
        lambda: design(Config(), rows=[{"sed": 1}]),
        lambda: read_rows("nowhere.csv", Config()),
    ],
    ids=range(6),
)
def test_designs_refuse_what_they_cannot_take(wrong):
    with pytest.raises(InvalidInput):
        wrong()


@dataclasses.dataclass(frozen=True)
class Clipped:
    rate: float = 0.5

    def __post_init__(self):
        object.__setattr__(self, "rate", min(self.rate, 1.0))


def test_configs_that_their_class_makes_equal_count_once():
    assert grid(Clipped(), {"rate": [0.5, 1.0, 2.0, 3.0, 0.25]}) == [Clipped(0.5), Clipped(1.0), Clipped(0.25)]


CHANGES = '''"""It changes its config."""

from dataclasses import dataclass, field

import polars as pl


@dataclass
class Config:
    seed: int = 0
    sizes: list = field(default_factory=list)


PRESETS = {"quick": Config(), "paper": Config()}


def run(config, scratch, progress):
    config.sizes.append(1)
    return {"t": pl.DataFrame({"x": [1.0]})}
'''


def test_a_run_that_changes_its_config_is_not_filed_under_another(package, tmp_path):
    name, folder = package
    (folder / "changes.py").write_text(CHANGES)
    with pytest.raises(InvalidInput, match="has changed its config"):
        run_stored("changes", "quick", Store(tmp_path / "R"), package=name)
    assert not list((tmp_path / "R" / "changes").glob("*/record.json"))


def test_exports_say_what_they_leave_out(module, probes, package, tmp_path):
    for x in (1, 2):
        run_stored("probe", module.Config(x=x), tmp_path / "R", package=probes)
    file = package[1] / "probe.py"
    file.write_text(file.read_text().replace("config.x * config.scale", "config.x + config.scale"))
    run_stored("probe", module.Config(x=3), tmp_path / "R", package=probes)
    with pytest.warns(DataWarning, match="2 results of probe are left out"):
        assert export(tmp_path / "R", "probe", package=probes)["values"].height == 1
    assert export(tmp_path / "R", "probe", where=[("x", 3)], package=probes)["values"].height == 1
    assert export(tmp_path / "R", "probe", any_code=True, package=probes)["values"].height == 3
