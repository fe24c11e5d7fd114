"""JAX_PLATFORMS that names what is not there: what is wrong, and the remedy, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infojax.arrays._devices import devices_missing, require_devices

ROOT = Path(__file__).parents[2]


def run(platforms, *args, cwd):
    environment = os.environ | {"JAX_PLATFORMS": platforms, "COLUMNS": "400", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *args], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture
def own(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", x=rng.random((24, 5)), y=np.arange(24) % 2)
    return tmp_path


SCORE = ("infojax", "score", "d.npz", "--train", "12", "--validation", "8", "--hidden", "8")


@pytest.mark.parametrize(
    ("platforms", "args"),
    [
        ("nonsense", SCORE),
        ("cuda", SCORE),
        ("tpu", ("infojax", "curve", "--simulate", "2", "--repeats", "2", "--dimension", "20")),
        ("cuda", ("infojax", "plan", "--examples", "100")),
        ("nonsense", ("infojax", "sweep", "perceptron_cliff", "--workers", "1")),
        ("cuda", ("experiments", "perceptron_cliff")),
    ],
)
def test_what_is_wrong_and_the_remedy(own, platforms, args):
    if devices_there(platforms):
        pytest.skip(f"there is a {platforms} device")
    done = run(platforms, *args, cwd=own)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "JAX finds no device to compute on" in done.stderr
    assert f"JAX_PLATFORMS is '{platforms}' in the environment; unset it, or set it to cpu" in done.stderr


def devices_there(platforms):
    code = "import jax; jax.devices()"
    environment = os.environ | {"JAX_PLATFORMS": platforms}
    return not subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False
    ).returncode


def test_doctor_says_so_in_every_line_that_needs_a_device(own):
    done = run("nonsense", "infojax", "doctor", cwd=own)
    assert done.returncode == 1
    assert "AssertionError" not in done.stdout
    assert done.stdout.count("JAX_PLATFORMS is 'nonsense' in the environment") >= 2


def test_nothing_is_said_where_there_are_devices():
    require_devices()
    assert devices_missing() == ""
