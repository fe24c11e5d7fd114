"""Under what conditions a result was computed: versions, device, precision, revision."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = ("infojax", "jax", "jaxlib", "flax", "optax", "neural-tangents", "numpy", "scipy")


def conditions(folder: Path) -> dict[str, Any]:
    """What a record says beside config and time, as plain JSON values.

    `folder` is where the experiment's code lies; the git revision is that of the repository around it. Versions and
    revision are looked up once in a process, which goes on with the code that it has loaded.
    """
    found, revision = _lasting(folder)
    return {
        "versions": dict(found),
        "device": device(),
        "precision": precision(),
        "git": revision,
        "system": platform.platform(),
    }


@cache
def _lasting(folder: Path) -> tuple[dict[str, str | None], str | None]:
    return versions(), git_revision(folder)


def versions() -> dict[str, str | None]:
    """The version of Python and of every library that can change a number; None for one that is not
    installed.
    """
    return {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def device() -> str:
    """The devices that JAX computes on, for example `cpu, 2 threads` or `4 × NVIDIA H200`."""
    import jax

    devices = jax.local_devices()
    kind = devices[0].device_kind
    if devices[0].platform == "cpu":
        return f"{kind}, {threads()} threads"
    return kind if len(devices) == 1 else f"{len(devices)} × {kind}"


def threads() -> int:
    """How many threads of the processor this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def precision() -> str:
    """How JAX computes where no scope says otherwise (infojax/arrays/_precision.py)."""
    import jax

    config: Any = jax.config
    words = "float64" if config.jax_enable_x64 else "float32, float64 where a computation asks for it"
    matmul = config.jax_default_matmul_precision
    return words if matmul is None else f"{words}; matrix products: {matmul}"


def git_revision(folder: Path) -> str | None:
    """The commit that `folder` is at, with `+changes` when files differ from it; None outside of git."""
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if commit is None:
        return None
    return commit + ("+changes" if _git(folder, "status", "--porcelain") else "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=True, encoding="utf-8"
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
