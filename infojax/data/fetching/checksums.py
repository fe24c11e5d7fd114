"""Pinned checksums: content is what the registry says, or it is not used."""

import hashlib
from pathlib import Path

import numpy as np

from infojax.errors import CorruptData

MANIFEST = "manifest.json"
"""Written last into a folder of stored arrays: what they are, and that they are whole."""


def check(content: bytes | np.ndarray, pinned: str, what: str | Path, remedy: str) -> None:
    """Holds bytes, or the bytes of a C-contiguous array, against a checksum written "algorithm:hex".

    >>> check(b"", "md5:d41d8cd98f00b204e9800998ecf8427e", "nothing", "")

    Raises:
        CorruptData: naming `what`, the checksum expected and the one found, and the remedy.
    """
    algorithm, expected = pinned.split(":")
    data = memoryview(content) if isinstance(content, bytes) else np.ascontiguousarray(content).data
    found = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
    if found != expected:
        raise CorruptData(
            f"{what} is not what it should be: expected {algorithm} {expected}, "
            f"found {found} ({data.nbytes} bytes). {remedy}"
        )
