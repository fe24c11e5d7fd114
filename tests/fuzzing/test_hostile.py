"""Files made to do harm: run code, take all memory, write outside their folder, or never end."""

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from infojax.data import load
from infojax.data.fetching.packages import contents
from infojax.data.fetching.searching import read_stored
from infojax.data.fetching.weights import read_weights
from infojax.data.formats import bounded
from infojax.data.formats.cifar import read_png_rows
from infojax.data.formats.idx import read_idx
from infojax.data.formats.pickle_opcodes import read_pickle
from infojax.data.formats.tfjs import read_tfjs
from infojax.data.formats.torch_file import read_torch_file
from infojax.errors import CorruptData, InvalidInput, OverBudget
from infojax.files import checkpoint as checkpoint
from tests.fuzzing.damage import tried
from tests.fuzzing.readers import IMAGES, LABELS, PACKAGE, X, npy, npz, picture


class Payload:
    """Unpickling one makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def pickled_npy(path: Path) -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([Payload(path), None], object), allow_pickle=True)
    return out.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def npy_header(descr: str, shape: str, version: int = 1) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode("latin1")
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header


def test_payloads_of_pickles_are_not_run(tmp_path):
    made = tmp_path / "made"
    bad = pickled_npy(made)
    for x, y in ((bad, npy(LABELS)), (npy(X), bad)):
        files = {"a.npz": zipped({"x.npy": x, "y.npy": y})}
        assert tried(files, lambda folder: load(folder / "a.npz")) is None
    for name in ("train-images.npy", "train-labels.npy"):
        files = {"manifest.json": b"{}", "train-images.npy": npy(IMAGES), "train-labels.npy": npy(LABELS), name: bad}
        assert tried(files, lambda folder: read_stored(folder, "train")) is None
    files = {"manifest.json": b'{"arrays": ""}', "weights.npz": zipped({"a.npy": bad})}
    assert tried(files, read_weights) is None
    assert tried({"c.npz": zipped({"fingerprint.npy": bad})}, lambda f: checkpoint.read(f / "c.npz", "m")) is None
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        data = pickle.dumps({"a": Payload(made)}, protocol)
        assert tried({"a.npz": data}, lambda folder: load(folder / "a.npz")) is None
        assert tried({"a.pth": data}, lambda folder: read_torch_file(folder / "a.pth")) is None
    assert not made.exists()


HEADERS = {
    "terabytes": npy_header("'<f8'", "(1099511627776,)"),
    "2^63": npy_header("'<f8'", "(9223372036854775808,)"),
    "2^63 beside 0": npy_header("'<f8'", "(9223372036854775807, 0)"),
    "negative": npy_header("'<f8'", "(-1, 8)"),
    "negative product": npy_header("'|u1'", "(-2, -4)"),
    "zero wide text": npy_header("'<U0'", "(4611686018427387904,)"),
    "many axes": npy_header("'|u1'", "(" + "1," * 100 + ")"),
    "nested": npy_header("'|u1'", "(" * 900 + ")" * 900, 2),
    "minus nested": npy_header("'|u1'", "(" + "-" * 5000 + "1,)", 2),
    "structured": npy_header("[('a', '|O')]", "(1,)"),
    "subarray": npy_header("('<f8', (1099511627776,))", "(1,)"),
    "float shape": npy_header("'|u1'", "(8.0,)"),
    "python 2": npy_header("'|u1'", "(8L,)"),
    "version 9": b"\x93NUMPY\x09\0" + npy_header("'|u1'", "(8,)")[8:],
    "long header": b"\x93NUMPY\x02\0" + struct.pack("<I", 2**32 - 1),
    "escape": npy_header("'\\\\|u1\\d'", "(8,)"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_arrays(name, little_memory):
    data = HEADERS[name] + bytes(8)
    for files in ({"a.npz": zipped({"x.npy": data, "y.npy": npy(LABELS)})}, {"a.npz": zipped({"y.npy": data})}):
        assert tried(files, lambda folder: load(folder / "a.npz")) is None
    files = {"manifest.json": b"{}", "train-images.npy": data, "train-labels.npy": npy(LABELS)}
    found = tried(files, lambda folder: read_stored(folder, "train"))
    assert found is None or found[0].nbytes == 8


@pytest.mark.parametrize("size", [2**33, 2**45, 2**62])
def test_archives_that_unpack_to_more_than_there_is(size, little_memory):
    """The directory of the archive says so; the data are ten bytes."""
    whole = bytearray(zipped({"x.npy": npy(X), "y.npy": npy(LABELS)}))
    central = whole.index(b"PK\x01\x02")
    extra = struct.pack("<HHQ", 1, 8, size)
    name_length = struct.unpack_from("<H", whole, central + 28)[0]
    struct.pack_into("<I", whole, central + 24, 2**32 - 1)
    struct.pack_into("<H", whole, central + 30, len(extra))
    at = central + 46 + name_length
    whole[at:at] = extra
    end = whole.index(b"PK\x05\x06")
    struct.pack_into("<I", whole, end + 12, struct.unpack_from("<I", whole, end + 12)[0] + len(extra))
    assert tried({"a.npz": bytes(whole)}, lambda folder: load(folder / "a.npz")) is None


def test_an_archive_larger_than_the_memory_that_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr("infojax.files._numpy.memory", lambda: (100, 1000))
    (tmp_path / "a.npz").write_bytes(npz(x=X, y=LABELS))
    with pytest.raises(OverBudget, match=r"a\.npz holds .* and 100 bytes of memory are free"):
        load(tmp_path / "a.npz")


def test_archives_with_odd_members():
    members = {"x.npy": npy(X), "y.npy": npy(LABELS), "../../out.npy": npy(LABELS), "/abs.npy": npy(LABELS)}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        found = tried({"a.npz": zipped(members | {"notes.txt": b"hello"}, method)}, lambda f: load(f / "a.npz"))
        assert found is not None
        np.testing.assert_array_equal(found.x, X)


@pytest.mark.parametrize("code", [0x110000, 0xD800, 0xFFFFFFFF])
def test_text_that_is_no_unicode(code):
    text = npy_header("'<U1'", "(6,)") + struct.pack("<6I", *[65] * 5, code)
    for name in ("classes", "source"):
        files = {"a.npz": zipped({"x.npy": npy(X), "y.npy": npy(LABELS), f"{name}.npy": text})}
        assert tried(files, lambda folder: load(folder / "a.npz")) is None


@pytest.mark.parametrize(
    "shape", [(2**32 - 1,), (2**32 - 1,) * 4, (2**31,) * 255, (2**32 - 1, 0), (0,) * 70, (2**32 - 1,) * 3 + (0,)]
)
def test_headers_of_idx(shape, little_memory):
    data = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    for name, content in (("a", data), ("a.gz", gzip.compress(data))):
        found = tried({name: content}, lambda folder, name=name: read_idx(folder / name))
        assert found is None or found.size == 0


def bomb(size: int) -> bytes:
    """`size` zero bytes as gzip, without ever having them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(2**20)
    return b"".join([packer.compress(block) for _ in range(size // 2**20)]) + packer.flush()


def test_gzip_bombs(monkeypatch, little_memory):
    monkeypatch.setattr(bounded, "LARGEST", 2**20)
    packed = bomb(2**26)
    assert len(packed) < 2**17
    assert tried({"a.gz": packed}, lambda folder: read_idx(folder / "a.gz")) is None
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        info = tarfile.TarInfo("package/data/b.gz")
        info.size = len(packed)
        file.addfile(info, io.BytesIO(packed))
    assert tried({"p.tar": out.getvalue()}, lambda f: dict(contents(f / "p.tar", "package/data/", ["b.gz"]))) is None
    wheel = zipped({"package/data/a": bytes(2**24)}, zipfile.ZIP_DEFLATED)
    assert tried({"p.whl": wheel}, lambda f: dict(contents(f / "p.whl", "package/data/", ["a"]))) is None


HOSTILE_NAMES = ("../escaped", "/tmp/infojax-escaped", "package/data/../../escaped", "a\0b", "..\\escaped", "C:\\a", "")
TYPES = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)


def test_members_that_lead_out_of_an_archive():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as file:
        for name in HOSTILE_NAMES:
            info = tarfile.TarInfo(name)
            info.size = 1
            file.addfile(info, io.BytesIO(b"x"))
        for kind in TYPES:
            info = tarfile.TarInfo("package/data/a")
            info.type, info.linkname = kind, "/etc/hostname"
            file.addfile(info)
        info = tarfile.TarInfo("package/data/b.gz")
        info.size = len(PACKAGE["package/data/b.gz"])
        file.addfile(info, io.BytesIO(PACKAGE["package/data/b.gz"]))
    files = {"p.tgz": out.getvalue()}
    assert tried(files, lambda f: dict(contents(f / "p.tgz", "package/data/", ["a", "b.gz"]))) is None
    found = tried(files, lambda f: dict(contents(f / "p.tgz", "package/data/", ["b.gz"])))
    assert found == {"b.gz": b"two"}
    assert not Path("/tmp/infojax-escaped").exists()


SHAPES = ("[-1]", "[1e999]", "[9223372036854775808]", "[2, -3, -4]", '["x"]', "{}", "null", "[NaN]", "[1.5]", "[[2]]")


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_in_manifests(shape, little_memory):
    weights = f'{{"name": "a", "shape": {shape}, "dtype": "float32"}}'
    manifest = f'{{"weightsManifest": [{{"paths": ["a.bin"], "weights": [{weights}]}}]}}'
    found = tried({"model.json": manifest.encode(), "a.bin": bytes(96)}, read_tfjs)
    assert found is None


@pytest.mark.parametrize("path", ["../a.bin", "/etc/hostname", "..", "", "a\0", "x" * 300, 7, None, ["a"]])
def test_paths_in_manifests(path):
    weights = [{"name": "a", "shape": [], "dtype": "float32"}]
    manifest = json.dumps({"weightsManifest": [{"paths": [path], "weights": weights}]}).encode()
    assert tried({"inner/model.json": manifest, "a.bin": bytes(4)}, lambda f: read_tfjs(f / "inner")) is None


def tensor_file(offset: int, shape: tuple[int, ...], strides: tuple[int, ...], count: int, values: bytes) -> bytes:
    numbers = lambda many: pickle.dumps(many, 2)[2:-1]  # noqa: E731
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00"
        b"\x00\x00cpuK\x06NtQ" + numbers(offset) + numbers(shape) + numbers(strides) + b"\x89}tR"
    )
    heads = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    state = b"\x80\x02}X\x01\x00\x00\x00a" + tensor + b"s."
    return b"".join([*heads, state, pickle.dumps(["0"], 2), struct.pack("<q", count), values])


def test_a_tensor_is_read():
    data = tensor_file(0, (2, 3), (3, 1), 6, struct.pack("<6f", *range(6)))
    found = tried({"a.pth": data}, lambda folder: read_torch_file(folder / "a.pth"))
    np.testing.assert_array_equal(found["a"], np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize(
    ("offset", "shape", "strides", "count"),
    [
        (0, (2**40,), (0,), 6),
        (0, (2**40, 2**40), (0, 0), 6),
        (0, (0, 2**62), (1, 1), 6),
        (2**63, (1,), (1,), 6),
        (-1, (2,), (1,), 6),
        (0, (2, 3), (3, 1), -1),
        (0, (2, 3), (3, 1), 2**62),
        (0, (2, 3), (3, 1), 7),
        (0, (2, 3), (2**61, 2**61), 6),
        (0, (2, 3), (3,), 6),
    ],
)
def test_tensors_larger_than_their_file(offset, shape, strides, count, little_memory):
    data = tensor_file(offset, shape, strides, count, struct.pack("<6f", *range(6)))
    found = tried({"a.pth": data}, lambda folder: read_torch_file(folder / "a.pth"))
    assert found is None or found["a"].size == 0


def test_pickles_that_say_endless_things():
    doubled = b"]" + b"q\x00h\x00\x86" * 100  # a pair of what was before, a hundred times
    deep = b")" + b"\x85" * 300_000  # tuples within tuples
    heads = b"".join(pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    for value in (doubled, deep, b"]q\x00h\x00a"):
        state = b"\x80\x02}X\x01\x00\x00\x00a" + value + b"s."
        data = heads + state + pickle.dumps(["0"], 2)
        assert tried({"a.pth": data}, lambda folder: read_torch_file(folder / "a.pth")) is None
    with pytest.raises(CorruptData):
        read_pickle(io.BytesIO(b"\x80\x02}" + deep + b"K\x00s."))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "NaN", "[NaN]", "1", '"x"', "[[1], 2]", "[1e999]", "null"]
)
def test_json_of_other_shapes(text, little_memory):
    data = text.encode()
    assert tried({"model.json": data}, read_tfjs) is None
    assert tried({"manifest.json": data, "weights.npz": npz(a=X)}, read_weights) is None
    files = {"test_batch.png": picture(np.zeros((1, 1024, 3), np.uint8)), "test_lables.json": data}
    assert tried(files, lambda folder: read_png_rows(folder, "test")) is None


@pytest.mark.parametrize(
    "table", [b"file,label\n\0,a\n", b"file,file,label\na,b,c\n", b'file,label\n"a\n', b"\xff\xfe"]
)
def test_tables_of_labels(table):
    assert tried({"labels.csv": table, "a.png": picture(IMAGES[0])}, load) is None


@pytest.mark.parametrize("given", ["a\0b.npz", "x" * 5000, "~nobody-of-this-name/a.npz", "", "/dev/null", "."])
def test_paths(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InvalidInput, FileNotFoundError)):
        load(given)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(InvalidInput, match=r"a\.npz"):
        load(tmp_path / "a.npz")
