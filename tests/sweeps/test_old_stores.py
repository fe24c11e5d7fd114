"""Stores as infojax wrote them, kept as files: what was once stored is read for ever.

`stores/format-2` was written in November 2026, one of its results replaced once; `stores/format-1` is as infojax wrote
until then.
"""

import dataclasses
import shutil
from pathlib import Path

import polars as pl
import pytest

from infojax.sweeps import Store
from infojax.sweeps.store.inventory import entries
from infojax.sweeps.store.result_store import read_result
from infojax.sweeps.store.verify import verify

STORES = Path(__file__).parent / "stores"


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: float = 0.1


@dataclasses.dataclass(frozen=True)
class Config:
    sizes: tuple[int, ...] = (1, 2)
    inner: Inner = dataclasses.field(default_factory=Inner)
    name: str | None = None
    seed: int = 3


CONFIGS = {0.0: Config(), 7.0: Config(sizes=(), inner=Inner(-0.5), name="β", seed=7)}


@pytest.fixture(params=[1, 2])
def store(request, tmp_path):
    return Store(shutil.copytree(STORES / f"format-{request.param}", tmp_path / "results"))


@pytest.mark.parametrize("value", CONFIGS)
def test_results_are_found_and_read(store, value):
    config = CONFIGS[value]
    assert store.read("kept", config) is None  # of code that is no more
    result = store.read("kept", config, any_code=True)
    frame = pl.DataFrame({"x": [0.1, float("nan"), None], "name": ["α", "", None], "image": [[1.0], [], [2.0, value]]})
    assert result.tables["points"].equals(frame, null_equal=True)
    assert result.record["seconds"] == (2.5 if value and result.record["format"] == 2 else 1.5)
    assert result.folder == read_result(result.folder).folder
    if result.record["format"] == 2:
        assert result.arrays["grid"].tolist() == [[value, value + 1, value + 2], [value + 3, value + 4, value + 5]]
        assert result.arrays["words"].tolist() == ["α", "βγ"]


def test_other_configs_are_not_found(store):
    for config in (Config(seed=4), Config(sizes=(1,)), Config(inner=Inner(0.2))):
        assert store.read("kept", config, any_code=True) is None


def test_all_is_listed_and_whole(store):
    assert [(checked.damaged, checked.readable) for checked in verify(store.root)] == [({}, True)] * 2
    assert [entry.state for entry in entries(store.root)] == ["stored"] * 2
    assert sorted(entry.config["seed"] for entry in entries(store.root)) == [3, 7]


def test_new_results_stand_beside_them(store):
    store.write("kept", Config(), {"points": pl.DataFrame({"x": [1.0]})})
    assert store.tables("kept", Config())["points"].height == 1
    assert len(store.earlier("kept", Config())) == 1
    assert store.read("kept", CONFIGS[7.0], any_code=True) is not None
