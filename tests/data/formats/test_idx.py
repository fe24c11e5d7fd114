"""IDX files, whole and broken."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.data.formats.idx import read_idx, read_idx_folder
from infojax.errors import CorruptData, DataNotFound


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.booleans())
def test_reads_any_shape(tmp_path_factory, shape, zipped):
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path = tmp_path_factory.mktemp("idx") / ("a.gz" if zipped else "a")
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    np.testing.assert_array_equal(read_idx(path), array)


WHOLE = idx(np.arange(12, dtype=np.uint8).reshape(3, 2, 2))


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_every_truncation_is_noticed(tmp_path, length):
    (tmp_path / "a").write_bytes(WHOLE[:length])
    with pytest.raises(CorruptData, match=r"truncated|no IDX file"):
        read_idx(tmp_path / "a")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (WHOLE + b"\0", "promises 28"),
        (b"\0\0\x0d\1" + bytes(8), "begins with 00 00 0d 01"),
        (b"<html>", "no IDX file"),
        (b"\0\0\x08\0", "no IDX file"),
    ],
)
def test_other_formats_are_refused(tmp_path, data, message):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(CorruptData, match=message):
        read_idx(tmp_path / "a")


@pytest.mark.parametrize("keep", [0, 5, 30])
def test_truncated_gzip(tmp_path, keep):
    (tmp_path / "a.gz").write_bytes(gzip.compress(WHOLE)[:keep])
    with pytest.raises(CorruptData, match=r"truncated|no IDX"):
        read_idx(tmp_path / "a.gz")


def test_a_missing_file_is_named(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(WHOLE)
    with pytest.raises(DataNotFound, match="t10k-labels-idx1-ubyte"):
        read_idx_folder(tmp_path, "test")
