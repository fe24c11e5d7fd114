"""Outside of a checkout, as a wheel lays the files out: experiments and figures stand within the package."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WHEEL = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of packages, as pyproject.toml says what goes into a wheel and where."""
    site = tmp_path_factory.mktemp("site")
    for source, target in [*((name, name) for name in WHEEL["packages"]), *WHEEL["force-include"].items()]:
        shutil.copytree(ROOT / source, site / target, ignore=shutil.ignore_patterns("__pycache__"))
    return site


# As `python -m`, without the checkout that the environment of the tests has on its path.
START = """
import pathlib, runpy, sys
sys.path = [entry for entry in sys.path if not pathlib.Path(entry, "paper_figures").is_dir()]
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def ran(site, tmp_path, *command):
    start = [sys.executable, "-c", START, *command]
    environment = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run(start, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_but_the_package_is_at_the_top(site):
    assert [path.name for path in site.iterdir()] == ["infojax"]


def test_a_sweep_runs(site, tmp_path):
    ran(site, tmp_path, "infojax", "sweep", "ridge_law", "--over", "ridge=0.1,1", "--results", "out")
    assert len(list((tmp_path / "out").rglob("*.parquet"))) >= 2


@pytest.mark.parametrize("module", ["infojax.experiments", "infojax.paper_figures"])
def test_what_ships_is_listed(module, site, tmp_path):
    assert "less_is_more" in ran(site, tmp_path, module, *(["--list"] if module.endswith("figures") else []))


@pytest.mark.slow
def test_the_wheel_has_these_files(site, tmp_path):
    pytest.importorskip("hatchling", reason="wheels are built with hatchling, which is not installed")
    build = ["pip", "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run([sys.executable, "-m", *build], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "wheel", "zip")
    built = {str(path.relative_to(tmp_path / "wheel")) for path in (tmp_path / "wheel").rglob("*.py*")}
    expected = {str(path.relative_to(site)) for path in site.rglob("*.py*") if "__pycache__" not in path.parts}
    assert built == expected
