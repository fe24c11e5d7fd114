"""The engine of Ray on a cluster of this machine, from the command line, with warnings as errors."""

import importlib.util
import os
import socket
import subprocess
import sys

import pytest

from infojax.errors import InvalidInput
from infojax.sweeps.run.engines.ray import Options, check

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")


def test_killed_workers_and_two_engines_at_once(naps):
    """One sweep on Ray, one here, over the same configs; two of Ray's workers are killed in the middle of theirs."""
    for seed in (0, 5):
        naps.kill_once(seed)
    seeds = "seed=0..11"
    ray = naps.start("--over", seeds, "--engine", "ray", "--retries", "1")
    naps.wait_for_log()
    local = naps.start("--over", seeds, "--workers", "1", "--retries", "1")
    for process in (ray, local):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
        assert "0 failed" in out
        assert "Warning" not in err
        naps.add(out)
    assert naps.counts["computed"] + naps.counts["found"] == 24
    assert naps.counts["computed"] == 12  # nothing twice
    assert naps.tables() == {seed: seed**2 for seed in range(12)}
    begun = naps.begun()
    assert sorted(begun) == sorted([*range(12), 0, 5])  # those that were killed once more, and no other


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"address": "nowhere"}, "is no address"),
        ({"address": "ray://nowhere"}, "is no address"),
        ({"address": "localhost:99999"}, "no Ray cluster answers"),
        ({"address": "a..b:80"}, "a..b is no name of a machine"),
        ({"address": f"{'a' * 70}.org:80"}, "is no name of a machine"),
        ({"address": f"ray://{'a' * 70}:80"}, "is no name of a machine"),
        ({"address": f"here:{'9' * 5000}"}, "is no address"),
        ({"address": "here:٣٣"}, "is no address"),
        ({"address": "a\0b:80"}, "no Ray cluster answers"),
        ({"address": "[::1]:1"}, "no Ray cluster answers"),
        ({"address": ":80"}, "is no address"),
        ({"cpus_per_task": 0}, "1 CPU or more"),
        ({"cpus_per_task": 4096}, "this machine has"),
        ({"gpus_per_task": -1.0}, "no number below 0"),
    ],
)
def test_what_cannot_work_is_refused(options, words):
    with pytest.raises(InvalidInput, match=words):
        check(Options(**options))


def test_a_closed_port_is_refused():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InvalidInput, match="no Ray cluster answers"):
        check(Options(address=f"127.0.0.1:{port}"))


LISTENING = """
import os, psutil
from infojax.sweeps.run.engines import ray as engine
with engine._connected(engine.Options()) as ray:
    assert ray.get(ray.remote(lambda: 1).remote()) == 1
    here = psutil.Process()
    for process in (here, *here.children(recursive=True)):
        for connection in process.net_connections("inet"):
            if connection.status == "LISTEN":
                print(connection.laddr.ip)
print(os.environ["RAY_AUTH_MODE"], oct(os.stat(os.path.expanduser("~/.ray/auth_token")).st_mode & 0o777))
"""


def test_a_cluster_of_ours_listens_to_this_machine_alone(tmp_path):
    pytest.importorskip("psutil")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment["HOME"] = str(tmp_path)
    command = [sys.executable, "-c", LISTENING]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    *addresses, last = out.stdout.split("\n")[:-1]
    assert addresses, out.stderr
    assert {address.removeprefix("::ffff:") for address in addresses} == {"127.0.0.1"}
    assert last == "token 0o600"


def test_how_many_units_run_at_once():
    assert Options(in_flight=3).parallel == 3
    assert Options(address="auto").parallel > 16
    assert Options(cpus_per_task=4096).parallel == 1
