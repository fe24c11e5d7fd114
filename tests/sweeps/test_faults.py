"""A handful of what benchmarks/sweeps/faults.py does by the hundred."""

import sys
from functools import partial

import numpy as np
import pytest

from benchmarks.sweeps import faults_kills, faults_store
from infojax.sweeps import grid, load_experiment, sweep
from infojax.sweeps.run import loop
from infojax.sweeps.store.addresses.address import address
from infojax.sweeps.store.claims import claim as claims

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes as Linux lists them")


@pytest.mark.parametrize(
    ("scenario", "times"), [(faults_kills.sweeps, 2), (faults_store.corruption, 5), (faults_store.full_disk, 1)]
)
def test_recovers(scenario, times, tmp_path):
    seen = scenario(tmp_path, times, np.random.default_rng(1))
    assert seen.recovered, seen


@pytest.mark.parametrize(
    "text", [b"", b'{"host": "', b"\xff\x00", b"[]", b'{"host": "gone/0", "pid": 1, "start": "1"}']
)
def test_a_claim_of_nobody_is_taken_over_by_a_sweep_after_the_lease(probes, tmp_path, monkeypatch, text):
    """The worker that gets the config sees the claim for the first time, and must not wait for another lease."""
    monkeypatch.setattr(loop, "POLL", 0.01)
    monkeypatch.setattr(claims, "Watch", partial(claims.Watch, lease=0.3))
    configs = grid(load_experiment("probe", probes).PRESETS["quick"], {"x": [1, 2]})
    where = claims.folder(tmp_path / "results", "probe")
    where.mkdir(parents=True)
    (where / f"{address(configs[0])}.3").write_bytes(text)
    report = sweep("probe", configs, results=tmp_path / "results", package=probes)
    assert report.complete()
    assert report.count("computed") == 2
    assert not list(where.iterdir())
