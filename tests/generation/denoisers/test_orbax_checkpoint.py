"""What a training keeps is on the disk before what it replaces goes."""

import os
import shutil

import numpy as np

from infojax.generation.denoisers import orbax_checkpoint
from infojax.generation.denoisers.orbax_checkpoint import OrbaxCheckpoint


def test_the_older_state_goes_after_the_newer_one_is_on_the_disk(tmp_path, monkeypatch):
    done = []

    def fsync(descriptor, real=os.fsync):
        done.append(os.path.realpath(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    def rmtree(path, real=shutil.rmtree, **options):
        done.append(f"removed {path}")
        real(path, **options)

    store = OrbaxCheckpoint(tmp_path, "mark")
    store.write(1, {"w": np.ones(3)})
    monkeypatch.setattr(orbax_checkpoint.os, "fsync", fsync)
    monkeypatch.setattr(orbax_checkpoint.shutil, "rmtree", rmtree)
    store.write(2, {"w": np.ones(3)})
    removal = done.index(f"removed {tmp_path / '1'}")
    files = {str(path) for path in (tmp_path / "2").rglob("*") if path.is_file()}
    assert files
    assert files | {str(tmp_path / "2"), str(tmp_path)} <= set(done[:removal])
    # about.json is synced under the name it is written under first
    assert any("/.about.json-" in name for name in done[:removal])
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["2"]
    step, state = store.read({"w": np.zeros(3)})
    assert step == 2
    np.testing.assert_array_equal(state["w"], 1)
