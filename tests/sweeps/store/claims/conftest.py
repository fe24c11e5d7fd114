import subprocess
import sys

import pytest

from infojax.sweeps.store.claims import heartbeat, processes


@pytest.fixture(autouse=True)
def _no_claims_left():
    yield
    heartbeat._FILES.clear()


@pytest.fixture
def where(tmp_path):
    return tmp_path / "results" / "e" / ".claims"


@pytest.fixture(scope="module")
def dead():
    """What named a process of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    named = processes.this_process() | {"pid": process.pid, "start": processes._start(process.pid)}
    assert not processes.gone(named)
    process.communicate(b"\n")
    return named
