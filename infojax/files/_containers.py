"""What a container, a systemd unit or a cluster's job allows of memory: limits of Linux's cgroups, of both versions.

A limit holds for a group and for every group below it, so the group of this process and all above it are asked.
"""

from collections.abc import Iterator
from pathlib import Path

# Version 2 and version 1: the limit, what is taken, and the names of file caches in memory.stat, which give way.
_FILES = {
    "cgroup2": ("memory.max", "memory.current", ("inactive_file", "active_file")),
    "cgroup": ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
}


def container_limits(root: Path = Path("/")) -> list[tuple[int, int, str]]:
    """(bytes left, bytes allowed, a word for it) for every limit that this process is under; none outside of Linux.

    Args:
        root: of the file system, for tests.
    """
    limits = []
    for kind, folder in _folders(root):
        most_file, used_file, caches = _FILES[kind]
        most, used = _number(folder / most_file), _number(folder / used_file)
        if most is None or used is None:  # no limit ("max"), or not the folder of a group
            continue
        kept = _statistics(folder / "memory.stat")
        taken = max(used - sum(kept.get(name, 0) for name in caches), 0)
        limits.append((max(most - taken, 0), most, "the limit of the container or job"))
    return limits


def _folders(root: Path) -> Iterator[tuple[str, Path]]:
    """The folders of this process's groups, from its own to the highest that can be seen."""
    paths = _paths(root)
    for kind, top, point in _mounts(root):
        path = paths.get(kind)
        if path is None:
            continue
        mounted = root / point.lstrip("/")
        # A container sees its own part of the tree: below `top`, mounted as if it were all.
        inside = path[len(top) :] if top != "/" and (path + "/").startswith(top + "/") else path
        folder = mounted / inside.strip("/")
        if ".." in Path(inside).parts or not folder.is_dir():
            folder = mounted
        while True:
            yield kind, folder
            if folder == mounted:
                break
            folder = folder.parent


def _paths(root: Path) -> dict[str, str]:
    """The group of this process in each version: lines `0::/path` and `4:memory:/path`."""
    paths = {}
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            paths["cgroup2"] = path
        elif "memory" in controllers.split(","):
            paths["cgroup"] = path
    return paths


def _mounts(root: Path) -> Iterator[tuple[str, str, str]]:
    """(version, which part of the tree, where) of each mount that may hold limits of memory."""
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, about = before.split(), after.split()
        if len(fields) < 5 or len(about) < 3:
            continue
        if about[0] == "cgroup2" or (about[0] == "cgroup" and "memory" in about[2].split(",")):
            yield about[0], fields[3], fields[4]


def _statistics(file: Path) -> dict[str, int]:
    words = (line.split() for line in _lines(file))
    return {each[0]: int(each[1]) for each in words if len(each) == 2 and each[1].isdigit()}


def _number(file: Path) -> int | None:
    text = "".join(_lines(file)).strip()
    return int(text) if text.isdigit() else None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
