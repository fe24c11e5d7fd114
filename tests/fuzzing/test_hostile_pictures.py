"""Pictures that promise more than they hold."""

import struct
import zlib

import pytest

from infojax.data import load
from infojax.data.formats.cifar import read_png_rows
from infojax.errors import InvalidInput, OverBudget
from infojax.files import checkpoint as checkpoint
from tests.fuzzing.damage import tried
from tests.fuzzing.readers import IMAGES, picture


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (0, 5), (40_000, 40_000), (1024, 2**31 - 1)])
def test_pictures_that_unpack_to_more_than_there_is(size, little_memory):
    data = png(*size)
    files = {"a/x.png": data, "b/x.png": picture(IMAGES[0])}
    for asked in (None, (4, 4)):
        assert tried(files, lambda folder, asked=asked: load(folder, size=asked)) is None
    assert tried({"test_batch.png": data, "test_lables.json": b"[1]"}, lambda f: read_png_rows(f, "test")) is None


@pytest.mark.parametrize("size", [(0, 4), (-1, 4), (2**31, 2**31)])
def test_sizes_of_pictures(size, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(picture(IMAGES[0]))
    with pytest.raises((InvalidInput, OverBudget)):
        load(tmp_path, size=size)
