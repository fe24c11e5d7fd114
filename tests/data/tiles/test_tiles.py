"""Features are read tile by tile: the same rows from arrays, .npy and Parquet; what is odd is named by its row."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax.data import ArrayTiles, NpyTiles, ParquetTiles, read_tiles, rows_of_a_tile
from infojax.errors import CorruptData, InvalidInput


def features(rows=11, width=4, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(dtype)


def all_rows(tiles, size):
    return np.concatenate([tile.values[: tile.stop - tile.start] for tile in read_tiles(tiles, size)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tiles")


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 12), st.sampled_from(["f4", "f8", ">f4", "i2", "u1", "?"]))
def test_every_source_gives_all_rows(folder, rows, width, size, dtype):
    array = (features(rows, width, np.float64) * 3).astype(dtype)
    np.save(folder / "some.npy", array)
    native = array.astype(array.dtype.newbyteorder("="))
    lists = pl.Series("embedding", native.astype(np.float64).tolist(), dtype=pl.List(pl.Float64))
    columns = {f"c{i}": native[:, i] for i in range(width)}
    pl.DataFrame({"embedding": lists, **columns}).write_parquet(folder / "some.parquet")
    sources = [
        ArrayTiles(array),
        NpyTiles(folder / "some.npy"),
        ParquetTiles(folder / "some.parquet", ("embedding",)),
        ParquetTiles(folder / "some.parquet", tuple(columns)),
    ]
    for source in sources:
        assert (source.rows, source.width) == (rows, width)
        np.testing.assert_array_equal(all_rows(source, size), array.astype(np.float64))


def test_tiles_have_one_size_and_the_rest_is_zero():
    tiles = list(read_tiles(ArrayTiles(np.ones((5, 2))), 3))
    assert [tile.values.shape for tile in tiles] == [(3, 2)] * 2
    assert tiles[1].values[2:].tolist() == [[0.0, 0.0]]


def test_images_are_flattened(tmp_path):
    images = features(6, 12).reshape(6, 2, 3, 2)
    np.save(tmp_path / "images.npy", images)
    for source in (ArrayTiles(images), NpyTiles(tmp_path / "images.npy")):
        np.testing.assert_array_equal(all_rows(source, 4), images.reshape(6, 12))


def test_vectors_of_a_fixed_length_are_read(tmp_path):
    array = features(7, 3)
    column = pl.Series("e", array.tolist(), dtype=pl.Array(pl.Float32, 3))
    pl.DataFrame({"e": column}).write_parquet(tmp_path / "a.parquet")
    np.testing.assert_array_equal(all_rows(ParquetTiles(tmp_path / "a.parquet", ("e",)), 2), array)


def test_tiles_take_a_bounded_part_of_memory():
    assert rows_of_a_tile(ArrayTiles(np.ones((10, 2)))) == 10
    assert rows_of_a_tile(ArrayTiles(np.broadcast_to(np.float32(1), (10**6, 1024)))) * 1024 * 8 <= 2**26


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_with_nan_is_named(tmp_path, bad):
    array = features(9, 2)
    array[7, 1] = bad
    np.save(tmp_path / "a.npy", array)
    pl.DataFrame({"e": array.tolist()}).write_parquet(tmp_path / "a.parquet")
    for source in (ArrayTiles(array), NpyTiles(tmp_path / "a.npy"), ParquetTiles(tmp_path / "a.parquet", ("e",))):
        with pytest.raises(InvalidInput, match=r"row 7 \(counted from 0\)"):
            all_rows(source, 4)


def test_a_file_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, features(9, 2))
    whole = path.read_bytes()
    opened = NpyTiles(path)
    path.write_bytes(whole[:-12])
    with pytest.raises(CorruptData, match="its header promises"):
        NpyTiles(path)
    with pytest.raises(CorruptData, match="ends in row 7 of 9"):
        all_rows(opened, 4)


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.ones(3), r"\(3,\)"),
        (np.ones((0, 3)), r"\(0, 3\)"),
        (np.ones((3, 2), complex), "complex128"),
        (np.asfortranarray(np.ones((3, 2))), "column after column"),
    ],
)
def test_files_that_hold_no_features_are_refused(tmp_path, array, match):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InvalidInput, match=match):
        NpyTiles(tmp_path / "a.npy")


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"none")
    (tmp_path / "a.parquet").write_bytes(b"none")
    with pytest.raises(InvalidInput, match="There is no file"):
        NpyTiles(tmp_path / "b.npy")
    with pytest.raises(CorruptData, match="damaged"):
        NpyTiles(tmp_path / "a.npy")
    for name in ("a.parquet", "b.parquet"):
        with pytest.raises(CorruptData, match="cannot be read as Parquet"):
            ParquetTiles(tmp_path / name, ("e",))


def test_columns_that_hold_no_features_are_refused(tmp_path):
    table = pl.DataFrame({"text": ["a", "b", "c"], "ragged": [[1.0, 2.0], [3.0, 4.0], [5.0]], "gap": [1.0, None, 2.0]})
    table.write_parquet(tmp_path / "a.parquet")
    with pytest.raises(InvalidInput, match=r"no columns .'other'.; it has text, ragged, gap"):
        ParquetTiles(tmp_path / "a.parquet", ("other",))
    with pytest.raises(InvalidInput, match="hold String"):
        ParquetTiles(tmp_path / "a.parquet", ("text",))
    with pytest.raises(InvalidInput, match=r"row 2 .* has 1 numbers, row 0 has 2"):
        all_rows(ParquetTiles(tmp_path / "a.parquet", ("ragged",)), 2)
    with pytest.raises(InvalidInput, match="row 1 "):
        all_rows(ParquetTiles(tmp_path / "a.parquet", ("gap",)), 2)
    pl.DataFrame({"e": pl.Series([], dtype=pl.Float64)}).write_parquet(tmp_path / "empty.parquet")
    with pytest.raises(InvalidInput, match="no rows"):
        ParquetTiles(tmp_path / "empty.parquet", ("e",))


@pytest.mark.parametrize("given", [np.ones(3), np.ones((3, 0)), np.array([["a"]])])
def test_arrays_that_hold_no_features_are_refused(given):
    with pytest.raises(InvalidInput, match="features"):
        ArrayTiles(given)
