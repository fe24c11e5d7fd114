"""How a result reaches the disk: whole or not at all, whatever is killed and whoever else writes.

Only what every shared file system promises is used: renaming is atomic, and fails onto a folder that is not empty.

* A new result is written to a hidden folder beside its place, synced, and renamed.
* A result that is there is replaced within its folder: the new files get names of their own, and then the new
  record.json is renamed over the old. At every moment the record that is there names files that are there.
* What stands in a result's place and is none, such as a file, is moved to `.damaged/`.
"""

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infojax.errors import InfojaxError, InvalidInput, StorageFailed
from infojax.sweeps.store.contents import Content
from infojax.sweeps.store.record import FILE, opened, sealed

WRITING, DAY = ".writing-", 24 * 3600.0
FULL = (errno.ENOSPC, errno.EDQUOT)
CANNOT = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # of a file system that does not sync folders (file_system.py)
_tidied: set[Path] = set()
_synced: set[tuple[Path, int]] = set()


def write_whole(final: Path, contents: list[Content], record: dict[str, Any]) -> dict[str, Any]:
    """Write contents and their record to the folder `final`; returns the record with the files' checksums.

    Raises StorageFailed where the disk is full, naming folder and bytes, and InvalidInput where the folder cannot be
    written to. Both leave what was there before as it was.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        _tidy(final.parent)
        for _ in range(8):  # each turn that fails means that another process has changed the folder meanwhile
            if _in_the_way(final):
                set_aside(final)
            write = _replace if final.exists() else _create
            with contextlib.suppress(FileNotFoundError, FileExistsError):
                record = write(final, contents, record)
                _sync_above(final.parent)
                return record
    except OSError as error:
        raise refusal(final, error, sum(content.size for content in contents)) from error
    raise StorageFailed(f"{final} changes all the time, so it cannot be written; let only one process remove results")


def set_aside(folder: Path) -> Path:
    """Move what stands where a result belongs to `.damaged/` of the store; returns where it lies then."""
    target = folder.parent.parent / ".damaged" / folder.parent.name / f"{folder.name}.{secrets.token_hex(4)}"
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)
    return target


def _in_the_way(final: Path) -> bool:
    """Whether something stands there that no result can replace: no folder, or one whose record is a folder."""
    return (os.path.lexists(final) and not final.is_dir()) or (final / "record.json").is_dir()


def refusal(folder: Path, error: OSError, size: int) -> InfojaxError:
    """What to tell somebody whose result of about `size` bytes cannot be written to `folder`."""
    if error.errno in FULL:
        return StorageFailed(
            f"the disk is full: {folder} needs {size:,} bytes, and {_free(folder)} are free; make room, or choose "
            "another folder for results, and run again. Earlier results are untouched, and partial work is kept"
        )
    return InvalidInput(f"results cannot be written to {folder.parent} ({error}); choose another folder")


def _create(final: Path, contents: list[Content], record: dict[str, Any]) -> dict[str, Any]:
    new = final.parent / f"{WRITING}{secrets.token_hex(8)}"
    new.mkdir()
    try:
        record = _write(new, contents, record, "", "record.json")
        try:
            new.rename(final)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise FileExistsError(*error.args) from error  # another process was first
            raise
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    sync(final.parent)
    return record


def _replace(final: Path, contents: list[Content], record: dict[str, Any]) -> dict[str, Any]:
    token = secrets.token_hex(4)
    earlier, part = _files(final), f".record-{token}.part"
    try:
        record = _write(final, contents, record, f".{token}", part)
        (final / part).replace(final / "record.json")
    except BaseException:
        _unlink(final, [part, *(content.file(f".{token}") for content in contents)])
        raise
    sync(final)
    _unlink(final, earlier - set(record["files"]))
    return record


def _write(folder: Path, contents: list[Content], record: dict[str, Any], token: str, last: str) -> dict[str, Any]:
    """Write every file and then sync every file: one journal commit of the file system serves most of them."""
    with contextlib.ExitStack() as stack:
        streams, files = [], {}
        for content in contents:
            streams.append(stack.enter_context(open(folder / content.file(token), "xb")))
            files[content.file(token)] = content.write(streams[-1])
        record = record | {"files": files}
        streams.append(stack.enter_context(open(folder / last, "xb")))
        streams[-1].write(sealed(record))
        for stream in streams:
            stream.flush()
            os.fsync(stream.fileno())
    sync(folder)
    return record


def _files(folder: Path) -> set[str]:
    """The files of the result there. Of one whose record is damaged, those that nobody can be writing now."""
    try:
        record = opened((folder / "record.json").read_bytes(), {"files"})
        return {file for file in record["files"] if FILE.fullmatch(file)}
    except (OSError, ValueError, TypeError):
        # Writers of this moment use names with a token; what is left of these is for `infojax results prune`.
        return {file for file in os.listdir(folder) if FILE.fullmatch(file) and file.count(".") == 1}


def _unlink(folder: Path, files: Any) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            (folder / file).unlink()


def _tidy(folder: Path) -> None:
    """Once a process, remove what writers that were killed more than a day ago left in `folder`."""
    if folder in _tidied:
        return
    _tidied.add(folder)
    for left in leftovers(folder, DAY):
        shutil.rmtree(left, ignore_errors=True)


def leftovers(folder: Path, seconds: float) -> Iterator[Path]:
    """Hidden folders of writers in `folder` which nobody has written to for so long."""
    for entry in os.scandir(folder):
        if entry.name.startswith(WRITING):
            with contextlib.suppress(OSError):
                if time.time() - entry.stat().st_mtime > seconds:
                    yield Path(entry.path)


def _sync_above(folder: Path) -> None:
    """Once a process, ask the disk to keep the names of the folders that lead to `folder`, whoever has made them."""
    there = folder.stat()
    if (folder, there.st_ino) in _synced:
        return
    for above in folder.absolute().parents:
        with contextlib.suppress(PermissionError):
            sync(above)
    _synced.add((folder, there.st_ino))


def sync(folder: Path) -> None:
    """Ask the disk to keep the names in `folder`, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in CANNOT:
            raise
    finally:
        os.close(descriptor)


def _free(folder: Path) -> str:
    """How many bytes, as far as the system says."""
    for there in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return f"{shutil.disk_usage(there).free:,}"
    return "few"
