"""Damage done on purpose: all of it is found, and what is set aside is computed again."""

import dataclasses
import shutil

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infojax.sweeps import Store
from infojax.sweeps.store.record import read_record, sealed
from infojax.sweeps.store.verify import check, set_aside, verify


@dataclasses.dataclass(frozen=True)
class Config:
    seed: int = 3


def write(store, seed):
    tables = {"t": pl.DataFrame({"x": [0.5, float(seed)]}), "a": np.arange(4.0) + seed}
    return store.write("e", Config(seed), tables).folder


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store") / "results")
    for seed in range(3):
        write(store, seed)
    return store


@st.composite
def damage(draw, data):
    """Bytes that are not `data`; None for a file that is deleted."""
    how = draw(st.sampled_from(["flip", "cut", "append", "delete", "overwrite"]))
    position = draw(st.integers(0, len(data) - 1))
    if how == "flip":
        return data[:position] + bytes([data[position] ^ (1 << draw(st.integers(0, 7)))]) + data[position + 1 :]
    if how == "cut":
        return data[:position]
    if how == "append":
        return data + draw(st.binary(min_size=1, max_size=9))
    if how == "overwrite":
        return data[:position] + bytes(255 - byte for byte in data[position : position + 40]) + data[position + 40 :]
    return None


@settings(max_examples=100)
@given(data=st.data())
def test_all_damage_is_found(store, data):
    file = data.draw(st.sampled_from(sorted(path for path in store.root.rglob("*") if path.is_file())))
    whole = file.read_bytes()
    damaged = data.draw(damage(whole))
    try:
        file.unlink()
        if damaged is not None:
            file.write_bytes(damaged)
        found = {checked.folder: checked.damaged for checked in verify(store.root)}
        assert {folder for folder, problems in found.items() if problems} == {file.parent}
        assert list(found[file.parent]) == [file.name]
    finally:
        file.write_bytes(whole)
    assert not any(checked.damaged for checked in verify(store.root, "e"))


def test_what_is_set_aside_is_computed_again(store):
    (folder,) = (store.folder("e", Config(1)),)
    (folder / "a.npy").write_bytes(b"")
    (damaged,) = (checked for checked in verify(store.root) if checked.damaged)
    aside = set_aside(store.root, damaged)
    assert aside.is_relative_to(store.root / ".damaged" / "e")
    assert (aside / "a.npy").read_bytes() == b""
    assert store.read("e", Config(1)) is None
    write(store, 1)
    assert store.read("e", Config(1)).arrays["a"].tolist() == [1, 2, 3, 4]
    assert set_aside(store.root, damaged) is None  # it is whole by now
    assert [checked.experiment for checked in verify(store.root)] == ["e"] * 3


def test_a_whole_result_of_a_newer_format_is_not_damaged(store):
    folder = write(store, 7)
    record = {key: entry for key, entry in read_record(folder).items() if key != "sha256"}
    (folder / "record.json").write_bytes(sealed(record | {"format": 3}))
    checked = check("e", folder)
    assert not checked.readable
    assert not checked.damaged
    (folder / "record.json").write_bytes(sealed(record).replace(b'"format": 2', b'"format": 3'))
    checked = check("e", folder)
    assert "format 3" in checked.damaged["record.json"]
    shutil.rmtree(folder)
    assert check("e", folder) is None
