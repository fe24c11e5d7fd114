"""Two processes on one machine, as two hosts on a shared file system."""

import os
import socket
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infojax.errors import HostsMissing
from infojax.kernels import empirical_ntk, open_kernel
from infojax.kernels.disk import hosts

X = np.random.default_rng(0).normal(size=(23, 5)).astype(np.float32)
PARAMS = {"w": np.random.default_rng(2).normal(size=(5, 6)).astype(np.float32), "out": np.ones((6, 2), np.float32)}

CHILD = """
import os, sys
os.environ["XLA_FLAGS"] = ""
import jax, jax.numpy as jnp, numpy as np
jax.distributed.initialize(sys.argv[1], 2, int(sys.argv[2]))
from rich.progress import Progress
from infojax.errors import HostsMissing, InvalidInput
from infojax.kernels import OnDisk, empirical_ntk

def apply(params, x):
    return jnp.tanh(x @ params["w"]) @ params["out"]

file, folder = np.load(sys.argv[3]), sys.argv[4]
params, x = {"w": file["w"], "out": file["out"]}, file["x"]
try:
    empirical_ntk(apply, params, x)
except InvalidInput as error:
    print(error)
alone = empirical_ntk(apply, params, x, devices=jax.local_devices(), tile=4)
with Progress(disable=True) as progress:
    kernel = empirical_ntk(apply, params, x, tile=4, out=folder + "/kernel", progress=progress)
print(int(progress.tasks[0].completed), np.array_equal(kernel, alone))
with Progress(disable=True) as progress:
    empirical_ntk(apply, params, x, tile=4, out=folder + "/begun", progress=progress)
print(int(progress.tasks[0].completed))

# The other process fails before it has written its tiles.
if jax.process_index() == 1:
    from infojax.kernels.disk import resuming
    resuming.writing = lambda kernel: sys.exit("lost")
try:
    empirical_ntk(apply, params, x, tile=4, out=OnDisk(folder + "/lost", patience=1.0))
except HostsMissing as error:
    print(error)
except SystemExit:
    print("lost")
"""


def apply(params, x):
    return jnp.tanh(x @ params["w"]) @ params["out"]


def test_two_processes_share_the_tiles(tmp_path):
    np.savez(tmp_path / "inputs.npz", allow_pickle=False, x=X, **PARAMS)
    # One of the folders was begun by one process alone: twenty-one tiles, of which eight are missing.
    begun = empirical_ntk(apply, PARAMS, X, tile=4, out=tmp_path / "begun")
    begun.discard([f"c/{i}/5" for i in range(6)] + ["c/3/3", "c/4/2"])
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, "-c", CHILD, address]
    processes = [
        subprocess.Popen(
            [*command, str(number), tmp_path / "inputs.npz", tmp_path],
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    (first, errors), (second, errors2) = (process.communicate(timeout=240) for process in processes)
    assert [process.returncode for process in processes] == [0, 0], errors + errors2
    first, second = ([line for line in text.splitlines() if not line.startswith("[Gloo]")] for text in (first, second))
    refused, shared, resumed, lost = first
    assert "there are 2 processes: give out=folder" in refused
    # To the bit what one process computes, each of them half of it.
    assert (shared, resumed) == ("10 True", "4")
    assert second[1:] == ["11 True", "4", "lost"]
    assert "tiles of other processes are missing, and none came in 1 seconds" in lost
    expected = empirical_ntk(apply, PARAMS, X, tile=4)
    for name in ("kernel", "begun"):
        np.testing.assert_array_equal(open_kernel(tmp_path / name), expected)
    # What the first finished is kept, and one process computes the rest.
    assert 0 < len(open_kernel(tmp_path / "lost").missing()) < 36
    np.testing.assert_array_equal(empirical_ntk(apply, PARAMS, X, out=tmp_path / "lost"), expected)


@given(tiles=st.integers(0, 40), processes=st.integers(1, 7))
def test_shares_are_a_partition(tiles, processes):
    every = [(tile, tile) for tile in range(tiles)]
    shares = [hosts.share(every, process, processes) for process in range(processes)]
    assert [tile for part in shares for tile in part] == every
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_waiting_ends_when_all_is_there_or_nothing_comes():
    left = iter([3, 2, 2, 1, 0])
    hosts.wait_for_others(lambda: next(left), patience=10.0, every=0.001)
    with pytest.raises(HostsMissing, match=r"5 tiles .* in 0\.01 seconds.*start the processes again"):
        hosts.wait_for_others(lambda: 5, patience=0.01, every=0.001)
