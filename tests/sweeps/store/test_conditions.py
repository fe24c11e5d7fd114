import subprocess

import jax
import pytest

from infojax.arrays._precision import float64
from infojax.sweeps import conditions, device, git_revision, precision, threads, versions


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_git_revision(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_revision(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert git_revision(tmp_path) is None  # no commit yet
    (tmp_path / "a.py").write_text("a = 1\n")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert git_revision(tmp_path) == head
    (tmp_path / "a.py").write_text("a = 2\n")
    assert git_revision(tmp_path) == f"{head}+changes"


def test_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_revision(tmp_path) is None


def test_versions():
    assert versions()["jax"] == jax.__version__
    assert versions()["neural-tangents"] == "0.6.5"


def test_device_and_threads():
    assert device() == f"cpu, {threads()} threads"
    assert threads() >= 1


def test_precision_is_that_of_now():
    assert precision().startswith("float32")
    with float64():
        assert precision() == "float64"
    with jax.default_matmul_precision("highest"):
        assert precision().endswith("matrix products: highest")


@pytest.mark.parametrize("key", ["versions", "device", "precision", "git", "system"])
def test_conditions_tell_all(key, tmp_path):
    assert key in conditions(tmp_path)
