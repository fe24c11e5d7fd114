"""Names of files as text that can be printed, and written to a table."""

import os


def readable(name: str) -> str:
    r"""A name with \xff for a byte that is no UTF-8, and could not be written to a table.

    >>> readable("caf\udce9")
    'caf\\xe9'
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("utf-8", "backslashreplace") if os.name != "nt" else ascii(name)[1:-1]
    return name
