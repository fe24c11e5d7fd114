"""Whether a file system can do what a store rests on: tried out, rather than believed.

Files that are made once only, renaming over what is there, and refusing to rename onto a folder that is not empty. All
local file systems do, and NFS; some that are mounted from elsewhere (object stores, some FUSE and 9p mounts) do not.
"""

import errno
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from infojax.errors import InvalidInput, StorageWarning
from infojax.sweeps.store.writing import CANNOT, WRITING

REFUSALS = (*CANNOT, errno.EPERM, errno.EACCES, errno.EXDEV, errno.EEXIST, errno.ENOENT, errno.ENOTEMPTY)


def probe(results: Path) -> None:
    """Try it in a folder that is there, and leave nothing behind.

    Warns (StorageWarning) where folders cannot be synced: a result is whole then, but may be gone after power was lost.

    Raises:
        InvalidInput: something that results rest on is not so; the message says what.
        OSError: the folder cannot be written to.
    """
    trial = Path(tempfile.mkdtemp(prefix=WRITING, dir=results))
    try:
        for words, test in (
            ("make a file exclusively (O_EXCL), so two processes would compute the same", _exclusive),
            ("rename a file over another, so a result could not be replaced", _over),
            ("refuse to rename a folder onto one that is not empty, so a result could be lost", _folders),
        ):
            if not _holds(test, trial):
                raise InvalidInput(f"the file system of {results} cannot {words}; choose a folder on another")
        if os.name == "posix" and not _syncs(trial):
            warnings.warn(
                f"the file system of {results} does not sync folders: a result may be gone after a loss of power, and "
                "is computed again then",
                StorageWarning,
                stacklevel=4,
            )
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def _holds(test: Callable[[Path], bool], trial: Path) -> bool:
    try:
        return test(trial)
    except OSError as error:
        if error.errno in REFUSALS:
            return False
        raise


def _exclusive(trial: Path) -> bool:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    os.close(os.open(trial / "once", flags, 0o666))
    try:
        os.close(os.open(trial / "once", flags, 0o666))
    except FileExistsError:
        return True
    return False


def _over(trial: Path) -> bool:
    old, new = trial / "old", trial / "new"
    old.write_bytes(b"old")
    new.write_bytes(b"new")
    new.replace(old)
    return old.read_bytes() == b"new" and not new.exists()


def _folders(trial: Path) -> bool:
    for name in ("from", "onto"):
        (trial / name).mkdir()
        (trial / name / "held").write_text(name, "ascii")
    try:
        (trial / "from").rename(trial / "onto")
    except OSError:
        pass
    else:
        return False
    (trial / "from").rename(trial / "free")
    return [(trial / name / "held").read_text("ascii") for name in ("free", "onto")] == ["from", "onto"]


def _syncs(trial: Path) -> bool:
    descriptor = os.open(trial, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in CANNOT:
            raise
        return False
    finally:
        os.close(descriptor)
    return True
