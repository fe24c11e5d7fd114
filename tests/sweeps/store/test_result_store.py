import dataclasses
import json

import numpy as np
import polars as pl
import pytest

from infojax.errors import CorruptData, InvalidInput
from infojax.sweeps import Store


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: float = 0.1


@dataclasses.dataclass(frozen=True)
class Other:
    rate: float = 0.1


@dataclasses.dataclass(frozen=True)
class Config:
    sizes: tuple[int, ...] = (1, 2)
    inner: Inner | Other = dataclasses.field(default_factory=Inner)
    seed: int = 3


TABLES = {
    "points": pl.DataFrame({"x": [0.1, float("nan"), None], "name": ["α", "", None], "image": [[1.0], [], [2.0, 3.0]]}),
    "empty": pl.DataFrame({"x": pl.Series([], dtype=pl.Float64)}),
}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


def test_reads_what_was_written(store):
    assert store.tables("e", Config()) is None
    store.write("e", Config(), TABLES)
    read = store.tables("e", Config())
    assert set(read) == set(TABLES)
    for name, frame in TABLES.items():
        assert read[name].equals(frame, null_equal=True)
        assert read[name].schema == frame.schema


@pytest.mark.parametrize(
    "array",
    [
        np.eye(3, dtype=np.float32)[:, :2],
        np.array(2.5),
        np.zeros((0, 3), np.int8),
        np.array(["α", "βγ"]),
        np.ones(2) * 1j,
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([(1, 0.5)], [("i", "i4"), ("x", "f8")]),
    ],
)
def test_arrays_stand_beside_tables(store, array):
    store.write("e", Config(), TABLES | {"kernel": array})
    result = store.read("e", Config())
    assert set(result.tables) == set(TABLES)
    assert list(result.arrays) == ["kernel"]
    assert result.arrays["kernel"].dtype == array.dtype
    np.testing.assert_array_equal(result.arrays["kernel"], array)


def test_record_says_how_it_was_made(store):
    store.write("e", Config(), TABLES, seconds=1.5)
    record = store.read("e", Config()).record
    assert record["config"] == {
        "type": "Config", "sizes": [1, 2], "inner": {"type": "Inner", "rate": 0.1}, "seed": 3,
    }  # fmt: skip
    assert record["seed"] == 3
    assert record["seconds"] == 1.5
    assert record["versions"]["jax"]
    assert record["versions"]["numpy"] == np.__version__
    assert "cpu" in record["device"].lower()
    assert record["precision"].startswith("float32")
    assert "git" in record


@pytest.mark.parametrize(
    "other",
    [
        Config(seed=4),
        Config(sizes=(1, 3)),
        Config(sizes=(12,)),
        Config(inner=Inner(0.2)),
        Config(inner=Other()),
    ],
)
def test_another_config_is_another_result(store, other):
    store.write("e", Config(), TABLES)
    assert store.tables("e", other) is None
    assert store.tables("f", Config()) is None


def test_equal_configs_share_a_result(store):
    store.write("e", Config(sizes=(1, 2)), TABLES)
    assert store.tables("e", Config(sizes=tuple(np.array([1, 2])), seed=np.int64(3))) is not None


def test_writing_again_replaces(store):
    store.write("e", Config(), TABLES)
    store.write("e", Config(), {"points": TABLES["points"].head(1)})
    read = store.tables("e", Config())
    assert list(read) == ["points"]
    assert read["points"].height == 1
    assert [path.name for path in (store.root / "e").iterdir()] == [store.folder("e", Config()).name]


def test_an_unfinished_write_does_not_count(store, monkeypatch):
    def torn(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("infojax.sweeps.store.writing.sync", torn)
        with pytest.raises(KeyboardInterrupt):
            store.write("e", Config(), TABLES)
    assert store.tables("e", Config()) is None
    assert list((store.root / "e").iterdir()) == []
    # A kill leaves the hidden folder, or whatever a copy from elsewhere brought without its record.
    (store.folder("e", Config())).mkdir()
    (store.folder("e", Config()) / "points.parquet").write_bytes(b"PAR1")
    assert store.tables("e", Config()) is None
    store.write("e", Config(), TABLES)
    assert store.tables("e", Config()) is not None


@pytest.mark.parametrize("file", ["points.parquet", "empty.parquet", "record.json"])
@pytest.mark.parametrize("how", ["truncate", "flip", "remove", "text"])
def test_damage_is_found_and_named(store, file, how):
    path = store.write("e", Config(), TABLES).folder / file
    data = path.read_bytes()
    if how == "remove" and file == "record.json":
        return  # an unfinished result, see above
    if how == "flip" and file == "record.json":
        data = data.replace(b'"files"', b'"fules"')
    damaged = {
        "truncate": data[: len(data) // 2],
        "flip": data[:20] + bytes([data[20] ^ 1]) + data[21:],
        "text": b"not a result",
        "remove": None,
    }
    path.unlink() if damaged[how] is None else path.write_bytes(damaged[how])
    if how == "flip" and file == "record.json":
        path.write_bytes(data)
    with pytest.raises(CorruptData, match=rf"(?s){file}.*delete the folder.*run the experiment again"):
        store.tables("e", Config())


def test_another_format_is_refused(store):
    path = store.write("e", Config(), TABLES).folder / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(CorruptData, match="format 99"):
        store.tables("e", Config())


@pytest.mark.parametrize(
    "tables",
    [
        {},
        None,
        {"a": [1]},
        {"a/b": TABLES["points"]},
        {"..": np.ones(2)},
        {3: np.ones(2)},
        {"a" * 101: np.ones(2)},
        [TABLES["points"]],
        {"a": np.float64(1)},
    ],
)
def test_what_is_no_tables_is_refused(store, tables):
    with pytest.raises(InvalidInput, match="must return a dict"):
        store.write("e", Config(), tables)


def test_pickles_are_refused(store):
    with pytest.raises(InvalidInput, match="array 'a' of Python objects"):
        store.write("e", Config(), {"a": np.array([{}, None])})
    with pytest.raises(InvalidInput, match="table 'a', which Parquet cannot hold"):
        store.write("e", Config(), {"a": pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)})})
    with pytest.raises(InvalidInput, match="differ by case only"):
        store.write("e", Config(), {"a": np.ones(2), "A": np.ones(2)})
    assert not store.root.exists()


@pytest.mark.parametrize("name", ["../e", "", "a/b", ".hidden"])
def test_nothing_leaves_the_folder(store, name):
    with pytest.raises(InvalidInput, match="an experiment is named by"):
        store.write(name, Config(), TABLES)


@pytest.mark.parametrize("config", [{"seed": 1}, Config, Config(sizes=np.ones(2)), Config(inner=len)])
def test_what_cannot_be_recorded_is_refused(store, config):
    with pytest.raises(InvalidInput):
        store.tables("e", config)
