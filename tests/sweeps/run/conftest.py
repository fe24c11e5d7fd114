import pytest

from infojax.sweeps import Store, grid, load_experiment, sweep
from infojax.sweeps.run import loop


@pytest.fixture
def run(probes, tmp_path, monkeypatch):
    """run(design, name="probe", **options) → (report, numbers that were computed one by one in this call)."""
    monkeypatch.setattr(loop, "POLL", 0.01)
    log = tmp_path / "log.txt"

    def call(over, name="probe", **options):
        log.write_text("")
        configs = grid(load_experiment(name, probes).PRESETS["quick"], over)
        report = sweep(name, configs, results=tmp_path / "results", package=probes, **options)
        return report, [int(line.split()[0]) for line in log.read_text().splitlines()]

    call.store, call.folder, call.package, call.log = Store(tmp_path / "results"), tmp_path, probes, log
    return call
