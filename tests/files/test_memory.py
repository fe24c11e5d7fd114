"""What memory may be used: of the machine, of a container, under a ulimit; and that work asks before it begins."""

import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import infojax as ij
from infojax.errors import InvalidInput, OverBudget
from infojax.files._containers import container_limits
from infojax.files._memory import GIB, memory, require_room, room
from infojax.information import (
    ensemble_from_kernels,
    ensemble_information,
    from_kernels,
    influence_from_kernels,
    influence_information,
    retrain_without_each,
    sgd_from_kernel,
    sgd_information,
    unique_information_by_products,
)
from infojax.information._baselines import leverage
from infojax.kernels import empirical_ntk, infinite_width
from infojax.linearized import Spectrum, spectrum
from infojax.models._neural_tangents import stax


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


V2 = "31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"
V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"


def group(folder: str, most: str, used: int, caches: str = "") -> dict[str, str]:
    folder = f"sys/fs/cgroup{folder}"
    return {f"{folder}/memory.max": most, f"{folder}/memory.current": f"{used}\n", f"{folder}/memory.stat": caches}


def test_the_limit_of_a_container_less_what_it_takes(tmp_path):
    about = {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": V2}
    made = written(tmp_path, about | group("", "1000\n", 700, "anon 5\ninactive_file 100\nactive_file 50\n"))
    assert [limit[:2] for limit in container_limits(made)] == [(450, 1000)]


def test_groups_above_count_as_well(tmp_path):
    about = {"proc/self/cgroup": "0::/user.slice/job/step\n", "proc/self/mountinfo": V2}
    groups = group("/user.slice", "5000", 4900) | group("/user.slice/job", "2000", 500)
    made = written(tmp_path, about | groups | group("/user.slice/job/step", "max", 400))
    assert sorted(limit[:2] for limit in container_limits(made)) == [(100, 5000), (1500, 2000)]


def test_the_first_version_whose_tree_a_container_sees_in_part(tmp_path):
    mount = V1.replace(" / /sys", " /docker/abc /sys")
    about = {"proc/self/cgroup": "9:name=systemd:/x\n4:cpu,memory:/docker/abc/inner\n0::/\n"}
    files = {f"sys/fs/cgroup/memory{inner}/memory.{name}": f"{value}\n" for inner, values in (
        ("", {"limit_in_bytes": 3000, "usage_in_bytes": 2000}),
        ("/inner", {"limit_in_bytes": 9223372036854771712, "usage_in_bytes": 10}),
    ) for name, value in values.items()}  # fmt: skip
    files["sys/fs/cgroup/memory/memory.stat"] = "total_inactive_file 500\ntotal_active_file 0\n"
    made = written(tmp_path, about | {"proc/self/mountinfo": mount} | files)
    assert min(limit[:2] for limit in container_limits(made)) == (1500, 3000)


@pytest.mark.parametrize("path", ["/gone/elsewhere", "/../../outside", "/"])
def test_a_group_that_cannot_be_seen_is_that_of_the_mount(tmp_path, path):
    about = {"proc/self/cgroup": f"0::{path}\n", "proc/self/mountinfo": V2}
    assert [limit[0] for limit in container_limits(written(tmp_path, about | group("", "1000", 1)))] == [999]


def test_no_limits_where_nothing_can_be_read(tmp_path):
    assert container_limits(tmp_path) == []
    broken = {"proc/self/cgroup": "nonsense\n\n", "proc/self/mountinfo": "1 2\n - \n", "sys/fs/cgroup/memory.max": "x"}
    assert container_limits(written(tmp_path, broken)) == []


def test_more_is_taken_than_the_limit_allows(tmp_path):
    about = {"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": V2}
    assert container_limits(written(tmp_path, about | group("", "1000", 1200)))[0][0] == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of addresses hold on Linux")
@pytest.mark.parametrize("option", ["v", "d"])
def test_a_ulimit_counts(option):
    code = "from infojax.files import room; found = room(); print(found.free, found.limit)"
    command = f"ulimit -{option} 3000000; exec {sys.executable} -c '{code}'"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    free, _, limit = done.stdout.strip().partition(" ")
    assert limit == f"ulimit -{option}"
    assert 0 < int(free) < 3_000_000 * 1024


def test_what_is_given_counts_instead(monkeypatch):
    monkeypatch.setenv("INFOJAX_MEMORY", "1.5")
    assert memory() == (int(1.5 * GIB), int(1.5 * GIB))
    for wrong in ("-1", "much", "nan", "inf", "0"):
        monkeypatch.setenv("INFOJAX_MEMORY", wrong)
        with pytest.raises(InvalidInput, match="INFOJAX_MEMORY is"):
            room()


def test_what_fits_is_let_through(monkeypatch):
    require_room(100, "This needs", "nothing")
    monkeypatch.setenv("INFOJAX_MEMORY", "1e-7")
    require_room(100, "This needs", "nothing")
    with pytest.raises(OverBudget, match=r"This needs about 1\.12e-07 GiB of memory, .* are free \(INFOJAX_MEMORY\)"):
        require_room(120, "This needs", "Take less.")
    require_room(120, "This needs", "nothing", allowed=200)


NETWORK = ij.models.mlp(hidden=(4,), outputs=1)
PARAMS = NETWORK.init(jax.random.key(0), (3,))
WIDE = ij.models.from_stax(stax.serial(stax.Dense(4), stax.Relu(), stax.Dense(1)))
X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
TRAIN, OTHERS = ij.data.Dataset(X, np.arange(60) % 2, classes="ab").split(40, 20, seed=0)
KERNEL, CROSS, R = np.eye(40) + 1, np.ones((20, 40)), np.ones(40)
FLOW = {"training": ij.GradientFlow(1.0)}
STEPS = {"training": ij.GradientDescent(2, 0.01)}
NNGP = {"nngp": KERNEL, "cross_nngp": CROSS, "validation_nngp": np.eye(20) + 1}
THETA = Spectrum(np.ones(40), np.eye(40))


@pytest.mark.parametrize(
    "call",
    [
        lambda: ij.unique_information(NETWORK, PARAMS, TRAIN, OTHERS, **FLOW),
        lambda: unique_information_by_products(NETWORK, PARAMS, TRAIN, OTHERS, **FLOW),
        lambda: ij.linearize(NETWORK, PARAMS, TRAIN),
        lambda: ij.unique_information(NETWORK, PARAMS, TRAIN, OTHERS, **FLOW, groups=TRAIN.y),
        lambda: ensemble_information(WIDE, TRAIN, OTHERS, **FLOW),
        lambda: sgd_information(NETWORK, PARAMS, TRAIN, batch=2, **STEPS),
        lambda: influence_information(NETWORK, PARAMS, TRAIN, OTHERS, training=ij.Converged(0.1)),
        lambda: retrain_without_each(NETWORK, PARAMS, TRAIN, OTHERS, **STEPS),
        lambda: from_kernels(KERNEL, CROSS, R, **FLOW),
        lambda: ensemble_from_kernels(KERNEL, CROSS, R, **NNGP, **FLOW),
        lambda: sgd_from_kernel(KERNEL, R, batch=2, **STEPS),
        lambda: influence_from_kernels(KERNEL, CROSS, R, training=ij.Converged(1.0)),
        lambda: leverage(ij.LinearizedNetwork(THETA, R[:, None]), **FLOW),
        lambda: spectrum(KERNEL),
        lambda: empirical_ntk(NETWORK, PARAMS, X),
        lambda: infinite_width(WIDE, X),
    ],
)
def test_nothing_begins_that_does_not_fit(call, monkeypatch):
    monkeypatch.setenv("INFOJAX_MEMORY", "1e-6")  # a thousand bytes
    with pytest.raises(OverBudget, match=r"Take fewer|smaller block"):
        call()


def test_ten_outputs_of_thousands_are_refused_before_the_kernel_is_built(monkeypatch):
    """4,000 examples with 10 outputs: a kernel of 6 GiB, and 36 to factor it; as much for validation."""
    monkeypatch.setenv("INFOJAX_MEMORY", "20")
    network = ij.models.mlp(hidden=(4,), outputs=10)
    params = network.init(jax.random.key(0), (3,))
    x = np.zeros((4000, 3), np.float32)
    x[:, 0] = np.arange(4000) / 4000
    data = ij.data.Dataset(x, np.arange(4000) % 10, classes=tuple("0123456789"))
    with pytest.raises(
        OverBudget, match=r"4,000 examples with 10 outputs.* 76\.3 GiB to factor.*unique_information_by_products"
    ):
        ij.unique_information(network, params, data, data, training=ij.GradientFlow(1.0))
