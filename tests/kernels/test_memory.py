"""What a kernel's computation takes, in a process of its own, is what was planned."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from rich.progress import Progress

from infojax.files import allowing
from infojax.kernels import empirical_ntk
from infojax.models import mlp


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the most resident memory is read from /proc")
@pytest.mark.parametrize("budget", [2048, 150])
def test_planned_bytes_are_those_taken(budget):
    """Within a fifth, with the features of all examples kept, and with panels of them that come and go."""
    # glibc keeps freed blocks for later unless they are mapped one by one.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072", "XLA_FLAGS": ""}
    case = json.dumps(["mlp", 10, 4000, 50, budget])
    command = [sys.executable, "-m", "benchmarks.kernels.kernels_beyond", "--case", case]
    child = subprocess.run(command, env=environment, cwd=Path(__file__).parents[2], capture_output=True, check=True)
    found = json.loads(child.stdout)
    assert (found["kept"] * int(found["tile"].split()[0]) >= 4000) == (budget == 2048)
    assert found["planned"] <= budget * 2**20
    assert 0.8 * found["planned"] < found["measured"] < 1.2 * found["planned"]


def test_tiles_are_smaller_where_less_is_free_than_the_budget_allows():
    network = mlp((1000,), 1)
    params = network.init(jax.random.key(0), (100,))
    x = np.random.default_rng(0).normal(size=(64, 100)).astype(np.float32)

    def tiles(free):
        with Progress(disable=True) as progress, allowing(free):
            kernel = empirical_ntk(network, params, x, implementation="jacobian", progress=progress)
            return kernel, progress.tasks[0].total

    (whole, one), (tiled, several) = tiles(2**30), tiles(2**24)
    assert one == 1
    assert several > 1
    np.testing.assert_allclose(tiled, whole, rtol=1e-5)
