"""Folders that are replaced whole, and read whole, whoever else replaces them at the same time."""

import contextlib
import ctypes
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from infojax.errors import InfojaxError
from infojax.files._whole_files import sync_folder

T = TypeVar("T")
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux
_TURNS = 100


def replace_folder(staged: Path, destination: Path, aside: Path) -> None:
    """Rename the folder `staged` to `destination`; what is there is called `aside` afterwards, or that and a token.

    Of several who do so at once, the last one wins. Where the system can exchange two names, readers find one folder or
    the other at every moment; elsewhere there is a short time without.

    Raises:
        OSError: it cannot be renamed.
    """
    for file in staged.rglob("*"):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
    sync_folder(staged)
    for _ in range(_TURNS):  # each turn that fails means that another has changed it meanwhile
        if destination.exists():
            if _exchanged(staged, destination):
                staged.rename(_free(aside))
                break
            with contextlib.suppress(FileNotFoundError):
                destination.rename(_free(aside))
        try:
            staged.rename(destination)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
    else:
        raise OSError(errno.EBUSY, "others replace it all the time", str(destination))
    sync_folder(destination.parent)


def read_steadily(folder: Path, read: Callable[[], T]) -> T:
    """What `read()` returns, from one and the same folder: again where it was replaced in the meantime."""
    for turn in range(_TURNS):
        with _held(folder) as before:
            try:
                found = read()
            except InfojaxError:
                if turn == _TURNS - 1 or _identity(folder) == before:
                    raise
            else:
                if turn == _TURNS - 1 or _identity(folder) == before:
                    return found
    raise AssertionError("the last turn returns or raises")


def _free(path: Path) -> Path:
    return path.with_name(f"{path.name}-{secrets.token_hex(8)}") if path.exists() else path


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[tuple[int, int] | None]:
    """The identity of the folder, kept open: the system gives its number to no other one meanwhile, deleted or not."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:  # it is not there, or the system opens no folders
        yield _identity(folder)
        return
    try:
        yield _identity(opened)
    finally:
        os.close(opened)


def _identity(folder: Path | int) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step. False where the system cannot, or one of them is gone."""
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
