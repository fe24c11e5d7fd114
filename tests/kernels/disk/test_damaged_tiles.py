"""Tiles that are damaged, or stand in others' places, are found and mended."""

import shutil

import numpy as np
import pytest

from infojax.errors import CorruptData, DataWarning
from infojax.kernels import OnDisk, empirical_ntk, open_kernel
from infojax.kernels.disk import writing as disk_writing
from tests.kernels.disk.small_kernel import PARAMS, X, apply, on_disk, tiles_computed


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "empty", "append"])
def test_damage_is_found_in_every_tile(tmp_path, damage, expected):
    kernel = on_disk(tmp_path)
    for number, (i, j) in enumerate([(i, j) for i in range(3) for j in range(3)]):
        path = tmp_path / "c" / str(i) / str(j)
        whole = path.read_bytes()
        match damage:
            case "flip":
                at = number * len(whole) // 9
                path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << number % 8)]) + whole[at + 1 :])
            case "truncate":
                path.write_bytes(whole[: len(whole) * number // 9])
            case "append":
                path.write_bytes(whole + b"\0")
            case "empty":
                path.write_bytes(b"")
            case "delete":
                path.unlink()
        assert [*kernel.verify()] == [f"c/{i}/{j}"]
        rows, columns = kernel.tile(i, j)
        if damage == "append":  # which changes nothing that is read
            np.testing.assert_array_equal(kernel[rows, columns], expected[rows, columns])
        else:
            with pytest.raises(CorruptData, match=f"c/{i}/{j}"):
                kernel[rows, columns]
        kernel.discard(kernel.verify())
        assert tiles_computed(tmp_path) == 1
        np.testing.assert_array_equal(kernel, expected)


def test_bytes_of_the_metadata_count(tmp_path):
    on_disk(tmp_path)
    path = tmp_path / "zarr.json"
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(CorruptData, match=r"zarr\.json is not what infojax wrote"):
            open_kernel(tmp_path)
    for text in (b"", b"[]", b"null", b"[" * 100_000, whole[:-1], b'{"attributes": []}'):
        path.write_bytes(text)
        with pytest.raises(CorruptData, match=r"zarr\.json is not what infojax wrote"):
            on_disk(tmp_path)


def tile_file(folder, name):
    return folder / "c" / name


def swap(folder, one, other):
    a, b = (tile_file(folder, name).read_bytes() for name in (one, other))
    tile_file(folder, one).write_bytes(b)
    tile_file(folder, other).write_bytes(a)


@pytest.mark.parametrize("zstd", [None, 3])
def test_tiles_in_others_places_are_found_and_mended(tmp_path, expected, zstd):
    kernel = on_disk(OnDisk(tmp_path / "kernel", zstd=zstd))
    foreign = empirical_ntk(apply, PARAMS, X + 1, tile=3, out=OnDisk(tmp_path / "foreign", zstd=zstd)).folder
    folder = kernel.folder

    swap(folder, "0/0", "1/2")
    for opened in (kernel, open_kernel(folder)):
        assert opened.verify() == {
            "c/0/0": "it is the tile c/1/2 of this kernel",
            "c/1/2": "it is the tile c/0/0 of this kernel",
        }
        with pytest.raises(CorruptData, match=r"another tile in the place of c/0/0.*c/1/2"):
            opened[:]
        with pytest.raises(CorruptData, match=r"another tile in the place of c/1/2"):
            opened[7, -1]
        with pytest.raises(CorruptData, match=r"another tile in the place"):
            [*opened.row_blocks()]
        np.testing.assert_array_equal(opened[:5, 6:12], expected[:5, 6:12])
    kernel.discard(kernel.verify())
    assert tiles_computed(folder) == 2
    np.testing.assert_array_equal(kernel, expected)

    # the same computation mends them by itself
    shutil.copy(tile_file(foreign, "0/0"), tile_file(folder, "0/0"))
    shutil.copy(tile_file(folder, "2/1"), tile_file(folder, "1/2"))
    assert [*open_kernel(folder).verify()] == ["c/0/0", "c/1/2"]
    assert tiles_computed(folder) == 2
    assert open_kernel(folder).verify() == {}
    np.testing.assert_array_equal(kernel, expected)


def test_a_folder_in_the_place_of_a_tile(tmp_path, expected):
    folder = on_disk(tmp_path / "kernel").folder
    tile_file(folder, "1/1").unlink()
    tile_file(folder, "1/1").mkdir()
    assert [*open_kernel(folder).verify()] == ["c/1/1"]
    assert tiles_computed(folder) == 1
    np.testing.assert_array_equal(open_kernel(folder), expected)


def test_every_pair_of_tiles_that_differ(tmp_path, expected):
    kernel = on_disk(tmp_path)
    names = [f"{i}/{j}" for i in range(3) for j in range(3)]
    for one in names:
        for other in names:
            if one < other:
                swap(tmp_path, one, other)
                assert sorted(kernel.verify()) == [f"c/{one}", f"c/{other}"]
                swap(tmp_path, one, other)
    assert kernel.verify() == {}


def test_equal_tiles_may_change_places(tmp_path):
    x = np.ones((6, 5), np.float32)
    kernel = empirical_ntk(apply, PARAMS, x, tile=3, out=tmp_path)
    swap(tmp_path, "0/0", "1/1")
    assert kernel.verify() == {}
    np.testing.assert_array_equal(kernel, empirical_ntk(apply, PARAMS, x, tile=3))


def test_places_of_another_kernel_torn_or_gone_count_for_nothing(tmp_path, expected):
    kernel = on_disk(tmp_path / "kernel")
    foreign = empirical_ntk(apply, PARAMS, X + 1, tile=3, out=tmp_path / "foreign")
    # a whole copy of the tiles and of what says which is which, but not of the metadata
    for name in ("c", "places"):
        shutil.rmtree(kernel.folder / name)
        shutil.copytree(foreign.folder / name, kernel.folder / name)
    assert len(open_kernel(kernel.folder).missing()) == 9
    with pytest.raises(CorruptData, match="place"):
        open_kernel(kernel.folder)[:]
    assert tiles_computed(kernel.folder) == 6
    np.testing.assert_array_equal(open_kernel(kernel.folder), expected)
    for file in (kernel.folder / "places").iterdir():
        file.write_bytes(file.read_bytes()[:-3])  # the last line is torn
    assert tiles_computed(kernel.folder) == 1
    shutil.rmtree(kernel.folder / "places")
    with pytest.raises(CorruptData, match="'places', is not there: copy it"):
        open_kernel(kernel.folder)[:]
    assert tiles_computed(kernel.folder) == 6
    np.testing.assert_array_equal(open_kernel(kernel.folder), expected)


def test_a_kernel_that_does_not_know_the_places_of_its_tiles(tmp_path, expected, monkeypatch):
    """As an infojax that did not write them has left it, unfinished."""
    from infojax.kernels.disk import folder

    def describe(*arguments, real=folder.describe, **options):
        metadata = real(*arguments, **options)
        about = metadata["attributes"]["infojax"]
        del about["digest"], about["places"]
        return metadata | {"attributes": {"infojax": about | {"digest": folder._digest(metadata)}}}

    monkeypatch.setattr(disk_writing, "describe", describe)
    on_disk(tmp_path)
    monkeypatch.undo()
    assert not (tmp_path / "places").exists()
    kernel = open_kernel(tmp_path)
    np.testing.assert_array_equal(kernel, expected)
    kernel.discard(["c/1/1"])
    assert tiles_computed(tmp_path) == 1
    np.testing.assert_array_equal(kernel, expected)
    with pytest.warns(DataWarning, match="earlier infojax.* not whether each stands in its place"):
        assert kernel.verify() == {}
