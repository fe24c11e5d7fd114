"""Partial work that is damaged, torn or of other work counts as absent."""

import os
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest

from infojax.errors import InvalidInput
from infojax.files import checkpoint as checkpoint
from infojax.files.partial_work import gone_on, kept

TABLE = pl.DataFrame({"a": [1.0, None], "b": ["x", "y"], "c": [[1, 2], [3]]})
VALUES = {
    "json": {"error": [0.1, float("inf")], "n": 3},
    "table": TABLE,
    "array": np.arange(6, dtype=np.int16).reshape(2, 3),
    "arrays": {"kernel": np.eye(3, dtype=np.float32), "residual": np.ones(3)},
    "tables": {"scores": TABLE, "groups": TABLE.head(1)},
}


class Work:
    """Computes a value, and counts how often."""

    def __init__(self, value):
        self.value, self.times = value, 0

    def __call__(self):
        self.times += 1
        return self.value


def same(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return a.equals(b) if isinstance(a, pl.DataFrame) else a == b


@pytest.mark.parametrize("kind", VALUES)
def test_is_found_again(tmp_path, kind):
    work, file = Work(VALUES[kind]), tmp_path / "new" / "folder" / "work"
    assert all(same(kept(file, "this", work), VALUES[kind]) for _ in range(3))
    assert work.times == 1
    assert os.listdir(file.parent) == ["work"]
    assert file.stat().st_mode & 0o777 == 0o666 & ~_umask()


@pytest.mark.parametrize("kind", VALUES)
def test_every_flipped_bit_and_every_length_is_noticed(tmp_path, kind):
    work, file = Work(VALUES[kind]), tmp_path / "work"
    kept(file, "this", work)
    whole, rng, times = file.read_bytes(), np.random.default_rng(0), 1
    damages = [whole[:length] for length in (0, 1, len(whole) // 2, len(whole) - 1)] + [whole + b"\n"]
    places = rng.integers(len(whole), size=60).tolist()
    damages += [whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :] for at in places]
    for damage in damages:
        file.write_bytes(damage)
        times += 1
        assert same(kept(file, "this", work), VALUES[kind])
        assert work.times == times
        assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "foreign", [b"{}", b'{"error": 0.25}', b"\xff" * 99, b"[" * 100_000, b"infojax partial work 1 \n"]
)
def test_files_of_other_forms_count_as_absent(tmp_path, foreign):
    (tmp_path / "work").write_bytes(foreign)
    assert kept(tmp_path / "work", "this", Work([1])) == [1]


def test_other_work_counts_as_absent(tmp_path):
    kept(tmp_path / "one", "one", Work([1]))
    kept(tmp_path / "two", "two", Work([2]))
    os.replace(tmp_path / "one", tmp_path / "two")
    assert kept(tmp_path / "two", "two", Work([2])) == [2]


def test_links_and_pipes_are_replaced_and_not_followed(tmp_path):
    (tmp_path / "other").write_text("untouched")
    (tmp_path / "link").symlink_to(tmp_path / "other")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    for name in ("link", "dangling"):
        assert kept(tmp_path / name, "this", Work([1])) == [1]
        assert not (tmp_path / name).is_symlink()
    assert (tmp_path / "other").read_text() == "untouched"
    assert not (tmp_path / "nothing").exists()


def test_nothing_is_kept_without_a_file():
    work = Work((1, 2))
    assert [kept(None, "this", work) for _ in range(2)] == [(1, 2), (1, 2)]
    assert work.times == 2


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        kept(tmp_path / "work", "this", lambda: 1 // 0)
    with pytest.raises(TypeError):
        kept(tmp_path / "work", "this", Work({"a": Path()}))
    assert not os.listdir(tmp_path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_checkpoint_that_is_damaged_or_foreign_is_begun_anew(tmp_path):
    def compute():
        for name in ("one", "two"):
            if checkpoint.read(tmp_path / "run" / f"{name}.npz", "this") is None:
                checkpoint.write(tmp_path / "run" / f"{name}.npz", "this", {"a": np.ones(3)})
        return "done"

    assert gone_on(tmp_path / "run", compute) == "done"
    whole = (tmp_path / "run" / "one.npz").read_bytes()
    checkpoint.write(tmp_path / "foreign", "other", {})
    for damage in (b"", whole[:-9], whole[:200] + b"?" + whole[201:], (tmp_path / "foreign").read_bytes()):
        (tmp_path / "run" / "one.npz").write_bytes(damage)
        assert gone_on(tmp_path / "run", compute) == "done"
        assert (tmp_path / "run" / "one.npz").read_bytes() == whole
    with pytest.raises(InvalidInput, match="mine"):
        gone_on(None, lambda: _refuse("mine"))
    with pytest.raises(InvalidInput, match="mine"):
        gone_on(tmp_path / "run", lambda: _refuse("mine"))
    assert (tmp_path / "run" / "one.npz").exists()


def _refuse(words):
    raise InvalidInput(words)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_replaced(tmp_path, make):
    make(tmp_path / "work")
    work = Work({"n": 1})
    assert [kept(tmp_path / "work", "w", work) for _ in range(2)] == [{"n": 1}] * 2
    assert work.times == 1


@pytest.mark.parametrize("array", [np.ma.masked_array([1.0, 9.0], mask=[0, 1]), np.ones(3, jnp.bfloat16)])
@pytest.mark.parametrize("within", [False, True])
def test_arrays_that_no_file_gives_back_are_refused(tmp_path, array, within):
    with pytest.raises(InvalidInput, match="no file gives back"):
        kept(tmp_path / "work", "w", lambda: {"a": array} if within else array)
