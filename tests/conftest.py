"""Tests run under the strictest rules that JAX offers; this must stand before the first import of JAX."""

import os
import signal
from collections.abc import Iterator

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["JAX_NUMPY_DTYPE_PROMOTION"] = "strict"
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"
os.environ.setdefault("MPLBACKEND", "agg")

import jax
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("infojax", "beartype.beartype")

# Shells start background jobs with Ctrl-C ignored, and Python then leaves it so; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# `make test` draws some of what `make test-slow` does.
telling = settings(deadline=None, max_examples=8, derandomize=True)
settings.register_profile("telling", telling)
settings.register_profile("exhaustive", telling, max_examples=25)
settings.load_profile("telling")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests marked `fetched(name)` where that data set is not on this machine."""
    for mark in item.iter_markers("fetched"):
        from infojax.data import where

        if where(mark.args[0]) is None:
            pytest.skip(f"needs: infojax data fetch {mark.args[0]}")


@pytest.fixture(autouse=True)
def _no_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a loaded machine anything may take ten seconds, and what commands print must not depend on it. Tests of these
    lines set their own pace."""
    from infojax.cli.screen import progress
    from infojax.cli.sweep import screen as sweep_screen

    for screen in (progress, sweep_screen):
        monkeypatch.setattr(screen, "EVERY", float("inf"))


@pytest.fixture(autouse=True, scope="module")
def _forget_compiled_programs() -> Iterator[None]:
    """Compiled programs of one file are of no use to the next, and hundreds of them take gigabytes."""
    yield
    jax.clear_caches()
