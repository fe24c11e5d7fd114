"""Arrays and tables come back as they were given, or are refused before anything is written."""

import dataclasses
import datetime
import decimal

import ml_dtypes
import numpy as np
import polars as pl
import pytest

from infojax.errors import CorruptData, InvalidInput
from infojax.sweeps import Store
from infojax.sweeps.store.record import read_record, sealed
from infojax.sweeps.store.verify import verify


@dataclasses.dataclass(frozen=True)
class Config:
    seed: int = 3


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


KEPT = [
    np.arange(4).astype(ml_dtypes.bfloat16).reshape(2, 2),
    np.arange(4).astype(ml_dtypes.float8_e4m3fn)[::2],
    np.array([-3, 2], ml_dtypes.int4),
    np.array(2.5, ml_dtypes.bfloat16),
    np.zeros((0, 2), ml_dtypes.bfloat16),
    np.zeros(2, "V4"),
    np.array(["2020-01-01", "NaT"], "M8[D]"),
    np.array([1], "m8[ns]"),
    np.array([0.1], np.longdouble),
    np.array([1j], np.clongdouble),
    np.array([1.5, -0.0, np.nan], ">f8"),
    np.array([1], ">i2"),
    np.zeros(2, [("a", "i4"), ("b", "f8", (2,))]),
    np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    np.arange(6.0)[::-2],
    np.broadcast_to(np.float32(2), (3, 2)),
    np.array([""]),
    np.array([b"a", b""]),
    np.float16([1, 2]),
    np.ma.masked_array([1.0, 2.0]),
    np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
]


@pytest.mark.parametrize("array", KEPT, ids=[f"{index}-{array.dtype.str}" for index, array in enumerate(KEPT)])
def test_arrays_are_kept(store, array):
    store.write("e", Config(), {"a": array})
    read = store.read("e", Config()).arrays["a"]
    assert read.dtype == array.dtype
    assert read.shape == array.shape
    assert read.tobytes() == array.tobytes()
    assert [checked.damaged for checked in verify(store.root)] == [{}]
    store.write("e", Config(), {"a": array})  # as one that is replaced has other file names
    assert store.read("e", Config()).arrays["a"].dtype == array.dtype


class Quantity(np.ndarray):
    unit = "m"


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.ma.masked_array([1.0, 999.0], mask=[False, True]), r"masked.*filled"),
        (np.ma.masked_array(np.zeros(2, [("a", "i4")]), mask=[(True,), (False,)]), "masked"),
        (np.zeros(3, "V0"), "have no bytes"),
        (np.zeros(3, []), "have no bytes"),
        (np.zeros(2, [("a", ml_dtypes.bfloat16)]), "would change"),
        (np.zeros(2, {"names": ["a", "b"], "formats": ["i4", "i4"], "offsets": [0, 2]}), "would change"),
        (np.array(["a"], np.dtypes.StringDType()), "astype"),
        (np.array([None]), "Python objects"),
        (np.zeros(2, [("a", "O")]), "Python objects"),
        (np.zeros(2).view(Quantity), "as Quantity"),
    ],
    ids=range(10),
)
def test_arrays_that_would_change_are_refused(store, array, words):
    with pytest.raises(InvalidInput, match=words):
        store.write("e", Config(), {"a": array, "t": pl.DataFrame({"x": [1]})})
    assert not store.root.exists()


COLUMNS = {
    "binary": pl.Series([b"a\xff", None]),
    "list": pl.Series([[1], None, []]),
    "lists of binary": pl.Series([[b"a"]]),
    "struct": pl.Series([{"a": 1, "b": "x"}, None]),
    "decimal": pl.Series([decimal.Decimal("1.10")]),
    "categorical": pl.Series(["b", "a", None], dtype=pl.Categorical),
    "enum": pl.Series(["x", "y"], dtype=pl.Enum(["y", "x", "z"])),
    "null": pl.Series([None, None]),
    "array": pl.Series([[[1, 2], [3, 4]]], dtype=pl.Array(pl.Int8, (2, 2))),
    "time": pl.Series([datetime.time(1, 2, 3, 4)]),
    "zone": pl.Series([datetime.datetime(2020, 1, 1)], dtype=pl.Datetime("ms", "Europe/Berlin")),
    "duration": pl.Series([1], dtype=pl.Duration("ms")),
    "int128": pl.Series([2**100], dtype=pl.Int128),
    "float32": pl.Series([float("nan"), -0.0, None], dtype=pl.Float32),
    "zero byte": pl.Series(["a\0b", ""]),
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("rows", [None, 0])
def test_columns_are_kept(store, column, rows):
    frame = pl.DataFrame({"x": COLUMNS[column]}).head(rows if rows is not None else 9)
    store.write("e", Config(), {"t": frame})
    read = store.tables("e", Config())["t"]
    assert read.schema == frame.schema
    assert read.equals(frame, null_equal=True)


@pytest.mark.parametrize(
    "column", [pl.Series([object()], dtype=pl.Object), pl.Series([{}], dtype=pl.Struct([]))], ids=["object", "empty"]
)
def test_columns_that_parquet_lacks_are_refused(store, column):
    with pytest.raises(InvalidInput, match="which Parquet cannot hold"):
        store.write("e", Config(), {"t": pl.DataFrame({"x": column}), "a": np.ones(2)})
    assert not store.root.exists()


@pytest.mark.parametrize("dtypes", [{"a": "finfo"}, {"a": "int4"}, {"a": 1}, {"a": "O"}, ["a"]])
def test_a_type_that_is_forged_is_damage(store, dtypes):
    folder = store.write("e", Config(), {"a": np.ones(2, ml_dtypes.bfloat16)}).folder
    record = {key: entry for key, entry in read_record(folder).items() if key != "sha256"}
    (folder / "record.json").write_bytes(sealed(record | {"dtypes": dtypes}))
    with pytest.raises(CorruptData):
        store.read("e", Config())
