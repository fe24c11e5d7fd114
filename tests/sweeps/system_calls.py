"""The system calls that a store makes, counted, recorded, and made to fail: a harness of tests."""

import builtins
import contextlib
import io
import os
from pathlib import Path

PATHS = ("open", "mkdir", "rename", "replace", "unlink", "rmdir", "scandir", "listdir", "stat", "lstat")
HANDLES = ("fsync", "fstat", "close")


class Stream:
    """A file that is written through the harness."""

    def __init__(self, calls, stream, file):
        self._calls, self._stream, self._file = calls, stream, file

    def write(self, data):
        data = bytes(data)
        self._calls.about("write", self._file, data)
        return self._stream.write(data)

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()


class Calls:
    """Every call on files below `root`, in their order; the one of number `fail` (and all later, with `lasting`) fails.

    Closing is done before it fails, as by the system, so that no descriptor is left.
    """

    def __init__(self, root, fail=None, error=0, lasting=False):
        self.root, self.fail, self.error, self.lasting = str(root), fail, error, lasting
        self.made, self.names = [], {}

    def failed(self):
        return self.fail is not None and len(self.made) > self.fail

    def about(self, name, *what):
        number = len(self.made)
        self.made.append((name, *what))
        if self.fail is not None and (number == self.fail or (self.lasting and number > self.fail)):
            raise OSError(self.error, os.strerror(self.error), str(what[0]))

    def within(self, path):
        if isinstance(path, int):
            return path in self.names
        return os.path.abspath(os.fspath(path)).startswith(self.root)

    @contextlib.contextmanager
    def watched(self, monkeypatch):
        with monkeypatch.context() as patch:
            for name in PATHS:
                patch.setattr(os, name, self._by_path(name, getattr(os, name)))
            for name in HANDLES:
                patch.setattr(os, name, self._by_handle(name, getattr(os, name)))
            opened = builtins.open
            patch.setattr(builtins, "open", lambda file, mode="r", *a, **k: self._opened(opened, file, mode, *a, **k))
            patch.setattr(io, "open", builtins.open)
            yield self

    def _by_path(self, name, call):
        def made(path=".", *others, **more):
            if isinstance(path, bytes) or not self.within(path):
                return call(path, *others, **more)
            self.about(name, os.fspath(path) if not isinstance(path, int) else self.names[path], *map(str, others))
            found = call(path, *others, **more)
            if name == "open":
                self.names[found] = os.fspath(path)
            return found

        return made

    def _by_handle(self, name, call):
        def made(handle):
            if handle not in self.names:
                return call(handle)
            file = self.names[handle]
            if name == "close":
                del self.names[handle]
                call(handle)
                self.about(name, file)
                return None
            self.about(name, file)
            return call(handle)

        return made

    def _opened(self, opened, file, mode, *others, **more):
        if isinstance(file, int) or not self.within(file):
            return opened(file, mode, *others, **more)
        self.about("create" if "x" in mode or "w" in mode else "open", os.fspath(file))
        stream = opened(file, mode, *others, **more)
        self.names[stream.fileno()] = os.fspath(file)
        return Stream(self, stream, os.fspath(file)) if "b" in mode and "r" not in mode else stream


def replayed(made, before, after, synced_only, chosen=lambda _: False):
    """The files after a loss of power, where the disk has kept what was synced and, of the rest, what is `chosen`.

    Args:
        made: calls as `Calls` records them.
        before: path → bytes (None for a folder) of what was there.
        after: how many of the calls were made before the power was lost.
        synced_only: whether unsynced bytes and names are lost unless chosen.

    Returns:
        path → bytes, None for a folder.
    """
    data, kept = {}, {}
    inodes = {path: path for path in before}  # path → inode, named by the path that it was made at
    for path, content in before.items():
        if content is not None:
            data[path] = kept[path] = content
    disk = dict(inodes)
    pending = []

    def entry(call, *paths):
        pending.append((call, *paths))

    for number, (name, path, *others) in enumerate(made[:after]):
        if name == "mkdir" and path not in inodes:
            inodes[path] = f"{path}#{number}"
            entry("link", path, inodes[path], None)
        elif name == "create":
            inodes[path] = f"{path}#{number}"
            data[inodes[path]], kept[inodes[path]] = b"", b""
            entry("link", path, inodes[path], b"")
        elif name == "write":
            data[inodes[path]] += others[0]
        elif name == "fsync":
            if inodes.get(path) in data:
                kept[inodes[path]] = data[inodes[path]]
            else:
                for step in [step for step in pending if os.path.dirname(step[1]) == path]:
                    _apply(disk, step)
                    pending.remove(step)
        elif name in ("rename", "replace"):
            target = others[0]
            moved = {old: inode for old, inode in inodes.items() if old == path or old.startswith(path + "/")}
            for old in moved:
                del inodes[old]
            for old, inode in moved.items():
                inodes[target + old.removeprefix(path)] = inode
            entry("move", target, path)
        elif name in ("unlink", "rmdir") and path in inodes:
            del inodes[path]
            entry("remove", path)
    if not synced_only:
        for step in pending:
            _apply(disk, step)
        kept = data
    else:
        for index, step in enumerate(pending):
            if chosen(index):
                _apply(disk, step)
    return {path: kept.get(inode) for path, inode in disk.items()}


def _apply(disk, step):
    kind, path, *more = step
    if kind == "link":
        disk[path] = more[0]
    elif kind == "remove":
        disk.pop(path, None)
    else:
        (source,) = more
        for old in [old for old in disk if old == source or old.startswith(source + "/")]:
            disk[path + old.removeprefix(source)] = disk.pop(old)


def laid_out(files, root, folder):
    """Write what `replayed` says to another folder in place of `root`."""
    for path, content in sorted(files.items()):
        where = Path(folder) / os.path.relpath(path, root)
        if content is None:
            where.mkdir(parents=True, exist_ok=True)
        elif (parent := where.parent).is_dir() or os.path.dirname(path) == str(root):
            parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(content)


def snapshot(root):
    """path → bytes, None for a folder, of all that is below `root`."""
    return {str(path): None if path.is_dir() else path.read_bytes() for path in Path(root).rglob("*")} | {
        str(root): None
    }
