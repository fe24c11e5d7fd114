"""`infojax results prune`."""

import os
import time
from pathlib import Path

from infojax.sweeps import Store
from infojax.sweeps.run.unit import Unit
from infojax.sweeps.store import failures
from infojax.sweeps.store.claims import claim as claims
from tests.cli.results.lines import older, stored


def test_prune(line, results):
    current, old = stored(line), older(line, seed=1)
    where, day = claims.folder(Path("results"), "line"), 2 * 24 * 3600
    leftover = Path("results/line/.writing-1")
    leftover.mkdir()
    (current.folder / "extra.parquet").write_bytes(b"x" * 100)
    for path in (leftover, current.folder / "extra.parquet"):
        os.utime(path, (time.time() - day,) * 2)
    young = Path("results/line/.writing-2")
    young.mkdir()
    where.mkdir(exist_ok=True)
    gone = where / f"{'a' * 12}-{'b' * 12}.1"
    gone.write_text("")
    os.utime(gone, (time.time() - day,) * 2)
    living = claims.take(where, "c" * 12 + "-" + "d" * 12, claims.Watch())
    unit = Unit("line", line.__package__, (line.Config(),), (current.folder.name,), Path("results").absolute())
    failures.note(unit, 0, "error", "trace", 1)
    before = sorted(Path("results").rglob("*"))

    code, out, _ = results("prune")
    assert code == 0
    assert "5 items" in out
    assert "--yes does it" in out
    assert sorted(Path("results").rglob("*")) == before

    assert "1 items" in results("prune", "--only", "claims")[1]
    assert "removed 5 items" in results("prune", "--yes")[1]
    assert not old.folder.exists()
    assert not any(path.exists() for path in (leftover, gone, current.folder / "extra.parquet"))
    assert young.exists()
    assert living.held()
    living.release()
    assert Store(Path("results")).read("line", line.Config()) is not None
    assert results("prune")[1] == "there is nothing to remove\n"


def test_prune_keeps_what_older_code_computes_now(line, results):
    old = older(line, seed=1)
    claim = claims.take(claims.folder(Path("results"), "line"), old.folder.name, claims.Watch())
    assert results("prune")[1] == "there is nothing to remove\n"
    claim.release()
    assert "1 items" in results("prune")[1]


def test_prune_keeps_what_is_written_to_now(line, results):
    """A folder's own time is that of its names: a writer may be at one large file for hours."""
    stored(line)
    leftover = Path("results/line/.writing-1")
    leftover.mkdir()
    (leftover / "large.npy").write_bytes(b"x")
    part = Path("results/line/.failed/.a.json-1.part")
    part.parent.mkdir()
    part.write_text("")
    for path in (leftover, part):
        os.utime(path, (time.time() - 2 * 3600,) * 2)
    assert "1 items" in results("prune")[1]
    os.utime(leftover / "large.npy", (time.time() - 2 * 3600,) * 2)
    os.utime(leftover, (time.time() - 2 * 3600,) * 2)
    assert "removed 2 items" in results("prune", "--yes")[1]
    assert not leftover.exists()
    assert not part.exists()


def test_prune_of_what_was_set_aside(line, results):
    result = stored(line)
    (result.folder / "line.parquet").unlink()
    results("verify", "--remove")
    assert results("prune", "--yes")[1] == "there is nothing to remove\n"
    assert "removed 1 items" in results("prune", "--only", "damaged", "--yes")[1]
    assert not any(Path("results/.damaged").iterdir())
