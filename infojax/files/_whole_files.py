"""Files that are written whole or not at all, beside whoever else writes them and whatever is killed."""

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: bytes | Callable[[BinaryIO], object]) -> Path:
    """Replace the file at `path` in one step by bytes, or by what a function writes to a stream; returns `path`.

    Whoever reads `path` finds the old or the new file whole, also after the machine lost its power. Of several who
    write at once, the last one wins. Nobody else has the name it is written under first, and a link at `path` is
    replaced, not followed. Its mode is that of any new file of this process. What is no file, such as /dev/stdout or a
    pipe, is written to as it is.

    Raises:
        OSError: it cannot be written; what was there before is as it was.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "numbers.csv", b"1,2").read_bytes()
    b'1,2'
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        with open(path, "wb") as stream:
            _write(stream, content)
        return path
    temporary = write_beside(path, content)
    try:
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)
    return path


def write_beside(path: Path, content: bytes | Callable[[BinaryIO], object]) -> Path:
    """Write a file that is to become `path`, on the disk when this returns, under a name that nobody else has."""
    # Names may have 255 bytes, a letter up to four.
    temporary = path.with_name(f".{path.name[:40]}-{secrets.token_hex(8)}.part")
    # O_EXCL: only where there is nothing, not even a link.
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            _write(stream, content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return temporary


def read_plain(path: Path) -> tuple[bytes, os.stat_result]:
    """The bytes of a plain file, and what the system says of it; without waiting for what is a pipe or a link.

    Raises:
        FileNotFoundError: there is nothing.
        NotPlain: it is a link, a folder, a pipe or the like.
        OSError: it cannot be read.
    """
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise NotPlain(f"{path} is no plain file")
    # Should it become a pipe or a link now, opening it neither waits nor follows.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as stream:
        status = os.fstat(stream.fileno())
        return stream.read(), status


class NotPlain(OSError):
    """What was to be a file is something else, which nothing of infojax has put there."""


def idle(path: Path) -> float:
    """Seconds since a file, or anything in a folder, was last written to; 0 where it cannot be seen."""
    newest = 0.0
    for file in [path, *path.rglob("*")] if path.is_dir() and not path.is_symlink() else [path]:
        with contextlib.suppress(FileNotFoundError):  # gone meanwhile, which the folder's own time shows
            newest = max(newest, file.lstat().st_mtime)
    return time.time() - newest if newest else 0.0


def sync_folder(folder: Path) -> None:
    """Ask the disk to keep the names in a folder, where the system can."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):  # some network file systems, and folders that may not be read
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write(stream: BinaryIO, content: bytes | Callable[[BinaryIO], object]) -> None:
    if isinstance(content, bytes):
        stream.write(content)
    else:
        content(stream)
