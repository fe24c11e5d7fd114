"""Signs of life: one thread of this process touches the files of its claims until they are released."""

import os
import threading
import time
from pathlib import Path

from infojax.files import read_plain

BEAT = 15.0  # seconds between two signs

_LOCK = threading.Lock()
_FILES: dict[Path, bytes] = {}
_THREADS: list[threading.Thread] = []


def start(file: Path, token: bytes) -> None:
    """Touch `file` from now on, as long as it says `token`."""
    with _LOCK:
        _FILES[file] = token
        if not _THREADS:
            _THREADS.append(threading.Thread(target=_beat, name="signs of life", daemon=True))
            _THREADS[0].start()


def stop(file: Path) -> None:
    """Leave `file` alone."""
    with _LOCK:
        _FILES.pop(file, None)


def _beat() -> None:
    while True:
        time.sleep(BEAT)
        with _LOCK:
            files = dict(_FILES)
            if not files:
                _THREADS.clear()
                return
        for file, token in files.items():
            touch(file, token)


def touch(file: Path, token: bytes) -> None:
    """One sign of life; a file that is gone, or another's, is left alone for good."""
    try:
        if token in read_plain(file)[0]:
            os.utime(file)
            return
    except FileNotFoundError:
        pass
    except OSError:
        return  # a server that is away may come back
    stop(file)
