"""Kernels in a folder: read like arrays, resumed tile by tile, and found out when they are another's."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.progress import Progress

from infojax.errors import CorruptData, DataNotFound, InvalidInput, OverBudget, StorageFailed
from infojax.kernels import OnDisk, empirical_ntk, open_kernel
from infojax.kernels.disk import writing as disk_writing
from tests.kernels.disk.small_kernel import PARAMS, X, Y, apply, on_disk, tiles_computed


def test_is_the_kernel(kernel, expected):
    np.testing.assert_array_equal(kernel, expected)
    assert (kernel.shape, kernel.dtype, kernel.chunks, kernel.tile_rows) == ((14, 14), np.float32, (6, 6), 6)
    assert (len(kernel), kernel.ndim, kernel.size, kernel.nbytes) == (14, 2, 196, 784)
    assert kernel.missing() == []
    assert kernel.verify() == {}
    assert np.asarray(kernel, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy=False"):
        np.asarray(kernel, copy=False)


axis = st.one_of(
    st.slices(14),
    st.integers(-14, 13),
    st.lists(st.integers(-14, 13), max_size=5).map(lambda numbers: np.array(numbers, int)),
    st.lists(st.booleans(), min_size=14, max_size=14).map(np.array),
)


@given(rows=axis, columns=axis)
def test_indexing_is_that_of_the_array(kernel, expected, rows, columns):
    np.testing.assert_array_equal(kernel[rows], expected[rows])
    np.testing.assert_array_equal(kernel[rows, columns], expected[rows][..., columns])
    np.testing.assert_array_equal(kernel[..., columns], expected[..., columns])


@pytest.mark.parametrize("index", [14, -15, [3, 14], np.ones(3, bool), 1.0, np.ones((2, 2), int), "row"])
def test_indices_out_of_bounds(kernel, index):
    with pytest.raises(IndexError):
        kernel[index]
    with pytest.raises(IndexError):
        kernel[:, index]


@pytest.mark.parametrize("rows", [None, 1, 5, 6, 14, 100])
def test_blocks_of_rows(kernel, expected, rows):
    blocks = [*kernel.row_blocks(rows)]
    assert len(blocks) == -(-14 // (rows or 6))
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), expected)
    assert all(np.array_equal(block, expected[at]) for at, block in blocks)


def test_cross_kernel(tmp_path):
    kernel = empirical_ntk(apply, PARAMS, X, Y, tile=3, out=str(tmp_path))
    np.testing.assert_array_equal(kernel, empirical_ntk(apply, PARAMS, X, Y, tile=3))
    assert not kernel.symmetric
    assert kernel.chunks == (6, 4)
    kernel.discard(["c/2/1", "c/0/0"])
    assert kernel.missing() == [(0, 0), (2, 1)]
    assert tiles_computed(tmp_path, Y) == 2
    np.testing.assert_array_equal(kernel, empirical_ntk(apply, PARAMS, X, Y, tile=3))


@pytest.mark.parametrize("dtype", [np.float16, jnp.bfloat16, np.float64])
def test_precisions(tmp_path, dtype):
    kernel = on_disk(tmp_path, dtype=dtype)
    assert kernel.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(kernel, empirical_ntk(apply, PARAMS, X, tile=3, dtype=dtype))


def test_compressed(tmp_path):
    x = np.ones((64, 5), np.float32)
    empirical_ntk(apply, PARAMS, x, out=tmp_path / "plain")
    kernel = empirical_ntk(apply, PARAMS, x, out=OnDisk(tmp_path / "small", zstd=3))
    np.testing.assert_array_equal(kernel, open_kernel(tmp_path / "plain"))
    sizes = [(tmp_path / name / "c" / "0" / "0").stat().st_size for name in ("plain", "small")]
    assert sizes[0] == 128 * 128 * 4 + 4
    assert sizes[1] < sizes[0] / 100
    with pytest.raises(InvalidInput, match="zstd=23"):
        on_disk(OnDisk(tmp_path / "other", zstd=23))


def test_zarr_as_the_specification_says(kernel, expected):
    """Read without tensorstore: the bytes of a tile, and a checksum of four bytes."""
    metadata = json.loads((kernel.folder / "zarr.json").read_text())
    assert (metadata["zarr_format"], metadata["node_type"], metadata["shape"]) == (3, "array", [14, 14])
    assert [codec["name"] for codec in metadata["codecs"]] == ["bytes", "crc32c"]
    for i in range(3):
        for j in range(3):
            stored = (kernel.folder / "c" / str(i) / str(j)).read_bytes()
            tile = np.frombuffer(stored[:-4], "<f4").reshape(6, 6)
            part = expected[6 * i : 6 * i + 6, 6 * j : 6 * j + 6]
            np.testing.assert_array_equal(tile[: part.shape[0], : part.shape[1]], part)


def test_only_what_is_missing_is_computed(tmp_path, expected):
    assert tiles_computed(tmp_path) == 6
    assert tiles_computed(tmp_path) == 0
    kernel = open_kernel(tmp_path)
    # A tile and its mirror come from one; the diagonal has one each.
    kernel.discard(["c/0/2", "c/2/0", "c/1/1"])
    with pytest.raises(CorruptData, match=r"c/(0/2|2/0|1/1).* is missing.*discard"):
        kernel[:]
    assert tiles_computed(tmp_path) == 2
    np.testing.assert_array_equal(kernel, expected)


def test_goes_on_with_other_tiles_budget_and_devices(tmp_path, expected):
    import jax

    kernel = on_disk(tmp_path)
    kernel.discard(["c/0/1", "c/2/2"])
    empirical_ntk(apply, PARAMS, X, out=tmp_path, tile=7, devices=jax.devices())
    np.testing.assert_allclose(kernel, expected, rtol=0, atol=1e-6 * expected.max())
    assert kernel.chunks == (6, 6)
    kernel.discard(["c/0/1"])
    with pytest.raises(OverBudget, match="begun in tiles of 3 × 3"):
        empirical_ntk(apply, PARAMS, X, out=tmp_path, budget=10)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"params": PARAMS | {"w": PARAMS["w"] + 1}}, "params"),
        ({"x1": X + 1}, "x1"),
        ({"x1": X[:6]}, "x1"),
        ({"x2": Y}, "x2"),
        ({"network": lambda p, x: jnp.tanh(x @ p["w"]) @ p["out"] * 2}, "network"),
        ({"dtype": np.float64}, "dtype"),
        ({"precision": "default"}, "precision"),
        ({"implementation": "jacobian"}, "implementation"),
    ],
)
def test_a_folder_of_other_inputs(kernel, change, named):
    arguments = {"network": apply, "params": PARAMS, "x1": X} | change
    before = sorted(path.stat().st_mtime_ns for path in kernel.folder.rglob("*"))
    with pytest.raises(InvalidInput, match=f"computed from other inputs: .*{named}.* differ"):
        empirical_ntk(**arguments, out=kernel.folder)
    assert sorted(path.stat().st_mtime_ns for path in kernel.folder.rglob("*")) == before


def test_the_same_network_written_again_and_constants_inside(tmp_path):
    """Told apart by what it computes, not by where it lies in memory."""
    scale = np.float32([1.0, 2.0, 3.0, 4.0, 5.0])

    def make(scale):
        def relu(params, x):
            import jax

            return jax.nn.relu((x * scale[None]) @ params["w"]) @ params["out"]

        return relu

    empirical_ntk(make(scale), PARAMS, X, out=tmp_path)
    empirical_ntk(make(scale.copy()), PARAMS, X, out=tmp_path)
    with pytest.raises(InvalidInput, match="network differ"):
        empirical_ntk(make(scale + 1), PARAMS, X, out=tmp_path)


def test_what_is_no_kernel(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(InvalidInput, match="is a file"):
        on_disk(tmp_path / "file")
    with pytest.raises(InvalidInput, match=r"other files \(file, say\)"):
        on_disk(tmp_path)
    for folder in (tmp_path, tmp_path / "nothing", tmp_path / "file"):
        with pytest.raises(DataNotFound, match="holds no kernel"):
            open_kernel(folder)
    with pytest.raises(StorageFailed, match="cannot be written"):
        on_disk("/proc/kernel")
    kernel = on_disk(tmp_path / "kernel")
    with pytest.raises(InvalidInput, match="is no tile"):
        kernel.discard(["../file"])
    with pytest.raises(InvalidInput, match="rows=0"):
        next(kernel.row_blocks(0))


def test_a_newer_format(tmp_path, monkeypatch):
    from infojax.kernels.disk import folder

    monkeypatch.setattr(folder, "FORMAT", 2)
    on_disk(tmp_path)
    monkeypatch.undo()
    with pytest.raises(InvalidInput, match="format 2, this infojax reads 1"):
        on_disk(tmp_path)


def test_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_writing.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1000, 0, 1000))
    with pytest.raises(StorageFailed, match="9 missing tiles of the kernel need 1,296 bytes, there are 1,000 free"):
        on_disk(tmp_path)


def test_the_disk_fills_up(tmp_path, monkeypatch):
    """On a real file system of one mebibyte, which another file fills."""
    where = tmp_path / "small"
    where.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", where], capture_output=True).returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        filler = where / "filler"
        filler.write_bytes(bytes(2**20 - 150_000))
        x = np.random.default_rng(0).normal(size=(100, 5)).astype(np.float32)
        monkeypatch.setattr(disk_writing, "_check_room", lambda *_: None)
        with pytest.raises(StorageFailed, match=r"could not be written to .*only the tiles that are missing"):
            empirical_ntk(apply, PARAMS, x, tile=10, out=where / "kernel")
        kernel = open_kernel(where / "kernel")
        missing = len(kernel.missing())
        assert 0 < missing < 100
        assert set(kernel.verify().values()) == {"it is not there"}
        filler.unlink()
        empirical_ntk(apply, PARAMS, x, tile=10, out=where / "kernel")
        np.testing.assert_array_equal(kernel, empirical_ntk(apply, PARAMS, x, tile=10))
    finally:
        subprocess.run(["umount", where], check=True)


CHILD = """
import sys
import jax.numpy as jnp, numpy as np
from infojax.kernels import empirical_ntk
def apply(params, x):
    return jnp.tanh(x @ params["w"]) @ params["out"]
file = np.load(sys.argv[1])
empirical_ntk(apply, {"w": file["w"], "out": file["out"]}, file["x"], tile=2, out=sys.argv[2])
print("done")
"""


def test_killed_while_writing(tmp_path):
    x = np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32)
    np.savez(tmp_path / "inputs.npz", allow_pickle=False, x=x, **PARAMS)
    folder = tmp_path / "kernel"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, tmp_path / "inputs.npz", folder], env=dict(os.environ), stdout=subprocess.PIPE
    )
    until = time.monotonic() + 120
    while not (folder / "c" / "0" / "40").exists():
        assert time.monotonic() < until
        assert child.poll() is None
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    assert child.communicate()[0] == b""
    kernel = open_kernel(folder)
    missing = set(kernel.missing())
    assert 1700 < len(missing) < 3600
    assert set(kernel.verify().values()) == {"it is not there"}
    with Progress(disable=True) as progress:
        empirical_ntk(apply, PARAMS, x, tile=2, out=folder, progress=progress)
    assert progress.tasks[0].completed == len({tuple(sorted(tile)) for tile in missing})
    np.testing.assert_array_equal(kernel, empirical_ntk(apply, PARAMS, x, tile=2))
