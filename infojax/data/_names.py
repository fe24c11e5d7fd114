"""Names of files as text that can be printed, and written to a table."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable


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


def bare(name: str) -> str:
    r"""A name without what nobody sees: blanks at its ends, several in a row, zero-width characters, how accents are
    spelled.

    >>> bare("cat\u200b "), bare("cafe\u0301") == bare("café")
    ('cat', True)
    """
    visible = "".join(letter for letter in unicodedata.normalize("NFKC", name) if unicodedata.category(letter) != "Cf")
    return " ".join(visible.split())


def look_alike(names: Iterable[str]) -> list[str]:
    """What to say of labels that were taken from text: pairs that look the same, and labels of which nothing is seen.

    >>> look_alike(["cat", "cat ", "dog"])
    ["the classes 'cat' and 'cat ' differ in blanks or characters that are not seen, and are kept apart"]
    """
    seen = defaultdict(list)
    for name in names:
        seen[bare(name)].append(name)
    said = [
        f"the classes {' and '.join(map(ascii, same))} differ in blanks or characters that are not seen, and are kept "
        "apart"
        for same in seen.values()
        if len(same) > 1
    ]
    if "" in seen:
        said.append(f"a class is called {seen[''][0]!a}, as labels without a letter are a class of their own")
    return said
