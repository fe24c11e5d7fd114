"""Opening files of a store that may be anything: a pipe would be waited for, a device read for ever."""

import os
import stat
from io import BufferedReader
from pathlib import Path


def open_file(file: Path) -> BufferedReader:
    """A plain file, to be read. Raises OSError where it cannot be opened, and for what is no plain file."""
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_file(file: Path) -> bytes:
    """What a plain file holds. Raises as `open_file` does."""
    with open_file(file) as stream:
        return stream.read()
