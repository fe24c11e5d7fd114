"""Real processes: killed, interrupted, and left alone by their sweep. Each costs two seconds to start."""

import io
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from infojax.errors import InfojaxError
from infojax.sweeps import Store, grid, load_experiment, sweep
from infojax.sweeps.run.engines import local, local_process
from infojax.sweeps.run.engines.frames import receive, send
from infojax.sweeps.run.engines.local_process import shares
from infojax.sweeps.store.claims import claim as claims


@pytest.fixture
def run(probes, tmp_path):
    """run(design, name="probe", workers=1, **options) → (report, (number, process) computed one by one)."""
    log = tmp_path / "log.txt"

    def call(over, name="probe", workers=1, **options):
        log.write_text("")
        configs = grid(load_experiment(name, probes).PRESETS["quick"], over)
        report = sweep(
            name, configs, results=tmp_path / "results", package=probes, options={"workers": workers}, **options
        )
        return report, [tuple(map(int, line.split())) for line in log.read_text().splitlines()]

    call.folder, call.package, call.log, call.store = tmp_path, probes, log, Store(tmp_path / "results")
    return call


def test_workers_share_the_work(run, capfd):
    file = run.folder / run.package / "probe.py"
    file.write_text(file.read_text().replace("    folder = ", "    print('hello' * 100)\n    folder = "))
    (run.folder / "fail2").touch()
    before = threading.active_count()
    report, computed = run({"x": "1..6"}, workers=2)
    assert report.count("computed") == 5
    assert [outcome.error for outcome in report.failed()] == ["RuntimeError: told to fail at 2"]
    assert sorted(x for x, _ in computed) == [1, 2, 3, 4, 5, 6]
    assert len({process for _, process in computed} | {os.getpid()}) == 3
    assert list(claims.folder(run.store.root, "probe").iterdir()) == []
    assert "hello" in capfd.readouterr().err  # what an experiment prints is no answer
    assert threading.active_count() <= before + 1  # signs of life


def test_a_worker_that_is_killed_is_replaced(run):
    """Of four configs one kills its process always, and one once."""
    (run.folder / "kill2").touch()
    (run.folder / "killonce3").touch()
    report, computed = run({"x": "1..4"}, retries=1)
    assert [x for x, _ in computed] == [1, 2, 3, 4, 2, 3]
    assert len({process for _, process in computed}) == 4
    (failed,) = report.failed()
    assert (failed.error, failed.attempts) == ("the process died (signal 9)", 2)
    assert report.plan.configs[failed.address].x == 2
    assert report.count("computed") == 3
    (run.folder / "kill2").unlink()
    report, computed = run({"x": "1..4"})
    assert [x for x, _ in computed] == [2]
    assert report.complete()
    assert list(claims.folder(run.store.root, "probe").iterdir()) == []


def test_of_a_batch_that_kills_its_process_only_the_bad_config_fails(run):
    (run.folder / "killbatch").touch()
    (run.folder / "kill2").touch()
    report, computed = run({"x": "1..3"}, "batched")
    assert [x for x, _ in computed] == [1, 2, 3]
    assert [report.plan.configs[outcome.address].x for outcome in report.failed()] == [2]
    assert report.count("computed") == 2


def test_workers_go_on_with_the_code_that_they_loaded(run):
    """And one that replaces another after the edit refuses."""
    file = run.folder / run.package / "probe.py"
    (run.folder / "kill3").touch()
    (run.folder / "wait2").touch()

    def edit(report):
        if len(report.outcomes) == 1:
            file.write_text(file.read_text().replace("config.x * config.scale", "config.x + config.scale"))
            (run.folder / "wait2").unlink()

    report, computed = run({"x": "1..4"}, tell=edit)
    assert [x for x, _ in computed] == [1, 2, 3]
    states = {report.plan.configs[at].x: outcome for at, outcome in report.outcomes.items()}
    assert [states[x].state for x in (1, 2, 3, 4)] == ["computed", "computed", "failed", "failed"]
    assert states[3].error == "the process died (signal 9)"
    assert "the code has changed since the sweep began" in states[4].error


SWEEP = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
from infojax.cli import main
results = ["--results", f"{sys.argv[1]}/results"]
main(["sweep", "probe", "--over", "x=1..4", "--package", sys.argv[2], *results, *sys.argv[3:]])
"""


def start(run, *arguments):
    """A sweep of four configs in a process of its own, once it is at the third."""
    (run.folder / "wait3").touch()
    command = [sys.executable, "-c", SWEEP, run.folder, run.package, *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while "3 " not in (run.log.read_text() if run.log.exists() else "") and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def computing(run):
    """Processes that computed and have not ended."""
    numbers = {int(line.split()[1]) for line in run.log.read_text().splitlines()}
    return [pid for pid in numbers if os.path.exists(f"/proc/{pid}/stat")]


@pytest.mark.parametrize("workers", ["0", "1"])
def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(run, workers):
    process = start(run, "--workers", workers)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "2 of 4 are stored; the same command goes on from there" in errors
    assert "Traceback" not in errors
    assert computing(run) == []
    assert list(claims.folder(run.store.root, "probe").iterdir()) == []
    (run.folder / "wait3").unlink()
    report, computed = run({"x": "1..4"}, workers=0)
    assert [x for x, _ in computed] == [3, 4]
    assert report.count("found") == 2


def test_workers_end_with_a_sweep_that_is_killed(run):
    process = start(run, "--workers", "1")
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 30
    while computing(run) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert computing(run) == []
    (run.folder / "wait3").unlink()
    report, computed = run({"x": "1..4"}, workers=0)
    assert [x for x, _ in computed] == [3, 4]
    assert report.complete()


def test_a_worker_that_cannot_start_is_an_error(run, monkeypatch):
    monkeypatch.setattr(local_process, "PROGRAM", "raise SystemExit(3)")
    with pytest.raises(InfojaxError, match="a worker could not start"):
        run({"x": "1..4"})
    assert run.log.read_text() == ""


def test_cores_are_shared_out(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 5, 7}, raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(local_process, "_gpus", list)
    assert [share.cores for share in shares(2)] == [(0, 1), (2, 5)]
    assert [share.cores for share in shares(1)] == [(0, 1, 2, 5, 7)]
    assert [share.cores for share in shares(6)] == [(0,), (1,), (2,), (5,), (7,), (0,)]
    assert {share.environment["OMP_NUM_THREADS"] for share in shares(2)} == {"2"}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert shares(2)[0].environment["OMP_NUM_THREADS"] == "3"


def test_gpus_go_round(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("XLA_PYTHON_CLIENT_MEM_FRACTION", raising=False)

    def shown(workers):
        return [share.environment.get("CUDA_VISIBLE_DEVICES") for share in shares(workers)]

    assert shown(2) == ["0", "1"]
    assert shown(3) == ["0", "1", "0"]
    assert shown(1) == [None]  # one process sees them all
    assert shares(4)[0].environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.450"
    assert "XLA_PYTHON_CLIENT_MEM_FRACTION" not in shares(2)[0].environment
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-4")
    assert shown(2) == ["3", "GPU-4"]
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert local_process._gpus() == []


def test_a_message_cut_short_is_no_message():
    pipe = io.BytesIO()
    send(pipe, b"a unit")
    for length in range(len(pipe.getvalue())):
        with pytest.raises(EOFError):
            receive(io.BytesIO(pipe.getvalue()[:length]))


def test_as_many_workers_as_units():
    assert local.Options(workers=5).parallel == 5
    assert list(local.run([], local.Options(workers=5))) == []
